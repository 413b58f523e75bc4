#include <openindex/provider/secret_store.hpp>

namespace openindex {
inline namespace v0 {

SecretStore::~SecretStore() = default;

}  // namespace v0
}  // namespace openindex
