#include "adapters/postgres/parameters.hpp"

#include <utility>

namespace openindex::postgres {
namespace {

template <class Number>
void append_number(std::string& bytes, Number number) {
  for (int shift = static_cast<int>(8 * sizeof number) - 8; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>((number >> shift) & 0xff));
  }
}

}  // namespace

Type type_of(IndexType type) { return type == IndexType::text ? Type::text : Type::integer; }

Oid array_oid(Type element) {
  switch (element) {
    case Type::bytes:
      return 1001;
    case Type::integer:
      return 1016;
    case Type::text:
      break;
  }
  return 1009;
}

std::string_view array_name(Type element) {
  switch (element) {
    case Type::bytes:
      return "bytea[]";
    case Type::integer:
      return "bigint[]";
    case Type::text:
      break;
  }
  return "text[]";
}

void Array::add(std::string_view text_or_bytes) {
  ++count_;
  append_number(elements_, static_cast<std::uint32_t>(text_or_bytes.size()));
  elements_ += text_or_bytes;
}

void Array::add(std::int64_t number) {
  ++count_;
  append_number(elements_, std::uint32_t{sizeof number});
  append_number(elements_, static_cast<std::uint64_t>(number));
}

void Array::add_value(const IndexValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return add(std::string_view(*text));
  add(std::get<std::int64_t>(value));
}

void Array::add_null() {
  ++count_;
  has_null_ = true;
  append_number(elements_, ~std::uint32_t{0});
}

Parameters& Parameters::integer(std::int64_t number) {
  std::string bytes;
  append_number(bytes, static_cast<std::uint64_t>(number));
  return add(static_cast<Oid>(Type::integer), std::move(bytes));
}

Parameters& Parameters::value(const IndexValue& value) {
  if (const auto* own = std::get_if<std::string>(&value)) return text(*own);
  return integer(std::get<std::int64_t>(value));
}

Parameters& Parameters::array(const Array& array) {
  std::string bytes;
  bytes.reserve(20 + array.elements_.size());
  append_number(bytes, std::uint32_t{array.count_ == 0 ? 0U : 1U});  // dimensions
  append_number(bytes, std::uint32_t{array.has_null_ ? 1U : 0U});
  append_number(bytes, static_cast<std::uint32_t>(array.element_));
  if (array.count_ > 0) {
    append_number(bytes, array.count_);
    append_number(bytes, std::uint32_t{1});  // the number of the first element
    bytes += array.elements_;
  }
  return add(array_oid(array.element_), std::move(bytes));
}

Parameters& Parameters::add(Oid type, std::string bytes) {
  types_.push_back(type);
  values_.push_back(std::move(bytes));
  return *this;
}

Parameters::Raw Parameters::raw() const {
  Raw raw;
  raw.values.reserve(values_.size());
  raw.lengths.reserve(values_.size());
  raw.formats.assign(values_.size(), 1);
  for (const auto& value : values_) {
    raw.values.push_back(value.data());
    raw.lengths.push_back(static_cast<int>(value.size()));
  }
  return raw;
}

}  // namespace openindex::postgres
