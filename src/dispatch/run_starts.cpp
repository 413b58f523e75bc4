// Finding runs that are due, and taking them.
#include <algorithm>
#include <utility>

#include <openindex/agent/chat_runner.hpp>

#include "dispatch/work.hpp"
#include "engine/run_record.hpp"
#include "engine/run_token.hpp"

namespace openindex {
inline namespace v0 {
namespace {

ScanRequest due(const char* topic, std::optional<Time> until, std::uint32_t limit) {
  ScanRequest request{.index = Index::due, .prefix = {std::string(topic)}, .limit_count = limit};
  if (until) request.below = std::int64_t{until->time_since_epoch().count() + 1};
  return request;
}

// May this run begin (or go on) now? It may take its item when nobody holds it, a dead dispatcher included.
Result<Decision> decide_start(const engine::LoadedItem& item, const AgentRun& run, const Actor& actor, Time now,
                              Duration hold) {
  if (item.item.run != run.id) return Error(errc::run_not_active).with("run", run.id.str());
  const auto& holder = item.item.hold;
  if (is_held(holder, now)) {
    return Error(errc::already_claimed)
        .with("holder", holder->agent.str())
        .with("deadline", to_rfc3339(holder->deadline));
  }
  if (!item.item.blocked_by.empty()) {
    return Error(errc::dependencies_unresolved).with("on", item.item.blocked_by.front().str());
  }
  Decision decision;
  decision.hold = {HoldChange::Kind::take, now + hold, holder.has_value()};
  decision.worked = true;
  if (holder) {
    decision.audit.push_back(
        {"agent.hold_expired", {{"holder", holder->agent.str(), ""}}, to_rfc3339(holder->deadline)});
  }
  decision.audit.push_back({"agent.claimed", {{"holder", "", actor.id()}}, {}});
  return decision;
}

}  // namespace

Result<void> Dispatcher::Work::start_due(Time now) {
  if (room() == 0) return look_through_due();
  auto page = options.engine.storage().scan(due("run", now, room()));
  if (!page) return page.error();
  consider_all(*page);
  return {};
}

// A run that waits is looked at when it is due, when its time is up, and when settings have changed.
void Dispatcher::Work::consider_all(const ScanPage& page) {
  for (const Record& record : page.rows) {
    auto run = engine::read_run(record);
    if (!run) continue;  // one damaged record must not stop the others
    // A limit may be raised long before its period ends.
    const bool can_be_revived = !run->due_at || run->reason == RunReason::token_limit;
    const bool revived = can_be_revived && reviving_ && dispatch::waits_for_settings(run->reason);
    if (revived) run->retries = 0;
    const bool is_due = run->due_at && *run->due_at <= now();
    consider(std::move(*run), room() > 0 && (revived || is_due));
  }
}

// A run whose dispatcher died is found through the deadline of its item's hold.
Result<void> Dispatcher::Work::take_over_expired(Time now) {
  if (room() == 0) return {};
  auto page = options.engine.storage().scan(due("run_hold", now, 256));
  if (!page) return page.error();
  for (const Record& record : page->rows) {
    auto loaded = door().load(record.id.key);
    if (!loaded) continue;  // one damaged record must not stop the others
    const auto& item = *loaded;
    const auto& hold = item->item.hold;
    if (!hold || hold->run.empty() || is_held(hold, now) || room() == 0) continue;
    // Ours, but the process slept through the deadline: give it up and start it again under a new epoch.
    lose(hold->run);
    auto run = door().load_run(hold->run);
    if (run && run->state == RunState::running) consider(std::move(*run), true);
  }
  return {};
}

// Runs that wait for a provider, a key, a runner or the stage's settings are looked at again when settings have
// changed, and once at the start. The cursor stays between rounds, so that each is looked at once: one that parks again
// lands behind it. Then those that time will bring back, for their deadlines.
Result<void> Dispatcher::Work::revive_parked() {
  while (reviving_ && room() > 0) {
    const bool parked = revive_topic_ == 0;
    ScanRequest request = due(parked ? "parked" : "run", std::nullopt, room());
    request.after = revive_after_;
    auto page = options.engine.storage().scan(request);
    if (!page) return page.error();
    consider_all(*page);
    revive_after_ = std::move(page->next);
    if (revive_after_.empty()) reviving_ = ++revive_topic_ < 2;
  }
  return {};
}

Result<std::optional<Time>> Dispatcher::Work::earliest(const char* topic, std::optional<Time> after) {
  ScanRequest request = due(topic, std::nullopt, 1);
  if (after) request.from = std::int64_t{after->time_since_epoch().count() + 1};
  auto page = options.engine.storage().scan(request);
  if (!page) return page.error();
  if (page->rows.empty()) return std::optional<Time>();
  for (const IndexEntry& entry : page->rows.front().index) {
    if (entry.index == Index::due) return std::optional(Time(Duration(std::get<std::int64_t>(entry.values[1]))));
  }
  return std::optional<Time>();
}

// While runs are in hand, beats wake often enough to notice what others let go.
Result<void> Dispatcher::Work::find_next_due() {
  next_due_.reset();
  for (const char* topic : {"run", "run_hold"}) {
    const bool ours = std::string_view(topic) == "run_hold" && !active_.empty();
    const bool full = std::string_view(topic) == "run" && room() == 0;
    if (ours || full) continue;
    auto at = earliest(topic, std::nullopt);
    if (!at) return at.error();
    if (*at && (!next_due_ || **at < *next_due_)) next_due_ = *at;
  }
  auto lapse = earliest("parked", lapses_seen_);
  if (!lapse) return lapse.error();
  next_lapse_ = *lapse;
  return {};
}

Dispatcher::Work::Active& Dispatcher::Work::take_in(AgentRun run) {
  auto slot = std::make_unique<Active>();
  slot->run = std::move(run);
  Active& active = *slot;
  active_[active.run.id.str()] = std::move(slot);
  return active;
}

void Dispatcher::Work::start(AgentRun run) {
  Active& active = take_in(run);
  auto write = std::make_unique<engine::RunWrite>();
  write->run = run;
  write->run.state = RunState::running;
  write->run.reason = RunReason::none;
  write->run.detail.clear();
  write->run.due_at.reset();
  write->run.agent = options.agent;
  if (!run.started_at) write->run.started_at = now();
  ++write->run.starts;
  active.token = engine::mint_run_token(options.engine.random(), run.id);
  write->run.token_hash = engine::hash_of_token(active.token);
  const Actor actor = Actor::run(run.id, run.item, options.agent, 0);
  engine::Change change{.key = run.item,
                        .actor = actor,
                        .decide = [run, actor, hold = options.hold](const engine::LoadedItem& item, Time at) {
                          return decide_start(item, run, actor, at, hold);
                        }};
  change.foresee = [target = write.get()](const engine::LoadedItem& next) { target->run.epoch = next.epoch; };
  queue(active, std::move(change), std::move(write),
        [this, run](Result<Outcome> outcome) { started(run, std::move(outcome)); });
}

void Dispatcher::Work::started(AgentRun run, Result<Outcome> outcome) {
  Active* active = find(run.id);
  if (active == nullptr) return;
  ++events_;
  if (outcome) {
    active->actor = Actor::run(run.id, run.item, options.agent, active->run.epoch);
    active->next_beat = options.engine.clock().steady() + options.hold / 3;
    tell(RunUpdate::What::started, active->run, {});
    return begin(*active, *outcome->item);
  }
  if (outcome.error().code() == errc::run_not_active) return retire(*active);
  if (outcome.error().code() == errc::dependencies_unresolved) {
    return wait(*active, RunReason::dependencies, "waits for " + std::string(outcome.error().context("on")),
                std::nullopt);
  }
  if (outcome.error().code() != errc::already_claimed) {
    active_.erase(run.id.str());
    return;
  }
  // Somebody else works on the item: look again when their deadline has passed.
  const auto deadline = parse_rfc3339(outcome.error().context("deadline"));
  if (run.state == RunState::running) {
    active_.erase(run.id.str());  // another dispatcher's, and it lives
    return;
  }
  wait(*active, RunReason::item_held, "held by " + std::string(outcome.error().context("holder")),
       deadline.value_or(now() + options.backoff_max));
}

// A run that its item no longer knows would be due for ever.
void Dispatcher::Work::retire(Active& active) {
  active.run.state = RunState::cancelled;
  active.run.reason = RunReason::left_stage;
  active.run.detail = "The item has another run or none";
  active.run.ended_at = now();
  active.run.due_at.reset();
  put_down(active);
}

void Dispatcher::Work::begin(Active& active, const engine::LoadedItem& item) {
  // A process that dies while models think takes every run along that it works on. They are not to blame, within
  // reason.
  constexpr std::uint32_t asked_max = 100;
  const bool suspect = active.run.asked + 1 != active.run.starts;
  if (active.run.starts > (suspect ? options.starts_max : std::max(asked_max, options.starts_max))) {
    return wait(active, RunReason::crash_loop,
                "step " + std::to_string(active.run.steps + 1) + " was started " +
                    std::to_string(active.run.starts - 1) + " times and never ended",
                std::nullopt);
  }
  const auto runner = runners.find(active.run.runner);
  if (runner == runners.end()) {
    return wait(active, RunReason::no_runner, "no runner named '" + active.run.runner + "'", std::nullopt);
  }
  auto journal = options.engine.journal(active.actor, active.run.id);
  auto context = options.engine.agent_context(active.actor, item.item.key);
  if (!journal || !context) {
    const Error& error = journal ? context.error() : journal.error();
    if (error.code() != errc::not_found) storage_error_ = error;  // the item may have been deleted meanwhile
    return lose(active.run.id);
  }
  try {
    active.program = runner->second->start();
    if (!active.program) return fail(active, RunReason::runner_failed, "the runner made no program");
  } catch (const std::exception& thrown) {
    return fail(active, RunReason::runner_failed, thrown.what());
  }
  const std::string token = std::exchange(active.token, {});
  feed(active, RunBegins{active.run, *context, *journal, tools, token});
}

}  // namespace v0
}  // namespace openindex
