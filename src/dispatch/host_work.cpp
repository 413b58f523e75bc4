// Functions of the host that work on a run's item on threads of their own.
#include <exception>
#include <utility>

#include <openindex/agent/agent_session.hpp>

#include "dispatch/work.hpp"
#include "queue/session_hold.hpp"

namespace openindex {
inline namespace v0 {
namespace {

// Tells what came of the work when it is over, also when an executor drops it without a try.
class Ending {
 public:
  Ending(std::shared_ptr<dispatch::Inbox> box, dispatch::HostDone done)
      : box_(std::move(box)), done_(std::move(done)) {}
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;
  ~Ending() { box_->put(std::move(done_)); }

  void is(Result<void> result, std::string note) {
    done_.result = std::move(result);
    done_.note = std::move(note);
  }

 private:
  std::shared_ptr<dispatch::Inbox> box_;
  dispatch::HostDone done_;
};

Result<void> work_with(const HostWork& work, AgentSession& session, const std::stop_token& stop) {
  if (stop.stop_requested()) return errc::hold_lost;
  try {
    return work(session, stop);
  } catch (const std::exception& thrown) {
    return Error(errc::host_callback_failed, std::string("the runner threw: ") + thrown.what());
  } catch (...) {
    return Error(errc::host_callback_failed, "the runner threw");
  }
}

}  // namespace

void Dispatcher::Work::work_on_host(Active& active, WorkOnHost wanted) {
  auto item = door().load(active.run.item);
  if (!item || !(*item)->item.hold) return lose(active.run.id);
  const auto hand = std::make_shared<dispatch::Hand>();
  active.hand = hand;
  hands_[active.run.item.str()] = hand;
  const Error dropped(errc::host_callback_failed, "the runner's executor did not run it");
  auto ending = std::make_shared<Ending>(inbox, dispatch::HostDone{active.run.id, active.run.item, hand, dropped, {}});
  auto task = [&engine = options.engine, actor = active.actor, item = (*item)->whole(), hold = options.hold, hand,
               ending, work = std::move(wanted.work)] {
    const auto shared =
        std::make_shared<queue::SessionHold>(engine, actor, item, hold, queue::SessionHold::Owner::dispatcher);
    AgentSession session(shared, item);
    auto result = work_with(work, session, hand->stop.get_token());
    ending->is(std::move(result), shared->note());
  };
  ending.reset();
  try {
    wanted.executor(std::move(task));
  } catch (...) {  // the ending tells
  }
}

void Dispatcher::Work::host_done(const dispatch::HostDone& done) {
  ++events_;
  const auto known = hands_.find(done.item.str());
  if (known != hands_.end() && known->second == done.hand) hands_.erase(known);
  Active* active = find(done.run);
  if (active == nullptr || active->hand != done.hand) return;  // it was somebody else's by then
  active->hand.reset();
  auto run = door().load_run(done.run);
  if (!run) return lose(done.run);
  if (run->ended()) return ended(*active, *run);
  if (run->state != RunState::running || run->epoch != active->run.epoch) return lose(done.run);
  if (done.hand->stop.stop_requested()) return;  // the dispatcher ends, and gives back what it has
  if (done.result) {
    return wait(*active, RunReason::needs_person,
                done.note.empty() ? "the runner is done and the item is still in the stage"
                                  : "the runner gives the item back: " + done.note,
                std::nullopt);
  }
  const Error& error = done.result.error();
  if (error.code() == errc::hold_lost || dispatch::is_storage_failure(error)) return lose(done.run);
  fail(*active, RunReason::runner_failed, error.message());
}

// Tell whether work of an earlier start has not returned yet: another start would be two hands on one item.
bool Dispatcher::Work::is_still_worked_on(const AgentRun& run) {
  const auto found = hands_.find(run.item.str());
  if (found == hands_.end()) return false;
  dispatch::Hand& hand = *found->second;
  hand.stop.request_stop();
  const Duration steady = options.engine.clock().steady();
  if (!hand.awaited_since) hand.awaited_since = steady;
  if (steady - *hand.awaited_since < options.stop_grace) return true;
  hand.awaited_since = steady;
  wait(take_in(run), RunReason::stopping, "the work of an earlier start was stopped and has not returned yet",
       now() + options.stop_grace);
  return true;
}

// Asks all work to stop and waits a while for it: what has returned is settled, the rest keeps its hold until that runs
// out.
void Dispatcher::Work::stop_host_work() {
  for (auto& [id, hand] : hands_) hand->stop.request_stop();
  constexpr Duration slice{20};
  for (Duration waited{0}; !hands_.empty() && waited < options.stop_grace; waited += slice) {
    inbox->wait(slice);
    for (const dispatch::HostDone& done : inbox->take_done()) host_done(done);
    commit_queued();
  }
}

}  // namespace v0
}  // namespace openindex
