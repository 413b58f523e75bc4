// Access tokens that credentials are exchanged for before a call, and that last for some of them.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <openindex/core/ids.hpp>
#include <openindex/http/http_message.hpp>

#include "provider/google_account.hpp"

namespace openindex::providers {

/// A request whose answer holds a token, and whose it is.
struct ProviderLogin {
  ProviderId provider;
  std::uint64_t version = 0;  ///< Of the provider's record: another configuration may have other credentials.
  HttpRequest request;
};

/// Safe to use from many threads.
class TokenCache {
 public:
  /// Return the token of a provider that is good for a while yet; empty when there is none.
  std::string find(const ProviderId& provider, std::uint64_t version, Time now);

  void keep(const ProviderLogin& login, AccessToken token, Time now);

  /// Forget a token that is refused, if it is the one that is kept.
  void forget(const ProviderId& provider, std::string_view token);

 private:
  struct Kept {
    std::uint64_t version;
    AccessToken token;
    Time renew_at;
  };
  std::mutex mutex_;
  std::map<std::string, Kept, std::less<>> tokens_;
};

}  // namespace openindex::providers
