// ChangeSet: everything that one decision changes, applied whole or not at all.
//
// The engine builds it, a `Storage` applies it. A backend checks every expectation before it writes anything: that is
// the entire concurrency model, on every backend.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <openindex/core/ids.hpp>
#include <openindex/storage/index.hpp>

namespace openindex {
inline namespace v0 {

/// Name a record. Kind: 1 to 40 bytes of `a-z_.`; key: 1 to 400 bytes of UTF-8 without control characters.
struct RecordId {
  std::string kind = {};
  std::string key = {};

  friend bool operator==(const RecordId&, const RecordId&) = default;
  friend auto operator<=>(const RecordId&, const RecordId&) = default;
};

/// A record as stored. `version` starts at 1 and rises by one with every put.
struct Record {
  RecordId id = {};
  std::uint64_t version = 0;
  std::string body = {};  ///< Bytes, at most 4 MiB; JSON text in everything this library writes. NUL bytes are kept.
  std::vector<IndexEntry> index = {};
};

/// Require that a record still has this version; version 0: that it does not exist.
struct Expectation {
  RecordId id = {};
  std::uint64_t version = 0;
};

/// Write a record, new or not. Its index entries replace the ones it had.
struct Put {
  RecordId id = {};
  std::string body = {};
  std::vector<IndexEntry> index = {};
};

struct ChangeSet {
  CommitId id = {};                            ///< Minted before the attempt; for finding out what became of it.
  std::vector<Expectation> expectations = {};  ///< All checked before anything is written.
  std::vector<Put> puts = {};
  std::vector<RecordId> erases = {};  ///< Erasing what is not there is no error.
  std::vector<Put> appends = {};      ///< Records that must not exist yet and never change: audit, journal.
};

}  // namespace v0
}  // namespace openindex
