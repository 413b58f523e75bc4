#include "provider/protocols/bson.hpp"

#include <algorithm>
#include <bit>

#include "provider/protocols/wire.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t bson_members_max = 1000;

enum BsonType : unsigned char {
  bson_double = 0x01,
  bson_text = 0x02,
  bson_document = 0x03,
  bson_array = 0x04,
  bson_bytes = 0x05,
  bson_undefined = 0x06,
  bson_object_id = 0x07,
  bson_boolean = 0x08,
  bson_time = 0x09,
  bson_null = 0x0A,
  bson_pattern = 0x0B,
  bson_pointer = 0x0C,
  bson_code = 0x0D,
  bson_symbol = 0x0E,
  bson_scoped_code = 0x0F,
  bson_int32 = 0x10,
  bson_timestamp = 0x11,
  bson_int64 = 0x12,
  bson_decimal = 0x13,
  bson_max_key = 0x7F,
  bson_min_key = 0xFF,
};

std::string sized(std::size_t size) { return little_endian(static_cast<std::uint32_t>(size), 4); }

// Of a size that stands at the front, and what it counts besides the bytes behind it.
std::optional<std::size_t> counted(std::string_view rest, std::size_t besides) {
  if (rest.size() < 4) return std::nullopt;
  const std::size_t size = little_endian(rest, 0, 4);
  return size > rest.size() ? std::nullopt : std::optional(size + besides);
}

std::uint64_t wide(std::string_view eight) {
  return std::uint64_t{little_endian(eight, 4, 4)} << 32 | little_endian(eight, 0, 4);
}

}  // namespace

BsonWriter& BsonWriter::member(char type, std::string_view name, const std::string& value) {
  members_ += type;
  members_ += name;
  members_ += '\0';
  members_ += value;
  return *this;
}

BsonWriter& BsonWriter::number(std::string_view name, std::int32_t value) {
  return member(bson_int32, name, little_endian(static_cast<std::uint32_t>(value), 4));
}

BsonWriter& BsonWriter::boolean(std::string_view name, bool value) {
  return member(bson_boolean, name, std::string(1, value ? '\1' : '\0'));
}

BsonWriter& BsonWriter::text(std::string_view name, std::string_view value) {
  return member(bson_text, name, sized(value.size() + 1) + std::string(value) + '\0');
}

BsonWriter& BsonWriter::bytes(std::string_view name, std::string_view value) {
  return member(bson_bytes, name, sized(value.size()) + '\0' + std::string(value));
}

BsonWriter& BsonWriter::document(std::string_view name, const BsonWriter& value) {
  return member(bson_document, name, value.str());
}

std::string BsonWriter::str() const { return sized(members_.size() + 5) + members_ + '\0'; }

std::optional<std::size_t> BsonReader::size_of(unsigned char type, std::string_view rest) {
  switch (type) {
    case bson_undefined:
    case bson_null:
    case bson_min_key:
    case bson_max_key:
      return 0;
    case bson_boolean:
      return 1;
    case bson_int32:
      return 4;
    case bson_double:
    case bson_time:
    case bson_timestamp:
    case bson_int64:
      return 8;
    case bson_object_id:
      return 12;
    case bson_decimal:
      return 16;
    case bson_text:
    case bson_code:
    case bson_symbol:
      return counted(rest, 4);
    case bson_bytes:
      return counted(rest, 5);
    case bson_pointer:
      return counted(rest, 16);
    case bson_document:
    case bson_array:
    case bson_scoped_code:
      return counted(rest, 0);
    case bson_pattern: {
      const auto end = rest.find('\0');
      const auto options_end = end == std::string_view::npos ? end : rest.find('\0', end + 1);
      return options_end == std::string_view::npos ? std::nullopt : std::optional(options_end + 1);
    }
    default:
      return std::nullopt;
  }
}

Result<BsonReader> BsonReader::read(std::string_view bytes) {
  const Error malformed = errc::provider_malformed_reply;
  if (bytes.size() < 5 || little_endian(bytes, 0, 4) != bytes.size() || bytes.back() != '\0') return malformed;
  std::string_view rest = bytes.substr(4, bytes.size() - 5);
  BsonReader out;
  while (!rest.empty()) {
    const auto type = static_cast<unsigned char>(rest[0]);
    const auto name_end = rest.find('\0', 1);
    if (name_end == std::string_view::npos || out.members_.size() == bson_members_max) return malformed;
    Member member{type, rest.substr(1, name_end - 1), {}};
    rest.remove_prefix(name_end + 1);
    const auto size = size_of(type, rest);
    if (!size || *size > rest.size()) return malformed;
    member.value = rest.substr(0, *size);
    rest.remove_prefix(*size);
    out.members_.push_back(member);
  }
  return out;
}

const BsonReader::Member* BsonReader::find(std::string_view name) const {
  const auto found =
      std::find_if(members_.begin(), members_.end(), [&](const Member& member) { return member.name == name; });
  return found == members_.end() ? nullptr : &*found;
}

std::optional<std::int64_t> BsonReader::number(std::string_view name) const {
  const Member* const member = find(name);
  if (member == nullptr) return std::nullopt;
  if (member->type == bson_int32) return static_cast<std::int32_t>(little_endian(member->value, 0, 4));
  if (member->type == bson_int64) return static_cast<std::int64_t>(wide(member->value));
  if (member->type != bson_double) return std::nullopt;
  const auto value = std::bit_cast<double>(wide(member->value));
  if (!(value > -1e15 && value < 1e15)) return std::nullopt;  // nor is it NaN
  return static_cast<std::int64_t>(value);
}

std::optional<bool> BsonReader::boolean(std::string_view name) const {
  const Member* const member = find(name);
  if (member != nullptr && member->type == bson_boolean) return member->value[0] != '\0';
  const auto value = number(name);
  return value ? std::optional(*value != 0) : std::nullopt;
}

std::optional<std::string_view> BsonReader::text_in(const Member& member) {
  if (member.type != bson_text || member.value.size() < 5 || member.value.back() != '\0') return std::nullopt;
  return member.value.substr(4, member.value.size() - 5);
}

std::optional<std::string_view> BsonReader::text(std::string_view name) const {
  const Member* const member = find(name);
  return member == nullptr ? std::nullopt : text_in(*member);
}

std::optional<std::string_view> BsonReader::bytes(std::string_view name) const {
  const Member* const member = find(name);
  if (member == nullptr || member->type != bson_bytes) return std::nullopt;
  return member->value.substr(5);
}

bool BsonReader::lists(std::string_view name, std::string_view text) const {
  const Member* const member = find(name);
  if (member == nullptr || member->type != bson_array) return false;
  const auto inside = read(member->value);
  return inside && std::any_of(inside->members_.begin(), inside->members_.end(),
                               [&](const Member& item) { return text_in(item) == text; });
}

}  // namespace openindex::providers
