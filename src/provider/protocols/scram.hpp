// SCRAM (RFC 5802, RFC 7677): a login in which both sides prove that they know the password, and neither tells it.
//
// Passwords are taken as they are: SASLprep, which changes only what is not ASCII, is not applied.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <openindex/core/random.hpp>

namespace openindex::providers {

enum class ScramHash { sha1, sha256, sha512 };

/// `SCRAM-SHA-256`, as servers list it.
std::string_view mechanism_name(ScramHash hash) noexcept;

/// Draw what makes a login unlike every other.
std::string scram_nonce(RandomSource& random);

/// The client's side, for one login.
class Scram {
 public:
  /// How many rounds of the key derivation a server may ask for. Few would let one that has no password guess it from
  /// the proof; many would keep us busy.
  struct Rounds {
    int min = 4096;
    int max = 1'000'000;
  };

  /// `user` may be empty where the protocol has told it before.
  Scram(ScramHash hash, std::string_view user, std::string_view password, std::string nonce)
      : Scram(hash, user, password, std::move(nonce), Rounds{}) {}
  Scram(ScramHash hash, std::string_view user, std::string_view password, std::string nonce, Rounds rounds);

  /// What to begin with.
  [[nodiscard]] std::string first() const { return "n,," + first_bare_; }

  /// The proof, for the server's first message; nullopt: that is malformed, or asks for what we do not do.
  std::optional<std::string> answer(std::string_view server_first);

  /// Tell whether the server's last message proves that it knows the password. False before `answer` has answered.
  [[nodiscard]] bool proves(std::string_view server_final) const;

 private:
  ScramHash hash_;
  std::string password_;
  std::string nonce_;
  Rounds rounds_;
  std::string first_bare_;
  std::string server_proof_;
};

}  // namespace openindex::providers
