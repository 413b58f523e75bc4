// SecretFiles: the files that a configuration value `file:PATH` may name, and what they hold.
//
// `ProviderRegistry` calls it; `SecretFolders` implements it for the files of some folders, as secrets are mounted into
// containers.
//
// For implementers: called from any thread, concurrently; may block. Never put what a file holds into an error.
#pragma once

#include <string>
#include <string_view>

#include <openindex/core/api.hpp>
#include <openindex/core/result.hpp>

namespace openindex {
inline namespace v0 {

class OPENINDEX_API SecretFiles {
 public:
  SecretFiles() = default;
  virtual ~SecretFiles();
  SecretFiles(const SecretFiles&) = delete;
  SecretFiles& operator=(const SecretFiles&) = delete;

  /// Tell whether configurations may name this file. Whether it is there is not for their author to find out.
  [[nodiscard]] virtual bool allows(std::string_view path) const = 0;

  /// Return what the file holds, without a line break at its end. @par Errors secret_unreadable
  virtual Result<std::string> read(std::string_view path) = 0;
};

}  // namespace v0
}  // namespace openindex
