// Runs that somebody else has ended, or whose item somebody took, while they were running: a mark in the storage says
// so to whoever has it in hand, so that no request goes on for nothing until the next beat.
#include "dispatch/work.hpp"
#include "engine/run_record.hpp"

namespace openindex {
inline namespace v0 {

Result<void> Dispatcher::Work::honour_stops() {
  constexpr Duration forgotten_after{60'000};  // whoever had it is gone
  ScanRequest request{.index = Index::due, .prefix = {std::string("stop")}, .limit_count = 256};
  ChangeSet cleared;
  do {
    auto page = options.engine.storage().scan(request);
    if (!page) return page.error();
    for (const Record& record : page->rows) {
      auto stop = engine::read_stop(record);
      if (!stop) continue;  // one damaged record must not stop the others
      const bool done = let_go(stop->run, stop->epoch);
      if (done || now() - stop->at >= forgotten_after) cleared.erases.push_back(record.id);
    }
    request.after = std::move(page->next);
  } while (!request.after.empty());
  if (cleared.erases.empty()) return {};
  cleared.id = door().mint_commit();
  static_cast<void>(options.engine.storage().commit(std::span(&cleared, 1)));  // what fails is found again
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

}  // namespace v0
}  // namespace openindex
