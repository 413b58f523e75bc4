// Keys and JWTs of NATS, made by the test that needs them, as `nsc` would.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base64.hpp"
#include "http/certificate.hpp"

namespace openindex::test {

/// What a key is for, as its first letter says it.
enum class NatsRole : unsigned { account = 0, operator_ = 14 << 3, seed = 18 << 3, user = 20 << 3 };

inline std::string nats_base32(std::vector<unsigned char> bytes) {
  unsigned sum = 0;  // the check sum that every key ends with
  for (const unsigned char byte : bytes) {
    sum ^= static_cast<unsigned>(byte) << 8;
    for (int bit = 0; bit < 8; ++bit) sum = (sum << 1 ^ ((sum & 0x8000) != 0 ? 0x1021u : 0u)) & 0xFFFF;
  }
  bytes.push_back(static_cast<unsigned char>(sum & 0xFF));
  bytes.push_back(static_cast<unsigned char>(sum >> 8));
  std::string text;
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 5) {
    unsigned letter = 0;
    for (std::size_t i = bit; i < bit + 5; ++i) {
      letter = letter << 1 | (i / 8 < bytes.size() ? bytes[i / 8] >> (7 - i % 8) & 1u : 0u);
    }
    text += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[letter];
  }
  return text;
}

class NatsKey {
 public:
  explicit NatsKey(NatsRole role)
      : role_(static_cast<unsigned>(role)), key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")) {}

  [[nodiscard]] std::string name() const {
    std::array<unsigned char, 32> raw{};
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key_.get(), raw.data(), &size);
    std::vector<unsigned char> bytes = {static_cast<unsigned char>(role_)};
    bytes.insert(bytes.end(), raw.begin(), raw.end());
    return nats_base32(bytes);
  }

  [[nodiscard]] std::string seed() const {
    std::array<unsigned char, 32> raw{};
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_private_key(key_.get(), raw.data(), &size);
    std::vector<unsigned char> bytes = {static_cast<unsigned char>(static_cast<unsigned>(NatsRole::seed) | role_ >> 5),
                                        static_cast<unsigned char>((role_ & 31) << 3)};
    bytes.insert(bytes.end(), raw.begin(), raw.end());
    return nats_base32(bytes);
  }

  /// Say in a JWT what another key may do.
  [[nodiscard]] std::string vouch_for(const NatsKey& subject, const std::string& what) const {
    const std::string text = part(R"({"typ":"JWT","alg":"ed25519-nkey"})") + "." +
                             part(R"({"jti":"test","iat":1700000000,"iss":")" + name() + R"(","name":"test","sub":")" +
                                  subject.name() + R"(","nats":)" + what + "}");
    return text + "." + sign(text);
  }

 private:
  static const unsigned char* octets(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  }
  static std::string part(std::string_view json) { return to_base64url({octets(json), json.size()}); }

  [[nodiscard]] std::string sign(std::string_view text) const {
    const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    std::array<unsigned char, 64> signature{};
    std::size_t size = signature.size();
    EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get());
    EVP_DigestSign(context.get(), signature.data(), &size, octets(text), text.size());
    return to_base64url(signature);
  }

  unsigned role_;
  Key key_;
};

}  // namespace openindex::test
