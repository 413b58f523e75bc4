#include "engine/chain_walk.hpp"

#include <algorithm>
#include <utility>

#include "engine/chain_check.hpp"

namespace openindex::engine {
namespace {

constexpr std::uint64_t rows_max = 1000;

/// A walk over stored entries up to a head.
class Walk {
 public:
  Walk(Storage& storage, const AuditHead& head, const Witness& witness)
      : storage_(storage), head_(head), witness_(witness) {}

  /// @returns whether entries stand behind the head. @par Errors storage_corrupt, storage
  Result<bool> run() {
    const std::string prefix = head_.stream + "/";
    ScanRequest request{
        .index = Index::key, .prefix = {std::string("audit")}, .from = prefix, .below = head_.stream + "0"};
    for (;;) {
      // One more than is needed, to see whether there is one.
      request.limit_count = static_cast<std::uint32_t>(std::min(rows_max, head_.count - count_ + 1));
      auto page = storage_.scan(request);
      if (!page) return page.error();
      for (const Record& row : page->rows) {
        if (count_ == head_.count) return finish(true);
        if (auto taken = take(row); !taken) return taken.error();
      }
      if (page->next.empty()) return finish(false);
      request.after = std::move(page->next);
    }
  }

 private:
  Result<void> take(const Record& row) {
    ++count_;
    if (row.id != audit_record(head_.stream, count_)) return broken_chain(head_, count_, "An audit entry is missing");
    auto objection = witness_ ? witness_(count_, row.body) : std::nullopt;
    if (objection) return broken_chain(head_, count_, std::move(*objection));
    if (!check_.take(row.body)) return finish(false).error();
    return {};
  }

  Result<bool> finish(bool more) {
    const auto fault = check_.finish({head_.count, head_.digest});
    if (fault) return broken_chain(head_, fault->entry, fault->what);
    return more;
  }

  Storage& storage_;
  const AuditHead& head_;
  const Witness& witness_;
  std::uint64_t count_ = 0;
  ChainCheck check_;
};

}  // namespace

Error broken_chain(const AuditHead& head, std::uint64_t entry, std::string what) {
  return Error(errc::storage_corrupt, std::move(what)).with("item", head.stream).with("entry", std::to_string(entry));
}

Result<bool> walk_chain(Storage& storage, const AuditHead& head, const Witness& witness) {
  return Walk(storage, head, witness).run();
}

}  // namespace openindex::engine
