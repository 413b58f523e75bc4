#include "engine/workflow_head.hpp"

#include "engine/commit.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"
#include "work/actor_rules.hpp"

namespace openindex::engine {
namespace {

RecordId head_record(const WorkflowId& id) { return {"workflow", id.str()}; }

Put write_head(const WorkflowId& id, const WorkflowHead& head) {
  json::Writer out;
  out.begin_object().key("version").number(std::uint64_t{head.version});
  out.key("auditCount").number(head.chain.count).key("auditHead").string(head.chain.digest).end_object();
  return {head_record(id), std::move(out).str(), {}};
}

}  // namespace

Result<WorkflowHead> read_head(Storage& storage, const WorkflowId& id) {
  auto record = read_record(storage, head_record(id), "workflow");
  if (!record) return record.error();
  auto in = json::Stored::read(record->body, "workflow " + id.str());
  if (!in) return in.error();
  WorkflowHead head;
  head.version = static_cast<std::uint32_t>(in->natural("version"));
  head.chain.count = in->natural("auditCount");
  head.chain.digest = in->text("auditHead");
  head.record_version = record->version;
  return head;
}

void append_entry(ChangeSet& changes, WorkflowHead& head, const WorkflowId& id, const Actor& actor, Time now,
                  AuditDraft draft) {
  const std::string stream = "workflow." + id.str();
  const AuditFrame frame{
      .stream = stream, .domain = {}, .actor = actor, .at = now, .commit = changes.id.str(), .stage = {}, .step = {}};
  append_audit(changes, head.chain, frame, std::span(&draft, 1));
  changes.expectations.push_back({head_record(id), head.record_version});
  changes.puts.push_back(write_head(id, head));
}

Result<void> check_admin(const Actor& actor) {
  if (!actor.is_agent()) return work::check_actor_id(actor);
  return Error(errc::not_permitted, "Agent run token cannot manage settings").with("actor", actor.id());
}

}  // namespace openindex::engine
