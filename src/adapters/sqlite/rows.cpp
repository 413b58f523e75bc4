#include "adapters/sqlite/rows.hpp"

#include <array>
#include <span>
#include <utility>

namespace openindex::sqlite {
namespace {

/// Which indexes a statement writes: bit n for the nth schema that has columns of its own.
using IndexSet = unsigned;

constexpr std::size_t index_set_count = std::size_t{1} << (index_count - 1);

std::span<const IndexSchema> entry_schemas() { return index_schemas().subspan(1); }

IndexSet bit_of(const IndexSchema& schema) { return 1U << (static_cast<unsigned>(schema.index) - 1); }

const IndexEntry* entry_for(const Put& put, Index index) {
  for (const auto& entry : put.index) {
    if (entry.index == index) return &entry;
  }
  return nullptr;
}

/// Name every column of the chosen indexes, each behind a comma and with something behind it.
std::string columns_of(IndexSet chosen, std::string_view behind) {
  std::string columns;
  for (const auto& schema : entry_schemas()) {
    if ((chosen & bit_of(schema)) == 0) continue;
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      columns += ", " + column_of(schema.index, i) + std::string(behind);
    }
  }
  return columns;
}

constexpr IndexSet every_index = index_set_count - 1;

template <class Build>
std::array<std::string, index_set_count> for_every_set(Build build) {
  std::array<std::string, index_set_count> texts;
  for (IndexSet chosen = 0; chosen < index_set_count; ++chosen) texts[chosen] = build(chosen);
  return texts;
}

/// Texts differ by the indexes they write: a statement that names no column of an index leaves that index alone.
const std::string& insert_text(IndexSet chosen) {
  static const auto texts = for_every_set([](IndexSet set) {
    std::string values = "?, ?, 1, ?";
    for (const char c : columns_of(set, "")) {
      if (c == ',') values += ", ?";
    }
    return "INSERT INTO main.records (kind, key, version, body" + columns_of(set, "") + ") VALUES (" + values + ")";
  });
  return texts[chosen];
}

const std::string& append_text(IndexSet chosen) {
  static const auto texts =
      for_every_set([](IndexSet set) { return insert_text(set) + " ON CONFLICT (kind, key) DO NOTHING"; });
  return texts[chosen];
}

const std::string& update_text(IndexSet chosen) {
  static const auto texts = for_every_set([](IndexSet set) {
    return "UPDATE main.records SET version = ?, body = ?" + columns_of(set, " = ?") + " WHERE id = ?";
  });
  return texts[chosen];
}

std::string select_text(std::string_view where) {
  return "SELECT kind, key, version" + columns_of(every_index, "") + ", body FROM main.records WHERE " +
         std::string(where);
}

void bind_entries(Query& query, const Put& put, IndexSet chosen) {
  for (const auto& schema : entry_schemas()) {
    if ((chosen & bit_of(schema)) == 0) continue;
    const auto* entry = entry_for(put, schema.index);
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      if (entry != nullptr) {
        query.bind_value(entry->values[i]);
      } else {
        query.bind_null();
      }
    }
  }
}

IndexValue copy(const storage::FieldView& field) {
  if (const auto* text = std::get_if<std::string_view>(&field)) return std::string(*text);
  return std::get<std::int64_t>(field);
}

Record record_of(const Query& row) {
  Record record{
      {std::string(row.text(0)), std::string(row.text(1))}, static_cast<std::uint64_t>(row.integer(2)), {}, {}};
  int column = 3;
  for (const auto& schema : entry_schemas()) {
    if (!row.is_null(column)) {
      auto& entry = record.index.emplace_back(IndexEntry{schema.index, {}});
      for (std::size_t i = 0; i < schema.fields.size(); ++i) {
        entry.values.push_back(copy(row.field(column + static_cast<int>(i), schema.fields[i].type)));
      }
    }
    column += static_cast<int>(schema.fields.size());
  }
  record.body = row.text(column);
  return record;
}

Result<void> done(Query& query) {
  if (auto stepped = query.next(); !stepped) return stepped.error();
  return {};
}

IndexSet entries_of(const Put& put) {
  IndexSet chosen = 0;
  for (const auto& entry : put.index) chosen |= bit_of(index_schema(entry.index));
  return chosen;
}

Result<void> insert(Connection& connection, const std::string& text, const Put& put, IndexSet chosen) {
  const auto statement = connection.prepare_constant(text);
  if (!statement) return statement.error();
  Query query(**statement);
  query.bind(put.id.kind).bind(put.id.key).bind_body(put.body);
  bind_entries(query, put, chosen);
  return done(query);
}

Result<std::optional<Record>> read_one(Query& query) {
  const auto row = query.next();
  if (!row) return row.error();
  if (!*row) return std::optional<Record>();
  return std::optional(record_of(query));
}

}  // namespace

std::string column_of(Index index, std::size_t field) {
  const auto& schema = index_schema(index);
  const std::string name(schema.fields[field].name);
  return index == Index::key ? name : std::string(schema.name) + "_" + name;
}

std::vector<std::string> place_columns(Index index) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < index_schema(index).fields.size(); ++i) columns.push_back(column_of(index, i));
  if (index != Index::key) columns.insert(columns.end(), {"kind", "key"});
  return columns;
}

Result<std::optional<Record>> read_record(Connection& connection, const RecordId& id) {
  static const std::string text = select_text("kind = ? AND key = ?");
  const auto statement = connection.prepare_constant(text);
  if (!statement) return statement.error();
  Query query(**statement);
  return read_one(query.bind(id.kind).bind(id.key));
}

Result<std::optional<Record>> read_body(Connection& connection, const RecordId& id) {
  static const std::string text = "SELECT version, body FROM main.records WHERE kind = ? AND key = ?";
  const auto statement = connection.prepare_constant(text);
  if (!statement) return statement.error();
  Query query(**statement);
  const auto row = query.bind(id.kind).bind(id.key).next();
  if (!row) return row.error();
  if (!*row) return std::optional<Record>();
  return std::optional(Record{id, static_cast<std::uint64_t>(query.integer(0)), std::string(query.text(1)), {}});
}

Result<std::vector<std::optional<Record>>> read_records(Connection& connection, std::span<const RecordId> ids,
                                                        ReadOne read) {
  std::vector<std::optional<Record>> records;
  records.reserve(ids.size());
  for (const auto& id : ids) {
    auto record = read(connection, id);
    if (!record) return record.error();
    records.push_back(std::move(*record));
  }
  return records;
}

Result<std::optional<Record>> read_row(Connection& connection, std::int64_t row) {
  static const std::string text = select_text("id = ?");
  const auto statement = connection.prepare_constant(text);
  if (!statement) return statement.error();
  Query query(**statement);
  return read_one(query.bind(row));
}

Result<std::uint64_t> read_version(Connection& connection, const RecordId& id) {
  static const std::string text = "SELECT version FROM main.records WHERE kind = ? AND key = ?";
  const auto statement = connection.prepare_constant(text);
  if (!statement) return statement.error();
  Query query(**statement);
  const auto row = query.bind(id.kind).bind(id.key).next();
  if (!row) return row.error();
  return *row ? static_cast<std::uint64_t>(query.integer(0)) : 0;
}

/// For each index whether the row's entry differs from what is bound; where nothing is, whether there is an entry. CASE
/// looks at one column after the other and ends at the first difference: a text that is looked at is a text that is
/// copied.
std::string differences(IndexSet bound) {
  std::string texts;
  for (const auto& schema : entry_schemas()) {
    if ((bound & bit_of(schema)) == 0) {
      texts += ", " + column_of(schema.index, 0) + " IS NOT NULL";
      continue;
    }
    texts += ", CASE";
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      texts += " WHEN " + column_of(schema.index, i) + " IS NOT ? THEN 1";
    }
    texts += " ELSE 0 END";
  }
  return texts;
}

const std::string& target_text(IndexSet bound) {
  static const auto texts = for_every_set([](IndexSet set) {
    return "SELECT id, version" + differences(set) + " FROM main.records WHERE kind = ? AND key = ?";
  });
  return texts[bound];
}

Result<Target> find_target(Connection& connection, const Put& put) {
  const auto chosen = entries_of(put);
  const auto statement = connection.prepare_constant(target_text(chosen));
  if (!statement) return statement.error();
  Query found(**statement);
  bind_entries(found, put, chosen);
  const auto row = found.bind(put.id.kind).bind(put.id.key).next();
  if (!row) return row.error();
  if (!*row) return Target{};
  Target target{found.integer(0), static_cast<std::uint64_t>(found.integer(1)), 0};
  int column = 2;
  for (const auto& schema : entry_schemas()) {
    if (found.integer(column++) != 0) target.changed |= bit_of(schema);
  }
  return target;
}

Result<std::uint64_t> write_record(Connection& connection, const Put& put, const Target& target) {
  if (!target.row) {
    const auto chosen = entries_of(put);
    auto inserted = insert(connection, insert_text(chosen), put, chosen);
    return inserted ? Result<std::uint64_t>(std::uint64_t{1}) : inserted.error();
  }
  const auto update = connection.prepare_constant(update_text(target.changed));
  if (!update) return update.error();
  Query query(**update);
  query.bind(static_cast<std::int64_t>(target.version + 1)).bind_body(put.body);
  bind_entries(query, put, target.changed);
  if (auto updated = done(query.bind(*target.row)); !updated) return updated.error();
  return target.version + 1;
}

Result<bool> append_record(Connection& connection, const Put& put) {
  const auto chosen = entries_of(put);
  auto inserted = insert(connection, append_text(chosen), put, chosen);
  if (!inserted) return inserted.error();
  return sqlite3_changes(connection.raw()) == 1;
}

Result<void> erase_record(Connection& connection, const RecordId& id) {
  static const std::string text = "DELETE FROM main.records WHERE kind = ? AND key = ?";
  const auto statement = connection.prepare_constant(text);
  if (!statement) return statement.error();
  Query query(**statement);
  return done(query.bind(id.kind).bind(id.key));
}

}  // namespace openindex::sqlite
