#include <doctest/doctest.h>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

struct DomainFixture : EngineFixture {
  Actor owner = Actor::person("owner");
  Actor admin = Actor::person("admin");
  Actor member = Actor::person("member");
  Actor viewer = Actor::person("viewer");
  Actor stranger = Actor::person("stranger");
  ItemKey key;

  DomainFixture() {
    REQUIRE(engine.create_domain(owner, {.key = "BUG", .name = "Bugs", .default_workflow = "TRIAGE"}));
    REQUIRE(engine.set_member(owner, "BUG", "admin", Role::admin));
    REQUIRE(engine.set_member(admin, "BUG", "member", Role::member));
    REQUIRE(engine.set_member(admin, "BUG", "viewer", Role::viewer));
    key = bug();
  }
};

template <class T>
std::optional<errc> refusal(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().code());
}

}  // namespace

TEST_CASE("who has no role in a domain finds nothing of it") {
  DomainFixture f;
  CHECK(refusal(f.engine.get(f.stranger, f.key)) == errc::not_found);
  CHECK(refusal(f.engine.domain(f.stranger, "BUG")) == errc::not_found);
  CHECK(refusal(f.engine.comment(f.stranger, f.key, "hi")) == errc::not_found);
  CHECK(refusal(f.engine.audit(f.stranger, f.key)) == errc::not_found);
  CHECK(refusal(f.engine.comments(f.stranger, f.key)) == errc::not_found);
  CHECK(refusal(f.engine.explain(f.stranger, f.key)) == errc::not_found);
  CHECK(refusal(f.engine.agent_context(f.stranger, f.key)) == errc::not_found);
  CHECK(refusal(f.engine.transitions(f.stranger, f.key)) == errc::not_found);
  CHECK(refusal(f.engine.children(f.stranger, f.key)) == errc::not_found);
  CHECK(refusal(f.engine.list(f.stranger, {.domain = "BUG"})) == errc::not_found);
  CHECK(f.engine.list(f.stranger, {})->items.empty());
  CHECK(f.queue.available(f.stranger)->items.empty());
  CHECK(f.engine.domains(f.stranger)->empty());
}

TEST_CASE("a workflow and its settings are read by those who have a role in its domain") {
  DomainFixture f;
  CHECK(refusal(f.engine.workflow(f.stranger, "TRIAGE")) == errc::not_found);
  CHECK(f.engine.workflow(f.stranger, "TRIAGE").error().context("workflow") == "TRIAGE");
  CHECK(f.engine.workflow(f.stranger, "TRIAGE").error().context("domain").empty());
  CHECK(refusal(f.engine.workflow_json(f.stranger, "TRIAGE")) == errc::not_found);
  CHECK(refusal(f.engine.stage_settings(f.stranger, "TRIAGE", "plan")) == errc::not_found);
  CHECK(refusal(f.engine.set_stage_settings(f.stranger, "TRIAGE", "plan", {})) == errc::not_found);
  CHECK(f.engine.workflow(f.viewer, "TRIAGE"));
  CHECK(f.engine.workflow_json(f.viewer, "TRIAGE"));
  CHECK(f.engine.stage_settings(f.viewer, "TRIAGE", "plan"));
  CHECK(f.engine.workflows(f.stranger)->empty());
  const auto all = f.engine.workflows(f.viewer).value();
  REQUIRE(all.size() == 1);
  CHECK(all[0].id == WorkflowId("TRIAGE"));
  CHECK(all[0].domain == "BUG");
  CHECK(all[0].version == 1);
  CHECK(f.engine.workflows(f.viewer, "OPS")->empty());
  CHECK(f.engine.audit_entries(f.viewer, {.item = "workflow.TRIAGE"})->entries.size() == 1);
  CHECK(f.engine.audit_entries(f.stranger, {.item = "workflow.TRIAGE"})->entries.empty());
  // A run reads its item's workflow, and no settings.
  const Actor run = Actor::run("r", f.key, "a", 1);
  CHECK(f.engine.workflow(run, "TRIAGE"));
  CHECK(refusal(f.engine.workflow(run, "OTHER")) == errc::outside_run);
  CHECK(refusal(f.engine.stage_settings(run, "TRIAGE", "plan")) == errc::outside_run);
  CHECK(refusal(f.engine.workflow_json(run, "TRIAGE")) == errc::outside_run);
  CHECK(refusal(f.engine.workflows(run)) == errc::outside_run);
}

TEST_CASE("a workflow is used by those who may read it, and by all members of a domain whose default it is") {
  DomainFixture f;
  REQUIRE(f.engine.create_domain(f.stranger, {.key = "OPS", .name = "Ops"}));
  CHECK(refusal(f.engine.create(f.stranger, {.workflow = "TRIAGE", .title = "x", .domain = "OPS"})) == errc::not_found);
  CHECK(refusal(f.engine.update_domain(f.stranger, "OPS", {.default_workflow = WorkflowId("TRIAGE")})) ==
        errc::not_found);
  CHECK(refusal(f.engine.update_domain(f.stranger, "OPS", {.default_workflow = WorkflowId("NONE")})) ==
        errc::not_found);
  REQUIRE(f.engine.set_member(f.stranger, "OPS", "viewer", Role::member));
  CHECK(f.engine.create(f.viewer, {.workflow = "TRIAGE", .title = "x", .domain = "OPS"}));
  REQUIRE(f.engine.set_member(f.stranger, "OPS", "admin", Role::admin));
  REQUIRE(f.engine.update_domain(f.admin, "OPS", {.default_workflow = WorkflowId("TRIAGE")}));
  CHECK(f.engine.create(f.stranger, {.title = "x", .domain = "OPS"}));
  CHECK(f.engine.create(f.stranger, {.workflow = "TRIAGE", .title = "named", .domain = "OPS"}));
  // It stays theirs to change other things of the domain, and to repeat what they did.
  CHECK(f.engine.update_domain(f.stranger, "OPS", {.name = "Operations", .default_workflow = WorkflowId("TRIAGE")}));
  const NewDomain more{.key = "MORE", .name = "More", .default_workflow = "TRIAGE"};
  REQUIRE(f.engine.create_domain(f.member, more, {.idempotency_key = "k"}));
  REQUIRE(f.engine.remove_member(f.admin, "BUG", "member"));
  CHECK(f.engine.create_domain(f.member, more, {.idempotency_key = "k"}));
}

TEST_CASE("whoever empties a domain that nobody created does not own what was in it") {
  EngineFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.delete_item(f.noa, key));
  CHECK(refusal(f.engine.create_domain(f.noa, {.key = "BUG", .name = "Mine now"})) == errc::not_permitted);
  CHECK(f.engine.audit(f.mia, key));
}

TEST_CASE("a version that moved to another domain is compared by those who may read both, and hides where it went") {
  DomainFixture f;
  Workflow moved = tests::triage_workflow();
  moved.domain = "OPS";
  REQUIRE(f.engine.create_domain(f.host, {.key = "OPS", .name = "Ops", .owner = "admin"}));
  REQUIRE(f.engine.save(f.admin, moved));
  CHECK(f.engine.compare_versions(f.admin, "TRIAGE", 1, 2));
  const auto refused = f.engine.compare_versions(f.viewer, "TRIAGE", 1, 2);
  CHECK(refusal(refused) == errc::not_found);
  CHECK(refused.error().context("domain").empty());
  for (const Error& error :
       {f.engine.migrate_all(f.viewer, "TRIAGE").error(), f.engine.save(f.member, tests::triage_workflow()).error(),
        f.engine.set_stage_settings(f.viewer, "TRIAGE", "plan", {}).error()}) {
    CHECK(error.context("domain") != "OPS");
  }
}

TEST_CASE("what a viewer may do is told as nothing, with the reason") {
  DomainFixture f;
  const auto context = f.engine.agent_context(f.viewer, f.key).value();
  CHECK(context.allowed_exits.empty());
  REQUIRE(context.blocked_exits.size() == f.engine.agent_context(f.member, f.key)->allowed_exits.size() +
                                              f.engine.agent_context(f.member, f.key)->blocked_exits.size());
  for (const BlockedExit& blocked : context.blocked_exits) {
    CHECK(blocked.reasons.front().code() == errc::not_permitted);
  }
}

TEST_CASE("a viewer reads and changes nothing") {
  DomainFixture f;
  CHECK(f.engine.get(f.viewer, f.key));
  CHECK(f.engine.list(f.viewer, {})->items.size() == 1);
  CHECK(refusal(f.engine.comment(f.viewer, f.key, "hi")) == errc::not_permitted);
  CHECK(refusal(f.engine.create(f.viewer, {.title = "x", .domain = "BUG"})) == errc::not_permitted);
  CHECK(refusal(f.engine.set_member(f.viewer, "BUG", "friend", Role::viewer)) == errc::not_permitted);
  CHECK(f.engine.domains(f.viewer)->size() == 1);
}

TEST_CASE("a member works, but manages nothing") {
  DomainFixture f;
  const auto created = f.engine.create(f.member, {.title = "x", .domain = "BUG"});
  REQUIRE(created);
  CHECK(created->workflow == WorkflowId("TRIAGE"));
  CHECK(f.engine.transition(f.member, f.key, "triaging"));
  CHECK(refusal(f.engine.take_over(f.member, f.key, {.agent = "agent-beta"})) == errc::not_permitted);
  CHECK(refusal(f.engine.save(f.member, tests::triage_workflow())) == errc::not_permitted);
  CHECK(refusal(f.engine.attach_provider(f.member, "TRIAGE", "plan", "prov_a")) == errc::not_permitted);
  CHECK(refusal(f.engine.update_domain(f.member, "BUG", {.name = "x"})) == errc::not_permitted);
  CHECK(f.engine.take_over(f.admin, f.key, {.agent = "agent-beta"}));
  CHECK(f.engine.attach_provider(f.admin, "TRIAGE", "plan", "prov_a"));
}

TEST_CASE("an agent is limited by the person it works for, one of the host's own is not") {
  DomainFixture f;
  const Actor for_viewer = Actor::agent("agent-v", "viewer"), for_member = Actor::agent("agent-m", "member");
  CHECK(refusal(f.engine.claim(for_viewer, f.key)) == errc::not_permitted);
  CHECK_FALSE(f.queue.claim_next(for_viewer).value());
  CHECK(f.queue.claim_next(for_viewer, 5)->empty());
  CHECK(f.queue.claim_next(Actor::agent("agent-s", "stranger")).value() == std::nullopt);
  CHECK(f.queue.claim_next(for_member).value());
  CHECK(f.engine.claim(f.alpha, f.key));
}

TEST_CASE("a domain has exactly one owner, who hands it over to a member") {
  DomainFixture f;
  CHECK(refusal(f.engine.set_member(f.owner, "BUG", "owner", Role::member)) == errc::invalid_argument);
  CHECK(refusal(f.engine.remove_member(f.admin, "BUG", "owner")) == errc::invalid_argument);
  CHECK(refusal(f.engine.set_member(f.owner, "BUG", "x", Role::owner)) == errc::invalid_argument);
  CHECK(refusal(f.engine.hand_over_domain(f.admin, "BUG", "admin")) == errc::not_permitted);
  CHECK(refusal(f.engine.hand_over_domain(f.owner, "BUG", "stranger")) == errc::not_found);
  const auto handed = f.engine.hand_over_domain(f.owner, "BUG", "member");
  REQUIRE(handed);
  CHECK(std::count_if(handed->members.begin(), handed->members.end(),
                      [](const auto& m) { return m.role == Role::owner; }) == 1);
  CHECK(refusal(f.engine.hand_over_domain(f.owner, "BUG", "owner")) == errc::not_permitted);
}

TEST_CASE("a removed member is out at once, elsewhere within a second") {
  DomainFixture f;
  WorkflowEngine other{{.storage = f.memory, .clock = f.clock, .random = f.random}};
  CHECK(other.get(f.member, f.key));
  REQUIRE(f.engine.remove_member(f.admin, "BUG", "member"));
  CHECK(refusal(f.engine.get(f.member, f.key)) == errc::not_found);
  f.clock.advance(1s);
  CHECK(refusal(other.get(f.member, f.key)) == errc::not_found);
}

TEST_CASE("a domain that nobody created is open, and a second one of a key is refused") {
  EngineFixture f;
  const ItemKey key = f.bug();
  CHECK(f.engine.comment(Actor::person("anybody"), key, "hi"));
  CHECK(refusal(f.engine.create_domain(f.mia, {.key = "BUG", .name = "Mine now"})) == errc::not_permitted);
  REQUIRE(f.engine.create_domain(f.host, {.key = "BUG", .name = "Bugs", .owner = "mia"}));
  CHECK(refusal(f.engine.comment(Actor::person("anybody"), key, "hi")) == errc::not_found);
  CHECK(refusal(f.engine.create_domain(f.host, {.key = "BUG", .name = "Again", .owner = "noa"})) ==
        errc::already_exists);
  CHECK(refusal(f.engine.create_domain(f.alpha, {.key = "A", .name = "A"})) == errc::not_permitted);
  const auto bad = f.engine.create_domain(f.host, {.key = "a b"});
  REQUIRE_FALSE(bad);
  CHECK(bad.error().problems().size() == 3);
  CHECK(f.engine.create(f.host, {.title = "x"}).error().problems().front().pointer == "/workflow");
}

TEST_CASE("a personal domain has no other members") {
  EngineFixture f;
  REQUIRE(f.engine.create_domain(f.mia, {.key = "MIA", .name = "Mia's", .personal = true}));
  CHECK(refusal(f.engine.set_member(f.mia, "MIA", "noa", Role::viewer)) == errc::invalid_argument);
}

TEST_CASE("everybody has a personal domain, made when it is first asked for, that nobody else can take") {
  EngineFixture f;
  const auto mias = f.engine.personal_domain(f.mia);
  REQUIRE(mias);
  CHECK(mias->personal);
  CHECK(mias->members == std::vector<DomainMember>{{"mia", Role::owner}});
  CHECK(f.engine.personal_domain(f.mia)->key == mias->key);
  WorkflowEngine other{{.storage = f.memory, .clock = f.clock, .random = f.random}};
  CHECK(other.personal_domain(Actor::agent("agent-m", "mia"))->key == mias->key);
  const auto noas = f.engine.personal_domain(f.noa);
  REQUIRE(noas);
  CHECK(noas->key != mias->key);

  const ItemKey own = f.engine.create(f.mia, {.workflow = "TRIAGE", .title = "x", .domain = mias->key})->key;
  CHECK(f.engine.list(f.mia, {.personal_only = true})->items.size() == 1);
  CHECK(refusal(f.engine.get(f.noa, own)) == errc::not_found);
  CHECK(refusal(f.engine.set_member(f.mia, mias->key, "noa", Role::viewer)) == errc::invalid_argument);

  const std::string zoes = "ME0123456789ABCD";  // whosever that is
  CHECK(refusal(f.engine.create_domain(f.mia, {.key = zoes, .name = "Mine"})) == errc::invalid_argument);
  CHECK(refusal(f.engine.create(f.mia, {.workflow = "TRIAGE", .title = "x", .domain = zoes})) == errc::not_found);
  CHECK(refusal(f.engine.personal_domain(f.alpha)) == errc::invalid_argument);
  CHECK(refusal(f.engine.personal_domain(f.host)) == errc::invalid_argument);
  CHECK(refusal(f.engine.personal_domain(Actor::run("r", own, "a", 1))) == errc::outside_run);
}

TEST_CASE("a workflow does not change hands by being saved under another domain") {
  DomainFixture f;
  Workflow workflow = tests::triage_workflow();
  workflow.domain = "ZZZ";
  CHECK(refusal(f.engine.save(f.stranger, workflow)) == errc::not_found);
  CHECK(refusal(f.engine.save(f.member, workflow)) == errc::not_permitted);
  CHECK(f.engine.workflow(f.host, "TRIAGE")->domain == "BUG");
  CHECK(f.engine.save(f.admin, workflow));
}

TEST_CASE("nobody waits for an item of a domain that they have no role in") {
  DomainFixture f;
  REQUIRE(f.engine.save(f.host, WorkflowBuilder("OPEN")
                                    .stage({.key = "s"})
                                    .status({.key = "new", .stage = "s"})
                                    .status({.key = "done", .stage = "s", .resolution = Resolution::resolved})
                                    .transition("new", "done")
                                    .build()
                                    .value()));
  const ItemKey own = f.engine.create(f.stranger, {.workflow = "OPEN", .title = "mine"})->key;
  CHECK(refusal(f.engine.add_dependency(f.stranger, own, f.key)) == errc::not_found);
  CHECK(refusal(f.engine.create(f.stranger, {.workflow = "OPEN", .title = "x", .depends_on = {f.key}})) ==
        errc::not_found);
}

TEST_CASE("a person without a name, and whoever lost their role, get no answer that was remembered") {
  DomainFixture f;
  CHECK(refusal(f.engine.get(Actor::person(""), f.key)) == errc::invalid_argument);
  const NewItem item{.title = "x", .domain = "BUG", .idempotency_key = "k"};
  REQUIRE(f.engine.create(f.member, item));
  CHECK(f.engine.create(f.admin, item)->key != f.engine.create(f.member, item)->key);
  REQUIRE(f.engine.remove_member(f.admin, "BUG", "member"));
  CHECK(refusal(f.engine.create(f.member, item)) == errc::not_found);
  CHECK(refusal(f.engine.domain(Actor::run("r", f.key, "a", 1), "BUG")) == errc::outside_run);
}
