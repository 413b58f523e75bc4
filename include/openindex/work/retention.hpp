// Retention: forgetting work that ended long ago.
//
// A host calls `WorkflowEngine::prune` now and then, on a thread of its own, until `Pruned::next` is empty. Each call
// does a bounded part in small commits; work goes on beside it, and one that was killed is taken up by the next call.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>
#include <openindex/core/result.hpp>

namespace openindex {
inline namespace v0 {

/// Takes the receipt of an item whose audit entries are about to be erased; the texts are valid during the call only.
/// An error keeps that item and ends the call. An item may be given twice, when a process dies in between.
using ReceiptSink = std::function<Result<void>(const ItemKey& item, std::string_view receipt)>;

/// What to forget.
///
/// Items that were resolved before the moment go, with their comments, runs and journals, unless an item that stays
/// stands below them or depends on them. So do journals of runs that ended before it, whatever became of their item.
/// With an empty domain also the idempotency keys that items were created under before it: the same import started
/// again would create them anew. Answers remembered under other idempotency keys go when they are 24 hours old. No
/// event is told of what goes.
struct Prune {
  Time older_than = {};
  std::string domain = {};  ///< Only items of this domain; empty: of all, which is the host's to ask for.

  /// Given: takes each item's receipt (`verify_receipt`), then the item's audit entries go, too, and an entry in the
  /// stream `<domain>-retention` names the item and the head of its chain. Empty: audit entries stay; they can still be
  /// read, searched, verified and exported under the item's key.
  ReceiptSink export_audit = {};

  std::uint32_t items_max = 100;       ///< Items looked at in one call, 1 to 1000.
  std::uint32_t records_max = 10'000;  ///< Other records erased in one call, about; 100 to 100,000.
  std::string after = {};              ///< `Pruned::next` of the call before; empty: from the start.
};

/// What one call did.
struct Pruned {
  std::uint64_t items = 0;         ///< Items that went.
  std::uint64_t kept = 0;          ///< Items that are old enough, but that others still need.
  std::uint64_t journals = 0;      ///< Journals of runs that went, beside those of the items.
  std::uint64_t records = 0;       ///< Records erased in all.
  std::vector<Error> broken = {};  ///< Of what stays because it is damaged; context `item` or `run` names it.
  std::string next = {};           ///< Empty: nothing more is to be done now.
};

/// What one call of `WorkflowEngine::index_texts` did.
struct IndexedTexts {
  std::uint64_t items = 0;         ///< Whose texts were put into the index anew.
  std::vector<Error> broken = {};  ///< Of what cannot be read; context `item` names it.
  std::string next = {};           ///< Give it as `after`; empty: all were looked at.
};

}  // namespace v0
}  // namespace openindex
