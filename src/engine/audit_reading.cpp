// An item's own audit trail: reading it, checking its chain, and proving what it was.
#include <algorithm>
#include <functional>
#include <optional>

#include <fmt/format.h>

#include <openindex/workflow_engine.hpp>

#include "engine/audit_receipt.hpp"
#include "engine/chain_walk.hpp"
#include "engine/core.hpp"
#include "engine/every_chain.hpp"
#include "engine/pruned_item.hpp"
#include "engine/reading.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using namespace openindex::engine;

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
  auto more = walk_chain(core.options.storage, head, witness);
  if (!more) return gone_or(core, actor, head.stream, more.error());
  if (!*more) return {};
  // Somebody appended since the head was read, or the head was put back.
  auto now = read_head(core, actor, head.stream);
  if (!now) return now.error();
  if (now->count > head.count) return {};
  return broken_chain(head, head.count + 1, "An audit entry stands behind the one that the item names as its last");
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
  return broken_chain(*head, head->count + 1, "An audit entry is missing: the chain was longer before");
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
      Error error =
          gone_or(*core_, actor, key, broken_chain({key.str(), 0, {}}, expected, "An audit entry is missing"));
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

Result<VerifiedAudit> WorkflowEngine::verify_all(const Actor& actor) {
  if (auto allowed = refuse_run(actor); !allowed) return allowed.error();
  auto found = check_every_chain(core_->options.storage,
                                 [&](const std::string& stream) { return core_->sees_stream(actor, stream); });
  if (!found) return found.error();
  if (found->broken_count == 0) return VerifiedAudit{found->chain_count, found->entry_count};
  return Error(errc::storage_corrupt, "Audit chains are broken")
      .with("broken_count", std::to_string(found->broken_count))
      .with_problems(std::move(found->problems));
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
