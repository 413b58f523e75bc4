// Runs that somebody else has ended, or whose item somebody took, while they were running: a mark in the storage says
// so to whoever has it in hand, so that no request goes on for nothing until the next beat.
#include "dispatch/work.hpp"
#include "engine/run_record.hpp"
#include "provider/provider_directory.hpp"

namespace openindex {
inline namespace v0 {

Result<void> Dispatcher::Work::honour_stops() {
  constexpr Duration forgotten_after{60'000};  // whoever had it is gone
  ScanRequest request{.index = Index::due, .prefix = {std::string("stop")}, .limit_count = 256};
  std::vector<ChangeSet> cleared;
  do {
    auto page = options.engine.storage().scan(request);
    if (!page) return page.error();
    for (const Record& record : page->rows) {
      auto stop = engine::read_stop(record);
      if (!stop) continue;  // one damaged record must not stop the others
      const bool done = let_go(stop->run, stop->epoch);
      if (!done && now() - stop->at < forgotten_after) continue;
      ChangeSet& clear = cleared.emplace_back();
      clear.id = door().mint_commit();
      clear.expectations.push_back({record.id, record.version});  // a newer mark is for somebody else
      clear.erases.push_back(record.id);
    }
    request.after = std::move(page->next);
  } while (!request.after.empty());
  if (!cleared.empty()) (void)options.engine.storage().commit(cleared);  // what fails is found again
  return {};
}

// Tell whether the mark concerned this dispatcher, and has done its work.
bool Dispatcher::Work::let_go(const RunId& id, std::uint64_t epoch) {
  Active* active = find(id);
  if (active == nullptr || active->run.epoch > epoch) return false;
  if (active->queued) return false;  // its commit will tell
  lose(id);
  ++events_;
  auto run = door().load_run(id);
  if (run && run->ended()) tell(RunUpdate::What::ended, *run, run->detail);
  return true;
}

// The switch that stops the agents of a workflow, or why nobody can tell; nullopt: they may work.
std::optional<Error> Dispatcher::Work::stop_of(const WorkflowId& workflow) {
  auto may_work = options.engine.core().stops.check(workflow);
  if (may_work) return std::nullopt;
  if (may_work.error().code() != errc::agents_stopped) storage_error_ = may_work.error();
  return may_work.error();
}

// What nobody wants an answer to any more is not waited for: an agent that was stopped, a provider that was disabled.
void Dispatcher::Work::drop_stopped() {
  std::vector<RunId> under_way;
  for (const auto& [id, active] : active_) {
    if (!active->queued && (active->request != 0 || active->hand)) under_way.push_back(active->run.id);
  }
  for (const RunId& id : under_way) {
    Active* active = find(id);
    if (active == nullptr) continue;
    if (active->hand) {
      may_go_on(*active);
    } else {
      drop_if_stopped(*active);
    }
  }
}

void Dispatcher::Work::drop_if_stopped(Active& active) {
  const auto stopped = stop_of(active.run.workflow);
  if (stopped && stopped->code() != errc::agents_stopped) return;  // its answer will be looked at
  auto provider = options.providers.directory().load(active.providers[active.provider]);
  const bool disabled = provider && !provider->enabled;
  if (!stopped && !disabled) return;
  if (active.ticket != 0) options.http.cancel(active.ticket);
  active.ticket = 0;
  active.request = 0;
  if (stopped) return wait_for_agents(active, *stopped);
  provider_failed(active, errc::provider_disabled);
}

void Dispatcher::Work::wait_for_agents(Active& active, const Error& stopped) {
  std::string detail = "agents were stopped by " + std::string(stopped.context("by"));
  if (const auto reason = stopped.context("reason"); !reason.empty()) detail.append(": ").append(reason);
  wait(active, RunReason::agents_stopped, std::move(detail), std::nullopt);
}

}  // namespace v0
}  // namespace openindex
