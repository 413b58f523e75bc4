// ItemFilter: which items to list, and a page of them.
//
// For `WorkflowEngine::list`. The names are those of the CLI's list flags. (openindex.md 4, `list`.)
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>
#include <openindex/work/work_item.hpp>

namespace openindex {
inline namespace v0 {

/// Which items to list; empty members match everything.
struct ItemFilter {
  ItemKey key = {};  ///< This item alone, if it matches the rest.
  std::string domain = {};
  WorkflowId workflow = {};
  std::string status = {};
  std::string stage = {};
  std::optional<Resolution> resolution = {};
  std::string holder = {};          ///< Agent id; `none`: nobody holds it.
  std::uint32_t limit_count = 100;  ///< 1 to 1000.
  std::string after = {};           ///< `ItemPage::next` of the page before.

  std::optional<WorkKind> kind = {};
  std::optional<Priority> priority = {};
  std::optional<ExecutionTarget> execution_target = {};
  ItemKey parent = {};
  std::string owner = {};
  std::string assignee = {};
  std::optional<ScheduleGranularity> schedule = {};  ///< `none`: the backlog.
  std::optional<Time> resolved_after = {};
  std::string category = {};
  bool personal_only = false;  ///< Only items of personal domains.
  /// Words that all stand in the title or the description, also inside of others, in upper or lower case (ASCII letters
  /// only). An index tells which items may hold them, by groups of three bytes; those are read, or the items that match
  /// the rest where they are fewer. Words of one or two bytes, and categories, are looked for in every item that
  /// matches the rest. At most 10,000 items are read for a page, of a million that the index passes over: such a page
  /// may be short, or empty, and not the last.
  std::string search = {};
};

struct ItemPage {
  std::vector<WorkItem> items = {};  ///< In order of domain and number.
  std::string next = {};             ///< Empty when there is no more.
};

}  // namespace v0
}  // namespace openindex
