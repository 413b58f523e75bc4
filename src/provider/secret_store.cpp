#include <openindex/provider/secret_files.hpp>
#include <openindex/provider/secret_store.hpp>

namespace openindex {
inline namespace v0 {

SecretFiles::~SecretFiles() = default;
SecretStore::~SecretStore() = default;
bool SecretStore::is_current(std::string_view) const { return true; }

}  // namespace v0
}  // namespace openindex
