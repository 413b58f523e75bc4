#include "provider/google_account.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <vector>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <boost/json/object.hpp>

#include "codecs/aws_signature.hpp"
#include "codecs/reply_limits.hpp"
#include "codecs/reply_reader.hpp"
#include "core/base64.hpp"
#include "json/read.hpp"
#include "json/writer.hpp"

namespace openindex::providers {
namespace {

constexpr Duration token_lifetime = std::chrono::hours(1);  // the longest there is
constexpr std::size_t file_bytes_max = 65'536;

// A file that named another place would have the statement sent there, and an answer of that place believed.
constexpr std::array<std::string_view, 3> token_urls = {
    "https://oauth2.googleapis.com/token",
    "https://www.googleapis.com/oauth2/v4/token",
    "https://accounts.google.com/o/oauth2/token",
};

struct Free {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  void operator()(EVP_ENCODE_CTX* context) const noexcept { EVP_ENCODE_CTX_free(context); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string from_base64(std::string_view text) {
  const Owned<EVP_ENCODE_CTX> context(EVP_ENCODE_CTX_new());
  if (!context) return {};
  std::vector<unsigned char> out(text.size() / 4 * 3 + 100);
  int written = 0, rest = 0;
  EVP_DecodeInit(context.get());
  if (EVP_DecodeUpdate(context.get(), out.data(), &written, bytes_of(text), static_cast<int>(text.size())) < 0)
    return {};
  if (EVP_DecodeFinal(context.get(), out.data() + written, &rest) < 0) return {};
  return std::string(out.begin(), out.begin() + written + rest);
}

// Who asks for a key with a passphrase would be asked for it on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Owned<EVP_PKEY> read_key(std::string_view pem) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return nullptr;
  Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  constexpr int bits_max = 8192;  // a larger one takes seconds to sign with
  const bool fits = key && EVP_PKEY_is_a(key.get(), "RSA") == 1 && EVP_PKEY_get_bits(key.get()) <= bits_max;
  return fits ? std::move(key) : nullptr;
}

// Fills the account; what is wrong otherwise.
std::string_view read(std::string_view file, GoogleAccount& account) {
  if (file.size() > file_bytes_max) return "is longer than 65536 bytes";
  const auto begin = file.find_first_not_of(" \t\r\n");
  const bool is_json = begin != std::string_view::npos && file[begin] == '{';
  const auto value = json::parse(is_json ? std::string(file) : from_base64(file));
  const auto* object = value ? value->if_object() : nullptr;
  if (object == nullptr) return "is not the JSON file of a Google service account, or base64 of it";
  account.email = codecs::text_member(*object, "client_email");
  account.private_key = codecs::text_member(*object, "private_key");
  account.key_id = codecs::text_member(*object, "private_key_id");
  account.token_url = codecs::text_member(*object, "token_uri");
  account.project = codecs::text_member(*object, "project_id");
  if (account.email.empty()) return "has no client_email, so it is not the file of a Google service account";
  if (account.private_key.empty()) return "has no private_key, so it is not the file of a Google service account";
  if (account.token_url.empty()) account.token_url = token_urls.front();
  if (std::find(token_urls.begin(), token_urls.end(), account.token_url) == token_urls.end()) {
    return "has a token_uri that is not one of Google's, such as https://oauth2.googleapis.com/token";
  }
  return read_key(account.private_key)
             ? ""
             : "has a private_key that is no RSA key of at most 8192 bits in PEM without a passphrase";
}

std::string segment(std::string_view text) { return to_base64url(std::span(bytes_of(text), text.size())); }

std::string statement(const GoogleAccount& account, Time now) {
  const auto seconds = [](Time time) {
    return std::int64_t{std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count()};
  };
  json::Writer head, claims;
  head.begin_object().key("alg").string("RS256").key("typ").string("JWT").member("kid", account.key_id).end_object();
  claims.begin_object().key("iss").string(account.email);
  claims.key("scope").string("https://www.googleapis.com/auth/cloud-platform").key("aud").string(account.token_url);
  claims.key("iat").number(seconds(now)).key("exp").number(seconds(now + token_lifetime)).end_object();
  return segment(head.str()) + "." + segment(claims.str());
}

// Empty when the key cannot sign.
std::string signature(const std::string& pem, std::string_view text) {
  const auto key = read_key(pem);
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!key || !context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(text), text.size()) != 1) {
    return {};
  }
  std::vector<unsigned char> bytes(size);
  if (EVP_DigestSign(context.get(), bytes.data(), &size, bytes_of(text), text.size()) != 1) return {};
  return to_base64url(std::span(bytes).first(size));
}

Error refused(const HttpResponse& response) {
  Error error = Error(errc::provider_unauthorized, "Google refuses the service account's key");
  const auto body = json::parse(response.body, codecs::reply_limits);
  const auto* object = body ? body->if_object() : nullptr;
  const auto why = object == nullptr ? std::string_view() : codecs::text_member(*object, "error");
  // One of a few words of RFC 6749; anything else is not shown, for it may repeat what was sent.
  const bool is_word = why.size() <= 40 &&
                       std::all_of(why.begin(), why.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return error.with("status", std::to_string(response.status)).with("type", is_word ? why : std::string_view());
}

}  // namespace

Result<GoogleAccount> read_google_account(std::string_view file) {
  GoogleAccount account;
  const auto wrong = read(file, account);
  if (!wrong.empty()) return Error(errc::invalid_argument, "The service account's file " + std::string(wrong));
  return account;
}

std::string_view google_account_problem(std::string_view file) {
  GoogleAccount account;
  return read(file, account);
}

Result<HttpRequest> token_request(const GoogleAccount& account, Time now) {
  const std::string said = statement(account, now);
  const std::string proof = signature(account.private_key, said);
  if (proof.empty()) return Error(errc::invalid_argument, "The service account's private key cannot sign");
  HttpRequest request{.method = "POST", .url = account.token_url};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  request.body = "grant_type=" + codecs::percent_encoded("urn:ietf:params:oauth:grant-type:jwt-bearer") +
                 "&assertion=" + said + "." + proof;
  request.timeout = std::chrono::seconds(30);
  request.response_bytes_max = 65'536;
  return request;
}

Result<AccessToken> read_token(const HttpResponse& response, Time now) {
  if (response.status == 429) return Error(errc::provider_rate_limited);
  if (response.status >= 500 || response.status == 408) return Error(errc::provider_overloaded);
  if (response.status == 400 || response.status == 401 || response.status == 403) return refused(response);
  if (response.status < 200 || response.status >= 300) {
    return Error(errc::provider_malformed_reply, "Google answers a login with something else")
        .with("status", std::to_string(response.status));
  }
  const auto body = json::parse(response.body, codecs::reply_limits);
  const auto* object = body ? body->if_object() : nullptr;
  const auto text = object == nullptr ? std::string_view() : codecs::text_member(*object, "access_token");
  const auto seconds = object == nullptr ? 0 : codecs::count_member(*object, "expires_in");
  const auto printable = [](char c) { return c > ' ' && c < 0x7f; };
  if (text.empty() || !std::all_of(text.begin(), text.end(), printable)) {
    return Error(errc::provider_malformed_reply, "Google answers without an access token");
  }
  if (seconds == 0) return Error(errc::provider_malformed_reply, "Google answers with a token that does not last");
  return AccessToken{std::string(text), now + std::chrono::seconds(std::min<std::uint64_t>(seconds, 3600))};
}

}  // namespace openindex::providers
