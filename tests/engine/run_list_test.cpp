#include <doctest/doctest.h>

#include <map>
#include <set>

#include <boost/json.hpp>

#include "engine/engine_fixture.hpp"
#include "engine/started_run.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

struct RunListFixture : EngineFixture {
  ItemKey dispatched() {
    const ItemKey key = bug();
    static_cast<void>(engine.transition(mia, key, "triaging").value());
    return key;
  }
  std::set<std::string> listed(RunFilter filter) {
    std::set<std::string> items;
    for (int pages = 0; pages < 100; ++pages) {
      const auto page = engine.list_runs(host, filter).value();
      CHECK(page.runs.size() <= filter.limit_count);
      for (const AgentRun& run : page.runs) CHECK(items.insert(run.item.str()).second);
      if (page.next.empty()) return items;
      filter.after = page.next;
    }
    FAIL("the list never ends");
    return items;
  }
};

}  // namespace

TEST_CASE("runs are listed by state") {
  RunListFixture f;
  const ItemKey queued = f.dispatched(), running = f.dispatched(), stopped = f.dispatched(), held = f.dispatched();
  REQUIRE(tests::start_run(f.engine, running, "openindex-dispatcher", 60s));
  REQUIRE(f.engine.cancel_run(f.mia, stopped));
  REQUIRE(tests::start_run(f.engine, held, "openindex-dispatcher", 60s));
  REQUIRE(f.engine.take_over(f.mia, held, {.agent = "agent-alpha"}));
  using Items = std::set<std::string>;
  CHECK(f.listed({.states = {RunState::queued}}) == Items{queued.str()});
  CHECK(f.listed({.states = {RunState::running}}) == Items{running.str()});
  CHECK(f.listed({.states = {RunState::cancelled}}) == Items{stopped.str()});
  CHECK(f.listed({.states = {RunState::waiting}}) == Items{held.str()});
  CHECK(f.listed({}) == Items{queued.str(), running.str(), held.str()});
  CHECK(f.listed({.reason = RunReason::item_held}) == Items{held.str()});
  CHECK(f.listed({.stage = "triage"}).size() == 3);
  CHECK(f.listed({.stage = "plan"}).empty());
  CHECK(f.listed({.workflow = "OTHER"}).empty());
  CHECK(f.listed({.provider = "prov_none"}).empty());
  CHECK(f.listed({.item = stopped}) == Items{stopped.str()});
  CHECK(f.listed({.due_until = f.clock.now()}) == Items{queued.str()});
  CHECK(f.listed({.due_until = f.clock.now() + 24h}) == Items{queued.str(), held.str()});
}

TEST_CASE("a list of runs is read in pages of any size") {
  RunListFixture f;
  std::set<std::string> all;
  for (int i = 0; i < 7; ++i) all.insert(f.dispatched().str());
  for (int i = 0; i < 4; ++i) {
    const ItemKey key = f.dispatched();
    REQUIRE(tests::start_run(f.engine, key, "openindex-dispatcher", 60s));
    all.insert(key.str());
  }
  for (const std::uint32_t size : {1u, 2u, 3u, 100u}) {
    CAPTURE(size);
    CHECK(f.listed({.limit_count = size}) == all);
  }
  CHECK(f.engine.list_runs(f.host, {.limit_count = 0}).error().code() == errc::invalid_argument);
  CHECK(f.engine.list_runs(f.host, {.limit_count = 1001}).error().code() == errc::invalid_argument);
  for (const char* cursor : {"x", "9:", "1", "44:abc"}) {
    CAPTURE(cursor);
    CHECK(f.engine.list_runs(f.host, {.after = cursor}).error().code() == errc::invalid_argument);
  }
}

TEST_CASE("runs are listed for those who have a role where their items are") {
  RunListFixture f;
  const ItemKey key = f.dispatched();
  REQUIRE(f.engine.create_domain(f.host, {.key = "SECRET", .name = "Secret", .owner = "olga"}));
  const auto hidden = f.engine.create(f.host, {.workflow = "TRIAGE", .title = "Hidden", .domain = "SECRET"});
  REQUIRE(hidden);
  REQUIRE(f.engine.transition(f.host, hidden->key, "triaging"));
  CHECK(f.engine.list_runs(Actor::person("olga"), {})->runs.size() == 2);
  const auto page = f.engine.list_runs(f.mia, {}).value();
  REQUIRE(page.runs.size() == 1);
  CHECK(page.runs.front().item == key);
  const RunId id = f.engine.runs(f.host, hidden->key)->front().id;
  CHECK(f.engine.run(f.mia, id).error().code() == errc::not_found);
  CHECK(f.engine.run(f.host, id)->item == hidden->key);
  CHECK(f.engine.run(f.host, "run_none").error().code() == errc::not_found);
  const Actor run = Actor::run(id, hidden->key, "openindex-dispatcher", 1);
  CHECK(f.engine.list_runs(run, {}).error().code() == errc::outside_run);
  CHECK(f.engine.export_journal(f.mia, id, [](std::string_view) { return Result<void>(); }).error().code() ==
        errc::not_found);
}

TEST_CASE("a journal is exported as one object a line") {
  RunListFixture f;
  const ItemKey key = f.dispatched();
  REQUIRE(tests::start_run(f.engine, key, "openindex-dispatcher", 60s));
  AgentRun run = f.engine.runs(f.host, key)->front();
  constexpr std::uint32_t steps = 250;  // more than are read at once
  for (std::uint32_t i = 1; i <= steps; ++i) {
    engine::RunWrite write{run, {}};
    write.run.steps = i;
    write.steps.push_back({.number = i, .kind = "note", .at = f.clock.now(), .body = R"({"text":"Grüße"})"});
    engine::Change change{.key = {}, .actor = f.host};
    change.run = &write;
    REQUIRE(f.engine.core().door.apply(std::move(change)));
    run = f.engine.run(f.host, run.id).value();
  }
  std::string text;
  REQUIRE(f.engine.export_journal(f.host, run.id, [&](std::string_view part) {
    text += part;
    return Result<void>();
  }));
  std::uint32_t lines = 0;
  for (std::size_t at = 0; at < text.size(); ++lines) {
    const auto end = text.find('\n', at);
    const auto line = boost::json::parse(text.substr(at, end - at));
    if (lines == 0) {
      CHECK(line.at("run").as_string() == run.id.str());
    } else {
      CHECK(line.at("number").as_int64() == lines);
      CHECK(line.at("body").at("text").as_string() == "Grüße");
    }
    at = end + 1;
  }
  CHECK(lines == steps + 1);
  const auto full = [](std::string_view) -> Result<void> { return errc::storage_full; };
  CHECK(f.engine.export_journal(f.host, run.id, full).error().code() == errc::storage_full);
  const auto thrower = [](std::string_view) -> Result<void> { throw std::runtime_error("no"); };
  CHECK(f.engine.export_journal(f.host, run.id, thrower).error().code() == errc::host_callback_failed);
}
