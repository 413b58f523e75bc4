#include <openindex/adapters/sealed_secret_store.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/base64.hpp"

namespace openindex {
inline namespace v0 {
namespace {

// A handle of version 2 holds, one after the other: which host key, the data key sealed under that, the value sealed
// under the data key. One of version 1 holds the value sealed under the host key.
constexpr std::string_view first_prefix = "sealed:v1:";
constexpr std::string_view prefix = "sealed:v2:";
constexpr std::size_t id_bytes = 8;
constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t box_bytes = nonce_bytes + tag_bytes;  // beside what is in it
constexpr std::size_t wrapped_bytes = box_bytes + key_bytes;
constexpr std::size_t value_bytes_max = std::size_t{1} << 20;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

using Bytes = std::vector<unsigned char>;
using View = std::span<const unsigned char>;

// Bytes that nobody shall find in memory afterwards.
struct Wiped {
  explicit Wiped(std::size_t count) : bytes(count) {}
  ~Wiped() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  Bytes bytes;
};

View view_of(std::string_view text) { return {reinterpret_cast<const unsigned char*>(text.data()), text.size()}; }

View view_of(const HostKey& key) {
  return {reinterpret_cast<const unsigned char*>(key.bytes().data()), key.bytes().size()};
}

// What is bound in: a box opens for its own version, purpose and place only.
std::string bound_to(const SecretName& name, std::string_view version, std::string_view purpose) {
  std::string out("openindex secret ");
  out += version;
  out += purpose;
  out += '\0';
  out += name.provider;
  out += '\0';
  out += name.key;
  return out;
}

Error unreadable(const SecretName& name, std::string why) {
  return Error(errc::secret_unreadable, std::move(why)).with("provider", name.provider).with("key", name.key);
}

// Nonce, what was sealed, tag. Every libcrypto has AES-256-GCM, so false is a lack of memory.
bool seal_box(View key, std::string_view bound, View plain, RandomSource& random, Bytes& out) {
  const std::size_t at = out.size();
  out.resize(at + box_bytes + plain.size());
  random.fill(std::as_writable_bytes(std::span(out).subspan(at, nonce_bytes)));
  unsigned char* const body = out.data() + at + nonce_bytes;
  const View extra = view_of(bound);
  const Context context(EVP_CIPHER_CTX_new());
  int written = 0;
  return context && EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), out.data() + at) == 1 &&
         EVP_EncryptUpdate(context.get(), nullptr, &written, extra.data(), static_cast<int>(extra.size())) == 1 &&
         EVP_EncryptUpdate(context.get(), body, &written, plain.data(), static_cast<int>(plain.size())) == 1 &&
         EVP_EncryptFinal_ex(context.get(), body + plain.size(), &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, body + plain.size()) == 1;
}

// `out` has the size of what was sealed, or more. @pre box.size() >= box_bytes
bool open_box(View key, std::string_view bound, View box, Bytes& out) {
  const std::size_t count = box.size() - box_bytes;
  const View extra = view_of(bound), body = box.subspan(nonce_bytes, count);
  Bytes tag(box.end() - tag_bytes, box.end());
  const Context context(EVP_CIPHER_CTX_new());
  int written = 0;
  return context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), box.data()) == 1 &&
         EVP_DecryptUpdate(context.get(), nullptr, &written, extra.data(), static_cast<int>(extra.size())) == 1 &&
         EVP_DecryptUpdate(context.get(), out.data(), &written, body.data(), static_cast<int>(count)) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1 &&
         EVP_DecryptFinal_ex(context.get(), out.data() + count, &written) == 1;
}

// Tells keys apart, and nothing of them.
Bytes id_of(const HostKey& key) {
  const View bytes = view_of(key), purpose = view_of("openindex host key");
  Wiped text(purpose.size() + bytes.size());
  std::copy(bytes.begin(), bytes.end(), std::copy(purpose.begin(), purpose.end(), text.bytes.begin()));
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (EVP_Digest(text.bytes.data(), text.bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) return {};
  digest.resize(id_bytes);
  return digest;
}

std::string text_of(const Wiped& plain, std::size_t count) {
  return std::string(plain.bytes.begin(), plain.bytes.begin() + static_cast<std::ptrdiff_t>(count));
}

// As the first version wrote it, under any of the keys.
Result<std::string> open_first(const std::vector<HostKey>& keys, const SecretName& name, View sealed) {
  if (sealed.size() < box_bytes || sealed.size() > box_bytes + value_bytes_max) {
    return unreadable(name, "The sealed secret is damaged");
  }
  Wiped plain(sealed.size() - box_bytes + 1);  // an empty value still needs a place to be written to
  for (const HostKey& key : keys) {
    if (open_box(view_of(key), bound_to(name, "v1", ""), sealed, plain.bytes)) {
      return text_of(plain, sealed.size() - box_bytes);
    }
  }
  return Error(errc::secret_unreadable).with("provider", name.provider).with("key", name.key);
}

}  // namespace

SealedSecretStore::SealedSecretStore(const HostKey& key, RandomSource& random) : keys_{key}, random_(random) {}

SealedSecretStore::SealedSecretStore(const HostKey& key, std::vector<HostKey> former, RandomSource& random)
    : keys_{key}, random_(random) {
  keys_.insert(keys_.end(), former.begin(), former.end());
}

SealedSecretStore::~SealedSecretStore() = default;

Result<std::string> SealedSecretStore::seal(const SecretName& name, std::string_view value) {
  if (value.size() > value_bytes_max) {
    return Error(errc::input_too_large).with("key", name.key).with("bytes_max", std::to_string(value_bytes_max));
  }
  Wiped data_key(key_bytes);
  random_.fill(std::as_writable_bytes(std::span(data_key.bytes)));
  Bytes sealed = id_of(keys_.front());
  if (sealed.size() != id_bytes ||
      !seal_box(view_of(keys_.front()), bound_to(name, "v2", " key"), data_key.bytes, random_, sealed) ||
      !seal_box(data_key.bytes, bound_to(name, "v2", ""), view_of(value), random_, sealed)) {
    return unreadable(name, "The secret could not be sealed");
  }
  return std::string(prefix) + to_base64url(sealed);
}

Result<std::string> SealedSecretStore::open(const SecretName& name, std::string_view handle) {
  const bool is_first = handle.starts_with(first_prefix);
  if (!is_first && !handle.starts_with(prefix)) {
    return unreadable(name, "The secret was not sealed by this kind of store");
  }
  const auto bytes = from_base64url(handle.substr(prefix.size()));
  if (!bytes) return unreadable(name, "The sealed secret is damaged");
  const View sealed(*bytes);
  if (is_first) return open_first(keys_, name, sealed);
  if (sealed.size() < id_bytes + wrapped_bytes + box_bytes ||
      sealed.size() > id_bytes + wrapped_bytes + box_bytes + value_bytes_max) {
    return unreadable(name, "The sealed secret is damaged");
  }
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const HostKey& one) {
    const Bytes id = id_of(one);
    return std::equal(id.begin(), id.end(), sealed.begin());
  });
  if (key == keys_.end()) return unreadable(name, "The secret was sealed under a key of the host that is not given");
  Wiped data_key(key_bytes + 1);
  const View value = sealed.subspan(id_bytes + wrapped_bytes);
  Wiped plain(value.size() - box_bytes + 1);
  if (!open_box(view_of(*key), bound_to(name, "v2", " key"), sealed.subspan(id_bytes, wrapped_bytes), data_key.bytes) ||
      !open_box(data_key.bytes, bound_to(name, "v2", ""), value, plain.bytes)) {
    return Error(errc::secret_unreadable).with("provider", name.provider).with("key", name.key);
  }
  return text_of(plain, value.size() - box_bytes);
}

bool SealedSecretStore::is_current(std::string_view handle) const {
  if (!handle.starts_with(prefix)) return false;
  const auto bytes = from_base64url(handle.substr(prefix.size()));
  const Bytes id = id_of(keys_.front());
  return bytes && bytes->size() >= id.size() && std::equal(id.begin(), id.end(), bytes->begin());
}

}  // namespace v0
}  // namespace openindex
