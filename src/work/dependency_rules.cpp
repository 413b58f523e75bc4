// Work that waits for other work.
#include <algorithm>

#include "work/exit_rules.hpp"
#include "work/judge.hpp"

namespace openindex::work {

Result<Decision> Judge::operator()(const AddDependency& add) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  Decision decision;
  extend_hold(decision);
  if (std::find(item_.depends_on.begin(), item_.depends_on.end(), add.on) != item_.depends_on.end()) return decision;
  if (snapshot_.related == nullptr) return Error(errc::not_found).with("item", add.on.str());
  if (actor_.kind() == ActorKind::run && snapshot_.related->domain != item_.domain) {
    return Error(errc::outside_run).with("item", add.on.str()).with("run", actor_.run_id().str());
  }
  if (add.on == item_.key || snapshot_.related->depends_on_this) {
    return Error(errc::dependency_cycle).with("item", item_.key.str()).with("on", add.on.str());
  }
  if (item_.depends_on.size() >= 100) return Error(errc::invalid_argument, "An item depends on at most 100 others");
  decision.depends = add.on;
  decision.audit.push_back({"work_item.dependency_added", {{"dependsOn", "", add.on.str()}}, {}});
  return decision;
}

Result<Decision> Judge::operator()(const RemoveDependency& remove) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  Decision decision;
  extend_hold(decision);
  if (std::find(item_.depends_on.begin(), item_.depends_on.end(), remove.on) == item_.depends_on.end()) return decision;
  decision.independent = remove.on;
  decision.audit.push_back({"work_item.dependency_removed", {{"dependsOn", remove.on.str(), ""}}, {}});
  return decision;
}

}  // namespace openindex::work
