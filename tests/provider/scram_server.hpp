// The server's side of SCRAM (RFC 5802), which knows a password and checks the proof.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace openindex::test {

struct ScramServer {
  const EVP_MD* digest = EVP_sha256();
  std::string user = "mia";
  std::string password = {};
  // What a hostile one says.
  std::string rounds = "4096";
  std::string salt = "c2FsdCBvZiBhIHRlc3Q=";
  std::string nonce_before = {};
  std::string nonce_more = "more";
  bool signs = true;
  // What was said so far.
  std::string client_said = {}, server_said = {}, whole_nonce = {};

  /// Answer `n,,n=user,r=nonce`; empty when the user is not known.
  std::string first(std::string_view said) {
    client_said = said.substr(std::min<std::size_t>(3, said.size()));
    const auto nonce = client_said.find(",r=");
    if (!said.starts_with("n,,n=") || nonce == std::string::npos) return {};
    if (client_said.substr(2, nonce - 2) != user) return {};
    whole_nonce = nonce_before + client_said.substr(nonce + 3) + nonce_more;
    server_said = "r=" + whole_nonce + ",s=" + salt + ",i=" + rounds;
    return server_said;
  }

  /// Answer the proof; empty when it is none.
  [[nodiscard]] std::string last(std::string_view said) const {
    const auto mark = said.rfind(",p=");
    if (mark == std::string_view::npos || said.substr(0, mark) != "c=biws,r=" + whole_nonce) return {};
    const std::string all = client_said + "," + server_said + "," + std::string(said.substr(0, mark));
    const std::string salted = derived();
    const std::string key = keyed(salted, "Client Key");
    std::string proof = keyed(hashed(key), all);
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ key[i]);
    if (said.substr(mark + 3) != base64(proof)) return {};
    return "v=" + base64(keyed(keyed(salted, signs ? "Server Key" : "Some Key"), all));
  }

 private:
  static const unsigned char* octets(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  }
  static std::string text(const std::vector<unsigned char>& bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes.data()), size};
  }
  [[nodiscard]] std::string keyed(std::string_view key, std::string_view said) const {
    std::vector<unsigned char> out(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    HMAC(digest, key.data(), static_cast<int>(key.size()), octets(said), said.size(), out.data(), &size);
    return text(out, size);
  }
  [[nodiscard]] std::string hashed(std::string_view said) const {
    std::vector<unsigned char> out(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    EVP_Digest(said.data(), said.size(), out.data(), &size, digest, nullptr);
    return text(out, size);
  }
  [[nodiscard]] std::string derived() const {
    constexpr std::string_view salt_bytes = "salt of a test";
    std::vector<unsigned char> out(static_cast<std::size_t>(EVP_MD_get_size(digest)));
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets(salt_bytes),
                      static_cast<int>(salt_bytes.size()), std::stoi(rounds), digest, static_cast<int>(out.size()),
                      out.data());
    return text(out, out.size());
  }
  static std::string base64(std::string_view bytes) {
    std::vector<unsigned char> out(bytes.size() * 2 + 8);
    const int size = EVP_EncodeBlock(out.data(), octets(bytes), static_cast<int>(bytes.size()));
    return text(out, static_cast<std::size_t>(size));
  }
};

}  // namespace openindex::test
