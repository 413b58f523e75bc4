// A service account of Google with a key of its own, and a look at what was signed with it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <boost/json.hpp>

#include "core/base64.hpp"

namespace openindex::test {

class GoogleKey {
 public:
  GoogleKey() : key_(EVP_RSA_gen(2048)) {}
  ~GoogleKey() { EVP_PKEY_free(key_); }
  GoogleKey(const GoogleKey&) = delete;
  GoogleKey& operator=(const GoogleKey&) = delete;

  [[nodiscard]] std::string pem() const {
    BIO* const bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key_, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(bio, &text);
    std::string out(text, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
  }
  [[nodiscard]] std::string file(const std::string& token_url = "https://oauth2.googleapis.com/token") const {
    return boost::json::serialize(boost::json::value{{"type", "service_account"},
                                                     {"project_id", "project-1"},
                                                     {"private_key_id", "key-1"},
                                                     {"private_key", pem()},
                                                     {"client_email", "bot@project-1.iam.gserviceaccount.com"},
                                                     {"token_uri", token_url}});
  }
  [[nodiscard]] bool has_signed(std::string_view text, std::string_view signature) const {
    const auto bytes = from_base64url(signature);
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    const bool sound = bytes && EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key_) == 1 &&
                       EVP_DigestVerify(context, bytes->data(), bytes->size(),
                                        reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
    EVP_MD_CTX_free(context);
    return sound;
  }

  static const GoogleKey& shared() {
    static const GoogleKey key;
    return key;
  }

 private:
  EVP_PKEY* key_;
};

/// The parts of a token between its dots.
inline std::string decoded(std::string_view part) {
  const auto bytes = from_base64url(part).value();
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace openindex::test
