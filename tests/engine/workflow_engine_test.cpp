#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <thread>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

TEST_CASE("saving a definition makes a version, saving it again does not") {
  EngineFixture f;
  auto same = f.engine.save(f.host, tests::triage_workflow());
  REQUIRE(same);
  CHECK(same->version == 1);
  CHECK_FALSE(same->created);
  auto changed = tests::triage_workflow();
  changed.name = "Bug triage, revised";
  CHECK(f.engine.save(f.host, changed)->version == 2);
  CHECK(f.engine.workflow(f.host, "TRIAGE")->name == "Bug triage, revised");
  CHECK(f.engine.workflow(f.host, "TRIAGE", 1)->name == "Bug triage");
  CHECK(f.engine.workflow(f.host, "NONE").error().code() == errc::not_found);
  CHECK(f.engine.save(f.alpha, changed).error().code() == errc::not_permitted);
}

TEST_CASE("an invalid definition stores nothing") {
  EngineFixture f;
  Workflow broken;
  broken.id = "BROKEN";
  CHECK(f.engine.save(f.host, broken).error().code() == errc::invalid_definition);
  CHECK(f.engine.workflow(f.host, "BROKEN").error().code() == errc::not_found);
}

TEST_CASE("an item keeps the version it was created with") {
  EngineFixture f;
  const ItemKey old_item = f.bug();
  auto changed = tests::triage_workflow();
  changed.name = "Bug triage, revised";
  REQUIRE(f.engine.save(f.host, changed));
  CHECK(f.engine.get(f.host, old_item)->workflow_version == 1);
  CHECK(f.engine.get(f.host, f.bug())->workflow_version == 2);
}

TEST_CASE("items get rising numbers of their domain and read back as they were given") {
  EngineFixture f;
  const auto first =
      f.engine.create(f.host, {.workflow = "TRIAGE",
                               .title = "crash",
                               .description = "on \"empty\" input\n",
                               .priority = Priority::high,
                               .fields = {{"effort", 2.5}, {"due", Date(2026y / 12 / 1)}, {"component", "p"}}});
  REQUIRE(first);
  CHECK(first->key == ItemKey("BUG-1"));
  CHECK(f.bug() == ItemKey("BUG-2"));
  const auto read = f.engine.get(f.mia, "BUG-1");
  REQUIRE(read);
  CHECK(read->title == "crash");
  CHECK(read->description == "on \"empty\" input\n");
  CHECK(read->priority == Priority::high);
  CHECK(read->status == "new");
  CHECK(read->execution_target == ExecutionTarget::agent);
  CHECK(read->fields == first->fields);
  CHECK(f.engine.get(f.mia, "BUG-99").error().code() == errc::not_found);
  CHECK(f.engine.create(f.host, {.workflow = "NONE", .title = "x"}).error().code() == errc::not_found);
}

TEST_CASE("the same idempotency key creates one item, with other content it is refused") {
  EngineFixture f;
  const NewItem item{.workflow = "TRIAGE", .title = "crash", .idempotency_key = "import/1"};
  const auto first = f.engine.create(f.host, item);
  const auto again = f.engine.create(f.host, item);
  REQUIRE(again);
  CHECK(first->key == again->key);
  NewItem other = item;
  other.title = "another crash";
  CHECK(f.engine.create(f.host, other).error().code() == errc::idempotency_conflict);
}

TEST_CASE("the life of an item by people leaves a trail that verifies") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  REQUIRE(f.engine.transition(f.mia, bug, "triaging"));
  REQUIRE(f.engine.set_fields(f.mia, bug, {{"severity", "high"}, {"component", "parser"}}));
  REQUIRE(f.engine.progress(f.mia, bug, {.gate = "triage_to_plan", .accept_text = true}));
  REQUIRE(f.engine.set_fields(f.mia, bug, {{"effort", 3}, {"due", Date(2026y / 12 / 1)}}));
  REQUIRE(f.engine.comment(f.mia, bug, "The root cause is in the tokenizer."));
  REQUIRE(f.engine.progress(f.mia, bug, {.gate = "plan_to_review", .checked = {"Root cause named", "Test proposed"}}));
  CHECK(f.engine.progress(f.mia, bug, {.gate = "review_to_done"}).error().code() == errc::approver_is_worker);
  const auto done = f.engine.progress(f.noa, bug, {.gate = "review_to_done"});
  REQUIRE(done);
  CHECK(done->resolution == Resolution::resolved);
  CHECK(done->resolved_at);
  CHECK(f.engine.verify(f.host, bug));
  const auto trail = f.engine.audit(f.host, bug).value();
  CHECK(trail.front().type == "work_item.created");
  CHECK(trail.back().type == "work_item.status_changed");
  CHECK(trail.back().actor == "noa");
  CHECK(f.engine.comments(f.host, bug)->front().body == "The root cause is in the tokenizer.");
}

TEST_CASE("a tampered, dropped or truncated audit entry is found and located") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  REQUIRE(f.engine.transition(f.mia, bug, "triaging"));
  REQUIRE(f.engine.comment(f.mia, bug, "one"));
  REQUIRE(f.engine.verify(f.host, bug));
  const RecordId second{"audit", "BUG-1/00000002"};
  auto record = f.memory.get(std::span(&second, 1)).value().front();
  REQUIRE(record);
  SUBCASE("tampered") { record->body.replace(record->body.find("mia"), 3, "eve"); }
  SUBCASE("emptied") { record->body = "{}"; }
  const ChangeSet tamper{
      .id = {}, .expectations = {}, .puts = {{second, record->body, {}}}, .erases = {}, .appends = {}};
  REQUIRE(f.memory.commit(std::span(&tamper, 1)).front());
  const auto verdict = f.engine.verify(f.host, bug);
  REQUIRE_FALSE(verdict);
  CHECK(verdict.error().code() == errc::storage_corrupt);
  const auto located = verdict.error().context("entry");
  CHECK((located == "2" || located == "3"));
}

TEST_CASE("entering an agent-required stage dispatches a run in the same commit, leaving it by hand cancels it") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  const auto entered = f.engine.transition(f.mia, bug, "triaging");
  REQUIRE(entered);
  CHECK(entered->run == RunId("run_BUG-1_0001"));
  auto runs = f.engine.runs(f.mia, bug).value();
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].state == RunState::queued);
  CHECK(f.engine.explain(f.mia, bug)->run_state == RunState::queued);
  REQUIRE(f.engine.transition(f.mia, bug, "rejected"));
  runs = f.engine.runs(f.mia, bug).value();
  CHECK(runs[0].state == RunState::cancelled);
  CHECK(runs[0].reason == RunReason::left_stage);
  CHECK(f.engine.get(f.mia, bug)->run.empty());
}

TEST_CASE("a heartbeat extends the hold without a new version or an audit entry") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  const auto claimed = f.engine.claim(f.alpha, bug, {.hold = 1min});
  REQUIRE(claimed);
  const auto entries = f.audit_types(bug).size();
  f.clock.advance(40s);
  const auto beaten = f.engine.heartbeat(f.alpha, bug, {.hold = 1min});
  REQUIRE(beaten);
  CHECK(beaten->version == claimed->version);
  CHECK(beaten->hold->deadline == f.clock.now() + 1min);
  CHECK(f.audit_types(bug).size() == entries);
}

TEST_CASE("any accepted write by the holder extends the hold by its own length") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  REQUIRE(f.engine.claim(f.alpha, bug, {.hold = 1min}));
  f.clock.advance(50s);
  const auto written = f.engine.comment(f.alpha, bug, "still on it");
  REQUIRE(written);
  CHECK(written->hold->deadline == f.clock.now() + 1min);
}

TEST_CASE("after a takeover the old holder's writes do not land and it learns by whom") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  auto work = f.queue.claim(f.alpha, bug, {.hold = 1min});
  REQUIRE(work);
  f.clock.advance(31min);
  CHECK(f.queue.available(f.beta)->items.size() == 1);
  auto taken = f.queue.claim(f.beta, bug);
  REQUIRE(taken);
  CHECK(taken->epoch() == 2);
  const auto late = work->comment("late");
  REQUIRE_FALSE(late);
  CHECK(late.error().code() == errc::hold_lost);
  CHECK(late.error().context("holder") == "agent-beta");
  const auto types = f.audit_types(bug);
  CHECK(std::count(types.begin(), types.end(), "agent.hold_expired") == 1);
}

TEST_CASE("the queue shows what is free and what is mine, most urgent first") {
  EngineFixture f;
  const ItemKey low = f.bug("typo", Priority::low);
  const ItemKey urgent = f.bug("data loss", Priority::critical);
  REQUIRE(f.engine.create(f.host,
                          {.workflow = "TRIAGE", .title = "for people", .execution_target = ExecutionTarget::human}));
  auto free = f.queue.available(f.alpha).value();
  REQUIRE(free.items.size() == 2);
  CHECK(free.items[0].key == urgent);
  CHECK(free.items[1].key == low);
  auto work = f.queue.claim(f.alpha, urgent);
  REQUIRE(work);
  CHECK(f.queue.available(f.alpha)->items.size() == 1);
  CHECK(f.queue.mine(f.alpha)->front().key == urgent);
  CHECK(f.queue.mine(f.beta)->empty());
  CHECK(f.queue.available(f.alpha, {.stage = "plan"})->items.empty());
  CHECK(f.queue.available(f.alpha, {}, 0).error().code() == errc::invalid_argument);
  CHECK(f.queue.mine(f.mia).error().code() == errc::agent_id_required);
}

TEST_CASE("paging through the queue shows every item once") {
  EngineFixture f;
  std::set<ItemKey> created;
  for (int i = 0; i < 25; ++i) created.insert(f.bug("bug", static_cast<Priority>(i % 4)));
  std::set<ItemKey> seen;
  std::string after;
  do {
    const auto page = f.queue.available(f.alpha, {}, 7, after).value();
    for (const auto& item : page.items) CHECK(seen.insert(item.key).second);
    after = page.next;
  } while (!after.empty());
  CHECK(seen == created);
}

TEST_CASE("claim_next hands out each item once, in order of urgency, and ends with nothing") {
  EngineFixture f;
  f.bug("typo", Priority::low);
  const ItemKey urgent = f.bug("data loss", Priority::critical);
  auto first = f.queue.claim_next(f.alpha).value();
  REQUIRE(first);
  CHECK(first->item().key == urgent);
  auto second = f.queue.claim_next(f.beta).value();
  REQUIRE(second);
  CHECK(second->item().key != urgent);
  CHECK_FALSE(f.queue.claim_next(f.alpha).value());
}

TEST_CASE("eight threads that claim from one queue never get the same item") {
  EngineFixture f;
  constexpr int items = 200;
  for (int i = 0; i < items; ++i) f.bug();
  std::mutex mutex;
  std::multiset<ItemKey> claimed;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        const Actor me = Actor::agent("agent-" + std::to_string(t));
        while (true) {
          auto work = f.queue.claim_next(me);
          if (!work || !*work) return;
          const ItemKey key = (*work)->item().key;
          const auto done = f.engine.transition(me, key, "rejected");
          const std::lock_guard lock(mutex);
          if (done) claimed.insert(key);
        }
      });
    }
  }
  CHECK(claimed.size() == items);
  CHECK(std::set<ItemKey>(claimed.begin(), claimed.end()).size() == items);
}

TEST_CASE("a dropped session gives its item back, a finished one does not touch it again") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  { auto work = f.queue.claim(f.alpha, bug).value(); }
  CHECK_FALSE(f.engine.get(f.host, bug)->hold);
  auto work = f.queue.claim(f.alpha, bug).value();
  auto moved = std::move(work);
  const auto done = std::move(moved).complete({"rejected"});
  REQUIRE(done);
  CHECK(done->resolution == Resolution::cancelled);
  const auto types = f.audit_types(bug);
  CHECK(std::count(types.begin(), types.end(), "agent.completed") == 1);
  CHECK(std::count(types.begin(), types.end(), "agent.released") == 1);
}

TEST_CASE("a run reads its own item and no other") {
  EngineFixture f;
  const ItemKey mine = f.bug();
  const ItemKey other = f.bug();
  const Actor run = Actor::run("run_BUG-1_0001", mine, "dispatcher", 1);
  CHECK(f.engine.get(run, mine));
  CHECK(f.engine.get(run, other).error().code() == errc::outside_run);
  CHECK(f.engine.audit(run, other).error().code() == errc::outside_run);
  CHECK(f.engine.comment(run, other, "hello").error().code() == errc::outside_run);
  CHECK(f.engine.list(run, {}).error().code() == errc::outside_run);
  CHECK(f.queue.available(run).error().code() == errc::outside_run);
  CHECK(f.engine.create(run, {.workflow = "TRIAGE", .title = "x"}).error().code() == errc::outside_run);
}

TEST_CASE("lists filter by what an item is") {
  EngineFixture f;
  for (int i = 0; i < 5; ++i) f.bug();
  REQUIRE(f.engine.transition(f.mia, "BUG-2", "triaging"));
  CHECK(f.engine.list(f.mia, {.status = "triaging"})->items.size() == 1);
  CHECK(f.engine.list(f.mia, {.domain = "BUG", .stage = "intake"})->items.size() == 4);
  CHECK(f.engine.list(f.mia, {.resolution = Resolution::resolved})->items.empty());
  CHECK(f.engine.list(f.mia, {.limit_count = 2})->items.size() == 2);
  CHECK_FALSE(f.engine.list(f.mia, {.limit_count = 2})->next.empty());
  CHECK(f.engine.list(f.mia, {.limit_count = 5000}).error().code() == errc::invalid_argument);
}

TEST_CASE("stage settings are kept beside the workflow and every change is audited once") {
  EngineFixture f;
  REQUIRE(f.engine.attach_provider(f.host, "TRIAGE", "triage", "prov_a"));
  REQUIRE(f.engine.attach_provider(f.host, "TRIAGE", "triage", "prov_b"));
  REQUIRE(f.engine.attach_provider(f.host, "TRIAGE", "triage", "prov_a"));
  CHECK(f.engine.stage_settings(f.host, "TRIAGE", "triage")->providers == std::vector<ProviderId>{"prov_a", "prov_b"});
  CHECK(f.engine.attach_provider(f.host, "TRIAGE", "nope", "prov_a").error().code() == errc::not_found);
  CHECK(f.engine.attach_provider(f.alpha, "TRIAGE", "triage", "prov_a").error().code() == errc::not_permitted);
}

TEST_CASE("an agent learns where an item can go before it claims, and a run learns it of its own item only") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  const auto transitions = f.engine.transitions(f.alpha, bug).value();
  CHECK(transitions.key == bug);
  CHECK(transitions.allowed_transitions == std::vector<std::string>{"triaging"});
  const Actor run = Actor::run("run_BUG-9_0001", "BUG-9", "dispatcher", 1);
  CHECK(f.engine.transitions(run, bug).error().code() == errc::outside_run);
  CHECK(f.engine.transitions(f.alpha, "BUG-99").error().code() == errc::not_found);
}

TEST_CASE("explain tells people what would move an item") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  const auto waiting = f.engine.explain(f.mia, bug).value();
  CHECK_FALSE(waiting.summary.empty());
  CHECK(std::find(waiting.next.begin(), waiting.next.end(), "Change the status to 'triaging'") != waiting.next.end());
  REQUIRE(f.engine.transition(f.mia, bug, "triaging"));
  REQUIRE(f.engine.transition(f.mia, bug, "rejected"));
  CHECK(f.engine.explain(f.mia, bug)->summary == "The item is cancelled: nothing is left to do");
}

TEST_CASE("an engine with an old view of an item does not take another's change for its own") {
  EngineFixture f;
  WorkflowEngine other{{.storage = f.storage, .clock = f.clock, .random = f.random}};
  const ItemKey bug = f.bug();
  REQUIRE(f.engine.set_fields(f.mia, bug, {{"component", "one"}}));
  REQUIRE(other.set_fields(f.noa, bug, {{"component", "two"}}));
  REQUIRE(f.engine.set_fields(f.mia, bug, {{"component", "one"}}));
  CHECK(other.get(f.host, bug)->fields.at("component") == FieldValue("one"));
}

TEST_CASE("claim_next of one workflow ends although holds of another have expired") {
  EngineFixture f;
  auto lint = tests::triage_workflow();
  lint.id = "LINT";
  lint.domain = "LINT";
  REQUIRE(f.engine.save(f.host, lint));
  const ItemKey bug = f.bug();
  REQUIRE(f.engine.claim(f.alpha, bug, {.hold = 1min}));
  f.clock.advance(2min);
  CHECK_FALSE(f.queue.claim_next(f.beta, {.workflow = "LINT"}).value());
  CHECK(f.queue.claim_next(f.beta, {.workflow = "TRIAGE"}).value());
}

TEST_CASE("an actor whose id could not be read back is refused at every door") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  for (const auto& id : {std::string("\xff"), std::string("a\nb"), std::string(201, 'x'), std::string()}) {
    const Actor odd = Actor::person(id);
    CHECK(f.engine.comment(odd, bug, "hello").error().code() == errc::invalid_argument);
    CHECK(f.engine.create(odd, {.workflow = "TRIAGE", .title = "x"}).error().code() == errc::invalid_argument);
    CHECK(f.engine.attach_provider(odd, "TRIAGE", "triage", "p").error().code() == errc::invalid_argument);
  }
  CHECK(f.engine.verify(f.host, bug));
}

TEST_CASE("a definition that could not be read back is not saved") {
  EngineFixture f;
  auto odd = tests::triage_workflow();
  SUBCASE("bytes that are no UTF-8") { odd.description = "\xff"; }
  SUBCASE("a bound without end") { odd.fields[2].maximum = std::numeric_limits<double>::infinity(); }
  SUBCASE("too large") {
    for (int i = 0; i < 400; ++i) {
      odd.fields.push_back({.key = "f" + std::to_string(i), .type = FieldType::select});
      for (int n = 0; n < 10; ++n) odd.fields.back().options.push_back(std::to_string(n) + std::string(400, 'x'));
    }
  }
  CHECK(f.engine.save(f.host, odd).error().code() == errc::invalid_definition);
}

TEST_CASE("an item that is handed to people meanwhile is still among what its agent holds") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  REQUIRE(f.engine.claim(f.alpha, bug));
  REQUIRE(f.engine.update(f.mia, bug, {.execution_target = ExecutionTarget::human}));
  REQUIRE(f.queue.mine(f.alpha)->size() == 1);
  CHECK(f.queue.available(f.alpha)->items.empty());
  REQUIRE(f.engine.release(f.alpha, bug));
  CHECK(f.queue.mine(f.alpha)->empty());
  CHECK(f.queue.available(f.alpha)->items.empty());
}
