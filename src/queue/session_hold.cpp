#include "queue/session_hold.hpp"

#include <utility>

namespace openindex::queue {
namespace {

Error no_session() {
  return {errc::hold_lost, "The session is over: it was finished, or moved from, or ended by its host"};
}

}  // namespace

SessionHold::SessionHold(WorkflowEngine& engine, Actor actor, const WorkItem& item, Duration period, Owner owner)
    : engine_(&engine),
      actor_(std::move(actor)),
      item_(item.key),
      epoch_(item.hold ? item.hold->epoch : 0),
      period_(period),
      owner_(owner) {}

bool SessionHold::says_lost(const Error& error) const {
  return error.code() == errc::hold_lost ||
         (error.code() == errc::not_found && error.context("item") == item_.str());  // it was deleted
}

// With the lock. What a call ends or loses is not beaten any more.
Result<WorkItem> SessionHold::tell(const Command& command, const CallOptions& call) {
  if (engine_ == nullptr) return no_session();
  auto changed = engine_->execute(actor_, item_, command, {.fence = epoch_, .idempotency_key = call.idempotency_key});
  if (changed) {
    held_ = changed->hold && changed->hold->epoch == epoch_;
  } else if (says_lost(changed.error())) {
    held_ = false;
  }
  return changed;
}

Result<WorkItem> SessionHold::execute(const Command& command, const CallOptions& call) {
  std::unique_lock lock(mutex_);
  auto changed = tell(command, call);
  lock.unlock();  // whoever is told of the stop may use this session
  if (!changed && says_lost(changed.error())) stop();
  return changed;
}

Result<AgentContext> SessionHold::context() {
  const std::lock_guard lock(mutex_);
  if (engine_ == nullptr) return no_session();
  return engine_->agent_context(actor_, item_);
}

Result<WorkItem> SessionHold::release(const std::string& note, const CallOptions& call, const WorkItem& item) {
  if (owner_ == Owner::session) return execute(Release{note}, call);
  const std::lock_guard lock(mutex_);
  if (engine_ == nullptr) return no_session();
  note_ = note;
  return item;
}

void SessionHold::end() noexcept {
  const std::lock_guard lock(mutex_);
  engine_ = nullptr;
}

void SessionHold::drop() noexcept {
  const std::lock_guard lock(mutex_);
  if (engine_ == nullptr) return;
  // Refused when the hold was lost, failed when the storage is gone: the deadline settles both.
  if (held_ && owner_ == Owner::session) static_cast<void>(tell(Release{"dropped"}, {}).has_value());
  engine_ = nullptr;
}

SessionHold::Beat SessionHold::beat() {
  std::unique_lock lock(mutex_);
  if (engine_ == nullptr || !held_) return Beat::over;
  const auto beaten = tell(Heartbeat{period_}, {});
  lock.unlock();
  if (beaten) return Beat::kept;
  if (!says_lost(beaten.error())) return Beat::failed;
  stop();
  return Beat::over;
}

std::string SessionHold::note() const {
  const std::lock_guard lock(mutex_);
  return note_;
}

}  // namespace openindex::queue
