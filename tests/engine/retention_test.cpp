// Forgetting work that ended long ago.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include <openindex/work/audit_receipt.hpp>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

struct RetentionFixture : EngineFixture {
  // An item with a comment and two runs, the second of them with a journal, that was rejected.
  ItemKey rejected(NewItem item = {.workflow = "TRIAGE", .title = "an old bug"}) {
    const ItemKey key = engine.create(host, item).value().key;
    REQUIRE(engine.transition(mia, key, "triaging"));
    REQUIRE(engine.comment(mia, key, "seen before"));
    journal(engine.get(host, key).value().run);
    REQUIRE(engine.transition(mia, key, "rejected"));
    return key;
  }

  // What a dispatcher would have written.
  void journal(const RunId& run, int steps = 3) {
    ChangeSet changes;
    changes.id = "commit_journal";
    for (int i = 1; i <= steps; ++i) {
      changes.appends.push_back({{"step", run.str() + "/00000" + std::to_string(i)},
                                 R"({"kind":"note","at":"2026-11-22T10:00:00.250Z","body":{}})",
                                 {}});
    }
    REQUIRE(memory.commit(std::span(&changes, 1)).front());
  }

  // Goes on until there is no more; adds the calls up.
  Pruned prune_all(Prune prune = {}) {
    Pruned sum;
    prune.older_than = clock.now();
    do {
      const auto done = engine.prune(host, prune);
      REQUIRE(done);
      sum.items += done->items;
      sum.kept += done->kept;
      sum.journals += done->journals;
      sum.records += done->records;
      prune.after = done->next;
      REQUIRE(++calls < 1000);
    } while (!prune.after.empty());
    return sum;
  }

  std::uint64_t count(const char* kind) {
    return memory.count({.index = Index::key, .prefix = {std::string(kind)}}).value();
  }

  int calls = 0;
};

}  // namespace

TEST_CASE("what was resolved before a moment goes with all it had, and nothing else does") {
  RetentionFixture f;
  const ItemKey old = f.rejected();
  const ItemKey open = f.bug();
  f.clock.advance(24h);
  const Time moment = f.clock.now();
  const ItemKey young = f.rejected();
  f.clock.advance(24h);
  const auto done = f.engine.prune(f.host, {.older_than = moment});
  REQUIRE(done);
  CHECK(done->items == 1);
  CHECK(done->next.empty());
  CHECK(f.engine.get(f.host, old).error().code() == errc::not_found);
  CHECK(f.engine.comment(f.mia, old, "still there?").error().code() == errc::not_found);
  CHECK(f.engine.comments(f.host, old).value().empty());
  CHECK(f.engine.runs(f.host, old).value().empty());
  CHECK(f.engine.get(f.host, open));
  CHECK(f.engine.runs(f.host, young).value().size() == 1);
  CHECK(f.engine.comments(f.host, young).value().size() == 1);
  CHECK(f.count("step") == 3);
  CHECK(f.engine.list(f.host, {}).value().items.size() == 2);
}

TEST_CASE("the audit of a pruned item stays, is searched and verified, and ends with its pruning") {
  RetentionFixture f;
  const ItemKey key = f.rejected();
  const auto before = f.engine.export_receipt(f.host, key).value();
  f.clock.advance(1h);
  f.prune_all();
  CHECK(f.audit_types(key).back() == "work_item.pruned");
  CHECK(f.engine.verify(f.host, key));
  CHECK(f.engine.verify_against(f.host, key, before));
  CHECK(f.engine.audit_entries(f.host, {.type = "work_item.pruned"}).value().entries.size() == 1);
  CHECK(verify_receipt(f.engine.export_receipt(f.host, key).value()));

  const RecordId third{"audit", key.str() + "/00000003"};
  ChangeSet tampering;
  tampering.erases = {third};
  REQUIRE(f.memory.commit(std::span(&tampering, 1)).front());
  CHECK(f.engine.verify(f.host, key).error().context("entry") == "3");
}

TEST_CASE("audit entries that a receipt was taken of go, and the domain remembers the head of the chain") {
  RetentionFixture f;
  const ItemKey key = f.rejected();
  const AuditHead head = f.engine.audit_head(f.host, key).value();
  std::map<ItemKey, std::string> receipts;
  f.clock.advance(1h);
  f.prune_all({.export_audit = [&](const ItemKey& item, std::string_view receipt) -> Result<void> {
    receipts.emplace(item, receipt);
    return {};
  }});
  REQUIRE(receipts.size() == 1);
  CHECK(verify_receipt(receipts.at(key)).value() == head);
  CHECK(f.engine.audit(f.host, key).value().empty());
  CHECK(f.engine.verify(f.host, key).error().code() == errc::not_found);
  CHECK(f.count("pruned") == 0);
  const auto told = f.engine.audit(f.host, "BUG-retention").value();
  REQUIRE(told.size() == 1);
  CHECK(told[0].type == "work_item.pruned");
  CHECK(told[0].changes[0].before == key.str());
  CHECK(told[0].changes[1].before == head.digest);
  CHECK(f.engine.verify(f.host, "BUG-retention"));
}

TEST_CASE("a receipt that cannot be kept keeps its item") {
  RetentionFixture f;
  const ItemKey key = f.rejected();
  f.clock.advance(1h);
  const auto full = [](const ItemKey&, std::string_view) -> Result<void> { return errc::storage_full; };
  CHECK(f.engine.prune(f.host, {.older_than = f.clock.now(), .export_audit = full}).error().code() ==
        errc::storage_full);
  const auto thrown = [](const ItemKey&, std::string_view) -> Result<void> { throw std::runtime_error("no"); };
  CHECK(f.engine.prune(f.host, {.older_than = f.clock.now(), .export_audit = thrown}).error().code() ==
        errc::host_callback_failed);
  CHECK(f.engine.get(f.host, key));
  CHECK(f.engine.verify(f.host, key));
}

TEST_CASE("an item that is damaged stays, is named, and keeps no other from going") {
  RetentionFixture f;
  const ItemKey damaged = f.rejected();
  const ItemKey sound = f.rejected();
  ChangeSet damage;
  damage.puts = {{{"content", damaged.str()}, "no JSON", {}}};
  REQUIRE(f.memory.commit(std::span(&damage, 1)).front());
  f.clock.advance(1h);
  const auto done = f.engine.prune(f.host, {.older_than = f.clock.now()});
  REQUIRE(done);
  CHECK(done->items == 1);
  REQUIRE(done->broken.size() == 1);
  CHECK(done->broken[0].context("item") == damaged.str());
  CHECK(f.engine.get(f.host, sound).error().code() == errc::not_found);
}

TEST_CASE("an item stays while something stands below it or depends on it") {
  RetentionFixture f;
  const ItemKey task = f.rejected();
  const ItemKey below =
      f.engine
          .create(f.host, {.workflow = "TRIAGE", .title = "a part of it", .kind = WorkKind::sub_task, .parent = task})
          .value()
          .key;
  const ItemKey needed = f.rejected();
  const ItemKey waits =
      f.engine.create(f.host, {.workflow = "TRIAGE", .title = "after it", .depends_on = {needed}}).value().key;
  f.clock.advance(1h);
  CHECK(f.prune_all().kept == 2);
  CHECK(f.engine.get(f.host, task));

  for (const ItemKey& key : {below, waits}) {
    REQUIRE(f.engine.transition(f.mia, key, "triaging"));
    REQUIRE(f.engine.transition(f.mia, key, "rejected"));
  }
  f.clock.advance(1h);
  f.prune_all();
  for (const ItemKey& key : {task, below, needed, waits}) {
    CHECK(f.engine.get(f.host, key).error().code() == errc::not_found);
  }
  for (const char* kind : {"item", "content", "hold", "gates", "dependents", "below", "run", "step", "comment"}) {
    CAPTURE(kind);
    CHECK(f.count(kind) == 0);
  }
}

TEST_CASE("items that depend on each other go together, however few a call looks at") {
  for (const std::uint32_t items_max : {1u, 2u, 100u}) {
    RetentionFixture f;
    ItemKey before;
    for (int i = 0; i < 8; ++i) {
      NewItem item{.workflow = "TRIAGE", .title = "a link of a chain"};
      if (!before.empty()) item.depends_on = {before};
      before = f.rejected(item);
      f.clock.advance(1s);
    }
    CHECK(f.prune_all({.items_max = items_max}).items == 8);
    CHECK(f.count("item") == 0);
    CHECK(f.count("dependents") == 0);
  }
}

TEST_CASE("a sub-task that is created while its task is being pruned keeps the task") {
  RetentionFixture f;
  const ItemKey task = f.rejected();
  f.clock.advance(1h);
  WorkflowEngine elsewhere({.storage = f.memory, .clock = f.clock, .random = f.random});
  bool created = false;
  f.storage.before_commit([&] {
    if (std::exchange(created, true)) return;
    REQUIRE(
        elsewhere.create(f.host, {.workflow = "TRIAGE", .title = "late", .kind = WorkKind::sub_task, .parent = task}));
  });
  CHECK(f.prune_all().items == 0);
  CHECK(created);
  CHECK(f.engine.get(f.host, task));
  CHECK(f.engine.children(f.host, task).value().size() == 1);
}

TEST_CASE("a damaged run is named and keeps nothing else from going") {
  RetentionFixture f;
  const ItemKey key = f.rejected();
  REQUIRE(f.engine.reopen(f.host, key));
  ChangeSet damage;
  damage.puts = {{{"run", "run_BUG-0_0001"}, "no JSON", {{Index::due, {"ended", 1, "run_BUG-0_0001"}}}}};
  REQUIRE(f.memory.commit(std::span(&damage, 1)).front());
  f.clock.advance(1h);
  const auto done = f.engine.prune(f.host, {.older_than = f.clock.now()});
  REQUIRE(done);
  CHECK(done->journals == 1);
  CHECK(done->next.empty());
  REQUIRE(done->broken.size() == 1);
  CHECK(done->broken[0].context("run") == "run_BUG-0_0001");
}

TEST_CASE("a domain is pruned although others have more than a page can look through") {
  RetentionFixture f;
  ChangeSet others;
  for (int i = 0; i < 10'050; ++i) {
    const std::string run = "run_OPS-" + std::to_string(i) + "_0001";
    others.puts.push_back({{"run", run}, "{}", {{Index::due, {"ended", 1, run}}}});
  }
  REQUIRE(f.memory.commit(std::span(&others, 1)).front());
  const ItemKey key = f.rejected();
  REQUIRE(f.engine.reopen(f.host, key));
  f.clock.advance(1h);
  CHECK(f.prune_all({.domain = "BUG"}).journals == 1);
  CHECK(f.count("step") == 0);
}

TEST_CASE("a call does a bounded part, and the calls together do all") {
  RetentionFixture f;
  for (int i = 0; i < 10; ++i) f.rejected();
  f.clock.advance(1h);
  const auto first = f.engine.prune(f.host, {.older_than = f.clock.now(), .items_max = 3});
  REQUIRE(first);
  CHECK(first->items == 3);
  CHECK_FALSE(first->next.empty());
  CHECK(f.prune_all({.items_max = 3}).items == 7);
  CHECK(f.calls > 2);
  CHECK(f.count("step") == 0);
}

TEST_CASE("a pruning that is repeated under its key gives the same report and does nothing more") {
  RetentionFixture f;
  for (int i = 0; i < 5; ++i) f.rejected();
  const ItemKey damaged = f.rejected();
  f.clock.advance(1h);
  const RecordId content{"content", damaged.str()};
  const Record whole = *f.memory.get({&content, 1}).value().front();
  const auto put_content = [&](const std::string& body) {
    ChangeSet changes;
    changes.puts.push_back({content, body, whole.index});
    REQUIRE(f.memory.commit(std::span(&changes, 1)).front());
  };
  put_content("damaged");
  const Prune prune{.older_than = f.clock.now()};
  const CallOptions call{.idempotency_key = "nightly"};
  const auto first = f.engine.prune(f.host, prune, call).value();
  CHECK(first.items == 5);
  CHECK(first.broken.size() == 1);
  f.clock.advance(1h);
  put_content(whole.body);  // done once more, the pruning would take it
  const auto again = f.engine.prune(f.host, prune, call).value();
  CHECK(f.engine.get(f.host, damaged));
  CHECK(again.items == first.items);
  CHECK(again.records == first.records);
  CHECK(again.next == first.next);
  REQUIRE(again.broken.size() == first.broken.size());
  for (std::size_t i = 0; i < first.broken.size(); ++i) {
    CHECK(again.broken[i].message() == first.broken[i].message());
    CHECK(again.broken[i].context("item") == first.broken[i].context("item"));
  }
  const auto other = f.engine.prune(f.host, {.older_than = f.clock.now()}, call);
  REQUIRE_FALSE(other);
  CHECK(other.error().code() == errc::idempotency_conflict);
  f.clock.advance(25h);
  CHECK(f.engine.prune(f.host, {.older_than = f.clock.now()}, call)->items == 1);
  // A refusal is not remembered.
  CHECK(f.engine.prune(f.mia, prune, {.idempotency_key = "mine"}).error().code() == errc::not_permitted);
}

TEST_CASE("what one item left behind goes in pieces, too") {
  RetentionFixture f;
  const ItemKey key = f.rejected();
  REQUIRE(f.engine.reopen(f.host, key));
  for (int i = 0; i < 250; ++i) REQUIRE(f.engine.comment(f.mia, key, "again"));
  REQUIRE(f.engine.transition(f.mia, key, "triaging"));
  REQUIRE(f.engine.transition(f.mia, key, "rejected"));
  f.clock.advance(1h);
  const auto first = f.engine.prune(f.host, {.older_than = f.clock.now(), .records_max = 100});
  REQUIRE(first);
  CHECK(first->records < 120);
  CHECK_FALSE(first->next.empty());
  CHECK(f.count("comment") > 100);
  f.prune_all({.records_max = 100});
  CHECK(f.count("comment") == 0);
}

TEST_CASE("a pruning that fails anywhere is completed by the next one, and no chain breaks") {
  for (const auto fault : {testing::FaultyStorage::Fault::before, testing::FaultyStorage::Fault::after}) {
    for (std::uint64_t nth = 1;; ++nth) {
      CAPTURE(nth);
      RetentionFixture f;
      const ItemKey first = f.rejected();
      const ItemKey second = f.rejected({.workflow = "TRIAGE", .title = "depends", .depends_on = {first}});
      f.clock.advance(1h);
      f.storage.fail_nth(nth, fault);
      static_cast<void>(f.engine.prune(f.host, {.older_than = f.clock.now()}).has_value());
      const bool failed = f.storage.failed();
      f.storage.heal();
      f.prune_all();
      CHECK(f.engine.verify(f.host, first));
      CHECK(f.engine.verify(f.host, second));
      for (const char* kind : {"item", "content", "dependents", "run", "step", "comment"}) {
        CAPTURE(kind);
        CHECK(f.count(kind) == 0);
      }
      CHECK(f.count("pruned") == 2);
      if (!failed) break;
    }
  }
}

TEST_CASE("the journal of a run that ended long ago goes, though its item is open") {
  RetentionFixture f;
  const ItemKey key = f.rejected();
  const RunId run = f.engine.runs(f.host, key).value().front().id;
  REQUIRE(f.engine.reopen(f.host, key));
  f.clock.advance(1h);
  CHECK(f.prune_all().journals == 1);
  CHECK(f.engine.journal(f.host, run).value().empty());
  CHECK(f.engine.runs(f.host, key).value().back().journal_pruned);
  CHECK(f.engine.get(f.host, key));
  CHECK(f.prune_all().journals == 0);
}

TEST_CASE("a key under which an item was created goes with its time, not before") {
  RetentionFixture f;
  const NewItem row{.workflow = "TRIAGE", .title = "imported", .idempotency_key = "row-1"};
  const ItemKey key = f.rejected(row);
  f.clock.advance(1h);
  REQUIRE(f.engine.prune(f.host, {.older_than = f.clock.now(), .domain = "BUG"}));
  const auto again = f.engine.create(f.host, row);
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == errc::not_found);
  CHECK(again.error().context("item") == key.str());
  f.prune_all();
  const auto anew = f.engine.create(f.host, row);
  REQUIRE(anew);
  CHECK(anew->key != key);
}

TEST_CASE("only the host prunes everything, and admins their domain") {
  RetentionFixture f;
  const ItemKey key = f.rejected();
  REQUIRE(f.engine.create_domain(f.host, {.key = "BUG", .name = "Bugs", .owner = "mia"}));
  REQUIRE(f.engine.set_member(f.mia, "BUG", "noa", Role::member));
  f.clock.advance(1h);
  const auto code = [&](const Actor& actor, std::string domain) {
    return f.engine.prune(actor, {.older_than = f.clock.now(), .domain = std::move(domain)}).error().code();
  };
  CHECK(code(f.alpha, "BUG") == errc::not_permitted);
  CHECK(code(f.noa, "BUG") == errc::not_permitted);
  CHECK(code(f.mia, "") == errc::not_permitted);
  const auto other = f.engine.prune(f.host, {.older_than = f.clock.now(), .domain = "BU"});
  REQUIRE(other);
  CHECK(other->items == 0);
  CHECK(f.engine.prune(f.mia, {.older_than = f.clock.now(), .domain = "BUG"}).value().items == 1);
}

TEST_CASE("bounds that are broken and a moment to come are refused, all at once") {
  RetentionFixture f;
  const auto refused = f.engine.prune(
      f.host, {.older_than = f.clock.now() + 1ms, .items_max = 0, .records_max = 1, .after = "no cursor"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::invalid_argument);
  CHECK(refused.error().problems().size() == 4);
}
