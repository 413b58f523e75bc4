// AwsDefaultIdentity: AwsIdentity from where AWS puts the credentials of a machine or a container.
//
// The first of these that is set up decides, and is an error when it fails; what comes after it is not tried:
// 1. an access key (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN);
// 2. a role for a token in a file (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN), as for pods of EKS;
// 3. the container's agent (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI), as for tasks of ECS and pods of EKS;
// 4. the machine's metadata service, version 2 only (unless AWS_EC2_METADATA_DISABLED), for EC2.
//
// They are kept until five minutes before they expire, at most half of the time they have left; then the next call asks
// for new ones, and nobody waits for them while the old ones are good: calls return those, and read what has been
// answered meanwhile. A failure is told to all who ask within ten seconds. `credentials` blocks only where nothing else
// can be said: for the first credentials, and for new ones once the old ones have expired without a failure; that is up
// to fifteen seconds where something does not answer.
//
// The HTTP client must be allowed to reach the metadata addresses, which no other client should be: with
// `CurlHttpClient`, one of its own whose policy is `Egress::public_and_aws_metadata()`. Never give that client to a
// `ProviderRegistry`: whoever may change a provider could then ask the machine for its credentials.
//
// Thread safety: all methods, from any threads; not from inside a callback of its HTTP client. Lifetime: what its
// options refer to must outlive it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openindex/core/clock.hpp>
#include <openindex/http/http_client.hpp>
#include <openindex/provider/aws_identity.hpp>

namespace openindex {
inline namespace v0 {

/// Where credentials are looked for, in this order; what is empty is not set up.
struct OPENINDEX_API AwsSources {
  std::string access_key = {};
  std::string secret_key = {};
  std::string session_token = {};

  std::string web_identity_token_file = {};  ///< Absolute path; read at each exchange.
  std::string role_arn = {};
  std::string role_session_name = {};  ///< Empty: `openindex`.
  std::string region = {};             ///< Whose STS is asked; empty: `sts.amazonaws.com`.

  std::string container_relative_uri = {};  ///< A path at 169.254.170.2.
  /// An URL, where there is no path: `https://`, or `http://` to this machine or an agent of AWS (169.254.170.2,
  /// 169.254.170.23, [fd00:ec2::23]).
  std::string container_full_uri = {};
  std::string container_token_file = {};  ///< Absolute path; read at each exchange, before the next is looked at.
  std::string container_token = {};

  std::string metadata_url = {};  ///< Of the machine's metadata service; empty: none is asked.

  /// What the environment says. Not to be called while another thread changes the environment.
  static AwsSources from_environment();
};

class OPENINDEX_API AwsDefaultIdentity final : public AwsIdentity {
 public:
  struct Options {
    HttpClient& http;
    AwsSources sources = AwsSources::from_environment();
    Clock& clock = system_clock();
  };
  explicit AwsDefaultIdentity(Options options);
  ~AwsDefaultIdentity() override;

  /// @par Errors secret_unreadable (nothing is set up, or what is set up has none to give), http_unreachable (also: a
  /// file is not there), others of `HttpClient`, provider_*
  Result<AwsCredentials> credentials() override;

  void refused(std::string_view access_key) override;

 private:
  class Keeper;
  std::unique_ptr<Keeper> keeper_;
};

}  // namespace v0
}  // namespace openindex
