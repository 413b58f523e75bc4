#include "dispatch/work.hpp"

#include <algorithm>
#include <iterator>

#include "engine/run_record.hpp"
#include "engine/settings_marker.hpp"

namespace openindex {
inline namespace v0 {
Dispatcher::Work::Work(Options given)
    : options(std::move(given)), inbox(std::make_shared<dispatch::Inbox>(options.engine.storage())) {
  options.runs_max = std::max(options.runs_max, 1u);
  options.hold = std::clamp<Duration>(options.hold, std::chrono::seconds(1), std::chrono::hours(24 * 7));
}

Dispatcher::Work::~Work() {
  for (auto& [id, active] : active_) {
    if (active->request != 0) options.http.cancel(active->ticket);
  }
  inbox->close();
}

Dispatcher::Work::Active* Dispatcher::Work::find(const RunId& id) {
  const auto found = active_.find(id.str());
  return found == active_.end() ? nullptr : found->second.get();
}

std::uint32_t Dispatcher::Work::room() const {
  const auto used = static_cast<std::uint32_t>(active_.size());
  return used >= options.runs_max ? 0 : options.runs_max - used;
}

void Dispatcher::Work::tell(RunUpdate::What what, const AgentRun& run, std::string_view detail,
                            Usage usage) const noexcept {
  if (!observer) return;
  try {
    observer({what, run, detail, usage});
  } catch (...) {  // an observer's trouble must not stop the work
  }
}

// Every journaled step counts a start of the next one beforehand, so that starting costs no commit of its own.
std::unique_ptr<engine::RunWrite> Dispatcher::Work::next_step(const Active& active, std::string kind,
                                                              std::string body) const {
  auto write = std::make_unique<engine::RunWrite>();
  write->run = active.run;
  write->run.starts = 1;
  write->run.asked = 0;
  RunStep step;
  step.number = ++write->run.steps;
  step.key = engine::step_key(active.run.id, step.number);
  step.kind = std::move(kind);
  step.at = now();
  step.body = std::move(body);
  write->steps.push_back(std::move(step));
  return write;
}

void Dispatcher::Work::queue(Active& active, engine::Change change, std::unique_ptr<engine::RunWrite> write,
                             Then then) {
  change.run = write.get();
  active.queued = true;
  queue_.push_back({std::move(change), std::move(write), std::move(then)});
}

void Dispatcher::Work::commit_queued() {
  while (!queue_.empty()) {
    std::vector<Pending> batch = std::exchange(queue_, {});
    std::vector<engine::Change> changes;
    changes.reserve(batch.size());
    for (Pending& pending : batch) changes.push_back(std::move(pending.change));
    auto results = door().apply(changes);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (!results[i] && dispatch::is_storage_failure(results[i].error())) storage_error_ = results[i].error();
      if (batch[i].write) {
        if (Active* active = find(batch[i].write->run.id)) {
          active->queued = false;
          if (results[i]) active->run = batch[i].write->run;
        }
      }
      batch[i].then(std::move(results[i]));
    }
  }
}

// All beats of a round share one commit. A beat that is refused tells that the hold is gone.
void Dispatcher::Work::beat(Duration steady) {
  for (auto& [id, active] : active_) {
    if (active->next_beat > steady || active->queued) continue;
    active->next_beat = steady + options.hold / 3;
    const Actor actor = active->actor;
    engine::Change change{.key = active->run.item,
                          .actor = actor,
                          .decide = [actor, hold = options.hold](const engine::LoadedItem& item, Time at) {
                            return decide(item.snapshot(), Heartbeat{hold}, actor, at);
                          }};
    queue_.push_back({std::move(change), nullptr, [this, run = active->run.id](Result<Outcome> result) {
                        if (!result && !dispatch::is_storage_failure(result.error())) lose(run);
                      }});
  }
}

Result<StepReport> Dispatcher::Work::step() {
  events_ = 0;
  storage_error_.reset();
  const Time begun = now();
  if (auto done = follow_settings(); !done) return done.error();
  commit_queued();
  for (dispatch::Part& part : inbox->take_parts()) watch(std::move(part));
  for (const dispatch::HostDone& done : inbox->take_done()) host_done(done);
  for (dispatch::Answer& answer : inbox->take()) answered(std::move(answer));
  commit_queued();
  if (auto done = honour_stops(); !done) return done.error();
  end_overdue();
  beat(options.engine.clock().steady());
  commit_queued();  // before looking for holds that ran out: ours may be among those just beaten
  if (auto done = take_over_expired(now()); !done) return done.error();
  if (auto done = end_parked(begun); !done) return done.error();
  if (auto done = start_due(now()); !done) return done.error();
  if (auto done = revive_parked(); !done) return done.error();
  commit_queued();
  if (storage_error_) return *storage_error_;
  if (auto done = find_next_due(); !done) return done.error();
  return StepReport{static_cast<std::uint32_t>(active_.size()), events_, next_wake()};
}

std::optional<Time> Dispatcher::Work::next_wake() const {
  std::optional<Time> next = next_due_;
  const auto at = [&](const std::optional<Time>& time) {
    if (time && (!next || *time < *next)) next = time;
  };
  at(next_lapse_);
  for (const auto& [id, active] : active_) at(active->run.deadline);
  return next;
}

Result<void> Dispatcher::Work::run(std::stop_token stop, bool until_idle) {
  const std::stop_callback wake_up(stop, [box = inbox] { box->wake(); });
  const Clock& clock = options.engine.clock();
  Duration failing_since{-1};  // before the machine started: not failing
  std::uint64_t seen = 0;
  while (!stop.stop_requested()) {
    // Taken before the round, so that a change during the round ends the sleep after it.
    auto before = options.engine.storage().wait_for_change({.seen = seen, .timeout = Duration(0)});
    auto report = step();
    if (report) {
      failing_since = Duration(-1);
    } else {
      if (failing_since < Duration(0)) failing_since = clock.steady();
      if (clock.steady() - failing_since > std::chrono::minutes(1)) return report.error();
    }
    Duration sleep = report ? std::chrono::hours(1) : Duration(200);
    if (report) {
      // That a parked run ends some day is no reason to wait for it.
      const bool idle = report->in_flight == 0 && !next_due_ && report->events == 0;
      if (until_idle && idle) break;
      if (report->next_due) sleep = std::min<Duration>(sleep, *report->next_due - now());
      for (const auto& [id, active] : active_) sleep = std::min(sleep, active->next_beat - clock.steady());
      // What is overdue and did not start although nothing happened will not start the next moment either.
      if (report->next_due && report->events == 0) sleep = std::max(sleep, Duration(20));
      if (report->events != 0) sleep = Duration(0);
    }
    if (before) seen = before->sequence;
    const auto woken =
        options.engine.storage().wait_for_change({.seen = seen, .timeout = std::max(sleep, Duration(0))});
    if (!woken) inbox->wait(Duration(200));  // a storage that fails cannot be slept on
  }
  give_back_all();
  return {};
}

}  // namespace v0
}  // namespace openindex
