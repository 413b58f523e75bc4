#include <openindex/agent/agent_session.hpp>

#include <cassert>
#include <utility>

#include <openindex/workflow_engine.hpp>

#include "queue/session_hold.hpp"

namespace openindex {
inline namespace v0 {
namespace {

Error finished() { return {errc::hold_lost, "The session was finished or moved from"}; }

}  // namespace

AgentSession::AgentSession(WorkflowEngine& engine, Actor actor, WorkItem item, Duration hold) : item_(std::move(item)) {
  assert(item_.hold && item_.hold->agent.str() == actor.id() && "a session needs the actor's own hold");
  using queue::SessionHold;
  const auto owner = actor.kind() == ActorKind::run ? SessionHold::Owner::dispatcher : SessionHold::Owner::session;
  hold_ = std::make_shared<SessionHold>(engine, std::move(actor), item_, hold, owner);
}

AgentSession::AgentSession(std::shared_ptr<queue::SessionHold> hold, WorkItem item)
    : hold_(std::move(hold)), item_(std::move(item)) {}

AgentSession::AgentSession(AgentSession&& other) noexcept = default;

AgentSession& AgentSession::operator=(AgentSession&& other) noexcept {
  if (this != &other) {
    if (hold_) hold_->drop();
    hold_ = std::move(other.hold_);
    item_ = std::move(other.item_);
  }
  return *this;
}

AgentSession::~AgentSession() {
  if (hold_) hold_->drop();
}

std::uint64_t AgentSession::epoch() const noexcept { return hold_ ? hold_->epoch() : 0; }
std::stop_token AgentSession::stop_token() const { return hold_ ? hold_->stop_token() : std::stop_token(); }

Result<void> AgentSession::execute(const Command& command, const CallOptions& call) {
  if (!hold_) return finished();
  auto changed = hold_->execute(command, call);
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
Result<void> AgentSession::heartbeat() {
  if (!hold_) return finished();
  return execute(Heartbeat{hold_->period()}, {});
}

Result<void> AgentSession::progress(const std::string& gate, Progress acknowledged, const CallOptions& call) {
  acknowledged.gate = gate;
  return execute(acknowledged, call);
}

Result<AgentContext> AgentSession::context() {
  if (!hold_) return finished();
  return hold_->context();
}

Result<WorkItem> AgentSession::complete(const Complete& complete, const CallOptions& call) && {
  if (auto done = execute(complete, call); !done) return done.error();
  std::exchange(hold_, nullptr)->end();
  return item_;
}

Result<WorkItem> AgentSession::release(std::string note, const CallOptions& call) && {
  if (!hold_) return finished();
  auto released = hold_->release(note, call, item_);
  if (!released) return released.error();
  item_ = std::move(*released);
  std::exchange(hold_, nullptr)->end();
  return item_;
}

}  // namespace v0
}  // namespace openindex
