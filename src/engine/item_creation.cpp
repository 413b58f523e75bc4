// Creating items: a number from the lease, the records, and the idempotency record if the caller gave a key.
#include <fmt/format.h>

#include "engine/commit.hpp"
#include "engine/digest.hpp"
#include "engine/item_door.hpp"
#include "engine/run_record.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {
namespace {

RecordId idempotency_record(const NewItem& item) {
  // The key is the caller's text and may hold anything; its digest is a safe record key.
  return {"idempotency", "create/" + item.workflow.str() + "/" + sha256_hex(item.idempotency_key)};
}

std::string content_digest(const NewItem& item) {
  json::Writer out;
  out.begin_array().string(item.title).string(item.description).string(to_text(item.priority));
  out.string(item.execution_target ? to_text(*item.execution_target) : "").string(item.status).string(item.domain);
  for (const auto& [key, value] : item.fields) out.string(key).string(value.display());
  out.end_array();
  return sha256_hex(out.str());
}

}  // namespace

Result<LoadedItemPtr> ItemDoor::existing(const NewItem& item, const std::string& digest) {
  auto record = read_record(options_.storage, idempotency_record(item), "idempotency key");
  if (!record) return record.error();
  auto in = json::Stored::read(record->body, "idempotency key");
  if (!in) return in.error();
  if (in->text("digest") != digest) return Error(errc::idempotency_conflict).with("key", item.idempotency_key);
  return load(in->text("item"));
}

Result<LoadedItemPtr> ItemDoor::create(const Actor& actor, const NewItem& given) {
  auto workflow = shelf_.find(given.workflow, 0);
  if (!workflow) return workflow.error();
  const auto status = decide_create(**workflow, given, actor);
  if (!status) return status.error();
  const Workflow& definition = (*workflow)->definition();
  const std::string digest = given.idempotency_key.empty() ? "" : content_digest(given);

  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    if (!given.idempotency_key.empty()) {
      auto known = existing(given, digest);
      if (known || known.error().code() != errc::not_found) return known;
    }
    auto next = std::make_shared<LoadedItem>();
    WorkItem& item = next->item;
    item.domain = !given.domain.empty()        ? given.domain
                  : !definition.domain.empty() ? definition.domain
                                               : definition.id.str();
    auto number = numbers_.next(item.domain);
    if (!number) return number.error();
    next->number = *number;
    next->workflow = *workflow;
    next->status = *status;
    item.key = fmt::format("{}-{}", item.domain, *number);
    item.workflow = given.workflow;
    item.workflow_version = (*workflow)->version();
    item.status = (*workflow)->status(*status).key;
    item.stage = (*workflow)->status(*status).stage;
    item.priority = given.priority;
    item.execution_target = given.execution_target.value_or(definition.execution_target);
    for (const auto& [key, value] : given.fields) {
      if (!value.empty()) item.fields.emplace(key, value);
    }
    next->text = std::make_shared<ItemText>(ItemText{given.title, given.description, {}});
    const Time now = options_.clock.now();
    item.created_at = item.updated_at = now;

    Prepared prepared;
    ChangeSet& changes = prepared.changes;
    changes.id = mint_commit();
    std::vector<AuditDraft> drafts{{"work_item.created", {{"status", "", item.status}}, {}}};
    if ((*workflow)->stage((*workflow)->stage_of(*status)).agent_required) start_run(prepared, *next, drafts, now);
    const AuditFrame frame{.stream = item.key.str(),
                           .actor = actor,
                           .at = now,
                           .commit = changes.id.str(),
                           .stage = item.stage,
                           .step = {}};
    append_audit(changes, next->chain, frame, drafts);
    changes.expectations.push_back({state_record(item.key), 0});
    changes.puts.push_back(write_state(*next));
    changes.puts.push_back(write_content(*next));
    if (!digest.empty()) {
      json::Writer body;
      body.begin_object().key("digest").string(digest).key("item").string(item.key.str());
      body.key("at").string(to_rfc3339(now)).end_object();
      changes.expectations.push_back({idempotency_record(given), 0});
      changes.puts.push_back({idempotency_record(given), std::move(body).str(), {}});
    }
    auto done = commit(options_.storage, changes);
    if (done) {
      item.version = 1;
      next->text_version = 1;
      LoadedItemPtr created = std::move(next);
      cache_.keep(created);
      return created;
    }
    if (done.error().code() != errc::conflict) return done.error();
  }
  return Error(errc::contention).with("workflow", given.workflow.str());
}

}  // namespace openindex::engine
