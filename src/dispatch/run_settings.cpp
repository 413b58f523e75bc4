// What the settings of a stage say to its runs: whether they may start and go on, and until when.
#include <utility>

#include "dispatch/run_limits.hpp"
#include "dispatch/work.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using SettingsPtr = engine::WorkflowShelf::StageSettingsPtr;

// One damaged record must not stop the runs of other stages, and those of its own must not wait in silence.
const SettingsPtr& unreadable() {
  static const SettingsPtr none = std::make_shared<const StageSettings>(StageSettings{.enabled = false});
  return none;
}

Result<SettingsPtr> settings_of(engine::WorkflowShelf& shelf, const AgentRun& run) {
  auto settings = shelf.known_settings(run.workflow, run.stage);
  if (!settings && settings.error().code() == errc::storage_corrupt) return unreadable();
  return settings;
}

std::string disabled(const SettingsPtr& settings) {
  return settings == unreadable() ? "the settings of the stage cannot be read" : "the settings of the stage disable it";
}

std::string overdue(Time deadline) { return "its time was up at " + to_rfc3339(deadline); }

bool is_past(const std::optional<Time>& deadline, Time now) { return deadline && *deadline <= now; }

}  // namespace

// Once a round, so that everything in it goes by the same settings without reading them again.
Result<void> Dispatcher::Work::follow_settings() {
  engine::WorkflowShelf& shelf = options.engine.core().shelf;
  auto version = shelf.follow_settings();
  if (!version) return version.error();
  auto stops = options.engine.core().stops.follow();
  if (!stops) return stops.error();
  if (*version == settings_seen_) return {};
  drop_stopped();
  for (auto& [id, active] : active_) {
    auto settings = settings_of(shelf, active->run);
    if (!settings) return settings.error();
    const auto deadline = dispatch::deadline_of(active->run, **settings);
    if (deadline == active->run.deadline) continue;
    active->run.deadline = deadline;
    // Whoever takes the item puts the run aside as it is stored.
    write_run(*active, [this, run = active->run.id](Result<Outcome> result) {
      if (!result) lose(run);
    });
  }
  settings_seen_ = *version;
  reviving_ = true;
  revive_topic_ = 0;
  revive_after_.clear();
  return {};
}

// A run that is not in hand: it ends when its time is up, is put aside when its stage does not let it start, or starts.
void Dispatcher::Work::consider(AgentRun run, bool may_start) {
  if (find(run.id) != nullptr || is_still_worked_on(run)) return;
  auto settings = settings_of(options.engine.core().shelf, run);
  if (!settings) {
    storage_error_ = settings.error();
    return;
  }
  const auto before = std::exchange(run.deadline, dispatch::deadline_of(run, **settings));
  if (is_past(run.deadline, now())) {
    Active& active = take_in(std::move(run));
    return fail(active, RunReason::deadline_passed, overdue(*active.run.deadline));
  }
  if (may_start && !dispatch::still_put_aside(run, **settings)) {
    const auto stopped = stop_of(run.workflow);
    if (!stopped && (*settings)->enabled) return start(std::move(run));
    if (!stopped) return wait(take_in(std::move(run)), RunReason::stage_disabled, disabled(*settings), std::nullopt);
    if (stopped->code() != errc::agents_stopped) return;
    const bool parked = run.state == RunState::waiting && run.reason == RunReason::agents_stopped;
    if (!parked) return wait_for_agents(take_in(std::move(run)), *stopped);
  }
  // What is due is found anyway; for the rest, the index must tell the deadline.
  const bool is_due = run.due_at && *run.due_at <= now();
  if (run.deadline != before && !is_due) put_down(take_in(std::move(run)));
}

// A run in hand, before its next step.
bool Dispatcher::Work::may_go_on(Active& active) {
  auto settings = settings_of(options.engine.core().shelf, active.run);
  if (!settings) {
    storage_error_ = settings.error();
    lose(active.run.id);
    return false;
  }
  active.settings = std::move(*settings);
  active.run.deadline = dispatch::deadline_of(active.run, *active.settings);
  if (is_past(active.run.deadline, now())) {
    fail(active, RunReason::deadline_passed, overdue(*active.run.deadline));
    return false;
  }
  if (const auto stopped = stop_of(active.run.workflow)) {
    if (stopped->code() == errc::agents_stopped) {
      wait_for_agents(active, *stopped);
    } else {
      lose(active.run.id);
    }
    return false;
  }
  if (active.settings->enabled) return true;
  wait(active, RunReason::stage_disabled, disabled(active.settings), std::nullopt);
  return false;
}

// An answer on its way is not waited for when time is up.
void Dispatcher::Work::end_overdue() {
  for (auto& [id, active] : active_) {
    if (active->queued || !is_past(active->run.deadline, now())) continue;
    if (std::exchange(active->request, 0) != 0) options.http.cancel(active->ticket);
    fail(*active, RunReason::deadline_passed, overdue(*active->run.deadline));
  }
}

// Parked runs whose time was up when the round began: one that this round parked had time left then. Those without a
// deadline stand there with a time of the past, see run_record.cpp.
Result<void> Dispatcher::Work::end_parked(Time until) {
  if (next_lapse_ && *next_lapse_ <= until) {
    ScanRequest request{.index = Index::due,
                        .prefix = {std::string("parked")},
                        .from = std::int64_t{next_lapse_->time_since_epoch().count()},
                        .below = std::int64_t{until.time_since_epoch().count() + 1}};
    do {
      auto page = options.engine.storage().scan(request);
      if (!page) return page.error();
      consider_all(*page);
      request.after = std::move(page->next);
    } while (!request.after.empty());
  }
  lapses_seen_ = until;
  return {};
}

// A full dispatcher starts nothing, but what is queued must not outlive its deadline for that: once a second a page of
// it is looked through.
Result<void> Dispatcher::Work::look_through_due() {
  constexpr std::uint32_t page_size = 256;
  constexpr Duration pause{1000};
  const Duration steady = options.engine.clock().steady();
  if (steady < next_look_) return {};
  next_look_ = steady + pause;
  ScanRequest request{.index = Index::due,
                      .prefix = {std::string("run")},
                      .below = std::int64_t{now().time_since_epoch().count() + 1},
                      .limit_count = page_size,
                      .after = look_after_};
  auto page = options.engine.storage().scan(request);
  if (!page) return page.error();
  consider_all(*page);
  look_after_ = std::move(page->next);
  return {};
}

}  // namespace v0
}  // namespace openindex
