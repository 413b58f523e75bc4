// Every change, with the 1st, 2nd, 3rd … storage call failing until it succeeds: the item is as before or as after.
#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;
using Fault = testing::FaultyStorage::Fault;

namespace {

struct World : EngineFixture {
  std::vector<AgentSession> sessions;  ///< What was claimed is not let go before the end.

  Result<void> keep(Result<AgentSession> claimed) {
    if (!claimed) return claimed.error();
    sessions.push_back(std::move(*claimed));
    return {};
  }
};

/// A call that changes something, made with an idempotency key.
struct Operation {
  std::string name;
  std::function<void(World&, const ItemKey&)> prepare;
  std::function<Result<void>(World&, const ItemKey&, const CallOptions&)> run;
};

template <class T>
Result<void> only(const Result<T>& result) {
  return result ? Result<void>() : Result<void>(result.error());
}

const auto nothing = [](EngineFixture&, const ItemKey&) {};

void to_triage(EngineFixture& f, const ItemKey& key) {
  REQUIRE(f.engine.transition(f.mia, key, "triaging"));
  REQUIRE(f.engine.set_fields(f.mia, key, {{"severity", "high"}, {"component", "parser"}}));
}
void to_plan(EngineFixture& f, const ItemKey& key) {
  to_triage(f, key);
  REQUIRE(f.engine.progress(f.mia, key, {.gate = "triage_to_plan", .accept_text = true}));
}
const ItemKey second_bug = "BUG-2";

/// A command on the item, of which there is another one behind it.
Operation command(std::string name, Command given, Actor actor = Actor::person("mia"),
                  std::function<void(World&, const ItemKey&)> prepare = nothing) {
  return {std::move(name), std::move(prepare), [given = std::move(given), actor](auto& f, auto& key, auto& call) {
            return only(f.engine.execute(actor, key, given, call));
          }};
}

std::vector<Operation> operations() {
  const Actor alpha = Actor::agent("agent-alpha"), host = Actor::system("host");
  const auto claimed = [](auto& f, auto& key) { REQUIRE(f.engine.claim(f.alpha, key)); };
  const auto attached = [](auto& f, auto& key) { REQUIRE(f.engine.attach(f.mia, key, {.name = "a", .uri = "b"})); };
  const auto rejected = [](auto& f, auto& key) {
    to_triage(f, key);
    REQUIRE(f.engine.complete(f.mia, key, {"rejected"}));
  };
  const auto stale = [](auto& f, auto& key) {
    to_plan(f, key);
    REQUIRE(f.engine.set_fields(f.mia, key, {{"component", "lexer"}}));
  };
  const auto waiting = [](auto& f, auto& key) { REQUIRE(f.engine.add_dependency(f.mia, key, second_bug)); };
  const auto has_domain = [](auto& f, auto&) {
    REQUIRE(f.engine.create_domain(f.host, {.key = "BUG", .name = "Bugs", .owner = "mia"}));
    REQUIRE(f.engine.set_member(f.mia, "BUG", "noa", Role::member));
  };
  const auto changed = [] {
    Workflow workflow = tests::triage_workflow();
    workflow.description = "changed";
    return workflow;
  };
  const auto has_version = [changed](auto& f, auto&) { REQUIRE(f.engine.save(f.host, changed())); };

  std::vector<Operation> all{
      command("claim", Claim{}, alpha),
      command("release", Release{}, alpha, claimed),
      command("heartbeat", Heartbeat{std::chrono::hours(2)}, alpha, claimed),
      command("set_fields", SetFields{{{"component", "parser"}}}),
      command("comment", AddComment{"hello"}),
      command("transition", ChangeStatus{"triaging"}),
      command("progress", Progress{.gate = "triage_to_plan", .accept_text = true}, Actor::person("mia"), to_triage),
      command("complete", Complete{"rejected"}, Actor::person("mia"), to_triage),
      command("reacknowledge", Reacknowledge{.accept_text = true}, Actor::person("mia"), stale),
      command("take_over", TakeOver{"agent-beta"}, host, claimed),
      command("reopen", Reopen{}, host, rejected),
      command("update", UpdateItem{.title = "another title"}),
      command("remove_dependency", RemoveDependency{second_bug}, Actor::person("mia"), waiting),
      command("add_dependency", AddDependency{second_bug}),
      command("attach", AddAttachment{{.name = "log", .uri = "file:log"}}),
      command("detach", RemoveAttachment{1}, Actor::person("mia"), attached),
      command("migrate", Migrate{}, host, has_version),
  };
  const auto add = [&](std::string name, auto prepare, auto run) { all.push_back({std::move(name), prepare, run}); };
  add(
      "done",
      [](auto& f, auto& key) {
        to_plan(f, key);
        REQUIRE(f.engine.set_fields(f.mia, key, {{"effort", 3}, {"due", *parse_date("2026-12-01")}}));
        REQUIRE(f.engine.progress(f.mia, key,
                                  {.gate = "plan_to_review", .checked = {"Root cause named", "Test proposed"}}));
      },
      [](auto& f, auto& key, auto& call) { return only(f.engine.done(f.noa, key, {}, call)); });
  add(
      "resolving what another waits for",
      [](auto& f, auto& key) {
        to_triage(f, key);
        REQUIRE(f.engine.add_dependency(f.mia, second_bug, key));
      },
      [](auto& f, auto& key, auto& call) { return only(f.engine.complete(f.mia, key, {"rejected"}, call)); });
  add("create", nothing, [](auto& f, auto&, auto& call) {
    return only(f.engine.create(
        f.host,
        {.workflow = "TRIAGE", .title = "new", .depends_on = {second_bug}, .idempotency_key = call.idempotency_key}));
  });
  add("create_all", nothing, [](auto& f, auto&, auto& call) {
    std::vector<NewItem> items(3, {.workflow = "TRIAGE", .title = "new"});
    for (std::size_t i = 0; i < items.size(); ++i) items[i].idempotency_key = call.idempotency_key + std::to_string(i);
    return only(f.engine.create_all(f.host, items));
  });
  add("execute_all", nothing, [](auto& f, auto& key, auto& call) {
    const std::vector<ItemCommand> commands{{key, ChangeStatus{"triaging"}, {0, call.idempotency_key + "a"}},
                                            {second_bug, AddComment{"hello"}, {0, call.idempotency_key + "b"}}};
    return only(f.engine.execute_all(f.mia, commands));
  });
  add("migrate_all", has_version, [](auto& f, auto&, auto&) { return only(f.engine.migrate_all(f.host, "TRIAGE")); });
  add("AgentQueue::claim", nothing,
      [](auto& f, auto& key, auto& call) { return f.keep(f.queue.claim(f.alpha, key, {}, call)); });
  add("save", nothing, [changed](auto& f, auto&, auto& call) { return only(f.engine.save(f.host, changed(), call)); });
  add("attach_provider", nothing,
      [](auto& f, auto&, auto& call) { return f.engine.attach_provider(f.host, "TRIAGE", "plan", "prov_1", call); });
  add("set_stage_settings", nothing, [](auto& f, auto&, auto& call) {
    return f.engine.set_stage_settings(f.host, "TRIAGE", "plan", {.turns_max = 9}, call);
  });
  add("create_domain", nothing, [](auto& f, auto&, auto& call) {
    return only(f.engine.create_domain(f.host, {.key = "NEW", .name = "New", .owner = "mia"}, call));
  });
  add("update_domain", has_domain, [](auto& f, auto&, auto& call) {
    return only(f.engine.update_domain(f.mia, "BUG", {.name = "All bugs"}, call));
  });
  add("set_member", has_domain,
      [](auto& f, auto&, auto& call) { return only(f.engine.set_member(f.mia, "BUG", "pia", Role::viewer, call)); });
  add("remove_member", has_domain,
      [](auto& f, auto&, auto& call) { return only(f.engine.remove_member(f.mia, "BUG", "noa", call)); });
  add("hand_over_domain", has_domain,
      [](auto& f, auto&, auto& call) { return only(f.engine.hand_over_domain(f.mia, "BUG", "noa", call)); });
  return all;
}

/// Answers the first commit with `commit_unknown`, and makes it just before the next one.
class LateStorage final : public Storage {
 public:
  explicit LateStorage(Storage& behind) : behind_(behind) {}
  void hold_next() { holds_ = true; }
  [[nodiscard]] bool landed() const { return landed_; }

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return behind_.get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override { return behind_.scan(request); }
  Result<std::uint64_t> count(const CountRequest& request) override { return behind_.count(request); }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return behind_.wait_for_change(request); }
  void wake() noexcept override { behind_.wake(); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    if (std::exchange(holds_, false)) {
      held_.assign(changes.begin(), changes.end());
      return std::vector<Result<CommitReceipt>>(changes.size(), errc::commit_unknown);
    }
    if (!held_.empty()) landed_ = behind_.commit(std::exchange(held_, {})).front().has_value();
    return behind_.commit(changes);
  }

 private:
  Storage& behind_;
  bool holds_ = false;
  bool landed_ = false;
  std::vector<ChangeSet> held_;
};

/// What a change is seen by. Not the numbers of items, which may leave gaps, not the ids of commits in entries, and not
/// what is remembered of calls.
std::string stored(EngineFixture& f) {
  std::string out;
  for (const char* kind : {"item", "content", "hold", "gates", "run", "audit", "comment", "dependents", "domain",
                           "workflow", "workflow_version", "stage_settings"}) {
    auto page = f.memory.scan({.index = Index::key, .prefix = {std::string(kind)}, .limit_count = 10'000}).value();
    for (const Record& record : page.rows) {
      out +=
          fmt::format("{} {} {}\n", kind, record.version, kind == std::string_view("audit") ? 0 : record.body.size());
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a change that fails at any storage call is done whole or not at all, and its repetition succeeds") {
  for (const Operation& operation : operations()) {
    const auto world = [&](auto&& act) {
      World f;
      const ItemKey key = f.bug();
      static_cast<void>(f.bug("another one"));
      operation.prepare(f, key);
      return act(f, key);
    };
    const std::string before = world([](World& f, const ItemKey&) { return stored(f); });
    const std::string after = world([&](World& f, const ItemKey& key) {
      REQUIRE(operation.run(f, key, {.idempotency_key = "once"}));
      return stored(f);
    });
    REQUIRE(before != after);
    for (const Fault fault : {Fault::before, Fault::after}) {
      bool failed = true;
      for (std::uint64_t nth = 1; failed; ++nth) {
        CAPTURE(operation.name);
        CAPTURE(nth);
        CAPTURE(static_cast<int>(fault));
        REQUIRE(nth < 100);
        world([&](World& f, const ItemKey& key) {
          f.storage.fail_nth(nth, fault);
          const auto result = operation.run(f, key, {.idempotency_key = "once"});
          failed = f.storage.failed();
          f.storage.heal();
          const std::string now = stored(f);
          if (result) {
            CHECK(now == after);
          } else {
            CHECK((now == before || now == after));
          }
          CHECK(operation.run(f, key, {.idempotency_key = "once"}));
          CHECK(stored(f) == after);
          CHECK(f.engine.verify(f.host, key));
          return 0;
        });
      }
    }
  }
}

TEST_CASE(
    "claiming the next ones under a key can be repeated after any failure, and holds nothing that nobody was given") {
  for (const Fault fault : {Fault::before, Fault::after}) {
    bool failed = true;
    for (std::uint64_t nth = 1; failed; ++nth) {
      CAPTURE(nth);
      REQUIRE(nth < 100);
      EngineFixture f;
      for (int i = 0; i < 3; ++i) static_cast<void>(f.bug());
      f.storage.fail_nth(nth, fault);
      const auto first = f.queue.claim_next(f.alpha, 2, {}, {}, {.idempotency_key = "once"});
      failed = f.storage.failed();
      f.storage.heal();
      const auto again = f.queue.claim_next(f.alpha, 2, {}, {}, {.idempotency_key = "once"});
      REQUIRE(again);
      if (first && !first->empty()) CHECK(again->size() == first->size());
      std::set<std::string> given, held;
      for (const AgentSession& session : *again) given.insert(session.item().key.str());
      for (const WorkItem& item : f.queue.mine(f.alpha).value()) held.insert(item.key.str());
      CHECK(given == held);
      CHECK(!given.empty());
    }
  }
}

TEST_CASE("an answer that is lost after a commit is found out and not repeated") {
  EngineFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.get(f.mia, key));
  // Item and domain come from the caches, so the first call is the commit itself.
  f.storage.fail_nth(1, Fault::after);
  const auto result = f.engine.comment(f.mia, key, "once");
  REQUIRE(f.storage.failed());
  REQUIRE(result);
  f.storage.heal();
  CHECK(f.engine.comments(f.mia, key)->size() == 1);
  CHECK(f.engine.comment(f.mia, key, "twice"));  // what is remembered of the item fits what is stored
  CHECK(f.engine.verify(f.host, key));
}

TEST_CASE("creating with an idempotency key can be repeated after any failure") {
  for (const Fault fault : {Fault::before, Fault::after}) {
    for (std::uint64_t nth = 1; nth < 30; ++nth) {
      EngineFixture f;
      const NewItem item{.workflow = "TRIAGE", .title = "crash", .idempotency_key = "k"};
      f.storage.fail_nth(nth, fault);
      const auto first = f.engine.create(f.host, item);
      const bool failed = f.storage.failed();
      f.storage.heal();
      REQUIRE(f.engine.create(f.host, item));
      CHECK(f.engine.list(f.host, {})->items.size() == 1);
      if (!failed) break;
    }
  }
}

TEST_CASE("a commit of unknown outcome that did not happen is made") {
  EngineFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.get(f.mia, key));
  f.storage.fail_nth(1, Fault::before, errc::commit_unknown);
  REQUIRE(f.engine.comment(f.mia, key, "once"));
  REQUIRE(f.storage.failed());
  f.storage.heal();
  CHECK(f.engine.comments(f.mia, key)->size() == 1);
  CHECK(f.engine.verify(f.host, key));
}

TEST_CASE("an item whose first commit lands late is not created twice") {
  EngineFixture f;
  LateStorage late(f.memory);
  WorkflowEngine engine{{.storage = late, .clock = f.clock, .random = f.random}};
  REQUIRE(engine.create(f.host, {.workflow = "TRIAGE", .title = "takes numbers"}));
  late.hold_next();
  REQUIRE(engine.create(f.host, {.workflow = "TRIAGE", .title = "crash"}));
  CHECK(late.landed());
  CHECK(engine.list(f.host, {})->items.size() == 2);
}
