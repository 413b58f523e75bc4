#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include <openindex/adapters/sqlite_storage.hpp>

#include "engine/audit_chain.hpp"
#include "engine/engine_fixture.hpp"
#include "provider/registry_fixture.hpp"
#include "testing/provider_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

using Names = std::vector<std::string>;

// What entries are, as `stream/number type`.
Names names(const std::vector<AuditEntry>& entries) {
  Names out;
  for (const auto& entry : entries) out.push_back(entry.stream + "/" + std::to_string(entry.number) + " " + entry.type);
  return out;
}

// Two items, a workflow, one change a second.
struct Searched : EngineFixture {
  Time start = clock.now();
  ItemKey first, second;

  Searched() {
    clock.advance(1s);
    first = bug();
    clock.advance(1s);
    second = bug();
    clock.advance(1s);
    REQUIRE(engine.comment(mia, first, "one"));
    clock.advance(1s);
    REQUIRE(engine.comment(noa, second, "two"));
    clock.advance(1s);
    REQUIRE(engine.update(mia, first, {.priority = Priority::high}));
  }

  Names found(const AuditFilter& filter) {
    const auto page = engine.audit_entries(host, filter);
    REQUIRE(page);
    CHECK(page->next.empty());
    return names(page->entries);
  }
  // All pages of a filter, one entry a page.
  Names paged(AuditFilter filter) {
    Names out;
    filter.limit_count = 1;
    do {
      const auto page = engine.audit_entries(host, filter);
      REQUIRE(page);
      CHECK(page->entries.size() <= 1);
      for (const auto& name : names(page->entries)) out.push_back(name);
      filter.after = page->next;
    } while (!filter.after.empty());
    return out;
  }
};

const Names all_six = {"BUG-1/3 work_item.updated",         "BUG-2/2 work_item.comment_created",
                       "BUG-1/2 work_item.comment_created", "BUG-2/1 work_item.created",
                       "BUG-1/1 work_item.created",         "workflow.TRIAGE/1 workflow.saved"};

Names reversed(Names names) {
  std::reverse(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("without a filter the audit entries of every stream are found, newest first") {
  Searched f;
  CHECK(f.found({}) == all_six);
  CHECK(f.paged({}) == all_six);
  CHECK(f.found({.newest_first = false}) == reversed(all_six));
  CHECK(f.paged({.newest_first = false}) == reversed(all_six));
}

TEST_CASE("entries about providers are found among the others") {
  Searched f;
  SealedSecretStore secrets{HostKey::ephemeral()};
  test::FakeHttp http;
  ProviderRegistry registry{{.storage = f.storage, .secrets = secrets, .http = http, .clock = f.clock}};
  const auto provider = registry.create(f.host, test::claude());
  REQUIRE(provider);
  CHECK(f.found({.type = "admin."}) == Names{"provider." + provider->id.str() + "/1 admin.ai_provider_created"});
}

TEST_CASE("audit entries are filtered by each member, alone and together") {
  Searched f;
  CHECK(f.found({.item = f.first}) == Names{all_six[0], all_six[2], all_six[4]});
  CHECK(f.found({.item = f.first, .newest_first = false}) == Names{all_six[4], all_six[2], all_six[0]});
  CHECK(f.found({.item = "workflow.TRIAGE"}) == Names{all_six[5]});
  CHECK(f.found({.item = "BUG"}) == Names{});
  CHECK(f.found({.domain = "BUG"}) == Names{all_six[0], all_six[1], all_six[2], all_six[3], all_six[4]});
  CHECK(f.found({.domain = "OPS"}) == Names{});
  CHECK(f.found({.type = "work_item.created"}) == Names{all_six[3], all_six[4]});
  CHECK(f.found({.type = "work_item."}) == Names{all_six[0], all_six[1], all_six[2], all_six[3], all_six[4]});
  CHECK(f.found({.type = "work_item"}) == Names{});
  CHECK(f.found({.type = "work."}) == Names{});
  CHECK(f.found({.actor = "mia"}) == Names{all_six[0], all_six[2]});
  CHECK(f.found({.from = f.start + 3s}) == Names{all_six[0], all_six[1], all_six[2]});
  CHECK(f.found({.until = f.start + 3s}) == Names{all_six[3], all_six[4], all_six[5]});
  CHECK(f.found({.from = f.start + 2s, .until = f.start + 4s}) == Names{all_six[2], all_six[3]});
  CHECK(f.found({.from = f.start + 4s, .until = f.start + 2s}) == Names{});
  CHECK(f.found({.domain = "BUG", .type = "work_item.comment_created", .actor = "mia"}) == Names{all_six[2]});
}

TEST_CASE("entries of one item are filtered by each other member, too") {
  Searched f;
  CHECK(f.found({.item = f.first, .domain = "BUG"}) == Names{all_six[0], all_six[2], all_six[4]});
  CHECK(f.found({.item = f.first, .domain = "OPS"}) == Names{});
  CHECK(f.found({.item = f.first, .type = "work_item.created"}) == Names{all_six[4]});
  CHECK(f.found({.item = f.first, .type = "work_item."}) == Names{all_six[0], all_six[2], all_six[4]});
  CHECK(f.found({.item = f.first, .actor = "mia"}) == Names{all_six[0], all_six[2]});
  CHECK(f.found({.item = f.first, .from = f.start + 3s}) == Names{all_six[0], all_six[2]});
  CHECK(f.found({.item = f.first, .until = f.start + 3s}) == Names{all_six[4]});
  CHECK(f.paged({.item = f.first}) == Names{all_six[0], all_six[2], all_six[4]});
  CHECK(f.paged({.item = f.first, .newest_first = false}) == Names{all_six[4], all_six[2], all_six[0]});
  CHECK(f.paged({.item = f.first, .actor = "mia"}) == Names{all_six[0], all_six[2]});
  CHECK(f.paged({.item = f.first, .actor = "mia", .newest_first = false}) == Names{all_six[2], all_six[0]});
}

TEST_CASE("in SQLite the same entries are found in the same order") {
  Searched f;
  const test::TempDir dir;
  const auto sqlite = SqliteStorage::open({.path = dir.path / "test.db"}).value();
  ChangeSet copy;
  for (const Record& row : f.memory.scan({.index = Index::key, .prefix = {"audit"}}).value().rows) {
    copy.appends.push_back({row.id, row.body, row.index});
  }
  REQUIRE(sqlite->commit(std::span(&copy, 1)).front());
  WorkflowEngine engine{{.storage = *sqlite, .clock = f.clock, .random = f.random}};
  for (const bool newest_first : {true, false}) {
    for (AuditFilter filter :
         {AuditFilter{}, AuditFilter{.item = f.first}, AuditFilter{.item = f.first, .actor = "mia"},
          AuditFilter{.domain = "BUG", .type = "work_item.", .from = f.start + 2s, .until = f.start + 5s}}) {
      filter.newest_first = newest_first;
      const Names expected = f.paged(filter);
      CHECK_FALSE(expected.empty());
      CHECK(names(engine.audit_entries(f.host, filter).value().entries) == expected);
    }
  }
}

TEST_CASE("an item's entries are not those of an item whose key begins alike") {
  EngineFixture f;
  for (int i = 0; i < 10; ++i) f.bug();
  const auto page = f.engine.audit_entries(f.host, {.item = "BUG-1"});
  REQUIRE(page);
  CHECK(names(page->entries) == Names{"BUG-1/1 work_item.created"});
}

TEST_CASE("paging while others append shows no entry twice, and every one that was there") {
  for (const bool newest_first : {true, false}) {
    for (const ItemKey& item : {ItemKey(), ItemKey("BUG-1")}) {
      CAPTURE(newest_first);
      CAPTURE(item.str());
      Searched f;
      const Names before = f.found({.item = item});
      std::multiset<std::string> seen;
      AuditFilter filter{.item = item, .limit_count = 2, .newest_first = newest_first};
      int pages = 0;
      do {
        const auto page = f.engine.audit_entries(f.host, filter);
        REQUIRE(page);
        for (const auto& name : names(page->entries)) seen.insert(name);
        filter.after = page->next;
        // At the same time as the newest entry, and later.
        if (++pages <= 3) REQUIRE(f.engine.comment(f.noa, f.first, "meanwhile"));
        if (pages == 2) f.clock.advance(1s);
      } while (!filter.after.empty());
      for (const auto& name : before) CHECK(seen.count(name) == 1);
      for (const auto& name : seen) CHECK(seen.count(name) == 1);
    }
  }
}

TEST_CASE("a page looks at a bounded number of entries, and the next one goes on from there") {
  EngineFixture f;
  const Actor actor = Actor::person("mia");
  ChangeSet changes;
  openindex::engine::ChainHead head;
  std::vector<AuditDraft> drafts(12'000, AuditDraft{"work_item.updated", {}, {}});
  drafts.front().type = "work_item.created";
  openindex::engine::append_audit(changes, head, {"OLD-1", "OLD", actor, f.clock.now(), {}, {}, {}, 0}, drafts);
  REQUIRE(f.memory.commit(std::span(&changes, 1)).front());
  AuditFilter filter{.type = "work_item.created"};
  SUBCASE("by item") { filter.item = "OLD-1"; }
  SUBCASE("by domain") { filter.domain = "OLD"; }
  const auto page = f.engine.audit_entries(f.host, filter);
  REQUIRE(page);
  CHECK(page->entries.empty());
  REQUIRE_FALSE(page->next.empty());
  filter.after = page->next;
  const auto rest = f.engine.audit_entries(f.host, filter);
  REQUIRE(rest);
  CHECK(names(rest->entries) == Names{"OLD-1/1 work_item.created"});
  CHECK(rest->next.empty());
}

TEST_CASE("an audit search is refused with a limit out of range or a cursor of another search") {
  Searched f;
  const auto code = [&](const AuditFilter& filter) {
    const auto page = f.engine.audit_entries(f.host, filter);
    REQUIRE_FALSE(page);
    return page.error().code();
  };
  CHECK(code({.limit_count = 0}) == errc::invalid_argument);
  CHECK(code({.limit_count = 1001}) == errc::invalid_argument);
  CHECK(code({.after = "x"}) == errc::invalid_argument);
  for (const char* after : {"x", "BUG-1", "BUG-1/", "BUG-1/x", "BUG-1/1", "BUG-1/00000001x", "BUG-2/00000001"}) {
    CAPTURE(after);
    CHECK(code({.item = f.first, .after = after}) == errc::invalid_argument);
  }
}

TEST_CASE("a run may not search the audit, its own item's included") {
  Searched f;
  const Actor run = Actor::run("run_1", f.first, "dispatcher", 1);
  CHECK(f.engine.audit_entries(run).error().code() == errc::outside_run);
  CHECK(f.engine.audit_entries(run, {.item = f.first}).error().code() == errc::outside_run);
}

TEST_CASE("an entry that cannot be read makes a search fail by name") {
  Searched f;
  const RecordId id{"audit", "BUG-1/00000002"};
  auto record = f.memory.get(std::span(&id, 1)).value().front().value();
  ChangeSet changes;
  changes.puts = {{id, "{}", record.index}};
  REQUIRE(f.memory.commit(std::span(&changes, 1)).front());
  for (const AuditFilter& filter : {AuditFilter{}, AuditFilter{.item = f.first}}) {
    const auto page = f.engine.audit_entries(f.host, filter);
    REQUIRE_FALSE(page);
    CHECK(page.error().code() == errc::storage_corrupt);
    CHECK(page.error().context("what") == "BUG-1/00000002");
  }
}
