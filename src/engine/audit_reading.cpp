// An item's own audit trail: reading it, checking its chain, and proving what it was.
#include <algorithm>
#include <functional>
#include <optional>

#include <fmt/format.h>

#include <openindex/workflow_engine.hpp>

#include "engine/audit_receipt.hpp"
#include "engine/chain_check.hpp"
#include "engine/core.hpp"
#include "engine/pruned_item.hpp"
#include "engine/reading.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using namespace openindex::engine;

constexpr std::uint64_t rows_max = 1000;

Error broken(const AuditHead& head, std::uint64_t entry, std::string what) {
  return Error(errc::storage_corrupt, std::move(what)).with("item", head.stream).with("entry", std::to_string(entry));
}

/// Sees the bytes of each entry in order; says what is wrong with them, if anything.
using Witness = std::function<std::optional<std::string>(std::uint64_t number, const std::string& body)>;

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
    if (row.id != audit_record(head_.stream, count_)) return broken(head_, count_, "An audit entry is missing");
    auto objection = witness_ ? witness_(count_, row.body) : std::nullopt;
    if (objection) return broken(head_, count_, std::move(*objection));
    if (!check_.take(row.body)) return finish(false).error();
    return {};
  }

  Result<bool> finish(bool more) {
    const auto fault = check_.finish({head_.count, head_.digest});
    if (fault) return broken(head_, fault->entry, fault->what);
    return more;
  }

  Storage& storage_;
  const AuditHead& head_;
  const Witness& witness_;
  std::uint64_t count_ = 0;
  ChainCheck check_;
};

Result<AuditHead> read_head(EngineCore& core, const Actor& actor, const ItemKey& key) {
  if (auto allowed = core.check_reader(actor, key); !allowed) return allowed.error();
  auto item = core.door.load(key);
  if (item) return AuditHead{key.str(), (*item)->chain.count, (*item)->chain.digest};
  if (item.error().code() != errc::not_found) return item.error();
  auto left = find_chain(core.options.storage, key);
  if (!left) return left.error();
  if (!*left) return item.error();
  return AuditHead{key.str(), (*left)->count, (*left)->digest};
}

/// What seems broken may be about to be erased, after a receipt was taken: then the item is gone.
Error gone_or(EngineCore& core, const Actor& actor, const ItemKey& key, const Error& error) {
  if (error.code() != errc::storage_corrupt) return error;
  const auto head = read_head(core, actor, key);
  return !head && head.error().code() == errc::not_found ? head.error() : error;
}

Result<void> walk(EngineCore& core, const Actor& actor, const AuditHead& head, const Witness& witness) {
  auto more = Walk(core.options.storage, head, witness).run();
  if (!more) return gone_or(core, actor, head.stream, more.error());
  if (!*more) return {};
  // Somebody appended since the head was read, or the head was put back.
  auto now = read_head(core, actor, head.stream);
  if (!now) return now.error();
  if (now->count > head.count) return {};
  return broken(head, head.count + 1, "An audit entry stands behind the one that the item names as its last");
}

Error other_item(const AuditHead& earlier, const ItemKey& key) {
  return Error(errc::invalid_argument, "This is about another item")
      .with("item", key.str())
      .with("stream", earlier.stream);
}

// The item's present chain has to reach what was seen earlier, and the witness has to recognise it.
Result<void> compare(EngineCore& core, const Actor& actor, const ItemKey& key, const AuditHead& earlier,
                     const Witness& witness) {
  const auto head = read_head(core, actor, key);
  if (!head) return head.error();
  if (auto sound = walk(core, actor, *head, witness); !sound) return sound;
  if (head->count >= earlier.count) return {};
  return broken(*head, head->count + 1, "An audit entry is missing: the chain was longer before");
}

}  // namespace

Result<std::vector<AuditEntry>> WorkflowEngine::audit(const Actor& actor, const ItemKey& key,
                                                      std::uint64_t from_number) {
  if (auto allowed = core_->check_reader(actor, key); !allowed) return allowed.error();
  const std::uint64_t from = std::max<std::uint64_t>(1, from_number);
  auto records = read_numbered(core_->options.storage, "audit", key.str(), fmt::format("{:08}", from), 1000);
  if (!records) return records.error();
  std::vector<AuditEntry> out;
  for (const Record& record : *records) {
    auto entry = read_audit(record);
    if (!entry) return entry.error();
    const std::uint64_t expected = from + out.size();
    if (entry->number != expected) {
      Error error = gone_or(*core_, actor, key, broken({key.str(), 0, {}}, expected, "An audit entry is missing"));
      if (error.code() == errc::not_found) return std::vector<AuditEntry>();
      return error;
    }
    out.push_back(std::move(*entry));
  }
  return out;
}

Result<AuditHead> WorkflowEngine::audit_head(const Actor& actor, const ItemKey& key) {
  return read_head(*core_, actor, key);
}

Result<void> WorkflowEngine::verify(const Actor& actor, const ItemKey& key) {
  const auto head = read_head(*core_, actor, key);
  if (!head) return head.error();
  return walk(*core_, actor, *head, {});
}

Result<std::string> WorkflowEngine::export_receipt(const Actor& actor, const ItemKey& key) {
  const auto head = read_head(*core_, actor, key);
  if (!head) return head.error();
  std::string receipt = begin_receipt(*head);
  const Witness write = [&](std::uint64_t, const std::string& body) -> std::optional<std::string> {
    if (body.find('\n') != std::string::npos) return "An audit entry is not as it was written";
    receipt.append(body).push_back('\n');
    return std::nullopt;
  };
  if (auto sound = walk(*core_, actor, *head, write); !sound) return sound.error();
  end_receipt(receipt, *head);
  return receipt;
}

Result<void> WorkflowEngine::verify_against(const Actor& actor, const ItemKey& key, std::string_view receipt) {
  if (auto allowed = core_->check_reader(actor, key); !allowed) return allowed.error();
  const auto earlier = verify_receipt(receipt);
  if (!earlier) return earlier.error();
  if (earlier->stream != key.str()) return other_item(*earlier, key);
  const auto lines = lines_of(receipt);
  const Witness same = [&](std::uint64_t number, const std::string& body) -> std::optional<std::string> {
    if (number > earlier->count || body == lines[number]) return std::nullopt;
    return "An audit entry is not the one in the receipt";
  };
  return compare(*core_, actor, key, *earlier, same);
}

Result<void> WorkflowEngine::verify_against(const Actor& actor, const ItemKey& key, const AuditHead& earlier) {
  if (auto allowed = core_->check_reader(actor, key); !allowed) return allowed.error();
  if (earlier.stream != key.str()) return other_item(earlier, key);
  const Witness passes = [&](std::uint64_t number, const std::string& body) -> std::optional<std::string> {
    if (number != earlier.count || audit_digest(body) == earlier.digest) return std::nullopt;
    return "An audit entry is not the one of the earlier head, or one before it was changed";
  };
  return compare(*core_, actor, key, earlier, passes);
}

}  // namespace v0
}  // namespace openindex
