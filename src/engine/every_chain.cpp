#include "engine/every_chain.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/chain_walk.hpp"
#include "engine/pruned_item.hpp"
#include "json/object_reader.hpp"
#include "json/stored.hpp"

namespace openindex::engine {
namespace {

/// Kinds of records that a stream is about; the record says where the chain stands.
constexpr std::array<std::string_view, 10> chain_kinds = {"domain",        "item",          "prompt", "provider",
                                                          "provider_gone", "provider_type", "pruned", "retention",
                                                          "switch",        "workflow"};

constexpr std::string_view retention = "-retention";

/// Those of items, there or pruned, are called by the item's key alone.
bool is_of_item(std::string_view kind) { return kind == "item" || kind == "pruned"; }

std::string stream_of(const RecordId& record) {
  if (is_of_item(record.kind)) return record.key;
  if (record.kind == "provider_gone") return "provider." + record.key;
  return record.kind == "retention" ? record.key + std::string(retention) : record.kind + "." + record.key;
}

/// The records that a stream may be about.
std::vector<RecordId> records_of(const std::string& stream) {
  for (const char* kind : {"domain", "prompt", "provider", "provider_type", "switch", "workflow"}) {
    const std::string prefix = std::string(kind) + ".";
    if (!stream.starts_with(prefix)) continue;
    const std::string key = stream.substr(prefix.size());
    if (prefix == "provider.") return {{kind, key}, {"provider_gone", key}};
    return {{kind, key}};
  }
  if (stream.ends_with(retention)) return {{"retention", stream.substr(0, stream.size() - retention.size())}};
  return {{"item", stream}, {"pruned", stream}};
}

Result<AuditHead> head_of(const Record& record) {
  const std::string stream = stream_of(record.id);
  auto in = json::Stored::read(record.body, stream);
  if (!in) return in.error();
  return AuditHead{stream, in->natural("auditCount"), in->text("auditHead")};
}

/// A chain that was given away, and whose entries go one after the other.
bool is_being_erased(const Record& record) {
  if (record.id.kind != "pruned") return false;
  const auto pruned = read_pruned(record);
  return pruned && !pruned->audit_kept;
}

class Inspection {
 public:
  Inspection(Storage& storage, const ChosenStreams& chosen) : storage_(storage), chosen_(chosen) {}

  Result<ChainsFound> run() {
    for (const std::string_view kind : chain_kinds) {
      if (auto walked = walk_all(kind); !walked) return walked.error();
    }
    if (auto looked = look_for_strays(); !looked) return looked.error();
    return std::move(found_);
  }

 private:
  Result<bool> is_chosen(const std::string& stream) { return chosen_ ? chosen_(stream) : Result<bool>(true); }

  void tell(const std::string& stream, std::string_view entry, std::string what) {
    ++found_.broken_count;
    if (found_.problems.size() == ChainsFound::problems_max) return;
    auto pointer = json::escape_pointer(stream, "/");
    if (!entry.empty()) pointer.append("/").append(entry);
    found_.problems.push_back({std::move(pointer), std::move(what)});
  }

  Result<void> walk_all(std::string_view kind) {
    ScanRequest request{.index = Index::key, .prefix = {std::string(kind)}, .limit_count = 1000};
    do {
      auto page = storage_.scan(request);
      if (!page) return page.error();
      for (const Record& record : page->rows) {
        if (auto walked = walk(record); !walked) return walked;
      }
      request.after = std::move(page->next);
    } while (!request.after.empty());
    return {};
  }

  Result<void> walk(const Record& record) {
    const std::string stream = stream_of(record.id);
    auto chosen = is_chosen(stream);
    if (!chosen) return chosen.error();
    if (!*chosen) return {};
    if (is_being_erased(record)) return {};
    ++found_.chain_count;
    const auto head = head_of(record);
    if (!head) {
      tell(stream, "", "The record that says where this chain stands cannot be read");
      return {};
    }
    found_.entry_count += head->count;
    auto more = walk_chain(storage_, *head);
    if (more && *more) return look_behind(*head);
    if (more) return {};
    if (more.error().code() != errc::storage_corrupt) return more.error();
    tell(stream, more.error().context("entry"), more.error().message());
    return {};
  }

  /// Somebody appended since the head was read, or the head was put back.
  Result<void> look_behind(const AuditHead& head) {
    auto now = storage_.get_bodies(records_of(head.stream));
    if (!now) return now.error();
    for (const auto& record : *now) {
      const auto moved = record ? head_of(*record) : Result<AuditHead>(errc::not_found);
      if (moved && moved->count > head.count) return {};
    }
    tell(head.stream, std::to_string(head.count + 1), "An audit entry stands behind the one that is named as the last");
    return {};
  }

  /// Look for entries of streams that no record is about: from one stream's first entry to the next one's.
  Result<void> look_for_strays() {
    ScanRequest request{.index = Index::key, .prefix = {std::string("audit")}, .limit_count = 1};
    for (;;) {
      auto page = storage_.scan(request);
      if (!page) return page.error();
      if (page->rows.empty()) return {};
      const std::string& key = page->rows.front().id.key;
      const std::string stream = key.substr(0, key.rfind('/'));
      if (auto looked = look_for_record(stream); !looked) return looked;
      request.from = stream + '0';  // '0' follows '/'
    }
  }

  Result<void> look_for_record(const std::string& stream) {
    auto chosen = is_chosen(stream);
    if (!chosen) return chosen.error();
    if (!*chosen) return {};
    auto records = storage_.get_bodies(records_of(stream));
    if (!records) return records.error();
    if (std::none_of(records->begin(), records->end(), [](const auto& record) { return record.has_value(); }))
      tell(stream, "", "These audit entries are about something that is not stored");
    return {};
  }

  Storage& storage_;
  const ChosenStreams& chosen_;
  ChainsFound found_;
};

}  // namespace

Result<ChainsFound> check_every_chain(Storage& storage, const ChosenStreams& chosen) {
  return Inspection(storage, chosen).run();
}

}  // namespace openindex::engine
