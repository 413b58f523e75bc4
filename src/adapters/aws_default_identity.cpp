#include <openindex/adapters/aws_default_identity.hpp>

#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

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

// Where answers arrive, also when the identity is gone.
struct AnswerDesk {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t question = 0;  // whose answer is wanted; another one comes too late
  std::optional<Result<HttpResponse>> answer;
};

// One exchange at a time, whoever asks; its outcome is everybody's who waits for it. Nobody waits who has something to
// go on with: then an answer lies here until the next caller takes the exchange a step further.
class AwsDefaultIdentity::Keeper {
 public:
  explicit Keeper(Options options) : options_(std::move(options)) {}
  ~Keeper() {
    std::unique_lock lock(desk_->mutex);
    give_up(lock);
  }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  Result<AwsCredentials> credentials() {
    std::unique_lock lock(desk_->mutex);
    while (true) {
      if (auto at_hand = answer_at_hand()) return *at_hand;
      if (is_forgotten()) give_up(lock);
      if (!is_stepping_ && (!next_ || desk_->answer)) {
        take_step(lock);
      } else if (auto meanwhile = answer_meanwhile()) {
        return *meanwhile;
      } else {
        desk_->changed.wait(lock);
      }
    }
  }

  void refused(std::string_view access_key) {
    const std::lock_guard lock(desk_->mutex);
    if (!kept_ || kept_->access_key != access_key || options_.clock.steady() < unchanged_until_) return;
    renew_at_ = options_.clock.now();  // they are given on while there are no others: it may be a permission that lacks
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  // What needs no exchange.
  std::optional<Result<AwsCredentials>> answer_at_hand() {
    const Time now = options_.clock.now();
    const bool has_failed = failure_ && options_.clock.steady() < ask_again_at_;
    if (is_kept_good(now) && (now < renew_at_ || has_failed)) return Result<AwsCredentials>(*kept_);
    if (has_failed) return Result<AwsCredentials>(*failure_);
    return std::nullopt;
  }

  // What does not wait for the exchange that is under way. A source that was there and is away may be silent for long.
  std::optional<Result<AwsCredentials>> answer_meanwhile() {
    if (is_kept_good(options_.clock.now())) return Result<AwsCredentials>(*kept_);
    if (kept_ && failure_) return Result<AwsCredentials>(*failure_);
    return std::nullopt;
  }

  // Without the lock, which `done` takes.
  void take_step(Lock& lock) {
    is_stepping_ = true;
    const auto next = std::exchange(next_, {});
    const auto answer = std::exchange(desk_->answer, std::nullopt);
    const std::uint64_t number = ++desk_->question;
    lock.unlock();
    aws_chain::Step step = guarded([&]() -> aws_chain::Step {
      aws_chain::Step made = next ? next(*answer, options_.clock.now()) : aws_chain::begin(options_.sources);
      auto* question = std::get_if<aws_chain::Question>(&made);
      if (question != nullptr) ticket_ = send(std::move(question->request), number);
      return made;
    });
    lock.lock();
    is_stepping_ = false;
    if (auto* question = std::get_if<aws_chain::Question>(&step)) {
      next_ = std::move(question->next);
      asked_at_ = options_.clock.steady();
    } else {
      ++desk_->question;
      desk_->answer.reset();
      settle(std::get<Result<AwsCredentials>>(std::move(step)));
    }
    desk_->changed.notify_all();
  }

  HttpTicket send(HttpRequest request, std::uint64_t number) {
    return options_.http.send(std::move(request), [desk = desk_, number](Result<HttpResponse> answer) {
      const std::lock_guard lock(desk->mutex);
      if (desk->question != number) return;
      desk->answer = std::move(answer);
      desk->changed.notify_all();
    });
  }

  // A host's HTTP client may throw, and those who wait must be told of something.
  template <class Call>
  static aws_chain::Step guarded(const Call& call) {
    try {
      return call();
    } catch (...) {
      return Result<AwsCredentials>(
          Error(errc::host_callback_failed, "No AWS credentials: an exception stopped the exchange"));
    }
  }

  // Whoever began it has not come back: what its answer says may be outdated.
  bool is_forgotten() const {
    return next_ && !is_stepping_ && options_.clock.steady() - asked_at_ > std::chrono::minutes(1);
  }

  void give_up(Lock& lock) {
    if (!next_) return;
    const bool is_answered = desk_->answer.has_value();
    next_ = {};
    ++desk_->question;
    desk_->answer.reset();
    const HttpTicket ticket = ticket_;
    lock.unlock();
    if (!is_answered) options_.http.cancel(ticket);
    lock.lock();
  }

  // A failed renewal is none as long as the former credentials are good: `answer_at_hand`.
  void settle(Result<AwsCredentials> fetched) {
    if (!fetched) {
      failure_ = fetched.error();
      ask_again_at_ = options_.clock.steady() + std::chrono::seconds(10);
      return;
    }
    const bool is_same = kept_ && kept_->access_key == fetched->access_key;
    if (is_same) unchanged_until_ = options_.clock.steady() + std::chrono::minutes(1);
    kept_ = std::move(*fetched);
    const Time now = options_.clock.now();
    renew_at_ = kept_->expires_at ? providers::renewal_time(*kept_->expires_at, now) : Time::max();
    failure_.reset();
  }

  bool is_kept_good(Time now) const { return kept_ && (!kept_->expires_at || *kept_->expires_at > now); }

  const Options options_;
  const std::shared_ptr<AnswerDesk> desk_ = std::make_shared<AnswerDesk>();  // its mutex guards what follows
  std::optional<AwsCredentials> kept_;
  Time renew_at_{};
  Duration unchanged_until_{0};  // a refusal led to the same ones: to no more exchanges for a while
  std::optional<Error> failure_;
  Duration ask_again_at_{0};
  bool is_stepping_ = false;  // a thread begins an exchange, or reads an answer of it
  std::function<aws_chain::Step(const Result<HttpResponse>&, Time)> next_;  // set: a question is out, or answered
  HttpTicket ticket_ = 0;
  Duration asked_at_{0};
};

AwsDefaultIdentity::AwsDefaultIdentity(Options options) : keeper_(std::make_unique<Keeper>(std::move(options))) {}
AwsDefaultIdentity::~AwsDefaultIdentity() = default;

Result<AwsCredentials> AwsDefaultIdentity::credentials() { return keeper_->credentials(); }
void AwsDefaultIdentity::refused(std::string_view access_key) { keeper_->refused(access_key); }

}  // namespace v0
}  // namespace openindex
