// What credentials are exchanged for before a call, and that lasts for some of them: access tokens, and keys of AWS.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>
#include <openindex/core/result.hpp>
#include <openindex/http/http_message.hpp>

namespace openindex::providers {

/// What a request carries in place of the configuration's own credential.
struct Grant {
  std::string secret;         ///< The token, or the secret of the access key.
  std::string access_key;     ///< Of AWS; empty: `secret` is a token.
  std::string session_token;  ///< Of AWS; secret.
  Time expires_at{};
};

/// A request whose answer holds a grant, and whose it is.
struct ProviderLogin {
  ProviderId provider;
  std::uint64_t version = 0;  ///< Of the provider's record: another configuration may have other credentials.
  HttpRequest request;
  Result<Grant> (*read)(const HttpResponse&, Time now) = nullptr;  ///< Reads the answer.
  std::string host_key = {};  ///< The access key of the host's identity at AWS, where that has signed the request.
};

/// A grant that is kept.
struct KeptGrant {
  Grant grant;
  bool is_due = false;  ///< Another one is to be got now, beside what this one is used for.
};

/// Safe to use from many threads.
class GrantCache {
 public:
  /// Return the grant of a provider that has not expired; nullopt when there is none. Once one is to be renewed, one
  /// caller in a minute is told so, whatever becomes of its attempt.
  std::optional<KeptGrant> find(const ProviderId& provider, std::uint64_t version, Time now);

  /// Keep a grant, and drop what has expired: of providers that others have removed nothing else comes to be known.
  void keep(const ProviderLogin& login, Grant grant, Time now);

  /// Forget a grant that is refused, if it is the one that is kept.
  void forget(const ProviderId& provider, std::string_view secret);

  /// Forget whatever is kept of a provider that is gone.
  void forget(const ProviderId& provider);

 private:
  struct Kept {
    std::uint64_t version;
    Grant grant;
    Time renew_at;
    Time good_until;
  };
  std::mutex mutex_;
  std::map<std::string, Kept, std::less<>> grants_;
};

/// Say when to get another grant: five minutes before this one expires, or after half of the time that is left.
Time renewal_time(Time expires_at, Time now) noexcept;

}  // namespace openindex::providers
