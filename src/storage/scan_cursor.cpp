#include "storage/scan_cursor.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace openindex::storage {
namespace {

constexpr std::uint32_t page_rows_max = 10'000;
constexpr char cursor_format = 1;

Error refused(std::string message) { return Error(errc::invalid_argument, std::move(message)); }

bool fits(const IndexValue& value, IndexType type) {
  return std::holds_alternative<std::string>(value) == (type == IndexType::text);
}

Error wrong_type(const IndexSchema& schema, std::size_t field) {
  return refused("A value of a scan has another type than the index field.")
      .with("field", std::string(schema.name) + "." + std::string(schema.fields[field].name));
}

Result<void> check_bound(const IndexSchema& schema, std::size_t field, const std::optional<IndexValue>& bound) {
  if (!bound) return {};
  if (field >= schema.fields.size()) return refused("A scan has a range, but its prefix names every field already.");
  if (!fits(*bound, schema.fields[field].type)) return wrong_type(schema, field);
  return {};
}

void append_number(std::string& bytes, std::uint64_t number, int size) {
  for (int i = size - 1; i >= 0; --i) bytes.push_back(static_cast<char>((number >> (8 * i)) & 0xff));
}

/// Takes bytes off the front; after a failure everything is empty and `failed`.
struct ByteReader {
  std::string_view rest;
  bool failed = false;

  std::string_view take(std::size_t size) {
    if (size > rest.size()) failed = true;
    const auto taken = failed ? std::string_view() : rest.substr(0, size);
    rest.remove_prefix(taken.size());
    return taken;
  }

  std::uint64_t take_number(std::size_t size) {
    std::uint64_t number = 0;
    for (const char byte : take(size)) number = (number << 8) | static_cast<unsigned char>(byte);
    return number;
  }
};

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    hex.push_back(digits[static_cast<unsigned char>(byte) >> 4]);
    hex.push_back(digits[static_cast<unsigned char>(byte) & 0xf]);
  }
  return hex;
}

std::optional<std::string> from_hex(std::string_view hex) {
  const auto nibble = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = nibble(hex[i]);
    const int low = nibble(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::string cursor_head(const ScanRequest& request) {
  return {cursor_format, static_cast<char>(request.index), request.descending ? '\1' : '\0'};
}

/// A cursor of another request would silently skip or repeat rows.
bool lies_within(const Place& place, const ScanRequest& request) {
  if (!std::equal(request.prefix.begin(), request.prefix.end(), place.begin())) return false;
  const auto& next = place[std::min(request.prefix.size(), place.size() - 1)];
  return !(request.from && next < *request.from) && !(request.below && !(next < *request.below));
}

}  // namespace

Selection::Selection(const ScanRequest& request)
    : index(request.index), prefix(request.prefix), from(request.from), below(request.below), where(request.where) {}

Selection::Selection(const CountRequest& request)
    : index(request.index), prefix(request.prefix), from(request.from), below(request.below), where(request.where) {}

std::vector<IndexType> place_types(Index index) {
  std::vector<IndexType> types;
  for (const auto& field : index_schema(index).fields) types.push_back(field.type);
  if (index != Index::key) types.insert(types.end(), 2, IndexType::text);
  return types;
}

Result<void> check_selection(const Selection& selection) {
  if (static_cast<std::size_t>(selection.index) >= index_schemas().size()) return refused("There is no such index.");
  const auto& schema = index_schema(selection.index);
  if (selection.prefix.size() > schema.fields.size()) return refused("A prefix has more values than the index fields.");
  for (std::size_t i = 0; i < selection.prefix.size(); ++i) {
    if (!fits(selection.prefix[i], schema.fields[i].type)) return wrong_type(schema, i);
  }
  for (const auto* bound : {&selection.from, &selection.below}) {
    if (auto checked = check_bound(schema, selection.prefix.size(), *bound); !checked) return checked;
  }
  for (const auto& predicate : selection.where) {
    if (predicate.field >= schema.fields.size()) return refused("A predicate names a field that the index has not.");
    if (!fits(predicate.value, schema.fields[predicate.field].type)) return wrong_type(schema, predicate.field);
    if (predicate.op == Predicate::Op::has_bits && std::holds_alternative<std::string>(predicate.value)) {
      return refused("A predicate asks for bits of a text.");
    }
  }
  return {};
}

Result<void> check_scan(const ScanRequest& request) {
  if (request.limit_count == 0 || request.limit_count > page_rows_max) {
    return refused("A page has 1 to 10,000 rows.").with("limit_count", std::to_string(request.limit_count));
  }
  if (request.examine_count == 0) return refused("A scan that may examine no row would never end.");
  return check_selection(Selection(request));
}

std::strong_ordering compare(const FieldView& found, const IndexValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return std::get<std::string_view>(found) <=> *text;
  return std::get<std::int64_t>(found) <=> std::get<std::int64_t>(value);
}

bool holds(const Predicate& predicate, const FieldView& found) {
  const auto order = compare(found, predicate.value);
  switch (predicate.op) {
    case Predicate::Op::equal:
      return order == 0;
    case Predicate::Op::not_equal:
      return order != 0;
    case Predicate::Op::less:
      return order < 0;
    case Predicate::Op::less_equal:
      return order <= 0;
    case Predicate::Op::greater:
      return order > 0;
    case Predicate::Op::greater_equal:
      return order >= 0;
    case Predicate::Op::has_bits: {
      const auto wanted = std::get<std::int64_t>(predicate.value);
      return (std::get<std::int64_t>(found) & wanted) == wanted;
    }
  }
  return false;
}

Result<std::optional<Place>> read_cursor(const ScanRequest& request) {
  if (request.after.empty()) return std::optional<Place>();
  const auto refusal = [] { return refused("This is not a cursor of this scan."); };
  const auto bytes = from_hex(request.after);
  const std::string head = cursor_head(request);
  if (!bytes || !bytes->starts_with(head)) return refusal();

  ByteReader reader{std::string_view(*bytes).substr(head.size())};
  Place place;
  for (const auto type : place_types(request.index)) {
    if (type == IndexType::text) {
      place.emplace_back(std::string(reader.take(reader.take_number(2))));
    } else {
      place.emplace_back(static_cast<std::int64_t>(reader.take_number(8)));
    }
  }
  if (reader.failed || !reader.rest.empty() || !lies_within(place, request)) return refusal();
  return std::optional(std::move(place));
}

}  // namespace openindex::storage

namespace openindex {
inline namespace v0 {

std::string write_cursor(const ScanRequest& request, const IndexPlace& place) {
  std::string bytes = storage::cursor_head(request);
  for (const auto& value : place) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      storage::append_number(bytes, text->size(), 2);
      bytes += *text;
    } else {
      storage::append_number(bytes, static_cast<std::uint64_t>(std::get<std::int64_t>(value)), 8);
    }
  }
  return storage::to_hex(bytes);
}

}  // namespace v0
}  // namespace openindex
