// A key and a certificate that signs itself, made by the test that needs them.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

namespace openindex::test {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

/// Make a certificate for one name, such as `IP:127.0.0.1`, and an hour that ends that many seconds from now. Without
/// a `subject_alternative_name`, its common name is the only one.
inline Certificate make_certificate(EVP_PKEY* key, const char* subject_alternative_name, long ends_in = 1800,
                                    const char* common_name = "openindex test") {
  Certificate made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), ends_in - 3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), ends_in);
  X509_set_pubkey(made.get(), key);
  auto* name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  X509_set_issuer_name(made.get(), name);
  for (const auto& [id, value] :
       {std::pair{NID_subject_alt_name, subject_alternative_name}, {NID_basic_constraints, "CA:TRUE"}}) {
    if (value == nullptr) continue;
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
    X509_add_ext(made.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(made.get(), key, EVP_sha256());
  return made;
}

/// As PEM.
inline void write_certificate(const std::string& path, X509* certificate) {
  auto* file = std::fopen(path.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
}

/// As PEM.
inline void write_key(const std::string& path, EVP_PKEY* key) {
  auto* file = std::fopen(path.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
}

}  // namespace openindex::test
