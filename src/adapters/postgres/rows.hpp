// Records as rows: the statements that read and write the `records` table, and what their columns mean.
//
// The primary key leads with the record's domain, so that an engine that distributes rows keeps together what is
// committed together. It is no field of a record but a part of its key.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/storage/storage.hpp>

#include "adapters/postgres/connection.hpp"

namespace openindex::postgres {

/// What stands in a key before its first dash, slash or dot: `OPS` of `OPS-12/00000003`. A leading `run_` or `item/`
/// does not count: the runs of an item, and the counter of a domain, are written together with its items.
std::string_view domain_of(std::string_view key);

/// Return the column of an index field, such as `queue_rank`; the fields of `Index::key` are columns by themselves.
std::string column_of(Index index, std::size_t field);

/// The columns of a record, as `record_of` reads them: `kind, key, version, body, ...`.
const std::string& record_columns();

/// How many columns those are.
int record_column_count();

Record record_of(const Rows& rows, int row);

/// Put what `Statements::read_bodies` found, records without index entries, in the places of their names.
void take_bodies(const Rows& rows, std::span<const RecordId> ids, std::vector<std::optional<Record>>& records);

/// What `Statements::lock_free` gives for the version of a record that is locked.
inline constexpr std::int64_t locked_version = -1;

/// A statement that writes rows, and the same for rows that feed no index which few records feed.
struct WriteStatements {
  Statement whole;
  Statement lean;
};

/// Everything that is said to the server again and again, for one schema.
struct Statements {
  Statements(const std::string& schema, bool notifications, bool is_postgresql);

  std::string table;     ///< Qualified and in quotes.
  std::string sequence;  ///< That counts commits, likewise.

  Statement read;          ///< One record: domain, kind, key.
  Statement read_bodies;   ///< Versions and bodies of records of a domain, and which: domain, kinds, keys.
  Statement read_many;     ///< Several records: domains, kinds, keys.
  Statement lock;          ///< Versions of the records of a domain that are there, locked: domain, kinds, keys.
  Statement lock_free;     ///< Likewise, but does not wait: version `locked_version` where somebody else has locked it.
  WriteStatements insert;  ///< New records of a domain; fails when one is there.
  WriteStatements replace;  ///< Records of a domain that are there, and locked.
  Statement erase;          ///< One record: domain, kind, key.
  Statement announce;       ///< Count a commit; with notifications tell who listens: sequence, channel, who tells.
  Statement changes;        ///< How many commits were counted.
  Statement lock_settings;  ///< For this transaction: how long to wait for a lock, and for the next command.
  Statement plan_settings;  ///< For this transaction: walk along indexes. Empty where that cannot be said.

  /// Those worth preparing on each connection.
  [[nodiscard]] std::vector<const Statement*> prepared() const;
};

/// A row to write. Without a put it only occupies the place of a record that must not come into being.
struct Row {
  const RecordId* id = nullptr;
  const Put* put = nullptr;
  std::uint64_t version = 0;
};

/// The commands that write rows, which are in order of their domains: one for each domain, more for large bodies.
void append_writes(std::vector<Command>& commands, const WriteStatements& statements, std::span<const Row> rows);

/// Whether PostgreSQL takes these bytes as text: UTF-8 without a NUL.
bool fits_text(std::string_view bytes);

/// The parameters that name one record, or several. A record whose name is no text cannot be there: nothing of it is
/// sent, for the server would refuse the whole statement, and with it the transaction it stands in.
Parameters name_of(const RecordId& id);
Parameters names_of(std::span<const RecordId> ids);

/// The same for records of one domain, which is named once; nullopt when they are of several, or one is no text.
std::optional<Parameters> names_in_domain(std::span<const RecordId> ids);

}  // namespace openindex::postgres
