// The hash chain of one stream's audit entries: writing the next ones, checking the stored ones.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>
#include <openindex/storage/change_set.hpp>
#include <openindex/work/audit_entry.hpp>
#include <openindex/work/rules.hpp>

namespace openindex::engine {

/// Where a chain stands; kept in the record that the stream is about.
struct ChainHead {
  std::uint64_t count = 0;
  std::string digest;  ///< Hex SHA-256 of the last entry's stored bytes; empty before the first.
};

/// What all entries of one commit share.
struct AuditFrame {
  std::string_view stream;  ///< Item key, `workflow.<id>`, `provider.<id>`, `prompt.<name>`.
  std::string_view domain;  ///< Empty: of no domain.
  const Actor& actor;
  Time at;
  std::string_view commit;  ///< Id of the commit, so that its fate can be found out.
  std::string_view stage;
  std::string_view step;
  std::uint64_t epoch = 0;
};

/// Append the drafts to a change set and move the head on.
void append_audit(ChangeSet& changes, ChainHead& head, const AuditFrame& frame, std::span<const AuditDraft> drafts);

/// Name the record of one entry.
RecordId audit_record(std::string_view stream, std::uint64_t number);

/// Read the bytes of one entry; its stream stays empty. @par Errors storage_corrupt
Result<AuditEntry> read_audit(std::uint64_t number, std::string_view body);

/// Read one stored entry with its stream. @par Errors storage_corrupt
Result<AuditEntry> read_audit(const Record& record);

/// Return the digest that the next entry and the head carry.
std::string audit_digest(std::string_view body);

/// The commit id that an appended record (audit entry or journal step) carries; empty when it has none.
std::string commit_of(std::string_view body);

}  // namespace openindex::engine
