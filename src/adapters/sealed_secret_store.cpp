#include <openindex/adapters/sealed_secret_store.hpp>

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/base64.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::string_view handle_prefix = "sealed:v1:";
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t value_bytes_max = std::size_t{1} << 20;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

using Bytes = std::vector<unsigned char>;

// Bytes that nobody shall find in memory afterwards.
struct Wiped {
  explicit Wiped(std::size_t count) : bytes(count) {}
  ~Wiped() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  Bytes bytes;
};

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string bound_to(const SecretName& name) {
  std::string out("openindex secret v1");
  out += '\0';
  out += name.provider;
  out += '\0';
  out += name.key;
  return out;
}

Error unreadable(const SecretName& name, std::string why) {
  return Error(errc::secret_unreadable, std::move(why)).with("provider", name.provider).with("key", name.key);
}

const unsigned char* key_bytes(const HostKey& key) {
  return reinterpret_cast<const unsigned char*>(key.bytes().data());
}

}  // namespace

SealedSecretStore::SealedSecretStore(const HostKey& key, RandomSource& random) : key_(key), random_(random) {}
SealedSecretStore::~SealedSecretStore() = default;

Result<std::string> SealedSecretStore::seal(const SecretName& name, std::string_view value) {
  if (value.size() > value_bytes_max) {
    return Error(errc::input_too_large).with("key", name.key).with("bytes_max", std::to_string(value_bytes_max));
  }
  Bytes sealed(nonce_bytes + value.size() + tag_bytes);
  random_.fill(std::as_writable_bytes(std::span(sealed).first(nonce_bytes)));
  const std::string bound = bound_to(name);
  const Context context(EVP_CIPHER_CTX_new());
  unsigned char* const body = sealed.data() + nonce_bytes;
  int written = 0;
  // Every libcrypto has AES-256-GCM, so the only failure left is a lack of memory.
  if (!context || EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_bytes(key_), sealed.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), nullptr, &written, bytes_of(bound), static_cast<int>(bound.size())) != 1 ||
      EVP_EncryptUpdate(context.get(), body, &written, bytes_of(value), static_cast<int>(value.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), body + value.size(), &written) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, body + value.size()) != 1) {
    return unreadable(name, "The secret could not be sealed");
  }
  return std::string(handle_prefix) + to_base64url(sealed);
}

Result<std::string> SealedSecretStore::open(const SecretName& name, std::string_view handle) {
  if (!handle.starts_with(handle_prefix)) return unreadable(name, "The secret was not sealed by this kind of store");
  auto sealed = from_base64url(handle.substr(handle_prefix.size()));
  if (!sealed || sealed->size() < nonce_bytes + tag_bytes ||
      sealed->size() > nonce_bytes + value_bytes_max + tag_bytes) {
    return unreadable(name, "The sealed secret is damaged");
  }
  const std::size_t count = sealed->size() - nonce_bytes - tag_bytes;
  const std::string bound = bound_to(name);
  const Context context(EVP_CIPHER_CTX_new());
  const unsigned char* const body = sealed->data() + nonce_bytes;
  Wiped plain(count + 1);  // an empty value still needs a place to be written to
  int written = 0;
  if (!context || EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_bytes(key_), sealed->data()) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &written, bytes_of(bound), static_cast<int>(bound.size())) != 1 ||
      EVP_DecryptUpdate(context.get(), plain.bytes.data(), &written, body, static_cast<int>(count)) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, sealed->data() + nonce_bytes + count) != 1 ||
      EVP_DecryptFinal_ex(context.get(), plain.bytes.data() + count, &written) != 1) {
    return Error(errc::secret_unreadable).with("provider", name.provider).with("key", name.key);
  }
  return std::string(plain.bytes.begin(), plain.bytes.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace v0
}  // namespace openindex
