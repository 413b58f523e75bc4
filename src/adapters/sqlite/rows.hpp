// Records as rows: the statements that read and write the `records` table, and what their columns mean.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <openindex/storage/storage.hpp>

#include "adapters/sqlite/connection.hpp"

namespace openindex::sqlite {

/// Return the column of an index field, such as `queue_rank`; the fields of `Index::key` are columns by themselves.
std::string column_of(Index index, std::size_t field);

/// Return the columns of a row's place in an index, in order and separated by commas.
std::vector<std::string> place_columns(Index index);

/// Read a record by name. @par Errors as Storage::get
Result<std::optional<Record>> read_record(Connection& connection, const RecordId& id);

/// Read a record without its index entries: each text among them would be copied once more.
/// @par Errors as Storage::get
Result<std::optional<Record>> read_body(Connection& connection, const RecordId& id);

using ReadOne = Result<std::optional<Record>> (*)(Connection&, const RecordId&);

/// Read records by name; of one moment if the connection is in a transaction. @par Errors as Storage::get
Result<std::vector<std::optional<Record>>> read_records(Connection& connection, std::span<const RecordId> ids,
                                                        ReadOne read);

/// Read a record by its row number, as a scan finds it. @par Errors as Storage::scan
Result<std::optional<Record>> read_row(Connection& connection, std::int64_t row);

/// Return a record's version, 0 when there is none. @par Errors storage_failed, storage_corrupt
Result<std::uint64_t> read_version(Connection& connection, const RecordId& id);

/// The row that a put is about to replace.
struct Target {
  std::optional<std::int64_t> row = {};  ///< Absent: there is no such record.
  std::uint64_t version = 0;
  unsigned changed = 0;  ///< Which index entries of the put differ from the row's.
};

/// Look up what a put replaces. @par Errors as read_version
Result<Target> find_target(Connection& connection, const Put& put);

/// Write a record, new or not, and return its new version. Nothing was written to it since `target` was looked up.
/// @par Errors storage_failed, storage_full, storage_corrupt
Result<std::uint64_t> write_record(Connection& connection, const Put& put, const Target& target);

/// Write a record that does not exist; false, and nothing is written, when it does. @par Errors as write_record
Result<bool> append_record(Connection& connection, const Put& put);

/// Erase a record if it is there. @par Errors as write_record
Result<void> erase_record(Connection& connection, const RecordId& id);

}  // namespace openindex::sqlite
