// Bulk: many changes in one call and one durable write.
//
// Each element is judged on what those before it leave behind, and all of them land in one commit, with one audit entry
// and more for each. An element that is refused takes the others down with it, unless `partial` is asked for.
//
// Thread safety: plain values.
#pragma once

#include <cstddef>
#include <vector>

#include <openindex/core/result.hpp>
#include <openindex/work/call_options.hpp>
#include <openindex/work/rules.hpp>
#include <openindex/work/work_item.hpp>

namespace openindex {
inline namespace v0 {

/// Elements that one call takes at most.
constexpr std::size_t bulk_count_max = 10'000;

/// One command on one item. The same item may be named by several.
struct ItemCommand {
  ItemKey key = {};
  Command command;
  CallOptions call = {};
};

struct BulkOptions {
  bool partial = false;  ///< What is refused is left out, and the rest is done.
  bool dry_run = false;  ///< Judge everything, change nothing. Numbers of items that would be created are used up.
};

/// What became of each element, in the order given: the item after the change, or why it was refused. Without `partial`
/// none is refused: the call is instead.
using BulkAnswer = std::vector<Result<WorkItem>>;

}  // namespace v0
}  // namespace openindex
