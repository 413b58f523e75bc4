// Tokens of models: counted with the turn that used them, and bounded by limits.
#include <algorithm>
#include <functional>
#include <utility>

#include <doctest/doctest.h>

#include <openindex/provider/integrations.hpp>

#include "dispatch/dispatch_fixture.hpp"
#include "provider/model_choice.hpp"
#include "provider/provider_directory.hpp"
#include "provider/token_book.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using providers::TokenBook;
using tests::DispatchFixture;

namespace {

struct TokensFixture : DispatchFixture {
  Integrations integrations{providers};
  ProviderId id = provider();

  std::uint64_t used() { return integrations.tokens("played").value()["m"]; }
  void one_turn() {
    dispatched();
    settle();
    model.answer_text("I cannot.");
    settle();
  }
};

// Somebody else folds between a reading of uses and one of days.
class FoldingStorage final : public Storage {
 public:
  FoldingStorage(Storage& behind, std::function<void()> fold) : behind_(behind), fold_(std::move(fold)) {}
  bool has_folded() const { return !fold_; }

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return behind_.get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override {
    const bool is_of_days = std::get<std::string>(request.prefix.front()) == "token_day";
    if (const auto fold = is_of_days ? std::exchange(fold_, nullptr) : nullptr) fold();
    return behind_.scan(request);
  }
  Result<std::uint64_t> count(const CountRequest& request) override { return behind_.count(request); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    return behind_.commit(changes);
  }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return behind_.wait_for_change(request); }
  void wake() noexcept override { behind_.wake(); }

 private:
  Storage& behind_;
  std::function<void()> fold_;
};

}  // namespace

TEST_CASE("a turn's tokens are counted in its commit, once, also when the process dies behind it") {
  TokensFixture f;
  f.attach(f.id);
  f.one_turn();
  CHECK(f.used() == 110);
  f.crash();
  f.settle();
  CHECK(f.used() == 110);
  const auto history = f.integrations.token_history("played").value();
  REQUIRE(history.size() == 1);
  CHECK(history[0].model == "m");
  CHECK(history[0].input == 100);
  CHECK(history[0].output == 10);
}

TEST_CASE("a model whose limit is reached is asked again in the next period") {
  TokensFixture f;
  f.attach(f.id);
  REQUIRE(f.integrations.save_model(f.host, "played", "m", {.limit = TokenLimit{.tokens_max = 100}}));
  f.one_turn();
  const ItemKey bug = f.dispatched();
  f.settle();
  CHECK(f.model.waiting.empty());
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::token_limit);
  const Time midnight = providers::next_period(TokenLimit::Period::day, f.clock.now());
  REQUIRE(f.run(bug).due_at);
  CHECK(*f.run(bug).due_at == midnight);
  f.clock.advance(midnight - f.clock.now() + 1ms);
  f.settle();
  CHECK(f.model.waiting.size() == 2);  // that of the first turn as well
}

TEST_CASE("a run that waits for tokens goes on at once when the limit is raised") {
  TokensFixture f;
  f.attach(f.id);
  REQUIRE(f.integrations.limit_tokens(f.host, "played", {.tokens_max = 100, .period = TokenLimit::Period::month}));
  f.one_turn();
  f.dispatched();
  f.settle();
  CHECK(f.model.waiting.empty());
  REQUIRE(f.integrations.limit_tokens(f.host, "played", {}));
  f.settle();
  CHECK(f.model.waiting.size() == 2);  // that of the first turn as well
}

TEST_CASE("a provider whose tokens are used up leaves the run to the next one of the stage") {
  TokensFixture f;
  f.attach(f.id);
  f.attach(f.provider("second"));
  REQUIRE(f.integrations.limit_tokens(f.host, "played", {.tokens_max = 1}));
  REQUIRE(f.integrations.add_tokens(f.host, "played", {.model = "other", .input = 1}));
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.model.waiting.size() == 1);
  f.model.answer_text("I cannot.");
  f.settle();
  CHECK(f.used() == 0);
  CHECK(f.integrations.tokens("second").value()["m"] == 110);
}

TEST_CASE("runs do not ask a model that is disabled, and do once it is not") {
  TokensFixture f;
  f.attach(f.id);
  REQUIRE(f.integrations.save_model(f.host, "played", "m", {.enabled = false}));
  const ItemKey bug = f.dispatched();
  f.settle();
  CHECK(f.run(bug).reason == RunReason::provider_disabled);
  REQUIRE(f.integrations.save_model(f.host, "played", "m", {.enabled = true}));
  f.settle();
  CHECK(f.model.waiting.size() == 1);
}

TEST_CASE("a provider that names no model asks the only one that is registered and enabled") {
  TokensFixture f;
  const auto bare =
      f.providers.create(f.host, {.name = "bare", .type = "openai", .config = {{"api_key", "k"}}}).value().id;
  f.attach(bare);
  const ItemKey bug = f.dispatched();
  f.settle();
  CHECK(f.run(bug).reason == RunReason::rejected_request);
  REQUIRE(f.integrations.save_model(f.host, "bare", "one", {}));
  REQUIRE(f.integrations.save_model(f.host, "bare", "two", {.enabled = false}));
  f.settle();
  REQUIRE(f.model.waiting.size() == 1);
  CHECK(f.model.requests.back().body.find("\"model\":\"one\"") != std::string::npos);
  f.model.answer_text("I cannot.");
  f.settle();
  CHECK(f.integrations.tokens("bare").value()["one"] == 110);
  REQUIRE(f.integrations.save_model(f.host, "bare", "two", {.enabled = true}));
  const ItemKey unsure = f.dispatched();
  f.settle();
  CHECK(f.run(unsure).reason == RunReason::rejected_request);
}

TEST_CASE("what a provider served is told when it is disabled or removed, and its runs go on when it is back") {
  TokensFixture f;
  f.attach(f.id);
  const ItemKey bug = f.dispatched();
  f.dispatched();
  const auto disabled = f.providers.update(f.host, f.id, {.enabled = false}).value();
  REQUIRE(disabled.left_without);
  REQUIRE(disabled.left_without->stages.size() == 2);
  CHECK(disabled.left_without->stages[0].stage == "plan");
  CHECK(disabled.left_without->stages[0].items == 0);
  CHECK(disabled.left_without->stages[1].workflow == "TRIAGE");
  CHECK(disabled.left_without->stages[1].stage == "triage");
  CHECK(disabled.left_without->stages[1].items == 2);
  CHECK_FALSE(disabled.left_without->stages[1].other_providers);
  f.settle();
  CHECK(f.run(bug).reason == RunReason::provider_disabled);
  CHECK_FALSE(f.providers.update(f.host, f.id, {.enabled = true})->left_without);
  f.settle();
  CHECK(f.model.waiting.size() == 2);
  const auto removed = f.providers.remove(f.host, f.id).value();
  REQUIRE(removed.stages.size() == 2);
  CHECK(removed.stages[1].items == 2);
}

TEST_CASE("a failure that passes soon decides before a limit of tokens, and of two limits the one that ends first") {
  TokensFixture f;
  f.attach(f.id);
  const ProviderId second = f.provider("second");
  f.attach(second);
  REQUIRE(f.integrations.limit_tokens(f.host, "played", {.tokens_max = 1, .period = TokenLimit::Period::month}));
  REQUIRE(f.integrations.add_tokens(f.host, "played", {.model = "m", .input = 1}));
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_status(503);
  f.settle();
  CHECK(f.run(bug).reason == RunReason::overloaded);
  REQUIRE(f.integrations.limit_tokens(f.host, "second", {.tokens_max = 1}));
  REQUIRE(f.integrations.add_tokens(f.host, "second", {.model = "m", .input = 1}));
  f.clock.advance(2min);
  f.settle();
  CHECK(f.run(bug).reason == RunReason::token_limit);
  CHECK(f.run(bug).due_at == providers::next_period(TokenLimit::Period::day, f.clock.now()));
}

TEST_CASE("a provider that another one stood in for is asked again when that one fails") {
  TokensFixture f;
  f.attach(f.id);
  f.attach(f.provider("second"));
  f.dispatched();
  f.settle();
  f.model.answer_status(503);
  f.settle();
  f.model.answer_text("I cannot.");  // the second one; the next turn begins with it
  f.settle();
  REQUIRE(f.model.waiting.size() == 1);
  f.model.answer_status(401);
  f.settle();
  REQUIRE(f.model.waiting.size() == 1);
  const auto& headers = f.model.requests.back().headers;
  CHECK(std::any_of(headers.begin(), headers.end(), [](const auto& one) { return one.second == "Bearer k-played"; }));
}

TEST_CASE("uses of other times than the last 400 days are refused, and old ones fold like any other") {
  TokensFixture f;
  TokenBook book(f.storage);
  const Time now = f.clock.now();
  for (const Time at : {now + 48h, now - 24h * 401}) {
    CHECK(f.integrations.add_tokens(f.host, "played", {.model = "m", .input = 1, .period_start = at}).error().code() ==
          errc::invalid_argument);
  }
  for (int i = 0; i < 2; ++i) {
    REQUIRE(f.integrations.add_tokens(f.host, "played", {.model = "m", .input = 1, .period_start = now - 24h * 399}));
    f.clock.advance(48h);
    REQUIRE(book.fold(f.id, "com_fold", f.clock.now()));
    CHECK(f.storage.count({.prefix = {std::string("token_use")}}).value() == 0);
    f.clock.advance(-48h);
  }
  CHECK(f.used() == 2);
  REQUIRE(f.integrations.limit_tokens(f.host, "played", {.tokens_max = 10}));
  REQUIRE(f.integrations.add_tokens(f.host, "played", {.model = "m", .input = 50, .period_start = now + 24h}));
  CHECK(providers::may_ask(f.storage, f.providers.directory().load(f.id).value(), "m", now));  // that is tomorrow's
  const std::string long_name(400, 'm');
  ChangeSet changes;
  changes.id = "com_1";
  changes.appends.push_back(TokenBook::entry(f.id, "x", {long_name, 1, 0, now}, changes.id));
  REQUIRE(f.storage.commit({&changes, 1}).front());
  CHECK(book.fold(f.id, "com_fold", now));
}

TEST_CASE("a use that is folded while it is read holds nobody up") {
  TokensFixture f;
  REQUIRE(f.integrations.limit_tokens(f.host, "played", {.tokens_max = 10}));
  REQUIRE(f.integrations.add_tokens(f.host, "played", {.model = "m", .input = 6}));
  const auto record = f.providers.directory().load(f.id).value();
  FoldingStorage folding(f.storage, [&] { REQUIRE(TokenBook(f.storage).fold(f.id, "com_fold", f.clock.now())); });
  CHECK(providers::may_ask(folding, record, "m", f.clock.now()));
  CHECK(folding.has_folded());
  REQUIRE(f.integrations.add_tokens(f.host, "played", {.model = "m", .input = 4}));
  CHECK_FALSE(providers::may_ask(f.storage, record, "m", f.clock.now()));
}

TEST_CASE("a tag wakes no run that waits") {
  TokensFixture f;
  f.attach(f.id);
  REQUIRE(f.integrations.save_model(f.host, "played", "m", {.enabled = false}));
  const ItemKey bug = f.dispatched();
  f.settle();
  const auto steps = f.engine.audit(f.host, bug)->size();
  REQUIRE(f.integrations.put_tags(f.host, "played", std::vector<ProviderTag>{{"team", "x"}}));
  f.settle();
  CHECK(f.engine.audit(f.host, bug)->size() == steps);
}

TEST_CASE("uses are folded into days and totals without a change of any sum") {
  TokensFixture f;
  TokenBook book(f.storage);
  for (int day = 0; day < 3; ++day) {
    for (int i = 0; i < 4; ++i) {
      REQUIRE(f.integrations.add_tokens(f.host, "played", {.model = i % 2 == 0 ? "m" : "n", .input = 10, .output = 1}));
    }
    f.clock.advance(24h);
  }
  const auto history = f.integrations.token_history("played").value();
  const auto totals = f.integrations.tokens("played").value();
  REQUIRE(history.size() == 6);
  CHECK(history[0] == TokenUse{"m", 20, 2, providers::period_start(TokenLimit::Period::day, f.clock.now() - 24h)});
  CHECK(totals == std::map<std::string, std::uint64_t>{{"m", 66}, {"n", 66}});
  REQUIRE(book.fold(f.id, "com_fold", f.clock.now()));
  REQUIRE(book.fold(f.id, "com_fold", f.clock.now()));
  CHECK(f.storage.count({.prefix = {std::string("token_use")}}).value() == 0);
  CHECK(f.integrations.token_history("played").value() == history);
  CHECK(f.integrations.tokens("played").value() == totals);
  REQUIRE(f.integrations.add_tokens(f.host, "played", {.model = "m", .input = 1}));
  REQUIRE(book.fold(f.id, "com_fold", f.clock.now()));
  CHECK(f.used() == 67);
  CHECK(f.integrations.token_history("played", "m", 1)->size() == 2);

  f.clock.advance(24h * 450);
  REQUIRE(f.integrations.add_tokens(f.host, "played", {.model = "m", .input = 1}));
  REQUIRE(book.fold(f.id, "com_fold", f.clock.now()));
  CHECK(f.used() == 68);
  CHECK(f.storage.count({.prefix = {std::string("token_day")}}).value() == 1);
}

TEST_CASE("periods begin at midnight, on Monday and on the first") {
  const Time at = std::chrono::sys_days(std::chrono::year(2026) / 11 / 28) + 13h + 5min;  // a Saturday
  using Period = TokenLimit::Period;
  CHECK(to_rfc3339(providers::period_start(Period::day, at)) == "2026-11-28T00:00:00.000Z");
  CHECK(to_rfc3339(providers::next_period(Period::day, at)) == "2026-11-29T00:00:00.000Z");
  CHECK(to_rfc3339(providers::period_start(Period::week, at)) == "2026-11-23T00:00:00.000Z");
  CHECK(to_rfc3339(providers::next_period(Period::week, at)) == "2026-11-30T00:00:00.000Z");
  CHECK(to_rfc3339(providers::period_start(Period::month, at)) == "2026-11-01T00:00:00.000Z");
  CHECK(to_rfc3339(providers::next_period(Period::month, at)) == "2026-12-01T00:00:00.000Z");
}

TEST_CASE("events are counted by type and name") {
  TokensFixture f;
  using Type = IntegrationEvent::Type;
  const Time now = f.clock.now();
  REQUIRE(f.integrations.record_events(
      f.host, "kafka",
      std::vector<IntegrationEvent>{{"orders", Type::SEND, now}, {"orders", Type::RECEIVE, now - 1s}}));
  REQUIRE(
      f.integrations.record_events(f.host, "kafka", std::vector<IntegrationEvent>{{"orders", Type::SEND, now - 2s}}));
  CHECK(f.integrations.event_counts("kafka").value() == std::vector<EventCount>{{"orders", 2, 1, now}});
  CHECK(f.integrations.event_counts("nats")->empty());
  CHECK(f.integrations.record_events(f.host, "nope", {}).error().code() == errc::unknown_provider_type);
  CHECK(f.integrations.record_events(f.host, "kafka", std::vector<IntegrationEvent>{{"", Type::SEND, now}})
            .error()
            .code() == errc::invalid_argument);
}
