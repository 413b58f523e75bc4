#include <openindex/agent/agent_session.hpp>

#include <cassert>
#include <utility>

#include <openindex/workflow_engine.hpp>

namespace openindex {
inline namespace v0 {

AgentSession::AgentSession(WorkflowEngine& engine, Actor actor, WorkItem item, Duration hold)
    : engine_(&engine), actor_(std::move(actor)), item_(std::move(item)), epoch_(0), hold_(hold) {
  assert(item_.hold && item_.hold->agent.str() == actor_.id() && "a session needs the actor's own hold");
  epoch_ = item_.hold->epoch;
}

AgentSession::AgentSession(AgentSession&& other) noexcept
    : engine_(std::exchange(other.engine_, nullptr)),
      actor_(std::move(other.actor_)),
      item_(std::move(other.item_)),
      epoch_(other.epoch_),
      hold_(other.hold_) {}

AgentSession& AgentSession::operator=(AgentSession&& other) noexcept {
  if (this != &other) {
    drop();
    engine_ = std::exchange(other.engine_, nullptr);
    actor_ = std::move(other.actor_);
    item_ = std::move(other.item_);
    epoch_ = other.epoch_;
    hold_ = other.hold_;
  }
  return *this;
}

AgentSession::~AgentSession() { drop(); }

void AgentSession::drop() noexcept {
  if (engine_ == nullptr || !item_.hold || actor_.kind() == ActorKind::run) return;  // a run's is its dispatcher's
  // Refused when the hold was lost, failed when the storage is gone: the deadline settles both.
  static_cast<void>(engine_->execute(actor_, item_.key, Release{"dropped"}, {.fence = epoch_}).has_value());
  engine_ = nullptr;
}

Result<void> AgentSession::execute(const Command& command, const CallOptions& call) {
  assert(engine_ != nullptr && "the session was finished or moved from");
  auto changed =
      engine_->execute(actor_, item_.key, command, {.fence = epoch_, .idempotency_key = call.idempotency_key});
  if (!changed) return changed.error();
  item_ = std::move(*changed);
  return {};
}

Result<void> AgentSession::set_field(const std::string& key, FieldValue value, const CallOptions& call) {
  return execute(SetFields{{{key, std::move(value)}}}, call);
}
Result<void> AgentSession::set_fields(FieldValues values, const CallOptions& call) {
  return execute(SetFields{std::move(values)}, call);
}
Result<void> AgentSession::comment(std::string body, const CallOptions& call) {
  return execute(AddComment{std::move(body)}, call);
}
Result<void> AgentSession::transition(std::string to_status, const CallOptions& call) {
  return execute(ChangeStatus{std::move(to_status)}, call);
}
Result<void> AgentSession::heartbeat() { return execute(Heartbeat{hold_}, {}); }

Result<void> AgentSession::progress(const std::string& gate, Progress acknowledged, const CallOptions& call) {
  acknowledged.gate = gate;
  return execute(acknowledged, call);
}

Result<AgentContext> AgentSession::context() {
  assert(engine_ != nullptr && "the session was finished or moved from");
  return engine_->agent_context(actor_, item_.key);
}

Result<WorkItem> AgentSession::complete(const Complete& complete, const CallOptions& call) && {
  if (auto done = execute(complete, call); !done) return done.error();
  engine_ = nullptr;
  return item_;
}

Result<WorkItem> AgentSession::release(std::string note, const CallOptions& call) && {
  if (auto done = execute(Release{std::move(note)}, call); !done) return done.error();
  engine_ = nullptr;
  return item_;
}

}  // namespace v0
}  // namespace openindex
