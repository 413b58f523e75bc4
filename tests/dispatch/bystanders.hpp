// What a run must not touch: everything that is stored, but for what is its item's own.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <openindex/storage/storage.hpp>

#include "engine/audit_chain.hpp"
#include "engine/item_record.hpp"

namespace openindex::tests {

/// Every record that is stored, byte for byte: version, body and index entries.
using Stored = std::map<RecordId, std::string>;

inline Stored everything_stored(Storage& storage) {
  Stored all;
  ScanRequest request{.limit_count = 10'000};
  do {
    const auto page = storage.scan(request).value();
    for (const Record& record : page.rows) {
      std::string text = fmt::format("{}\n{}\n", record.version, record.body);
      for (const IndexEntry& entry : record.index) {
        text += fmt::format("{}", static_cast<int>(entry.index));
        for (const IndexValue& value : entry.values) {
          text += std::visit([](const auto& field) { return fmt::format(" '{}'", field); }, value);
        }
        text += '\n';
      }
      all.emplace(record.id, std::move(text));
    }
    request.after = page.next;
  } while (!request.after.empty());
  return all;
}

/// Whether a record is the item's own: the item, its comments, its audit, its runs and their journals.
inline bool is_of_item(const RecordId& id, const ItemKey& key) {
  for (const RecordId& part :
       {engine::state_record(key), engine::content_record(key), engine::hold_record(key), engine::gates_record(key)}) {
    if (id == part) return true;
  }
  const auto below = [&](std::string_view beginning) { return id.key.starts_with(beginning); };
  if (id.kind == "audit" || id.kind == "comment") return below(key.str() + "/");
  return (id.kind == "run" || id.kind == "step") && below("run_" + key.str() + "_");
}

/// The tokens that the asked provider has counted for one of the item's turns.
inline bool is_count_of_item(const RecordId& id, const ItemKey& key) {
  return id.kind == "token_use" && id.key.find("/run_" + key.str() + "_") != std::string::npos;
}

/// What was written, changed or erased between two moments and is none of the items'.
inline std::vector<RecordId> changed_elsewhere(const Stored& before, const Stored& after,
                                               const std::vector<ItemKey>& items) {
  std::vector<RecordId> changed;
  const auto consider = [&](const RecordId& id) {
    for (const ItemKey& key : items) {
      if (is_of_item(id, key) || is_count_of_item(id, key)) return;
    }
    changed.push_back(id);
  };
  for (const auto& [id, text] : after) {
    const auto found = before.find(id);
    if (found == before.end() || found->second != text) consider(id);
  }
  for (const auto& [id, text] : before) {
    if (!after.contains(id)) consider(id);
  }
  return changed;
}

/// The same for people who read a failed test.
inline std::string spelled(const std::vector<RecordId>& records) {
  std::string text;
  for (const RecordId& id : records) text += fmt::format("{} {}\n", id.kind, id.key);
  return text;
}

inline bool stored_anywhere(const Stored& stored, std::string_view text) {
  for (const auto& [id, record] : stored) {
    if (id.key.find(text) != std::string::npos || record.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace openindex::tests
