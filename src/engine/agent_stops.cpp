#include "engine/agent_stops.hpp"

#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/utf8.hpp"
#include "engine/audit_chain.hpp"
#include "engine/commit.hpp"
#include "engine/settings_marker.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {
namespace {

constexpr Duration stops_age_max{1000};
constexpr std::size_t stop_reason_bytes_max = 2000;
constexpr const char* stops_stream = "switch.agents";

RecordId stops_record() { return {"switch", "agents"}; }

std::string scope_of(const WorkflowId& workflow) { return workflow.empty() ? "all agents" : workflow.str(); }

}  // namespace

struct AgentStops::Stored {
  Stops stops;
  ChainHead chain;
  std::uint64_t version = 0;
  std::string extra;  ///< Members that a newer version wrote.

  static Result<Stored> from(const std::optional<Record>& record) {
    Stored out;
    if (!record) return out;
    auto in = json::Stored::read(record->body, "the switches of agents");
    if (!in) return in.error();
    out.version = record->version;
    out.chain.count = in->natural("auditCount");
    out.chain.digest = in->text("auditHead");
    const auto* list = in->member("stops");
    if (list != nullptr && list->is_array()) {
      for (const auto& entry : list->get_array()) {
        if (!entry.is_object()) return Error(errc::storage_corrupt).with("record", stops_stream);
        const auto text = [&](std::string_view name) {
          const auto* value = entry.get_object().if_contains(name);
          return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
        };
        AgentStop stop{text("workflow"), text("reason"), text("by"), parse_rfc3339(text("since")).value_or(Time())};
        out.stops.emplace(stop.workflow, std::move(stop));
      }
    }
    out.extra = in->rest();
    return out;
  }

  [[nodiscard]] Put write() const {
    json::Writer out;
    out.begin_object().key("stops").begin_array();
    for (const auto& [workflow, stop] : stops) {
      out.begin_object().key("workflow").string(workflow.str()).key("reason").string(stop.reason);
      out.key("by").string(stop.by).key("since").string(to_rfc3339(stop.since)).end_object();
    }
    out.end_array().key("auditCount").number(chain.count).key("auditHead").string(chain.digest);
    return {stops_record(), std::move(out.rest(extra).end_object()).str(), {}};
  }
};

Result<AgentStops::Stored> AgentStops::read_stored() {
  const RecordId id = stops_record();
  auto found = options_.storage.get_bodies(std::span(&id, 1));
  if (!found) return found.error();
  return Stored::from(found->front());
}

Result<AgentStops::Stops> AgentStops::read() {
  auto stored = read_stored();
  if (!stored) return stored.error();
  return std::move(stored->stops);
}

Result<std::uint64_t> AgentStops::follow() {
  const Duration now = options_.clock.steady();
  auto stored = read_stored();
  if (!stored) return stored.error();
  const std::lock_guard lock(mutex_);
  if (stored->version < version_) return version_;  // read before somebody else's look
  if (stored->version != version_) known_ = std::make_shared<const Stops>(std::move(stored->stops));
  version_ = stored->version;
  looked_ = now;
  return version_;
}

Result<void> AgentStops::check(const WorkflowId& workflow) {
  std::unique_lock lock(mutex_);
  if (!keeps_ || !looked_ || options_.clock.steady() - *looked_ >= stops_age_max) {
    lock.unlock();
    if (auto followed = follow(); !followed) return followed.error();
    lock.lock();
  }
  const std::shared_ptr<const Stops> known = known_;
  lock.unlock();
  if (known->empty()) return {};
  auto stop = known->find(WorkflowId());
  if (stop == known->end()) stop = known->find(workflow);
  if (stop == known->end()) return {};
  return Error(errc::agents_stopped)
      .with("by", stop->second.by)
      .with("since", to_rfc3339(stop->second.since))
      .with("reason", stop->second.reason);
}

template <class Edit>
Result<void> AgentStops::edit(const Actor& actor, const WorkflowId& workflow, const CommitId& commit_id,
                              const Edit& edit) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto stored = read_stored();
    if (!stored) return stored.error();
    std::optional<AuditDraft> told = edit(stored->stops);
    if (!told) return {};
    ChangeSet changes;
    changes.id = commit_id;
    const AuditFrame frame{.stream = stops_stream,
                           .domain = {},
                           .actor = actor,
                           .at = options_.clock.now(),
                           .commit = commit_id.str(),
                           .stage = {},
                           .step = {}};
    told->changes.push_back({"scope", "", scope_of(workflow)});
    append_audit(changes, stored->chain, frame, std::span(&*told, 1));
    changes.expectations.push_back({stops_record(), stored->version});
    changes.puts.push_back(stored->write());
    changes.puts.push_back(touch_settings());  // wakes whoever waits for it
    auto done = commit(options_.storage, changes);
    {
      const std::lock_guard lock(mutex_);
      looked_.reset();
    }
    if (done) return {};
    if (done.error().code() != errc::conflict) return done.error();
  }
  return Error(errc::contention).with("record", stops_stream);
}

Result<void> AgentStops::stop(const Actor& actor, AgentStop stop, const CommitId& commit_id) {
  if (stop.reason.size() > stop_reason_bytes_max || !is_utf8(stop.reason)) {
    return Error(errc::invalid_argument, "A reason is UTF-8 of at most 2000 bytes");
  }
  stop.by = actor.id();
  stop.since = options_.clock.now();
  const WorkflowId workflow = stop.workflow;
  return edit(actor, workflow, commit_id, [&](Stops& stops) -> std::optional<AuditDraft> {
    if (!stops.emplace(workflow, stop).second) return std::nullopt;
    return AuditDraft{"agents.stopped", {}, stop.reason};
  });
}

Result<void> AgentStops::let_work(const Actor& actor, const WorkflowId& workflow, const CommitId& commit_id) {
  return edit(actor, workflow, commit_id, [&](Stops& stops) -> std::optional<AuditDraft> {
    if (stops.erase(workflow) == 0) return std::nullopt;
    return AuditDraft{"agents.let_work", {}, {}};
  });
}

}  // namespace openindex::engine
