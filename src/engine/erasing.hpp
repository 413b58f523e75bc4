// Erasing records for good, in small commits and no more than a call may.
#pragma once

#include <cstdint>
#include <string>

#include "engine/core.hpp"
#include "engine/pruned_item.hpp"

namespace openindex::engine {

class Erasing {
 public:
  static constexpr std::uint32_t count_max = 256;  ///< Records in one commit.

  /// `records_max`: about how many the call may erase.
  Erasing(EngineCore& core, const Actor& actor, Time now, std::uint64_t records_max)
      : core_(core), storage_(core.options.storage), actor_(actor), now_(now), records_max_(records_max) {}

  /// Whether the call has erased what it may.
  [[nodiscard]] bool spent() const { return spent_ >= records_max_; }
  [[nodiscard]] std::uint64_t records() const { return records_; }

  /// Records that somebody else erased for the call.
  void count(std::uint64_t records) {
    spent_ += records;
    records_ += records;
  }

  /// @returns false when somebody else was quicker, with the same or with a change that makes this one idle.
  Result<bool> commit(const ChangeSet& changes);

  /// Erase records of one kind, by key. @returns whether none is left: the call may have erased what it may, or another
  /// call has done it.
  Result<bool> range(const char* kind, const std::string& from, const std::string& below, const Expectation& still);

  /// Erase what a pruned item left behind, as far as the call may.
  Result<void> leftovers(const PrunedItem& mark);

  /// Append to the stream of what the domain has forgotten.
  Result<void> tell_domain(ChangeSet& changes, const std::string& domain, const AuditDraft& draft);

  AuditFrame frame(std::string_view stream, std::string_view domain, const ChangeSet& changes) const;

 private:
  EngineCore& core_;
  Storage& storage_;
  const Actor& actor_;
  const Time now_;
  const std::uint64_t records_max_;
  std::uint64_t spent_ = 0;
  std::uint64_t records_ = 0;
};

}  // namespace openindex::engine
