// Which stages a provider serves, what it costs to find out, and what stays in memory of one that is gone.
#include <doctest/doctest.h>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/agent_queue.hpp>
#include <openindex/workflow_engine.hpp>

#include "provider/google_fixture.hpp"
#include "provider/provider_directory.hpp"
#include "provider/provider_login.hpp"
#include "provider/provider_use.hpp"
#include "provider/registry_fixture.hpp"
#include "workflow/triage_definition.hpp"

namespace openindex::test {
namespace {

/// Counts the rows that a walk of each request goes through, whatever it then keeps of them.
class RowCounter final : public Storage {
 public:
  explicit RowCounter(Storage& behind) : behind_(behind) {}
  std::uint64_t rows = 0;
  int calls = 0;

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return behind_.get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override {
    note({.index = request.index, .prefix = request.prefix, .from = request.from, .below = request.below});
    return behind_.scan(request);
  }
  Result<std::uint64_t> count(const CountRequest& request) override {
    CountRequest all = request;
    all.where.clear();
    note(all);
    return behind_.count(request);
  }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    return behind_.commit(changes);
  }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return behind_.wait_for_change(request); }
  void wake() noexcept override { behind_.wake(); }

 private:
  void note(const CountRequest& request) {
    ++calls;
    rows += behind_.count(request).value();
  }
  Storage& behind_;
};

struct ServedStages : RegistryFixture {
  WorkflowEngine engine{{.storage = storage, .clock = clock}};
  Actor alpha = Actor::agent("agent-alpha");
  ProviderId id = registry.create(host, llama()).value().id;

  ServedStages() {
    REQUIRE(engine.save(host, tests::triage_workflow()));
    REQUIRE(engine.attach_provider(host, "TRIAGE", "triage", id));
  }
  void close(const ItemKey& item) {
    REQUIRE(engine.claim(alpha, item));
    REQUIRE(engine.complete(alpha, item, {"rejected"}));
  }
  ItemKey bug() {
    const ItemKey item = engine.create(host, {.workflow = "TRIAGE", .title = "crash"}).value().key;
    return engine.transition(host, item, "triaging").value().key;
  }
};

TEST_CASE_FIXTURE(ServedStages, "open work of a stage is what agents hold there or could take") {
  bug();
  const ItemKey held = bug(), blocked = bug(), human = bug(), closed = bug();
  REQUIRE(engine.claim(alpha, held));
  REQUIRE(engine.add_dependency(host, blocked, held));
  REQUIRE(engine.update(host, human, {.execution_target = ExecutionTarget::human}));
  close(closed);
  const auto use = registry.use(id).value();
  REQUIRE(use.stages.size() == 1);
  CHECK(use.stages[0].workflow == "TRIAGE");
  CHECK(use.stages[0].stage == "triage");
  CHECK(use.stages[0].items == 2);
}

TEST_CASE_FIXTURE(ServedStages, "finding out what a provider serves walks through nothing that has ended") {
  bug();
  RowCounter before(storage);
  REQUIRE(providers::use_of(before, id));
  for (int i = 0; i < 50; ++i) close(bug());
  RowCounter after(storage);
  REQUIRE(providers::use_of(after, id));
  CHECK(before.rows == 2);  // the settings of one stage, one open item
  CHECK(after.rows == before.rows);
  CHECK(after.calls == 3);  // the settings, then what is free and what is held of one stage
}

struct GrantedProvider : RegistryFixture {
  providers::ProviderRecord stored;

  GrantedProvider() {
    const ProviderConfig config{{"projectName", "project-1"},
                                {"environment", "europe-west1"},
                                {"file", GoogleKey::shared().file()},
                                {"model", "m"}};
    const auto id = registry.create(host, {.name = "vertex", .type = "vertex_ai", .config = config}).value().id;
    stored = registry.directory().load(id).value();
    const auto login = registry.directory().resolve(stored).value().login;
    REQUIRE(login);
    REQUIRE(registry.directory().keep_grant(
        *login, HttpResponse{.status = 200, .body = R"({"access_token":"t","expires_in":3600})"}));
    REQUIRE(is_granted());
  }
  bool is_granted() { return registry.directory().resolve(stored)->is_granted; }
};

TEST_CASE_FIXTURE(GrantedProvider, "the grant of a provider that is removed is forgotten") {
  REQUIRE(registry.remove(host, stored.id));
  CHECK_FALSE(is_granted());
}

TEST_CASE_FIXTURE(GrantedProvider,
                  "the grant of a provider that another process removed is forgotten when it is missed") {
  ProviderRegistry other{{.storage = storage, .secrets = secrets, .http = http, .clock = clock}};
  REQUIRE(other.remove(host, stored.id));
  CHECK(is_granted());
  CHECK(code_of(registry.directory().endpoint(stored.id)) == errc::not_found);
  CHECK_FALSE(is_granted());
}

TEST_CASE("grants that have expired go when another one is kept") {
  providers::GrantCache grants;
  const Time start{};
  const auto login = [](const char* id) { return providers::ProviderLogin{ProviderId(id), 1, {}, nullptr, {}}; };
  grants.keep(login("prov_old"), {"old", {}, {}, start + std::chrono::hours(1)}, start);
  grants.keep(login("prov_new"), {"new", {}, {}, start + std::chrono::hours(3)}, start + std::chrono::hours(2));
  CHECK_FALSE(grants.find(ProviderId("prov_old"), 1, start));
  CHECK(grants.find(ProviderId("prov_new"), 1, start + std::chrono::hours(2)));
}

}  // namespace
}  // namespace openindex::test
