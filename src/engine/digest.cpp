#include "engine/digest.hpp"

#include <memory>
#include <new>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace openindex::engine {
namespace {

constexpr std::size_t digest_bytes = 32;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
struct FreeDigest {
  void operator()(EVP_MD* digest) const noexcept { EVP_MD_free(digest); }
};

// Looking the algorithm up takes longer than digesting an audit entry, so each thread does it once.
struct Sha256 {
  std::unique_ptr<EVP_MD, FreeDigest> digest{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  std::unique_ptr<EVP_MD_CTX, FreeContext> context{EVP_MD_CTX_new()};
};

std::string hex(const unsigned char (&bytes)[digest_bytes]) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out(2 * digest_bytes, '0');
  for (std::size_t i = 0; i < digest_bytes; ++i) {
    out[2 * i] = digits[bytes[i] >> 4];
    out[2 * i + 1] = digits[bytes[i] & 15];
  }
  return out;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  thread_local const Sha256 sha;
  unsigned char out[digest_bytes];
  // Every libcrypto has SHA-256, so the only failure left is a lack of memory.
  if (!sha.digest || !sha.context || EVP_DigestInit_ex2(sha.context.get(), sha.digest.get(), nullptr) != 1 ||
      EVP_DigestUpdate(sha.context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(sha.context.get(), out, nullptr) != 1) {
    throw std::bad_alloc();
  }
  return hex(out);
}

std::string hmac_sha256_hex(std::string_view key, std::string_view bytes) {
  unsigned char out[digest_bytes];
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
           bytes.size(), out, nullptr) == nullptr) {
    throw std::bad_alloc();
  }
  return hex(out);
}

}  // namespace openindex::engine
