// Accepted answers, remembered under the caller's idempotency key: the same request gets the same answer again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <openindex/storage/storage.hpp>

#include "engine/item_record.hpp"

namespace openindex::engine {

/// How long an accepted answer is remembered.
constexpr Duration answer_age_max = std::chrono::hours(24);

/// Name one request: who asks, under which key, and what.
struct Request {
  RecordId record;
  std::string digest;
  std::string key;  ///< As the caller gave it.
};

/// @pre the key is not empty
Request request_of(const Actor& actor, const std::string& idempotency_key, const ItemKey& item,
                   const std::string& command);

/// @par Errors invalid_argument
Result<void> check_idempotency_key(const std::string& key);

struct KnownAnswer {
  LoadedItemPtr item;         ///< Null: none is remembered.
  std::uint64_t version = 0;  ///< Of the record, also when what it remembers is too old.
};

/// @par Errors idempotency_conflict, storage_corrupt, storage
Result<KnownAnswer> find_answer(Storage& storage, const Request& request, Time now, const FindWorkflow& find);

Put write_answer(const Request& request, const LoadedItem& answer, Time now);

/// What is remembered of a request that is about no item: a record as it was answered.
struct KnownRecord {
  std::optional<Record> record;  ///< Null: none is remembered.
  std::uint64_t version = 0;     ///< Of the answer, also when it is too old.
};

/// The request that calls without an item make; null: the call carries no key. `what` says all that was asked.
/// @par Errors invalid_argument
Result<std::optional<Request>> request_of(const Actor& actor, const std::string& idempotency_key,
                                          std::string_view what);

/// @par Errors idempotency_conflict, storage_corrupt, storage
Result<KnownRecord> find_record(Storage& storage, const Request& request, Time now);

/// Remember a record as the answer. `known`: what `find_record` found.
void remember(ChangeSet& changes, const Request& request, const KnownRecord& known, const Record& answer, Time now);

/// Erase some answers that are too old, and tell how many. A failure costs nothing but room.
Result<std::size_t> forget_old_answers(Storage& storage, Time now);

}  // namespace openindex::engine
