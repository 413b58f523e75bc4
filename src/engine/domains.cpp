// Domains: creating them, changing them, and who is in them.
#include <algorithm>

#include <fmt/format.h>

#include <openindex/workflow_engine.hpp>

#include "core/utf8.hpp"
#include "engine/core.hpp"
#include "json/writer.hpp"
#include "work/actor_rules.hpp"
#include "work/shown.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using Drafts = std::vector<AuditDraft>;
using DomainEdit = std::function<Result<Drafts>(Domain&)>;

constexpr std::size_t members_max = 10'000;

bool is_domain_key(const std::string& key) {
  const auto upper = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return !key.empty() && key.size() <= 16 && std::all_of(key.begin(), key.end(), upper);
}

void check_text(const char* pointer, const std::string& text, std::size_t min, std::size_t max,
                std::vector<Problem>& problems) {
  if (text.size() < min || text.size() > max || !is_utf8(text)) {
    problems.push_back({pointer, fmt::format("must be {} to {} bytes of UTF-8", min, max)});
  }
}

void check_labels(const std::vector<std::string>& labels, std::vector<Problem>& problems) {
  if (labels.size() > 500) problems.push_back({"/categories", "must be at most 500"});
  for (std::size_t i = 0; i < labels.size(); ++i) {
    check_text(fmt::format("/categories/{}", i).c_str(), labels[i], 1, 100, problems);
  }
}

using work::shown;

std::string shown(const WorkflowId& id) { return id.str(); }

json::Writer& write_texts(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) out.string(text);
  return out.end_array();
}

// What was asked, for the digest of a request.
std::string to_json(const NewDomain& domain) {
  json::Writer out;
  out.begin_object().key("key").string(domain.key).key("name").string(domain.name);
  out.key("description").string(domain.description).key("owner").string(domain.owner);
  out.key("personal").boolean(domain.personal).key("defaultWorkflow").string(domain.default_workflow.str());
  return std::move(write_texts(out, "categories", domain.categories).end_object()).str();
}

std::string to_json(const DomainUpdate& update) {
  json::Writer out;
  out.begin_object();
  if (update.name) out.key("name").string(*update.name);
  if (update.description) out.key("description").string(*update.description);
  if (update.default_workflow) out.key("defaultWorkflow").string(update.default_workflow->str());
  if (update.categories) write_texts(out, "categories", *update.categories);
  return std::move(out.end_object()).str();
}

Error refuse(std::vector<Problem> problems) {
  return Error(errc::invalid_argument, "The domain cannot be like this").with_problems(std::move(problems));
}

// Every member of a domain may use its default, so whoever makes it that must be able to read it.
Result<void> check_default(EngineCore& core, const Actor& actor, const WorkflowId& workflow) {
  if (workflow.empty()) return {};
  if (auto readable = core.readable_workflow(actor, workflow, 0); !readable) return readable.error();
  return {};
}

DomainMember* find_member(Domain& domain, const std::string& user) {
  const auto same = [&](const DomainMember& member) { return member.user == user; };
  const auto found = std::find_if(domain.members.begin(), domain.members.end(), same);
  return found == domain.members.end() ? nullptr : &*found;
}

Error no_member(const Domain& domain, const std::string& user) {
  return Error(errc::not_found, "The domain has no such member").with("domain", domain.key).with("user", user);
}

Error owner_stays(const Domain& domain) {
  return Error(errc::invalid_argument, "A domain has exactly one owner; hand it over first").with("domain", domain.key);
}

}  // namespace

Result<Domain> WorkflowEngine::create_domain(const Actor& actor, const NewDomain& domain, const CallOptions& call) {
  if (actor.is_agent()) return Error(errc::not_permitted, "Agents do not create domains").with("actor", actor.id());
  if (auto named = work::check_actor_id(actor); !named) return named.error();
  NewDomain given = domain;
  if (given.owner.empty() && actor.kind() == ActorKind::person) given.owner = actor.id();
  std::vector<Problem> problems;
  if (!is_domain_key(given.key)) problems.push_back({"/key", "must be 1 to 16 of A-Z 0-9"});
  if (engine::is_personal_key(given.key)) problems.push_back({"/key", "is kept for a personal domain"});
  check_text("/name", given.name, 1, 200, problems);
  check_text("/description", given.description, 0, 4000, problems);
  check_text("/owner", given.owner, 1, 200, problems);
  check_text("/defaultWorkflow", given.default_workflow.str(), 0, 48, problems);
  check_labels(given.categories, problems);
  if (!problems.empty()) return refuse(std::move(problems));
  auto request = engine::request_of(actor, call.idempotency_key, "create domain " + to_json(given));
  if (!request) return request.error();
  if (*request) {
    auto known = core_->domains.recall(**request);
    if (!known) return known.error();
    if (*known) return std::move(**known);
  }
  if (auto usable = check_default(*core_, actor, given.default_workflow); !usable) return usable.error();
  if (actor.kind() == ActorKind::person) {
    // Whoever creates a domain owns what is in it, audit trails included: one that is or was in use is the host's to
    // give away.
    auto used = core_->numbers.has_given(given.key);
    if (!used) return used.error();
    if (*used) {
      return Error(errc::not_permitted, "The domain is in use already; only the host may create it")
          .with("domain", given.key);
    }
  }
  return core_->domains.create(actor, given, core_->door.mint_commit(), *request);
}

Result<Domain> WorkflowEngine::personal_domain(const Actor& actor) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  const std::string user = actor.kind() == ActorKind::person ? actor.id() : actor.on_behalf_of();
  if (user.empty())
    return Error(errc::invalid_argument, "Only people have a personal domain").with("actor", actor.id());
  std::vector<Problem> problems;
  check_text("/owner", user, 1, 200, problems);
  if (!problems.empty()) return refuse(std::move(problems));
  const std::string key = engine::personal_key(user);
  auto found = core_->domains.find(key);
  if (!found) return found.error();
  if (*found) return **found;
  const NewDomain own{.key = key, .name = "Personal domain", .owner = user, .personal = true};
  auto made = core_->domains.create(actor, own, core_->door.mint_commit(), std::nullopt);
  if (made || made.error().code() != errc::already_exists) return made;
  return domain(Actor::person(user), key);  // somebody was quicker
}

Result<Domain> WorkflowEngine::domain(const Actor& actor, const std::string& key) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  if (auto allowed = core_->domains.require(actor, key, Role::viewer); !allowed) return allowed.error();
  auto found = core_->domains.find(key);
  if (!found) return found.error();
  if (!*found) return Error(errc::not_found).with("domain", key);
  return **found;
}

Result<std::vector<Domain>> WorkflowEngine::domains(const Actor& actor) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  auto all = core_->domains.all();
  if (!all) return all;
  std::vector<Domain> out;
  for (Domain& domain : *all) {
    auto sees = core_->domains.sees(actor, domain.key);
    if (!sees) return sees.error();
    if (*sees) out.push_back(std::move(domain));
  }
  return out;
}

Result<Domain> WorkflowEngine::update_domain(const Actor& actor, const std::string& key, const DomainUpdate& update,
                                             const CallOptions& call) {
  std::vector<Problem> problems;
  if (update.name) check_text("/name", *update.name, 1, 200, problems);
  if (update.description) check_text("/description", *update.description, 0, 4000, problems);
  if (update.default_workflow) {
    check_text("/defaultWorkflow", update.default_workflow->str(), 0, 48, problems);
  }
  if (update.categories) check_labels(*update.categories, problems);
  if (!problems.empty()) return refuse(std::move(problems));
  const DomainEdit update_it = [&](Domain& domain) -> Result<Drafts> {
    if (update.default_workflow && *update.default_workflow != domain.default_workflow) {
      if (auto usable = check_default(*core_, actor, *update.default_workflow); !usable) return usable.error();
    }
    AuditDraft draft{"domain.updated", {}, {}};
    const auto take = [&](const char* what, const auto& wanted, auto& current) {
      if (!wanted || *wanted == current) return;
      draft.changes.push_back({what, shown(current), shown(*wanted)});
      current = *wanted;
    };
    take("name", update.name, domain.name);
    take("description", update.description, domain.description);
    take("defaultWorkflow", update.default_workflow, domain.default_workflow);
    take("categories", update.categories, domain.categories);
    return draft.changes.empty() ? Drafts() : Drafts{std::move(draft)};
  };
  return edit_domain(actor, key, Role::admin, update_it, call, "update " + to_json(update));
}

Result<Domain> WorkflowEngine::set_member(const Actor& actor, const std::string& key, const std::string& user,
                                          Role role, const CallOptions& call) {
  std::vector<Problem> problems;
  check_text("/user", user, 1, 200, problems);
  if (role == Role::owner) problems.push_back({"/role", "an owner is made by handing the domain over"});
  if (!problems.empty()) return refuse(std::move(problems));
  const DomainEdit set_it = [&](Domain& domain) -> Result<Drafts> {
    if (domain.personal) return Error(errc::invalid_argument, "A personal domain has no other members");
    DomainMember* member = find_member(domain, user);
    if (member != nullptr && member->role == Role::owner) return owner_stays(domain);
    if (member != nullptr && member->role == role) return Drafts();
    if (member == nullptr && domain.members.size() >= members_max) {
      return Error(errc::invalid_argument, "A domain has at most 10000 members");
    }
    const std::string before = member == nullptr ? "" : user + " " + std::string(to_text(member->role));
    const std::string after = user + " " + std::string(to_text(role));
    if (member != nullptr) {
      member->role = role;
    } else {
      domain.members.push_back({user, role});
      std::sort(domain.members.begin(), domain.members.end(),
                [](const auto& a, const auto& b) { return a.user < b.user; });
    }
    return Drafts{
        {before.empty() ? "domain.member_added" : "domain.member_role_changed", {{"member", before, after}}, {}}};
  };
  return edit_domain(actor, key, Role::admin, set_it, call, fmt::format("set member {} {}", to_text(role), user));
}

Result<Domain> WorkflowEngine::remove_member(const Actor& actor, const std::string& key, const std::string& user,
                                             const CallOptions& call) {
  const DomainEdit remove_it = [&](Domain& domain) -> Result<Drafts> {
    const DomainMember* member = find_member(domain, user);
    if (member == nullptr) return no_member(domain, user);
    if (member->role == Role::owner) return owner_stays(domain);
    const std::string before = user + " " + std::string(to_text(member->role));
    std::erase_if(domain.members, [&](const DomainMember& other) { return other.user == user; });
    return Drafts{{"domain.member_removed", {{"member", before, ""}}, {}}};
  };
  return edit_domain(actor, key, Role::admin, remove_it, call, "remove member " + user);
}

Result<Domain> WorkflowEngine::hand_over_domain(const Actor& actor, const std::string& key, const std::string& user,
                                                const CallOptions& call) {
  const DomainEdit hand_over = [&](Domain& domain) -> Result<Drafts> {
    DomainMember* next = find_member(domain, user);
    if (next == nullptr) return no_member(domain, user);
    if (next->role == Role::owner) return Drafts();
    std::string before;
    for (DomainMember& member : domain.members) {
      if (member.role != Role::owner) continue;
      before = member.user;
      member.role = Role::admin;
    }
    next->role = Role::owner;
    return Drafts{{"domain.member_role_changed", {{"owner", before, user}}, {}}};
  };
  return edit_domain(actor, key, Role::owner, hand_over, call, "hand over to " + user);
}

// What was answered before is answered again, also to one who has given up the role by it.
Result<Domain> WorkflowEngine::edit_domain(const Actor& actor, const std::string& key, Role needed,
                                           const DomainEdit& edit, const CallOptions& call, const std::string& what) {
  if (actor.is_agent()) return Error(errc::not_permitted, "Agents do not change domains").with("actor", actor.id());
  if (auto named = work::check_actor_id(actor); !named) return named.error();
  auto request = engine::request_of(actor, call.idempotency_key, "domain " + key + " " + what);
  if (!request) return request.error();
  if (*request) {
    auto known = core_->domains.recall(**request);
    if (!known) return known.error();
    if (*known) return std::move(**known);
  }
  if (auto allowed = core_->domains.require(actor, key, needed); !allowed) return allowed.error();
  const auto as_of_now = [&](Domain& domain) -> Result<Drafts> {
    if (auto allowed = engine::DomainBook::check_role(domain, actor, needed); !allowed) return allowed.error();
    return edit(domain);
  };
  return core_->domains.edit(key, actor, as_of_now, core_->door.mint_commit(), *request);
}

}  // namespace v0
}  // namespace openindex
