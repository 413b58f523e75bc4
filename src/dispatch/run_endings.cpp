// How a run leaves this dispatcher's hands: waiting, ended, given back or lost.
#include "agent/plain_text.hpp"
#include "codecs/text.hpp"
#include "dispatch/work.hpp"
#include "provider/token_book.hpp"

namespace openindex {
inline namespace v0 {
namespace {

// Only the holder may put a run to rest, or anybody when it has no hold (it never got one).
Result<Decision> decide_rest(const engine::LoadedItem& item, const AgentRun& run, const Actor& actor, Time now) {
  if (item.item.run != run.id) return Error(errc::run_not_active).with("run", run.id.str());
  Decision decision;
  const auto& hold = item.item.hold;
  if (hold && hold->run == run.id) {
    // A dead dispatcher's hold is nobody's any more.
    if (hold->epoch != actor.run_epoch() && is_held(hold, now))
      return Error(errc::hold_lost).with("holder", hold->agent.str());
    decision.hold.kind = HoldChange::Kind::clear;
  }
  return decision;
}

// Before its start a run acts under no epoch.
Actor resting(const Actor& actor, const AgentRun& run, const AgentId& agent) {
  return actor.kind() == ActorKind::run ? actor : Actor::run(run.id, run.item, agent, 0);
}

// A detail may quote a model, a provider or an exception: any bytes, any length.
std::string readable(std::string_view text) { return agent::shortened(codecs::to_utf8(text), 1000); }

}  // namespace

void Dispatcher::Work::wait(Active& active, RunReason reason, std::string detail, std::optional<Time> due) {
  wait(active, AskPerson{reason, std::move(detail)}, due);
}

void Dispatcher::Work::wait(Active& active, AskPerson ask, std::optional<Time> due) {
  const RunReason reason = ask.reason;
  auto write = std::make_unique<engine::RunWrite>();
  write->run = active.run;
  write->run.state = RunState::waiting;
  write->run.reason = reason;
  write->run.detail = readable(ask.detail);
  write->run.question = std::move(ask.question);
  write->run.options = std::move(ask.options);
  write->run.due_at = due;
  write->run.starts = 0;
  write->run.asked = 0;
  const Actor actor = resting(active.actor, active.run, options.agent);
  engine::Change change{
      .key = active.run.item,
      .actor = actor,
      .decide = [run = active.run, actor, reason](const engine::LoadedItem& item, Time at) -> Result<Decision> {
        // What it would wait for has come true meanwhile; nobody would wake it again.
        if (reason == RunReason::dependencies && item.item.blocked_by.empty()) return errc::conflict;
        if (reason == RunReason::item_held && !is_held(item.item.hold, at)) return errc::conflict;
        return decide_rest(item, run, actor, at);
      }};
  change.notes.push_back({"agent.dispatch_blocked",
                          {{"run", std::string(to_text(active.run.state)), std::string(to_text(RunState::waiting))},
                           {"reason", "", std::string(to_text(reason))}},
                          write->run.detail});
  queue(active, std::move(change), std::move(write), [this, id = active.run.id](Result<Outcome> result) {
    Active* current = find(id);
    if (current == nullptr) return;
    ++events_;
    if (!result && result.error().code() == errc::run_not_active) return retire(*current);
    if (result) tell(RunUpdate::What::waiting, current->run, current->run.detail);
    active_.erase(id.str());
  });
}

void Dispatcher::Work::fail(Active& active, RunReason reason, std::string detail) {
  auto write = std::make_unique<engine::RunWrite>();
  write->run = active.run;
  write->run.reason = reason;
  write->run.detail = readable(detail);
  const Actor actor = resting(active.actor, active.run, options.agent);
  engine::Change change{.key = active.run.item,
                        .actor = actor,
                        .decide = [run = active.run, actor](const engine::LoadedItem& item, Time at) {
                          auto decision = decide_rest(item, run, actor, at);
                          if (decision) decision->run_ends = RunState::failed;
                          return decision;
                        }};
  queue(active, std::move(change), std::move(write), [this, id = active.run.id](Result<Outcome> result) {
    Active* current = find(id);
    if (current == nullptr) return;
    ++events_;
    if (!result && result.error().code() == errc::run_not_active) return retire(*current);
    if (!result) return lose(id);
    ended(*current, current->run);
  });
}

void Dispatcher::Work::ended(Active& active, const AgentRun& run) {
  const AgentRun last = run;
  active_.erase(active.run.id.str());
  tell(RunUpdate::What::ended, last, last.detail);
}

// Writes the run alone, as it is here.
void Dispatcher::Work::write_run(Active& active, Then then) {
  auto write = std::make_unique<engine::RunWrite>();
  write->run = active.run;
  engine::Change change{.key = {}, .actor = Actor::system(options.agent.str()), .decide = {}};
  queue(active, std::move(change), std::move(write), std::move(then));
}

void Dispatcher::Work::put_down(Active& active) {
  write_run(active, [this, id = active.run.id](Result<Outcome>) {
    ++events_;
    lose(id);
  });
}

// Somebody else has the item, or the storage failed in the middle: what is stored says how it goes on.
void Dispatcher::Work::lose(const RunId& id) {
  Active* active = find(id);
  if (active == nullptr) return;
  if (active->request != 0) options.http.cancel(active->ticket);
  active_.erase(id.str());
}

// Tell whether a refusal is an answer for the agent, and not a failure that ends the work on the run here.
bool Dispatcher::Work::settle(const RunId& id, const Result<Outcome>& result) {
  return find(id) != nullptr && result.error().code() < errc::no_provider;
}

// An orderly stop does not count as a start, and lets another dispatcher go on at once.
void Dispatcher::Work::give_back_all() {
  for (const auto& [provider, turns] : turns_of_) {
    (void)providers::TokenBook(options.engine.storage()).fold(provider, mint_id(options.engine.random(), "com"), now());
  }
  turns_of_.clear();
  stop_host_work();
  for (auto& [id, active] : active_) {
    if (active->request != 0) options.http.cancel(active->ticket);
    if (active->queued || active->hand || active->actor.kind() != ActorKind::run) continue;
    auto write = std::make_unique<engine::RunWrite>();
    write->run = active->run;
    write->run.state = RunState::queued;
    write->run.due_at = now();
    if (write->run.starts > 0) --write->run.starts;
    engine::Change change{
        .key = active->run.item,
        .actor = active->actor,
        .decide = [run = active->run, actor = active->actor](const engine::LoadedItem& item, Time at) {
          return decide_rest(item, run, actor, at);
        }};
    change.notes.push_back({"agent.released", {{"holder", active->actor.id(), ""}}, "the dispatcher stops"});
    queue(*active, std::move(change), std::move(write), [](Result<Outcome>) {});
  }
  commit_queued();
  active_.clear();
}

}  // namespace v0
}  // namespace openindex
