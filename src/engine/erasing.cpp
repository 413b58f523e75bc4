#include "engine/erasing.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "engine/commit.hpp"

namespace openindex::engine {

Result<void> Erasing::leftovers(const PrunedItem& mark) {
  const std::string& key = mark.key.str();
  const Expectation still{pruned_record(mark.key), mark.version};
  const std::string runs = "run_" + key + "_";
  struct Range {
    const char* kind;
    std::string from, below;
  };
  std::vector<Range> ranges = {{"step", runs, runs + ":"},  // ':' follows the digits, '0' follows '/'
                               {"run", runs, runs + ":"},
                               {"run_stop", runs, runs + ":"},
                               {"comment", key + "/", key + "0"}};
  if (!mark.audit_kept) ranges.push_back({"audit", key + "/", key + "0"});
  for (const Range& one : ranges) {
    auto erased = range(one.kind, one.from, one.below, still);
    if (!erased) return erased.error();
    if (!*erased) return {};
  }
  ChangeSet changes;
  changes.id = core_.door.mint_commit();
  changes.expectations.push_back(still);
  changes.erases.push_back({"counter", "item/" + key});  // of its sub-tasks
  if (mark.audit_kept) {
    changes.puts.push_back(write_pruned(mark, false, now_));
  } else {
    changes.erases.push_back(still.id);
  }
  auto done = commit(changes);
  return done ? Result<void>() : done.error();
}

Result<bool> Erasing::range(const char* kind, const std::string& from, const std::string& below,
                            const Expectation& still) {
  while (!spent()) {
    const std::uint64_t rest = records_max_ - spent_;
    auto page = storage_.scan({.index = Index::key,
                               .prefix = {std::string(kind)},
                               .from = from,
                               .below = below,
                               .limit_count = static_cast<std::uint32_t>(std::min<std::uint64_t>(count_max, rest))});
    if (!page) return page.error();
    if (page->rows.empty()) return true;
    ChangeSet changes;
    changes.id = core_.door.mint_commit();
    changes.expectations.push_back(still);
    for (const Record& row : page->rows) changes.erases.push_back(row.id);
    auto done = commit(changes);
    if (!done) return done.error();
    if (!*done) return false;
  }
  return false;
}

Result<bool> Erasing::commit(const ChangeSet& changes) {
  spent_ += std::max<std::size_t>(1, changes.erases.size());
  auto done = engine::commit(storage_, changes);
  if (!done && done.error().code() == errc::conflict) return false;
  if (!done) return done.error();
  records_ += changes.erases.size();
  return true;
}

AuditFrame Erasing::frame(std::string_view stream, std::string_view domain, const ChangeSet& changes) const {
  return {.stream = stream,
          .domain = domain,
          .actor = actor_,
          .at = now_,
          .commit = changes.id.str(),
          .stage = {},
          .step = {}};
}

Result<void> Erasing::tell_domain(ChangeSet& changes, const std::string& domain, const AuditDraft& draft) {
  const RecordId id = retention_record(domain);
  auto record = read_record(storage_, id, "retention");
  if (!record && record.error().code() != errc::not_found) return record.error();
  const std::string stream = retention_stream(domain);
  auto found = find_chain(storage_, stream);
  if (!found) return found.error();
  ChainHead head = found->value_or(ChainHead());
  append_audit(changes, head, frame(stream, domain, changes), std::span(&draft, 1));
  changes.expectations.push_back({id, record ? record->version : 0});
  changes.puts.push_back(write_retention(domain, head));
  return {};
}

}  // namespace openindex::engine
