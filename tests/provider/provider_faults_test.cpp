// What becomes of a change when the storage fails in the middle of it, or somebody else is faster.
#include <openindex/provider_registry.hpp>

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <openindex/testing/faulty_storage.hpp>

#include "engine/settings_marker.hpp"
#include "provider/registry_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using openindex::testing::FaultyStorage;

namespace {

struct FaultyFixture : FaultyRegistry {
  ProviderId id;
};

using Names = std::vector<std::string>;

// What there is, by name; also checks that every book agrees with it.
Names stored(FaultyFixture& world) {
  world.faulty.heal();
  Names out;
  const auto listed = world.registry.list().value();
  for (const Provider& provider : listed) {
    out.push_back(provider.name + (provider.enabled ? "" : " (off)"));
    CHECK(world.registry.find(provider.name)->id == provider.id);
    CHECK(audit_of(world.storage, provider.id).size() == provider.version);
  }
  ScanRequest names;
  names.prefix = {IndexValue(std::string("provider_name"))};
  CHECK(world.storage.scan(names)->rows.size() == out.size());
  return out;
}

struct Change {
  std::string name;
  Names before;
  Names after;
  std::function<bool(FaultyFixture&)> make;
};

const std::vector<Change>& all_changes() {
  static const std::vector<Change> changes = {
      {"create", {}, {"gpt"}, [](FaultyFixture& world) { return world.registry.create(host, gpt()).has_value(); }},
      {"update",
       {"claude"},
       {"opus (off)"},
       [](FaultyFixture& world) {
         const ProviderUpdate update{.name = "opus", .enabled = false, .config = {{"api_key", "sk-MARKER-9"}}};
         return world.registry.update(host, world.id, update).has_value();
       }},
      {"remove", {"claude"}, {}, [](FaultyFixture& world) {
         return world.registry.remove(host, world.id).has_value();
       }}};
  return changes;
}

// Fail call after call until the change goes through with nothing left to fail.
void fail_each_call(FaultyStorage::Fault fault, errc code) {
  for (const Change& change : all_changes()) {
    for (std::uint64_t nth = 1;; ++nth) {
      CAPTURE(change.name);
      CAPTURE(nth);
      REQUIRE(nth < 20);
      FaultyFixture world;
      if (!change.before.empty()) world.id = world.registry.create(host, claude()).value().id;
      world.faulty.fail_nth(nth, fault, code);
      const bool done = change.make(world);
      const bool failed = world.faulty.failed();
      const Names now = stored(world);
      CHECK(now == (done ? change.after : change.before));
      if (!done) CHECK(change.make(world));
      CHECK(stored(world) == change.after);
      if (!failed) break;
    }
  }
}

/// Storage that lets somebody else act just before a commit.
class InterruptedStorage final : public Storage {
 public:
  explicit InterruptedStorage(Storage& behind) : behind_(behind) {}
  std::function<void()> before_commit;

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return behind_.get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override { return behind_.scan(request); }
  Result<std::uint64_t> count(const CountRequest& request) override { return behind_.count(request); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    if (before_commit) before_commit();
    return behind_.commit(changes);
  }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return behind_.wait_for_change(request); }
  void wake() noexcept override { behind_.wake(); }

 private:
  Storage& behind_;
};

struct RacingFixture : RegistryFixture {
  InterruptedStorage interrupted{storage};
  ProviderRegistry racer{{.storage = interrupted, .secrets = secrets, .http = http, .clock = clock}};

  // Let somebody else act before the next commit only.
  void once(std::function<void()> act) {
    interrupted.before_commit = [this, act = std::move(act)] {
      const auto ours = std::exchange(interrupted.before_commit, nullptr);  // keeps this lambda alive
      act();
    };
  }
};

}  // namespace

TEST_CASE("after a call of the storage that failed, all is as before, and a retry works") {
  fail_each_call(FaultyStorage::Fault::before, errc::storage_failed);
}

TEST_CASE("a commit whose answer was lost is found out about, whether it happened or not") {
  fail_each_call(FaultyStorage::Fault::after, errc::commit_unknown);
  fail_each_call(FaultyStorage::Fault::before, errc::commit_unknown);
}

TEST_CASE("a conflict that leads nowhere twice is decided again") {
  fail_each_call(FaultyStorage::Fault::before, errc::conflict);
}

TEST_CASE_FIXTURE(RacingFixture, "two updates of different things both land") {
  const auto id = registry.create(host, claude())->id;
  once([&] { REQUIRE(registry.update(host, id, {.config = {{"model", "opus-x"}}})); });
  const auto updated = racer.update(host, id, {.enabled = false});
  REQUIRE(updated);
  CHECK(updated->version == 3);
  CHECK_FALSE(updated->enabled);
  CHECK(updated->config.at("model") == "opus-x");
  CHECK(audit_of(storage, id).size() == 3);
}

TEST_CASE_FIXTURE(RacingFixture, "an update that lost to a removal finds nothing") {
  const auto id = registry.create(host, claude())->id;
  once([&] { REQUIRE(registry.remove(host, id)); });
  CHECK(code_of(racer.update(host, id, {.enabled = false})) == errc::not_found);
  CHECK(registry.list()->empty());
}

TEST_CASE_FIXTURE(RacingFixture, "a name that is taken at the last moment is taken") {
  const auto id = registry.create(host, claude())->id;
  once([&] { REQUIRE(registry.create(host, gpt())); });
  CHECK(code_of(racer.create(host, gpt())) == errc::already_exists);
  once([&] { REQUIRE(registry.create(host, llama())); });
  CHECK(code_of(racer.update(host, id, {.name = "llama"})) == errc::already_exists);
  CHECK(registry.find("claude")->id == id);
}

TEST_CASE_FIXTURE(RacingFixture, "an endpoint that moved at the last moment does not take an older secret along") {
  const auto id = registry.create(host, claude())->id;
  once([&] {
    REQUIRE(registry.update(host, id, {.config = {{"endpoint", "https://b.example"}, {"api_key", "sk-b"}}}));
  });
  // Decided for the old endpoint it would be no move at all.
  CHECK(code_of(racer.update(host, id, {.config = {{"endpoint", "https://api.anthropic.com"}}})) ==
        errc::secret_required_for_endpoint);
}

TEST_CASE_FIXTURE(RacingFixture, "a record under constant change is given up on with contention") {
  const auto id = registry.create(host, claude())->id;
  bool on = true;
  interrupted.before_commit = [&] { REQUIRE(registry.update(host, id, {.enabled = on = !on})); };
  CHECK(code_of(racer.update(host, id, {.config = {{"model", "m"}}})) == errc::contention);
  CHECK(code_of(racer.remove(host, id)) == errc::contention);
  CHECK(registry.get(id)->config.at("model") == "claude-x");
}

TEST_CASE_FIXTURE(RacingFixture, "a creation whose answer was lost and that lands late is one creation") {
  // The commit reaches the storage behind only when the registry has looked for it and begun again.
  ChangeSet late;
  class Delayed final : public Storage {
   public:
    Delayed(Storage& behind, ChangeSet& late) : behind_(behind), late_(late) {}
    Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override {
      auto found = behind_.get(ids);
      const bool lands = ids.front().kind == "audit" && !late_.id.empty() && !std::exchange(landed_, true);
      if (lands) REQUIRE(behind_.commit({&late_, 1})[0]);
      return found;
    }
    Result<ScanPage> scan(const ScanRequest& request) override { return behind_.scan(request); }
    Result<std::uint64_t> count(const CountRequest& request) override { return behind_.count(request); }
    std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
      if (!late_.id.empty()) return behind_.commit(changes);
      late_ = changes.front();
      return {Error(errc::commit_unknown)};
    }
    Result<Changed> wait_for_change(const WaitRequest& request) override { return behind_.wait_for_change(request); }
    void wake() noexcept override { behind_.wake(); }

   private:
    Storage& behind_;
    ChangeSet& late_;
    bool landed_ = false;
  } delayed(storage, late);
  ProviderRegistry slow({.storage = delayed, .secrets = secrets, .http = http, .clock = clock});
  const auto created = slow.create(host, claude());
  REQUIRE(created);
  CHECK(registry.list()->size() == 1);
  CHECK(registry.find("claude")->id == created->id);
}

TEST_CASE_FIXTURE(RegistryFixture, "of many threads that create the same name one wins") {
  std::vector<errc> outcomes(4);
  {
    std::vector<std::jthread> threads;
    for (auto& outcome : outcomes) {
      threads.emplace_back([this, &outcome] { outcome = code_of(registry.create(host, claude())); });
    }
  }
  CHECK(std::count(outcomes.begin(), outcomes.end(), errc{}) == 1);
  CHECK(std::count(outcomes.begin(), outcomes.end(), errc::already_exists) == 3);
  CHECK(registry.list()->size() == 1);
}

TEST_CASE_FIXTURE(RegistryFixture, "threads that change one provider lose nothing to each other") {
  const auto id = registry.create(host, claude())->id;
  const Names keys{"version", "betaVersion", "model"};
  {
    std::vector<std::jthread> threads;
    for (const auto& key : keys) {
      threads.emplace_back([this, &id, &key] {
        while (!registry.update(host, id, {.config = {{key, "changed"}}})) {
        }
      });
    }
  }
  const auto provider = registry.get(id).value();
  for (const auto& key : keys) CHECK(provider.config.at(key) == "changed");
  CHECK(provider.version == 4);
  CHECK(audit_of(storage, id).size() == 4);
}
