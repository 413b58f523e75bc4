// SealedSecretStore: secrets encrypted with AES-256-GCM under a key that only the host has.
//
// Each value is encrypted under a data key of its own, and that under the host's key; the provider and the
// configuration key are bound in, so a handle moved to another place does not open. Losing the host's key loses the
// secrets: set them again.
//
// To replace the host's key without an interruption: start every process with the old key and the new one among
// `former`; then with the new key, and the old one among `former`; call `ProviderRegistry::reseal` once; then start
// them without the old one.
//
// Thread safety: all methods, from any threads.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <openindex/core/random.hpp>
#include <openindex/provider/secret_store.hpp>

namespace openindex {
inline namespace v0 {

/// 32 bytes that the host keeps safe. Wiped when destroyed.
class OPENINDEX_API HostKey {
 public:
  /// Read 64 hex digits from an environment variable. @par Errors secret_unreadable (unset or malformed; never the
  /// value)
  static Result<HostKey> from_env(const std::string& variable);

  /// Read the key from a file, or make the file with a fresh key when there is none. The file must be readable by its
  /// owner only. @par Errors secret_unreadable (context `path` and why)
  static Result<HostKey> from_file(const std::string& path, RandomSource& random = system_random());

  /// Make a key that nobody else knows and that is gone with the process: for tests and memory storage.
  static HostKey ephemeral(RandomSource& random = system_random());

  HostKey(const HostKey&) = default;
  HostKey& operator=(const HostKey&) = default;
  ~HostKey();

  [[nodiscard]] const std::array<std::byte, 32>& bytes() const noexcept { return bytes_; }

 private:
  HostKey() = default;
  std::array<std::byte, 32> bytes_{};
};

class OPENINDEX_API SealedSecretStore final : public SecretStore {
 public:
  explicit SealedSecretStore(const HostKey& key, RandomSource& random = system_random());
  /// `former`: keys that still open what was sealed under them; nothing is sealed under them any more.
  SealedSecretStore(const HostKey& key, std::vector<HostKey> former, RandomSource& random = system_random());
  ~SealedSecretStore() override;

  Result<std::string> seal(const SecretName& name, std::string_view value) override;
  Result<std::string> open(const SecretName& name, std::string_view handle) override;
  [[nodiscard]] bool is_current(std::string_view handle) const override;

 private:
  std::vector<HostKey> keys_;  ///< The first one seals.
  RandomSource& random_;
};

}  // namespace v0
}  // namespace openindex
