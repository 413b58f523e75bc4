// What a group of change sets amounts to: each is checked against what is stored and what those before it wrote, and in
// the end every record is written once.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <openindex/storage/storage.hpp>

#include "adapters/postgres/rows.hpp"

namespace openindex::postgres {

/// Records by name, to see which change sets have to do with each other.
class Names {
 public:
  void add(const RecordId& id) { ids_.insert(id); }
  void add(const ChangeSet& changes);

  /// One of the records that a change set names, if any is here.
  [[nodiscard]] const RecordId* met_by(const ChangeSet& changes) const;

 private:
  std::set<RecordId> ids_;
};

/// What has to be written, each list in order of domain, kind and key.
struct Writes {
  std::vector<Row> inserts = {};  ///< Were not there; some only to be erased again, which keeps others from inserting.
  std::vector<Row> replaces = {};
  std::vector<const RecordId*> erases = {};
};

class Ledger {
 public:
  /// Take note of every record that a change set names. All change sets must outlive the ledger.
  void add(const ChangeSet& changes);

  /// The records that were named, domain by domain.
  using Domain = std::map<RecordId, std::uint64_t>;  ///< With the stored version, 0 when there is none.
  [[nodiscard]] const std::map<std::string, Domain>& named() const { return stored_; }

  /// Take note of a version that is stored.
  void found(const RecordId& id, std::uint64_t version);

  /// Take note of a record that somebody else has locked. A set that names it cannot be applied, nor one that names a
  /// record of such a set: sets of one call are applied in order.
  void is_locked(const RecordId& id) { locked_.add(id); }

  /// Apply a change set that was added, whole or not at all. @par Errors conflict; as `locked`
  Result<CommitReceipt> apply(const ChangeSet& changes);

  [[nodiscard]] Writes writes() const;

 private:
  struct State {
    std::uint64_t version = 0;
    const Put* put = nullptr;      ///< The last one.
    bool written = false;          ///< By a put, an append or an erase.
    bool expected_absent = false;  ///< Somebody relies on its absence.
  };

  [[nodiscard]] std::uint64_t stored(const RecordId& id) const;
  State& state(const RecordId& id);
  Result<void> expect(const RecordId& id, std::uint64_t version);

  std::map<std::string, Domain> stored_;
  Names locked_;
  std::map<std::string, std::map<RecordId, State>> states_;
};

}  // namespace openindex::postgres
