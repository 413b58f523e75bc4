#include "engine/run_token.hpp"

#include <span>

#include "core/base64.hpp"
#include "engine/digest.hpp"

namespace openindex::engine {
namespace {

constexpr std::string_view token_prefix = "oi_run_";
constexpr std::size_t token_bytes_max = 1024;
constexpr std::size_t token_secret_bytes = 40;
constexpr std::size_t token_checksum_bytes = 6;

std::string token_checksum(std::string_view text) { return sha256_hex(text).substr(0, token_checksum_bytes); }

}  // namespace

std::string mint_run_token(RandomSource& random, const RunId& run) {
  const std::string& id = run.str();
  std::string token(token_prefix);
  token += to_base64url({reinterpret_cast<const unsigned char*>(id.data()), id.size()});
  token += '_';
  for (int half = 0; half < 2; ++half) token += mint_id(random, "").substr(1);
  return token + token_checksum(token);
}

std::optional<RunId> run_of_token(std::string_view token) {
  constexpr std::size_t tail = 1 + token_secret_bytes + token_checksum_bytes;
  if (token.size() > token_bytes_max || !token.starts_with(token_prefix) ||
      token.size() <= token_prefix.size() + tail) {
    return std::nullopt;
  }
  const std::string_view checked = token.substr(0, token.size() - token_checksum_bytes);
  if (token_checksum(checked) != token.substr(checked.size())) return std::nullopt;
  if (token[token.size() - tail] != '_') return std::nullopt;
  const auto id = from_base64url(token.substr(token_prefix.size(), token.size() - tail - token_prefix.size()));
  if (!id) return std::nullopt;
  return RunId(std::string(id->begin(), id->end()));
}

std::string hash_of_token(std::string_view token) { return hmac_sha256_hex("openindex run token", token); }

bool is_token_of(std::string_view token, std::string_view hash) {
  const std::string own = hash_of_token(token);
  if (hash.size() != own.size()) return false;
  unsigned differs = 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    differs |= static_cast<unsigned char>(own[i]) ^ static_cast<unsigned char>(hash[i]);
  }
  return differs == 0;
}

}  // namespace openindex::engine
