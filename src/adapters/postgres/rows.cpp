#include "adapters/postgres/rows.hpp"

#include <algorithm>
#include <utility>

#include "adapters/postgres/schema.hpp"
#include "core/utf8.hpp"

namespace openindex::postgres {
namespace {

constexpr int version_column = 2;
constexpr int body_column = 3;
constexpr int bytes_column = 4;
constexpr int first_index_column = 5;

/// How large the bodies of one command become before another one is begun.
constexpr std::size_t command_bytes_max = std::size_t{8} << 20;

std::span<const IndexSchema> entry_schemas() { return index_schemas().subspan(1); }

struct Column {
  std::string name;
  Type type;
};

/// Which columns a command writes. Each costs its part of every commit, and few records feed the indexes that have a
/// third of them: rows that do not are written without, which leaves those empty.
enum class Width { whole, lean };

bool is_seldom_fed(Index index) { return index == Index::text || index == Index::tree; }

bool leaves_out(Width width, Index index) { return width == Width::lean && is_seldom_fed(index); }

std::vector<Column> columns_of(Index index) {
  std::vector<Column> columns;
  const auto& fields = index_schema(index).fields;
  for (std::size_t i = 0; i < fields.size(); ++i) columns.push_back({column_of(index, i), type_of(fields[i].type)});
  return columns;
}

std::vector<Column> make_columns(Width width) {
  std::vector<Column> all = {{"kind", Type::text},
                             {"key", Type::text},
                             {"version", Type::integer},
                             {"body", Type::text},
                             {"body_bytes", Type::bytes}};
  for (const auto& schema : entry_schemas()) {
    if (leaves_out(width, schema.index)) continue;
    for (Column& column : columns_of(schema.index)) all.push_back(std::move(column));
  }
  return all;
}

/// What a write sets, in the order of its parameters behind the domain.
const std::vector<Column>& written_columns(Width width = Width::whole) {
  static const std::vector<Column> whole = make_columns(Width::whole);
  static const std::vector<Column> lean = make_columns(Width::lean);
  return width == Width::whole ? whole : lean;
}

std::string insert_text(const std::string& table, Width width) {
  std::string names;
  std::string arrays;
  int parameter = 1;
  for (const auto& column : written_columns(width)) {
    names += ", " + column.name;
    arrays += arrays.empty() ? "$" : ", $";
    arrays += std::to_string(++parameter);
    arrays += "::";
    arrays += array_name(column.type);
  }
  return "INSERT INTO " + table + " (domain" + names + ") SELECT $1" + names + " FROM unnest(" + arrays + ") AS w (" +
         names.substr(2) + ")";
}

/// An update finds its row by the primary key, whatever the planner thinks of the table.
std::string replace_text(const std::string& table, Width width) {
  std::string text = insert_text(table, width) + " ON CONFLICT (domain, kind, key) DO UPDATE SET ";
  const auto columns = std::span(written_columns(width)).subspan(version_column);
  for (const auto& column : columns) {
    text += (&column == columns.data() ? "" : ", ") + column.name + " = excluded." + column.name;
  }
  for (const auto& schema : entry_schemas()) {
    if (!leaves_out(width, schema.index)) continue;
    for (const Column& column : columns_of(schema.index)) text += ", " + column.name + " = NULL";
  }
  return text;
}

std::vector<Oid> write_types(Width width) {
  std::vector<Oid> types = {static_cast<Oid>(Type::text)};
  for (const auto& column : written_columns(width)) types.push_back(array_oid(column.type));
  return types;
}

bool feeds_seldom(const Row& row) {
  return row.put != nullptr && std::any_of(row.put->index.begin(), row.put->index.end(),
                                           [](const IndexEntry& entry) { return is_seldom_fed(entry.index); });
}

const IndexEntry* entry_for(const Put& put, Index index) {
  for (const auto& entry : put.index) {
    if (entry.index == index) return &entry;
  }
  return nullptr;
}

/// What to send for a name: one that is no text is the same as the empty one, which no record has.
const RecordId& sendable(const RecordId& id) {
  static const RecordId nobody;
  return fits_text(id.kind) && fits_text(id.key) ? id : nobody;
}

/// The arrays of one command: a column each.
class Batch {
 public:
  explicit Batch(Width width) : width_(width) {
    for (const auto& column : written_columns(width)) arrays_.emplace_back(column.type);
  }

  void add(const Row& row) {
    auto array = arrays_.begin();
    (array++)->add(row.id->kind);
    (array++)->add(row.id->key);
    (array++)->add(static_cast<std::int64_t>(row.version));
    const std::string_view body = row.put != nullptr ? std::string_view(row.put->body) : std::string_view();
    const bool text = fits_text(body);
    auto& body_array = *array++;
    auto& bytes_array = *array++;
    text ? body_array.add(body) : body_array.add_null();
    text ? bytes_array.add_null() : bytes_array.add(body);
    bytes_ += body.size();
    for (const auto& schema : entry_schemas()) {
      if (leaves_out(width_, schema.index)) continue;
      const auto* entry = row.put != nullptr ? entry_for(*row.put, schema.index) : nullptr;
      for (std::size_t i = 0; i < schema.fields.size(); ++i, ++array) {
        entry != nullptr ? array->add_value(entry->values[i]) : array->add_null();
      }
    }
  }

  [[nodiscard]] bool is_full() const { return bytes_ >= command_bytes_max; }

  [[nodiscard]] Parameters parameters(std::string_view domain) const {
    Parameters parameters;
    parameters.text(domain);
    for (const auto& array : arrays_) parameters.array(array);
    return parameters;
  }

 private:
  Width width_;
  std::vector<Array> arrays_;
  std::size_t bytes_ = 0;
};

IndexValue copy(const storage::FieldView& field) {
  if (const auto* text = std::get_if<std::string_view>(&field)) return std::string(*text);
  return std::get<std::int64_t>(field);
}

constexpr Oid text_type = static_cast<Oid>(Type::text);

/// Behind a pooler several schemas, and several versions of this library, share a server's session: what they prepare
/// must not be taken for one another's.
void name_by_text(Statement& statement) {
  if (statement.name.empty()) return;
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: the same in every process
  for (const char c : statement.sql) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  statement.name += '_';
  statement.name += std::to_string(hash);
}

}  // namespace

std::string_view domain_of(std::string_view key) {
  for (const std::string_view before : {"run_", "item/"}) {
    if (!key.starts_with(before)) continue;
    key.remove_prefix(before.size());
    break;
  }
  return key.substr(0, key.find_first_of("-/."));
}

bool fits_text(std::string_view bytes) { return bytes.find('\0') == std::string_view::npos && is_utf8(bytes); }

std::string column_of(Index index, std::size_t field) {
  const auto& schema = index_schema(index);
  const std::string name(schema.fields[field].name);
  return index == Index::key ? name : std::string(schema.name) + "_" + name;
}

const std::string& record_columns() {
  static const auto columns = [] {
    std::string text;
    for (const auto& column : written_columns()) text += (text.empty() ? "" : ", ") + column.name;
    return text;
  }();
  return columns;
}

int record_column_count() { return static_cast<int>(written_columns().size()); }

Record record_of(const Rows& rows, int row) {
  Record record{{std::string(rows.text(row, 0)), std::string(rows.text(row, 1))},
                static_cast<std::uint64_t>(rows.integer(row, version_column)),
                std::string(rows.text(row, rows.is_null(row, body_column) ? bytes_column : body_column)),
                {}};
  int column = first_index_column;
  for (const auto& schema : entry_schemas()) {
    if (!rows.is_null(row, column)) {
      auto& entry = record.index.emplace_back(IndexEntry{schema.index, {}});
      for (std::size_t i = 0; i < schema.fields.size(); ++i) {
        entry.values.push_back(copy(rows.field(row, column + static_cast<int>(i), schema.fields[i].type)));
      }
    }
    column += static_cast<int>(schema.fields.size());
  }
  return record;
}

void take_bodies(const Rows& rows, std::span<const RecordId> ids, std::vector<std::optional<Record>>& records) {
  for (int row = 0; row < rows.count(); ++row) {
    const auto place = static_cast<std::size_t>(rows.integer(row, 0)) - 1;
    records[place] = Record{ids[place],
                            static_cast<std::uint64_t>(rows.integer(row, 1)),
                            std::string(rows.text(row, rows.is_null(row, 2) ? 3 : 2)),
                            {}};
  }
}

Statements::Statements(const std::string& schema, bool notifications, bool is_postgresql)
    : table(quoted(schema) + ".records"), sequence(quoted(schema) + ".changes") {
  const std::string named = " WHERE domain = $1 AND kind = $2 AND key = $3";
  const std::vector<Oid> name_types(3, text_type);
  read = {"SELECT " + record_columns() + " FROM " + table + named, "openindex_read", name_types};
  read_bodies = {
      "SELECT w.place, f.version, f.body, f.body_bytes FROM unnest((SELECT $2::text[]), (SELECT $3::text[])) WITH "
      "ORDINALITY AS "
      "w (kind, key, place), LATERAL (SELECT version, body, body_bytes FROM " +
          table + " r WHERE r.domain = $1 AND r.kind = w.kind AND r.key = w.key) f",
      "openindex_read_bodies",
      {text_type, array_oid(Type::text), array_oid(Type::text)}};
  read_many = {"SELECT " + record_columns() + " FROM " + table +
                   " WHERE (domain, kind, key) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))",
               {},
               {}};
  // The inner query makes sure that each record is looked up by its key, in the order that is asked for: the same for
  // everybody, so that nobody waits for who waits for him.
  lock = {
      "SELECT f.kind, f.key, f.version FROM unnest((SELECT $2::text[]), (SELECT $3::text[])) AS w (kind, key), LATERAL "
      "(SELECT kind, "
      "key, version FROM " +
          table + " r WHERE r.domain = $1 AND r.kind = w.kind AND r.key = w.key FOR UPDATE) f",
      "openindex_lock",
      {text_type, array_oid(Type::text), array_oid(Type::text)}};
  lock_free = {
      "SELECT w.kind, w.key, coalesce(f.version, " + std::to_string(locked_version) +
          ") FROM unnest($2::text[], $3::text[]) AS w (kind, key) CROSS JOIN LATERAL (SELECT 1 FROM " + table +
          " r WHERE r.domain = $1 AND r.kind = w.kind AND r.key = w.key) e LEFT JOIN LATERAL (SELECT version FROM " +
          table + " r WHERE r.domain = $1 AND r.kind = w.kind AND r.key = w.key FOR UPDATE SKIP LOCKED) f ON true",
      {},
      {}};
  const auto writing = [&](auto* text, const char* name) {
    const auto as = [&](Width width) { return Statement{text(table, width), name, write_types(width)}; };
    return WriteStatements{as(Width::whole), as(Width::lean)};
  };
  insert = writing(insert_text, "openindex_insert");
  replace = writing(replace_text, "openindex_replace");
  erase = {"DELETE FROM " + table + named, "openindex_erase", name_types};
  // A sequence writes to the log every 32nd time; a hint must not wait for the disk.
  announce = {"SELECT nextval($1::text::regclass) FROM set_config('synchronous_commit', 'off', true)",
              "openindex_announce",
              {text_type}};
  if (notifications) {
    announce.sql += ", pg_notify($2, $3)";
    announce.types = {text_type, text_type, text_type};
  }
  // A new sequence shows the value that it will give first.
  changes = {"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM " + sequence};
  lock_settings = {
      "SELECT set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $2, true)",
      "openindex_lock_settings",
      {text_type, text_type}};
  if (is_postgresql) {
    // A plan that needs what is switched off looks expensive enough to be compiled: 0.4 s for a walk of three rows.
    plan_settings = {
        "SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true), "
        "set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)",
        "openindex_plan_settings",
        {}};
  }
  for (auto* one : {&read, &read_bodies, &lock, &insert.whole, &insert.lean, &replace.whole, &replace.lean, &erase,
                    &announce, &lock_settings, &plan_settings})
    name_by_text(*one);
}

std::vector<const Statement*> Statements::prepared() const {
  std::vector all = {&read,          &read_bodies,  &lock,  &insert.whole, &insert.lean,
                     &replace.whole, &replace.lean, &erase, &announce,     &lock_settings};
  if (!plan_settings.sql.empty()) all.push_back(&plan_settings);
  return all;
}

void append_writes(std::vector<Command>& commands, const WriteStatements& statements, std::span<const Row> rows) {
  const auto width = std::any_of(rows.begin(), rows.end(), feeds_seldom) ? Width::whole : Width::lean;
  for (std::size_t at = 0; at < rows.size();) {
    const auto domain = domain_of(rows[at].id->key);
    Batch batch(width);
    for (; at < rows.size() && domain_of(rows[at].id->key) == domain && !batch.is_full(); ++at) batch.add(rows[at]);
    commands.push_back({width == Width::lean ? &statements.lean : &statements.whole, batch.parameters(domain)});
  }
}

Parameters name_of(const RecordId& id) {
  const auto& sent = sendable(id);
  Parameters parameters;
  parameters.text(domain_of(sent.key)).text(sent.kind).text(sent.key);
  return parameters;
}

Parameters names_of(std::span<const RecordId> ids) {
  Array domains(Type::text);
  Array kinds(Type::text);
  Array keys(Type::text);
  for (const auto& id : ids) {
    const auto& sent = sendable(id);
    domains.add(domain_of(sent.key));
    kinds.add(std::string_view(sent.kind));
    keys.add(std::string_view(sent.key));
  }
  Parameters parameters;
  parameters.array(domains).array(kinds).array(keys);
  return parameters;
}

std::optional<Parameters> names_in_domain(std::span<const RecordId> ids) {
  const auto domain = domain_of(ids.front().key);
  Array kinds(Type::text);
  Array keys(Type::text);
  for (const auto& id : ids) {
    if (domain_of(id.key) != domain || !fits_text(id.kind) || !fits_text(id.key)) return std::nullopt;
    kinds.add(std::string_view(id.kind));
    keys.add(std::string_view(id.key));
  }
  Parameters parameters;
  parameters.text(domain).array(kinds).array(keys);
  return parameters;
}

}  // namespace openindex::postgres
