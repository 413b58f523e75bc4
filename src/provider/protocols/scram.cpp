#include "provider/protocols/scram.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/base64.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t server_first_bytes_max = 4096;

using ScramBytes = std::vector<unsigned char>;  // empty: OpenSSL did not do it

const EVP_MD* digest_of(ScramHash hash) {
  switch (hash) {
    case ScramHash::sha1:
      return EVP_sha1();
    case ScramHash::sha256:
      return EVP_sha256();
    case ScramHash::sha512:
      return EVP_sha512();
  }
  return EVP_sha256();
}

ScramBytes keyed(const EVP_MD* digest, const ScramBytes& key, std::string_view text) {
  ScramBytes out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  const auto* const done = HMAC(digest, key.data(), static_cast<int>(key.size()),
                                reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &size);
  out.resize(done == nullptr ? 0 : size);
  return out;
}

ScramBytes hashed(const EVP_MD* digest, const ScramBytes& bytes) {
  ScramBytes out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, digest, nullptr) != 1) size = 0;
  out.resize(size);
  return out;
}

ScramBytes salted(const EVP_MD* digest, std::string_view password, const ScramBytes& salt, int rounds) {
  ScramBytes out(static_cast<std::size_t>(EVP_MD_get_size(digest)));
  const int done =
      PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(), static_cast<int>(salt.size()),
                        rounds, digest, static_cast<int>(out.size()), out.data());
  if (done != 1) out.clear();
  return out;
}

// Names are told between commas and behind an equals sign.
std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ',') {
      out += "=2C";
    } else if (c == '=') {
      out += "=3D";
    } else {
      out += c;
    }
  }
  return out;
}

// Takes `name=value` off the front; nullopt when something else stands there.
std::optional<std::string_view> take_member(std::string_view& text, std::string_view name) {
  if (!text.starts_with(name)) return std::nullopt;
  const auto comma = std::min(text.find(','), text.size());
  const auto value = text.substr(name.size(), comma - name.size());
  text.remove_prefix(std::min(comma + 1, text.size()));
  return value;
}

// From base64 as mail has it, padding included.
ScramBytes salt_of(std::string_view text) {
  if (text.size() % 4 != 0) return {};
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  std::string url(text);
  if (url.find_first_of("-_") != std::string::npos) return {};
  std::replace(url.begin(), url.end(), '+', '-');
  std::replace(url.begin(), url.end(), '/', '_');
  return from_base64url(url).value_or(ScramBytes());
}

std::optional<int> rounds_of(std::string_view digits) {
  int rounds = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), rounds);
  if (failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return rounds;
}

}  // namespace

std::string_view mechanism_name(ScramHash hash) noexcept {
  switch (hash) {
    case ScramHash::sha1:
      return "SCRAM-SHA-1";
    case ScramHash::sha256:
      return "SCRAM-SHA-256";
    case ScramHash::sha512:
      return "SCRAM-SHA-512";
  }
  return {};
}

std::string scram_nonce(RandomSource& random) {
  std::array<std::byte, 18> bytes{};
  random.fill(bytes);
  return to_base64({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

Scram::Scram(ScramHash hash, std::string_view user, std::string_view password, std::string nonce, Rounds rounds)
    : hash_(hash),
      password_(password),
      nonce_(std::move(nonce)),
      rounds_(rounds),
      first_bare_("n=" + escaped(user) + ",r=" + nonce_) {}

std::optional<std::string> Scram::answer(std::string_view server_first) {
  if (server_first.size() > server_first_bytes_max || !server_proof_.empty()) return std::nullopt;
  // An extension that must be understood would stand before the nonce.
  std::string_view rest = server_first;
  const auto nonce = take_member(rest, "r=");
  const auto salt_text = take_member(rest, "s=");
  const auto rounds_text = take_member(rest, "i=");
  if (!nonce || !salt_text || !rounds_text) return std::nullopt;
  const auto salt = salt_of(*salt_text);
  const auto rounds = rounds_of(*rounds_text);
  if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size() || salt.empty()) return std::nullopt;
  if (!rounds || *rounds < rounds_.min || *rounds > rounds_.max) return std::nullopt;

  const EVP_MD* const digest = digest_of(hash_);
  const ScramBytes secret = salted(digest, password_, salt, *rounds);
  const std::string bare = "c=biws,r=" + std::string(*nonce);
  const std::string all = first_bare_ + "," + std::string(server_first) + "," + bare;
  const ScramBytes client_key = keyed(digest, secret, "Client Key");
  ScramBytes proof = keyed(digest, hashed(digest, client_key), all);
  const ScramBytes signature = keyed(digest, keyed(digest, secret, "Server Key"), all);
  if (secret.empty() || client_key.empty() || proof.size() != client_key.size() || signature.empty())
    return std::nullopt;
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<unsigned char>(proof[i] ^ client_key[i]);
  server_proof_ = "v=" + to_base64(signature);
  return bare + ",p=" + to_base64(proof);
}

bool Scram::proves(std::string_view server_final) const {
  return !server_proof_.empty() && server_final.substr(0, server_final.find(',')) == server_proof_;
}

}  // namespace openindex::providers
