#include "adapters/memory/stored_record.hpp"

#include <functional>
#include <variant>

namespace openindex::memory {
namespace {

// What ends a text: less than any byte that an index field may hold, so that a text sorts before its continuations.
constexpr char end_of_text = '\0';
constexpr std::size_t number_bytes = 8;
constexpr std::uint64_t sign = std::uint64_t{1} << 63;

/// The sign bit turned over and the high byte first: bytes then compare as the numbers do.
void append_number(std::string& out, std::int64_t number) {
  auto rest = static_cast<std::uint64_t>(number) ^ sign;
  char bytes[number_bytes];
  for (std::size_t i = number_bytes; i-- > 0; rest >>= 8) bytes[i] = static_cast<char>(rest & 0xff);
  out.append(bytes, number_bytes);
}

std::int64_t read_number(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < number_bytes; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return static_cast<std::int64_t>(number ^ sign);
}

void append_text(std::string& out, std::string_view text) { out.append(text).push_back(end_of_text); }

void append_value(std::string& out, const IndexValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    append_text(out, *text);
  } else {
    append_number(out, std::get<std::int64_t>(value));
  }
}

storage::FieldView take_field(std::string_view& rest, IndexType type) {
  const bool number = type == IndexType::integer;
  const std::size_t size = number ? number_bytes : rest.find(end_of_text);
  const auto bytes = rest.substr(0, size);
  rest.remove_prefix(number ? size : size + 1);
  if (number) return read_number(bytes);
  return bytes;
}

IndexValue copy(const storage::FieldView& field) {
  if (const auto* text = std::get_if<std::string_view>(&field)) return std::string(*text);
  return std::get<std::int64_t>(field);
}

const IndexEntry* entry_for(const Put& put, std::size_t index) {
  for (const auto& entry : put.index) {
    if (number_of(entry.index) == index) return &entry;
  }
  return nullptr;
}

std::size_t bytes_of(const Put& put) {
  std::size_t bytes = put.id.kind.size() + put.id.key.size() + put.body.size() + 2;
  for (const auto& entry : put.index) {
    for (const auto& value : entry.values) {
      const auto* text = std::get_if<std::string>(&value);
      bytes += text == nullptr ? number_bytes : text->size() + 1;
    }
  }
  return bytes;
}

}  // namespace

NameView::NameView(std::string_view its_kind, std::string_view its_key) : kind(its_kind), key(its_key) {
  const std::hash<std::string_view> hash_text;
  hash = hash_text(key) * 31 + hash_text(kind);
}

StoredRecord::StoredRecord(const Put& put) : kind_bytes_(static_cast<std::uint32_t>(put.id.kind.size())) {
  bytes_.reserve(bytes_of(put));
  append_text(bytes_, put.id.kind);
  append_text(bytes_, put.id.key);
  for (std::size_t i = 0; i < index_count; ++i) {
    if (const auto* entry = entry_for(put, i)) {
      for (const auto& value : entry->values) append_value(bytes_, value);
    }
    ends_[i] = static_cast<std::uint32_t>(bytes_.size());
  }
  bytes_.append(put.body);
}

std::string_view StoredRecord::key() const {
  const auto name = entry(Index::key);
  return name.substr(kind_bytes_ + 1, name.size() - kind_bytes_ - 2);
}

storage::FieldView StoredRecord::field(Index index, std::size_t position) const {
  const auto fields = index_schema(index).fields;
  if (position >= fields.size()) return position == fields.size() ? kind() : key();
  auto rest = entry(index);
  for (std::size_t i = 0; i < position; ++i) take_field(rest, fields[i].type);
  return take_field(rest, fields[position].type);
}

storage::Place StoredRecord::place(Index index) const {
  storage::Place place;
  auto rest = entry(index);
  for (const auto& field : index_schema(index).fields) place.push_back(copy(take_field(rest, field.type)));
  if (index == Index::key) return place;
  place.emplace_back(std::string(kind()));
  place.emplace_back(std::string(key()));
  return place;
}

Record StoredRecord::unpack() const {
  Record record{{std::string(kind()), std::string(key())}, version_, std::string(body()), {}};
  for (const auto& schema : index_schemas().subspan(1)) {
    auto rest = entry(schema.index);
    if (rest.empty()) continue;
    auto& values = record.index.emplace_back(IndexEntry{schema.index, {}}).values;
    values.reserve(schema.fields.size());
    for (const auto& field : schema.fields) values.push_back(copy(take_field(rest, field.type)));
  }
  return record;
}

// No entry holds a control character. The lowest that ends no text keeps what a request asks for in its place.
std::string packed(std::span<const IndexValue> values) {
  std::string out;
  for (const auto& value : values) {
    const std::size_t begin = out.size();
    append_value(out, value);
    if (!std::holds_alternative<std::string>(value)) continue;
    for (std::size_t i = begin; i + 1 < out.size(); ++i) {
      if (out[i] == end_of_text) out[i] = '\1';
    }
  }
  return out;
}

}  // namespace openindex::memory
