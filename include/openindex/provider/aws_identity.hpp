// AwsIdentity: who the host itself is at AWS.
//
// Providers of AWS whose `connectionType` is CONDUCTOR_ROLE sign with these credentials; those with EXTERNAL_ROLE take
// their role with them (AssumeRole). A host that gives no identity lets no provider act in its name.
//
// `ProviderRegistry` and the dispatcher call it, before requests and not once per request where credentials last.
// `AwsDefaultIdentity` implements it for machines and containers at AWS; a host may plug in a store of its own.
//
// For implementers: called from any thread, concurrently. May block for a few seconds, as a vault behind `SecretStore`
// does: a dispatcher's other runs wait meanwhile, so answer from memory while you can. Never put a credential into an
// error.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <openindex/core/api.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>

namespace openindex {
inline namespace v0 {

struct AwsCredentials {
  std::string access_key = {};
  std::string secret_key = {};          ///< Secret.
  std::string session_token = {};       ///< Secret; empty: the access key is one that lasts.
  std::optional<Time> expires_at = {};  ///< Absent: they do not expire, as far as known.
};

class OPENINDEX_API AwsIdentity {
 public:
  AwsIdentity() = default;
  virtual ~AwsIdentity();
  AwsIdentity(const AwsIdentity&) = delete;
  AwsIdentity& operator=(const AwsIdentity&) = delete;

  /// Return credentials that are good for a few minutes at least, if there are such.
  /// @par Errors secret_unreadable (there are none, and somebody must set them up), those of `HttpClient` and the
  /// provider_* codes; the run waits as for a provider that answers so. Once a registry has had credentials it takes an
  /// absence for a short one: then runs ask again by themselves, as they do when the network is away.
  virtual Result<AwsCredentials> credentials() = 0;

  /// Be told that AWS refuses what has this access key; the next call should give others, if there are any. A key that
  /// is none of yours, or has been replaced meanwhile, is to be passed over. By itself: nothing.
  virtual void refused(std::string_view access_key);
};

}  // namespace v0
}  // namespace openindex
