#include "core/utf8.hpp"
#include "work/judge.hpp"
#include "work/shown.hpp"

namespace openindex::work {

Result<Decision> Judge::operator()(const DeleteItem& deletion) {
  if (auto allowed = check_privileged("delete an item"); !allowed) return allowed.error();
  if (deletion.reason.size() > 2000 || !is_utf8(deletion.reason)) {
    return Error(errc::invalid_argument, "A reason is UTF-8 of at most 2000 bytes");
  }
  if (!snapshot_.needed_by.empty()) {
    std::vector<std::string> needed_by;
    needed_by.reserve(snapshot_.needed_by.size());
    for (const ItemKey& other : snapshot_.needed_by) needed_by.push_back(other.str());
    return Error(errc::item_needed).with("item", item_.key.str()).with_missing(std::move(needed_by));
  }
  Decision decision;
  decision.deletes = true;
  if (!item_.run.empty()) decision.run_ends = RunState::cancelled;
  if (item_.hold) decision.hold = {HoldChange::Kind::clear};
  decision.audit.push_back({"work_item.deleted",
                            {{"title", shown(std::string(snapshot_.title)), ""}, {"status", item_.status, ""}},
                            deletion.reason});
  return decision;
}

}  // namespace openindex::work
