// Creating items: a number from the lease, the records, and the idempotency record if the caller gave a key.
#include <algorithm>

#include <fmt/format.h>

#include "engine/commit.hpp"
#include "engine/dependents.hpp"
#include "engine/digest.hpp"
#include "engine/item_door.hpp"
#include "engine/removal.hpp"
#include "engine/run_record.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {
namespace {

// The key is the caller's text and may hold anything; its digest is a safe record key. People and agents have keys of
// their own each, the host's programs share theirs.
RecordId idempotency_record(const Actor& actor, const NewItem& item) {
  const bool hosts = actor.kind() == ActorKind::system;
  const std::string who = hosts ? "" : std::to_string(static_cast<int>(actor.kind())) + actor.id() + "\n";
  return {"idempotency", "create/" + item.workflow.str() + "/" + sha256_hex(who + item.idempotency_key)};
}

std::string content_digest(const NewItem& item) {
  json::Writer out;
  out.begin_array().string(item.title).string(item.description).string(to_text(item.priority));
  out.string(item.execution_target ? to_text(*item.execution_target) : "").string(item.status).string(item.domain);
  for (const auto& [key, value] : item.fields) out.string(key).string(value.display());
  out.string(to_text(item.kind)).string(item.parent.str()).string(item.owner).string(item.assignee);
  out.string(item.objective_state).string(to_text(item.schedule.granularity));
  out.number(std::int64_t{item.schedule.start.time_since_epoch().count()});
  out.number(std::int64_t{item.schedule.end.time_since_epoch().count()});
  out.begin_array();
  for (const std::string& category : item.categories) out.string(category);
  out.end_array().begin_array();
  for (const ItemKey& key : item.depends_on) out.string(key.str());
  out.end_array();
  out.end_array();
  return sha256_hex(out.str());
}

std::string domain_for(const NewItem& given, const std::optional<RelatedItem>& parent, const Workflow& definition) {
  if (parent) return parent->domain;
  if (!given.domain.empty()) return given.domain;
  return domain_of(definition);
}

}  // namespace

Result<LoadedItemPtr> ItemDoor::existing(const Actor& actor, const NewItem& item, const std::string& digest) {
  auto record = read_record(storage_, idempotency_record(actor, item), "idempotency key");
  if (!record) return record.error();
  auto in = json::Stored::read(record->body, "idempotency key");
  if (!in) return in.error();
  if (in->text("digest") != digest) return Error(errc::idempotency_conflict).with("key", item.idempotency_key);
  const ItemKey key = in->text("item");
  if (auto allowed = domains_.require(actor, domain_of(key), Role::viewer); !allowed) return allowed.error();
  return load(key);
}

// Where the number of a new item comes from: sub-tasks are counted below their task.
Result<void> ItemDoor::number(LoadedItem& next) {
  WorkItem& item = next.item;
  const bool sub = item.kind == WorkKind::sub_task;
  auto number = numbers_.next(sub ? item.parent.str() : item.domain);
  if (!number) return number.error();
  if (!sub) {
    next.number = *number;
    item.key = fmt::format("{}-{}", item.domain, *number);
    return {};
  }
  auto parent = load(item.parent);
  if (!parent) return parent.error();
  next.number = (*parent)->number;
  next.sub = *number;
  item.key = fmt::format("{}.{}", item.parent.str(), *number);
  return {};
}

Result<std::shared_ptr<LoadedItem>> ItemDoor::draft(const NewItem& given, const CompiledWorkflowPtr& workflow,
                                                    StatusIndex status, const std::optional<RelatedItem>& parent) {
  const Workflow& definition = workflow->definition();
  auto next = std::make_shared<LoadedItem>();
  WorkItem& item = next->item;
  item.kind = given.kind;
  item.parent = given.parent;
  item.domain = domain_for(given, parent, definition);
  if (auto numbered = number(*next); !numbered) return numbered.error();
  next->workflow = workflow;
  next->status = status;
  item.workflow = definition.id;
  item.workflow_version = workflow->version();
  item.status = workflow->status(status).key;
  item.stage = workflow->status(status).stage;
  item.priority = given.priority;
  item.execution_target = given.execution_target.value_or(definition.execution_target);
  item.owner = given.owner;
  item.assignee = given.assignee;
  item.categories = given.categories;
  std::sort(item.categories.begin(), item.categories.end());
  item.categories.erase(std::unique(item.categories.begin(), item.categories.end()), item.categories.end());
  item.schedule = given.schedule;
  item.objective_state = given.objective_state;
  for (const auto& [key, value] : given.fields) {
    if (!value.empty()) item.fields.emplace(key, value);
  }
  next->text = std::make_shared<ItemText>(ItemText{given.title, given.description, {}});
  item.created_at = item.updated_at = clock_.now();
  return next;
}

// A new item cannot be waited for yet, so what it waits for cannot wait for it.
Result<void> ItemDoor::wait_for(Prepared& prepared, LoadedItem& next, const std::vector<ItemKey>& depends_on) {
  for (const ItemKey& on : depends_on) {
    auto target = load(on);
    if (!target) return target.error();
    auto& known = next.item.depends_on;
    if (std::find(known.begin(), known.end(), on) != known.end()) continue;
    known.push_back(on);
    if ((*target)->item.resolution == Resolution::unresolved) next.item.blocked_by.push_back(on);
    prepared.changes.expectations.push_back({state_record(on), (*target)->item.version});
    if (auto told = add_dependent(prepared, on, next.item.key); !told) return told;
  }
  return {};
}

Result<ItemDoor::Prepared> ItemDoor::prepare_creation(const Actor& actor, const NewItem& given,
                                                      const CompiledWorkflowPtr& workflow, StatusIndex status,
                                                      const std::optional<RelatedItem>& parent,
                                                      const std::string& digest) {
  auto drafted = draft(given, workflow, status, parent);
  if (!drafted) return drafted.error();
  LoadedItem& next = **drafted;
  const WorkItem& item = next.item;
  Prepared prepared;
  prepared.next = *drafted;
  ChangeSet& changes = prepared.changes;
  changes.id = mint_commit();
  if (auto waits = wait_for(prepared, next, given.depends_on); !waits) return waits.error();
  std::vector<AuditDraft> drafts{{"work_item.created", {{"status", "", item.status}}, {}}};
  if (workflow->stage(workflow->stage_of(status)).agent_required) start_run(prepared, next, drafts, item.created_at);
  const AuditFrame frame{.stream = item.key.str(),
                         .domain = item.domain,
                         .actor = actor,
                         .at = item.created_at,
                         .commit = changes.id.str(),
                         .stage = item.stage,
                         .step = {}};
  append_audit(changes, next.chain, frame, drafts);
  changes.expectations.push_back({state_record(item.key), 0});
  changes.puts.push_back(write_state(next));
  changes.puts.push_back(write_content(next));
  if (!digest.empty()) {
    json::Writer body;
    body.begin_object().key("digest").string(digest).key("item").string(item.key.str());
    body.key("at").string(to_rfc3339(item.created_at)).end_object();
    changes.expectations.push_back({idempotency_record(actor, given), 0});
    const RecordId id = idempotency_record(actor, given);
    changes.puts.push_back(
        {id, std::move(body).str(), {{Index::due, {"created", item.created_at.time_since_epoch().count(), id.key}}}});
  }
  return prepared;
}

LoadedItemPtr ItemDoor::finish_creation(Prepared& prepared) {
  prepared.next->item.version = 1;
  prepared.next->text_version = 1;
  LoadedItemPtr created = std::move(prepared.next);
  cache_.keep(created);
  return created;
}

// An item that names no workflow gets the default of its domain.
Result<CompiledWorkflowPtr> ItemDoor::workflow_of(const NewItem& given, const std::optional<RelatedItem>& parent) {
  if (!given.workflow.empty()) return shelf_.find(given.workflow, 0);
  auto domain = domains_.find(parent ? parent->domain : given.domain);
  if (!domain) return domain.error();
  if (*domain && !(*domain)->default_workflow.empty()) return shelf_.find((*domain)->default_workflow, 0);
  return Error(errc::invalid_argument, "The item cannot be created like this")
      .with_problems({{"/workflow", "is needed, since the domain has no default workflow"}});
}

// What an actor names they must be able to read, unless it is the default of the domain: whoever made it that could.
Result<void> ItemDoor::check_use(const Actor& actor, const NewItem& given, const std::string& domain,
                                 const Workflow& workflow) {
  if (given.workflow.empty()) return {};
  auto allowed = domains_.require(actor, domain_of(workflow), Role::viewer);
  if (allowed || allowed.error().code() != errc::not_found) return allowed;
  auto found = domains_.find(domain);
  if (!found) return found.error();
  if (*found && (*found)->default_workflow == given.workflow) return {};
  return Error(errc::not_found).with("workflow", given.workflow.str());
}

Result<LoadedItemPtr> ItemDoor::create(const Actor& actor, const NewItem& given) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  const std::string digest = given.idempotency_key.empty() ? "" : content_digest(given);
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    // Before anything is judged: what was accepted once stays accepted, whatever the workflow says by now.
    if (!given.idempotency_key.empty()) {
      auto known = existing(actor, given, digest);
      const bool none = !known && known.error().code() == errc::not_found && !known.error().context("what").empty();
      if (!none) return known;
    }
    std::optional<RelatedItem> parent;
    std::vector<Expectation> seen;
    if (!given.parent.empty()) {
      auto found = relate({}, given.parent, seen);
      if (!found) return found.error();
      parent = std::move(*found);
    }
    auto workflow = workflow_of(given, parent);
    if (!workflow) return workflow.error();
    const std::string domain = domain_for(given, parent, (*workflow)->definition());
    if (auto allowed = domains_.require(actor, domain, Role::member); !allowed) return allowed.error();
    if (actor.is_agent()) {
      if (auto may_work = stops_.check((*workflow)->definition().id); !may_work) return may_work.error();
    }
    if (auto allowed = check_use(actor, given, domain, (*workflow)->definition()); !allowed) return allowed.error();
    for (const ItemKey& on : given.depends_on) {
      if (auto allowed = domains_.require(actor, domain_of(on), Role::member); !allowed) return allowed.error();
    }
    const auto status = decide_create(**workflow, given, actor, parent ? &*parent : nullptr);
    if (!status) return status.error();
    auto prepared = prepare_creation(actor, given, *workflow, *status, parent, digest);
    if (!prepared) return prepared.error();
    auto& expectations = prepared->changes.expectations;
    expectations.insert(expectations.end(), seen.begin(), seen.end());
    if (parent) prepared->changes.puts.push_back(write_below(parent->key));
    auto done = feed_->commit(prepared->changes);
    if (done) return finish_creation(*prepared);
    if (done.error().code() != errc::conflict) return done.error();
  }
  return Error(errc::contention).with("workflow", given.workflow.str());
}

}  // namespace openindex::engine
