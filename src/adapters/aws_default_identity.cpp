#include <openindex/adapters/aws_default_identity.hpp>

#include <cstdlib>
#include <future>
#include <mutex>
#include <optional>
#include <utility>

#include "adapters/aws/credential_sources.hpp"
#include "core/utf8.hpp"
#include "provider/provider_login.hpp"

namespace openindex {
inline namespace v0 {
namespace {

std::string aws_variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): reads, and we never set one
  return value == nullptr ? std::string() : std::string(value);
}

std::string metadata_url_of_environment() {
  if (lower_ascii(aws_variable("AWS_EC2_METADATA_DISABLED")) == "true") return {};
  std::string url = aws_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (!url.empty()) return url;
  const bool ipv6 = lower_ascii(aws_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")) == "ipv6";
  return ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

}  // namespace

AwsSources AwsSources::from_environment() {
  AwsSources sources;
  sources.access_key = aws_variable("AWS_ACCESS_KEY_ID");
  sources.secret_key = aws_variable("AWS_SECRET_ACCESS_KEY");
  sources.session_token = aws_variable("AWS_SESSION_TOKEN");
  sources.web_identity_token_file = aws_variable("AWS_WEB_IDENTITY_TOKEN_FILE");
  sources.role_arn = aws_variable("AWS_ROLE_ARN");
  sources.role_session_name = aws_variable("AWS_ROLE_SESSION_NAME");
  sources.region = aws_variable("AWS_REGION");
  if (sources.region.empty()) sources.region = aws_variable("AWS_DEFAULT_REGION");
  sources.container_relative_uri = aws_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  sources.container_full_uri = aws_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  sources.container_token_file = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  sources.container_token = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  sources.metadata_url = metadata_url_of_environment();
  return sources;
}

// One exchange at a time, whoever asks; its outcome is everybody's who waits for it.
class AwsDefaultIdentity::Keeper {
 public:
  explicit Keeper(Options options) : options_(std::move(options)) {}

  Result<AwsCredentials> credentials() {
    std::promise<Result<AwsCredentials>> promise;
    {
      std::unique_lock lock(mutex_);
      if (auto at_hand = answer_at_hand()) return *at_hand;
      if (exchange_.valid()) {
        const auto under_way = exchange_;
        lock.unlock();
        return under_way.get();
      }
      exchange_ = promise.get_future().share();
    }
    auto outcome = settle(fetch());
    promise.set_value(outcome);
    return outcome;
  }

  void refused(std::string_view access_key) {
    const std::lock_guard lock(mutex_);
    if (!kept_ || kept_->access_key != access_key || options_.clock.steady() < unchanged_until_) return;
    renew_at_ = options_.clock.now();  // they are given on while there are no others: it may be a permission that lacks
  }

 private:
  // What needs no exchange, or does not wait for the one that is under way.
  std::optional<Result<AwsCredentials>> answer_at_hand() {
    const Time now = options_.clock.now();
    const bool is_good = is_kept_good(now);
    const bool has_failed = failure_ && options_.clock.steady() < ask_again_at_;
    if (is_good && (now < renew_at_ || exchange_.valid() || has_failed)) return Result<AwsCredentials>(*kept_);
    if (has_failed) return Result<AwsCredentials>(*failure_);
    return std::nullopt;
  }

  // A host's HTTP client may throw, and those who wait must be told of something.
  Result<AwsCredentials> fetch() {
    try {
      return aws_chain::fetch_credentials(options_.sources, options_.http, options_.clock.now());
    } catch (...) {
      return Error(errc::host_callback_failed, "No AWS credentials: an exception stopped the exchange");
    }
  }

  // A failed renewal is none as long as the former credentials are good.
  Result<AwsCredentials> settle(Result<AwsCredentials> fetched) {
    const std::lock_guard lock(mutex_);
    exchange_ = {};
    const Time now = options_.clock.now();
    if (fetched) {
      const bool is_same = kept_ && kept_->access_key == fetched->access_key;
      if (is_same) unchanged_until_ = options_.clock.steady() + std::chrono::minutes(1);
      kept_ = *fetched;
      renew_at_ = kept_->expires_at ? providers::renewal_time(*kept_->expires_at, now) : Time::max();
      failure_.reset();
      return fetched;
    }
    failure_ = fetched.error();
    ask_again_at_ = options_.clock.steady() + std::chrono::seconds(10);
    if (is_kept_good(now)) return *kept_;
    return fetched;
  }

  bool is_kept_good(Time now) const { return kept_ && (!kept_->expires_at || *kept_->expires_at > now); }

  const Options options_;
  std::mutex mutex_;
  std::optional<AwsCredentials> kept_;
  Time renew_at_{};
  Duration unchanged_until_{0};  // a refusal led to the same ones: to no more exchanges for a while
  std::optional<Error> failure_;
  Duration ask_again_at_{0};
  std::shared_future<Result<AwsCredentials>> exchange_;  // valid while one is under way
};

AwsDefaultIdentity::AwsDefaultIdentity(Options options) : keeper_(std::make_unique<Keeper>(std::move(options))) {}
AwsDefaultIdentity::~AwsDefaultIdentity() = default;

Result<AwsCredentials> AwsDefaultIdentity::credentials() { return keeper_->credentials(); }
void AwsDefaultIdentity::refused(std::string_view access_key) { keeper_->refused(access_key); }

}  // namespace v0
}  // namespace openindex
