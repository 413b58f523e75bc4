// SecretFolders: SecretFiles in folders that the host names, such as /run/secrets.
//
// A path is absolute and leads into one of the folders, links followed: what stands outside cannot be named, nor linked
// to. Files have at most 65,536 bytes. They are read at each use, so a file that is replaced is the new secret.
//
// Thread safety: all methods, from any threads.
#pragma once

#include <string>
#include <vector>

#include <openindex/provider/secret_files.hpp>

namespace openindex {
inline namespace v0 {

class OPENINDEX_API SecretFolders final : public SecretFiles {
 public:
  /// Whoever may change a provider can send what these folders hold to an endpoint of their choice.
  explicit SecretFolders(std::vector<std::string> folders);
  ~SecretFolders() override;

  [[nodiscard]] bool allows(std::string_view path) const override;
  Result<std::string> read(std::string_view path) override;

 private:
  std::vector<std::string> folders_;
};

}  // namespace v0
}  // namespace openindex
