#include "provider/provider_login.hpp"

#include <algorithm>
#include <utility>

namespace openindex::providers {

std::optional<Grant> GrantCache::find(const ProviderId& provider, std::uint64_t version, Time now) {
  const std::lock_guard lock(mutex_);
  const auto kept = grants_.find(provider.str());
  if (kept == grants_.end() || kept->second.version != version || kept->second.renew_at <= now) return std::nullopt;
  return kept->second.grant;
}

void GrantCache::keep(const ProviderLogin& login, Grant grant, Time now) {
  const Time renew_at = renewal_time(grant.expires_at, now);
  const std::lock_guard lock(mutex_);
  std::erase_if(grants_, [&](const auto& entry) { return entry.second.grant.expires_at <= now; });
  grants_.insert_or_assign(login.provider.str(), Kept{login.version, std::move(grant), renew_at});
}

void GrantCache::forget(const ProviderId& provider, std::string_view secret) {
  const std::lock_guard lock(mutex_);
  const auto kept = grants_.find(provider.str());
  if (kept != grants_.end() && kept->second.grant.secret == secret) grants_.erase(kept);
}

void GrantCache::forget(const ProviderId& provider) {
  const std::lock_guard lock(mutex_);
  grants_.erase(provider.str());
}

Time renewal_time(Time expires_at, Time now) noexcept {
  return expires_at - std::min<Duration>(std::chrono::minutes(5), (expires_at - now) / 2);
}

}  // namespace openindex::providers
