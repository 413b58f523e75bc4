// Somebody writes into the storage behind the engine's back: what is found, and where.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "engine/audit_chain.hpp"
#include "engine/engine_fixture.hpp"

using namespace openindex;
using engine::audit_digest;
using engine::audit_record;
using tests::EngineFixture;

namespace {

constexpr std::array<std::byte, 32> sealing_key{std::byte{1}, std::byte{2}};

struct Tampering : EngineFixture {
  ItemKey item = bug();

  void comments(int count) {
    for (int i = 0; i < count; ++i) REQUIRE(engine.comment(mia, item, "hello"));
  }
  std::string body(const RecordId& id) { return memory.get(std::span(&id, 1)).value().front().value().body; }
  std::string body(std::uint64_t number) { return body(audit_record(item.str(), number)); }
  void write(const RecordId& id, std::string bytes, std::vector<IndexEntry> index = {}) {
    ChangeSet changes;
    changes.puts = {{id, std::move(bytes), std::move(index)}};
    REQUIRE(memory.commit(std::span(&changes, 1)).front());
  }
  void write(std::uint64_t number, std::string bytes) { write(audit_record(item.str(), number), std::move(bytes)); }
  void erase(std::uint64_t number) {
    ChangeSet changes;
    changes.erases = {audit_record(item.str(), number)};
    REQUIRE(memory.commit(std::span(&changes, 1)).front());
  }
  void set_head(const AuditHead& head) {
    const RecordId id{"item", item.str()};
    auto record = memory.get(std::span(&id, 1)).value().front().value();
    const AuditHead now = engine.audit_head(host, item).value();
    const auto replace = [&](const std::string& from, const std::string& to) {
      REQUIRE(record.body.find(from) != std::string::npos);
      record.body.replace(record.body.find(from), from.size(), to);
    };
    replace("\"auditCount\":" + std::to_string(now.count), "\"auditCount\":" + std::to_string(head.count));
    replace(now.digest, head.digest);
    write(id, record.body, record.index);
  }
  // Change who did something, and write everything that follows anew, the head included: no chain shows that.
  void rewrite_from(std::uint64_t number) {
    const AuditHead head = engine.audit_head(host, item).value();
    std::string bytes = body(number);
    bytes.replace(bytes.find("\"mia\""), 5, "\"eve\"");
    std::string before = audit_digest(body(number));
    write(number, bytes);
    std::string after = audit_digest(bytes);
    for (std::uint64_t next = number + 1; next <= head.count; ++next) {
      bytes = body(next);
      const std::string old = audit_digest(bytes);
      bytes.replace(bytes.find(before), before.size(), after);
      write(next, bytes);
      before = old;
      after = audit_digest(bytes);
    }
    set_head({item.str(), head.count, after});
  }
};

// The entry that a verdict names; "none" when everything is in order.
std::string located(const Result<void>& verdict) {
  if (verdict) return "none";
  CHECK(verdict.error().code() == errc::storage_corrupt);
  CHECK(verdict.error().context("item") == "BUG-1");
  return std::string(verdict.error().context("entry"));
}

}  // namespace

TEST_CASE("a changed entry is the one that verify names, whichever it is and whatever was changed in it") {
  for (std::uint64_t number = 1; number <= 4; ++number) {
    Tampering f;
    f.comments(3);
    const std::string sound = f.body(number);
    for (std::size_t i = 0; i < sound.size(); ++i) {
      CAPTURE(number);
      CAPTURE(i);
      std::string changed = sound;
      changed[i] ^= 1;
      f.write(number, changed);
      CHECK(located(f.engine.verify(f.host, f.item)) == std::to_string(number));
    }
    f.write(number, sound);
    CHECK(located(f.engine.verify(f.host, f.item)) == "none");
  }
}

TEST_CASE("a dropped entry is the one that verify names") {
  for (std::uint64_t number = 1; number <= 4; ++number) {
    CAPTURE(number);
    Tampering f;
    f.comments(3);
    f.erase(number);
    CHECK(located(f.engine.verify(f.host, f.item)) == std::to_string(number));
    const auto receipt = f.engine.export_receipt(f.host, f.item);
    REQUIRE_FALSE(receipt);
    CHECK(located(receipt.error()) == std::to_string(number));
  }
}

TEST_CASE("entries that changed places are found at the first of them") {
  Tampering f;
  f.comments(3);
  const std::string second = f.body(2);
  f.write(2, f.body(3));
  f.write(3, second);
  CHECK(located(f.engine.verify(f.host, f.item)) == "2");
}

TEST_CASE("an entry behind the last one is found") {
  Tampering f;
  f.write(2, R"({"number":2,"type":"t","at":"2026-01-01T00:00:00Z"})");
  CHECK(located(f.engine.verify(f.host, f.item)) == "2");
}

TEST_CASE("a chain of several pages is read whole") {
  Tampering f;
  f.comments(2100);
  CHECK(located(f.engine.verify(f.host, f.item)) == "none");
  const std::string receipt = f.engine.export_receipt(f.host, f.item).value();
  CHECK(verify_receipt(receipt)->count == 2101);
  CHECK(located(f.engine.verify_against(f.host, f.item, receipt)) == "none");
  std::string changed = f.body(1500);
  f.write(1500, changed.replace(changed.find("mia"), 3, "eve"));
  CHECK(located(f.engine.verify(f.host, f.item)) == "1500");
}

TEST_CASE("a chain that went on since its receipt was exported agrees with it") {
  Tampering f;
  f.comments(2);
  const std::string receipt = f.engine.export_receipt(f.host, f.item).value();
  const AuditHead head = f.engine.audit_head(f.host, f.item).value();
  f.comments(2);
  CHECK(located(f.engine.verify_against(f.host, f.item, receipt)) == "none");
  CHECK(located(f.engine.verify_against(f.host, f.item, head)) == "none");
  std::string changed = f.body(4);
  f.write(4, changed.replace(changed.find("mia"), 3, "eve"));
  CHECK(located(f.engine.verify_against(f.host, f.item, receipt)) == "4");
}

TEST_CASE("a chain rewritten to its head convinces itself, but not a receipt, which names the changed entry") {
  Tampering f;
  f.comments(3);
  const std::string receipt = f.engine.export_receipt(f.host, f.item).value();
  const std::string sealed = seal_head(f.engine.audit_head(f.host, f.item).value(), sealing_key);
  f.comments(1);
  f.rewrite_from(3);
  CHECK(located(f.engine.verify(f.host, f.item)) == "none");
  CHECK(located(f.engine.verify_against(f.host, f.item, receipt)) == "3");
  CHECK(located(f.engine.verify_against(f.host, f.item, open_sealed_head(sealed, sealing_key).value())) == "4");
}

TEST_CASE("a chain cut off with its head put back convinces itself, but not a receipt, which names the missing entry") {
  Tampering f;
  f.comments(1);
  const AuditHead early = f.engine.audit_head(f.host, f.item).value();
  f.comments(2);
  const AuditHead late = f.engine.audit_head(f.host, f.item).value();
  const std::string receipt = f.engine.export_receipt(f.host, f.item).value();
  f.set_head(early);
  CHECK(located(f.engine.verify(f.host, f.item)) == "3");  // the entries themselves are still there
  f.erase(4);
  f.erase(3);
  CHECK(located(f.engine.verify(f.host, f.item)) == "none");
  CHECK(located(f.engine.verify_against(f.host, f.item, receipt)) == "3");
  CHECK(located(f.engine.verify_against(f.host, f.item, late)) == "3");
}

TEST_CASE("a receipt or a head of another item says nothing about this one") {
  Tampering f;
  const ItemKey other = f.bug();
  const auto receipt = f.engine.export_receipt(f.host, other).value();
  const auto head = f.engine.audit_head(f.host, other).value();
  CHECK(f.engine.verify_against(f.host, f.item, receipt).error().code() == errc::invalid_argument);
  CHECK(f.engine.verify_against(f.host, f.item, head).error().code() == errc::invalid_argument);
  CHECK(f.engine.verify_against(f.host, f.item, "no receipt").error().code() == errc::receipt_broken);
}

TEST_CASE("an unknown item has no chain") {
  EngineFixture f;
  CHECK(f.engine.verify(f.host, "BUG-9").error().code() == errc::not_found);
  CHECK(f.engine.export_receipt(f.host, "BUG-9").error().code() == errc::not_found);
  CHECK(f.engine.audit_head(f.host, "BUG-9").error().code() == errc::not_found);
}

TEST_CASE("a run may prove its own item's history and no other") {
  EngineFixture f;
  const ItemKey own = f.bug();
  const ItemKey other = f.bug();
  const Actor run = Actor::run("run_1", own, "dispatcher", 1);
  const std::string receipt = f.engine.export_receipt(f.host, other).value();
  const AuditHead head = f.engine.audit_head(f.host, other).value();
  CHECK(f.engine.export_receipt(run, own));
  CHECK(f.engine.export_receipt(run, other).error().code() == errc::outside_run);
  CHECK(f.engine.audit_head(run, other).error().code() == errc::outside_run);
  CHECK(f.engine.verify(run, other).error().code() == errc::outside_run);
  CHECK(f.engine.verify_against(run, other, receipt).error().code() == errc::outside_run);
  CHECK(f.engine.verify_against(run, other, head).error().code() == errc::outside_run);
}

TEST_CASE("verifying while others append finds nothing wrong") {
  Tampering f;
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i) static_cast<void>(f.engine.comment(f.mia, f.item, "hello"));
    done = true;
  });
  std::string receipt;
  while (!done) {
    const auto verdict = f.engine.verify(f.host, f.item);
    if (!verdict) FAIL_CHECK(verdict.error().describe());
    receipt = f.engine.export_receipt(f.host, f.item).value();
  }
  writer.join();
  CHECK(located(f.engine.verify(f.host, f.item)) == "none");
  CHECK(f.engine.verify_against(f.host, f.item, f.engine.export_receipt(f.host, f.item).value()));
}

TEST_CASE("verify_all names every broken chain at its entry") {
  Tampering f;
  f.comments(3);
  const ItemKey second = f.bug();
  CHECK(f.engine.verify_all(f.host)->chain_count == 3);  // two items and their workflow
  f.erase(2);
  f.write(audit_record(second.str(), 1), "{}");
  const auto found = f.engine.verify_all(f.host);
  REQUIRE(!found);
  CHECK(found.error().code() == errc::storage_corrupt);
  CHECK(found.error().context("broken_count") == "2");
  REQUIRE(found.error().problems().size() == 2);
  CHECK(found.error().problems()[0].pointer == "/BUG-1/2");
  CHECK(found.error().problems()[1].pointer == "/BUG-2/1");
}

TEST_CASE("verify_all finds a head that was put back, and a storage that fails is its answer") {
  Tampering f;
  f.comments(3);
  const AuditHead head = f.engine.audit_head(f.host, f.item).value();
  f.set_head({f.item.str(), head.count - 1, audit_digest(f.body(head.count - 1))});
  const auto found = f.engine.verify_all(f.host);
  REQUIRE(!found);
  CHECK(found.error().problems().at(0).pointer == "/BUG-1/4");
  f.storage.fail_nth(1);
  CHECK(f.engine.verify_all(f.host).error().code() == errc::storage_failed);
}

TEST_CASE("verify_all looks at what the actor may read, and answers no run") {
  Tampering f;
  REQUIRE(f.engine.create_domain(f.host, {.key = "BUG", .name = "Bugs", .owner = "noa"}));
  f.erase(1);
  CHECK(f.engine.verify_all(f.mia)->chain_count == 0);
  CHECK(f.engine.verify_all(f.noa).error().code() == errc::storage_corrupt);
  const Actor run = Actor::run("run_BUG-1_1", "BUG-1", "agent-alpha", 1);
  CHECK(f.engine.verify_all(run).error().code() == errc::outside_run);
}
