#include "provider/provider_login.hpp"

#include <algorithm>
#include <utility>

namespace openindex::providers {

namespace {

constexpr Duration renewals_apart = std::chrono::minutes(1);

// The other side's clock may be ahead, and a request takes a while to get there.
Time last_use(Time expires_at, Time now) {
  return expires_at - std::min<Duration>(std::chrono::seconds(10), (expires_at - now) / 2);
}

}  // namespace

std::optional<KeptGrant> GrantCache::find(const ProviderId& provider, std::uint64_t version, Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = grants_.find(provider.str());
  if (found == grants_.end() || found->second.version != version) return std::nullopt;
  Kept& kept = found->second;
  if (kept.good_until <= now) return std::nullopt;
  const bool is_due = kept.renew_at <= now;
  if (is_due) kept.renew_at = now + renewals_apart;
  return KeptGrant{kept.grant, is_due};
}

void GrantCache::keep(const ProviderLogin& login, Grant grant, Time now) {
  const Time renew_at = renewal_time(grant.expires_at, now), good_until = last_use(grant.expires_at, now);
  const std::lock_guard lock(mutex_);
  std::erase_if(grants_, [&](const auto& entry) { return entry.second.grant.expires_at <= now; });
  grants_.insert_or_assign(login.provider.str(), Kept{login.version, std::move(grant), renew_at, good_until});
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
