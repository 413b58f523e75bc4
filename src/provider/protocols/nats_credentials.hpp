// What a credentials file of NATS holds: a user's JWT, and the seed of the key that proves it. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <openindex/core/result.hpp>

namespace openindex::providers {

struct NatsCredentials {
  std::string jwt;
  std::string seed;  ///< 32 bytes, of an Ed25519 key.

  NatsCredentials() = default;
  NatsCredentials(NatsCredentials&&) = default;
  NatsCredentials& operator=(NatsCredentials&&) = default;
  NatsCredentials(const NatsCredentials&) = delete;
  NatsCredentials& operator=(const NatsCredentials&) = delete;
  ~NatsCredentials();  ///< Wipes the seed.
};

/// Read a `.creds` file. No error holds anything of it. @par Errors invalid_argument
Result<NatsCredentials> read_nats_credentials(std::string_view file);

/// Prove to have the key: the signature of what the server asked with, as CONNECT carries it; nullopt: OpenSSL cannot.
std::optional<std::string> sign_nats_nonce(const NatsCredentials& credentials, std::string_view nonce);

}  // namespace openindex::providers
