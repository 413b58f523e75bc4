#include "provider/provider_login.hpp"

#include <algorithm>
#include <utility>

namespace openindex::providers {

std::string TokenCache::find(const ProviderId& provider, std::uint64_t version, Time now) {
  const std::lock_guard lock(mutex_);
  const auto kept = tokens_.find(provider.str());
  if (kept == tokens_.end() || kept->second.version != version || kept->second.renew_at <= now) return {};
  return kept->second.token.text;
}

void TokenCache::keep(const ProviderLogin& login, AccessToken token, Time now) {
  const Duration left = token.expires_at - now;
  const Time renew_at = token.expires_at - std::min<Duration>(std::chrono::minutes(5), left / 2);
  const std::lock_guard lock(mutex_);
  tokens_.insert_or_assign(login.provider.str(), Kept{login.version, std::move(token), renew_at});
}

void TokenCache::forget(const ProviderId& provider, std::string_view token) {
  const std::lock_guard lock(mutex_);
  const auto kept = tokens_.find(provider.str());
  if (kept != tokens_.end() && kept->second.token.text == token) tokens_.erase(kept);
}

}  // namespace openindex::providers
