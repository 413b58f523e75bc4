#include "provider/protocols/nats_credentials.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/base64.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t creds_bytes_max = 65'536;
constexpr std::size_t seed_letters = 58;

struct FreeSigning {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

// The one line between a line of dashes that names a thing and the next line of dashes; empty: there is no such.
std::string_view block(std::string_view file, std::string_view name) {
  enum { before, inside } at = before;
  std::string_view found;
  while (!file.empty()) {
    const auto end = std::min(file.find('\n'), file.size());
    std::string_view line = file.substr(0, end);
    file.remove_prefix(std::min(end + 1, file.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const bool is_rule = line.starts_with("---");
    if (at == inside && is_rule) return found;
    if (at == before && is_rule && line.find("BEGIN") != std::string_view::npos &&
        line.find(name) != std::string_view::npos) {
      at = inside;
    } else if (at == inside && !line.empty()) {
      if (!found.empty()) return {};
      found = line;
    }
  }
  return {};
}

bool is_jwt(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return std::count(text.begin(), text.end(), '.') == 2 && text.find("..") == std::string_view::npos &&
         text.front() != '.' && text.back() != '.' && std::all_of(text.begin(), text.end(), fits);
}

using SeedBytes = std::array<unsigned char, 36>;  // two of prefixes, the seed, a check sum

// Base32 (RFC 4648) without padding: 58 letters for 288 bits, and two bits of zero.
bool decode_seed(std::string_view text, SeedBytes& out) {
  if (text.size() != seed_letters) return false;
  std::uint32_t bits = 0;
  unsigned count = 0;
  std::size_t size = 0;
  for (const char c : text) {
    const bool is_letter = c >= 'A' && c <= 'Z';
    if (!is_letter && (c < '2' || c > '7')) return false;
    bits = (bits << 5 | static_cast<std::uint32_t>(is_letter ? c - 'A' : c - '2' + 26)) & 0xFFFF;
    count += 5;
    if (count < 8) continue;
    count -= 8;
    out[size++] = static_cast<unsigned char>(bits >> count);
  }
  return size == out.size() && (bits & ((1u << count) - 1)) == 0;
}

std::uint16_t crc16(const unsigned char* bytes, std::size_t size) {
  unsigned sum = 0;  // XMODEM's
  for (std::size_t i = 0; i < size; ++i) {
    sum ^= static_cast<unsigned>(bytes[i]) << 8;
    for (int bit = 0; bit < 8; ++bit) sum = ((sum & 0x8000) != 0 ? sum << 1 ^ 0x1021 : sum << 1) & 0xFFFF;
  }
  return static_cast<std::uint16_t>(sum);
}

// What is wrong with it; empty: nothing, and the seed is filled in.
std::string_view read_seed(std::string_view text, std::string& seed) {
  SeedBytes bytes{};
  std::string_view wrong;
  if (!decode_seed(text, bytes)) {
    wrong = "has a seed that is no 58 letters of base32";
  } else if (crc16(bytes.data(), 34) != (bytes[34] | bytes[35] << 8)) {
    wrong = "has a seed whose check sum is wrong: a letter of it has changed";
  } else if ((bytes[0] & 0xF8) != 18 << 3 || ((bytes[0] & 7) << 5 | bytes[1] >> 3) != 20 << 3) {
    wrong = "has a seed that is not a user's: those begin with SU";
  } else {
    seed.assign(bytes.begin() + 2, bytes.begin() + 34);
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return wrong;
}

std::string_view read_file(std::string_view file, NatsCredentials& out) {
  if (file.size() > creds_bytes_max) return "is longer than 65536 bytes";
  const auto jwt = block(file, "JWT"), seed = block(file, "SEED");
  if (jwt.empty()) return "has no line of a JWT between BEGIN NATS USER JWT and END";
  if (!is_jwt(jwt)) return "has a JWT that is none";
  if (seed.empty()) return "has no line of a seed between BEGIN USER NKEY SEED and END";
  out.jwt = jwt;
  return read_seed(seed, out.seed);
}

}  // namespace

NatsCredentials::~NatsCredentials() { OPENSSL_cleanse(seed.data(), seed.size()); }

Result<NatsCredentials> read_nats_credentials(std::string_view file) {
  NatsCredentials out;
  const auto wrong = read_file(file, out);
  if (!wrong.empty()) return Error(errc::invalid_argument, "The credentials file of NATS " + std::string(wrong));
  return out;
}

std::optional<std::string> sign_nats_nonce(const NatsCredentials& credentials, std::string_view nonce) {
  const auto octets = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  const std::unique_ptr<EVP_PKEY, FreeSigning> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(credentials.seed), credentials.seed.size()));
  const std::unique_ptr<EVP_MD_CTX, FreeSigning> context(EVP_MD_CTX_new());
  std::array<unsigned char, 64> signature{};
  std::size_t size = signature.size();
  if (!key || !context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, octets(nonce), nonce.size()) != 1) {
    return std::nullopt;
  }
  return to_base64url(signature);
}

}  // namespace openindex::providers
