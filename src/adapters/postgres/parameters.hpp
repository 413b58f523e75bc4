// The values of a statement's parameters, in PostgreSQL's binary format.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/storage/index.hpp>

namespace openindex::postgres {

/// The element types that we send. The values are PostgreSQL's, fixed for ever in its catalog.
enum class Type : Oid { bytes = 17, integer = 20, text = 25 };

Type type_of(IndexType type);

/// One array: a column of many rows.
class Array {
 public:
  explicit Array(Type element) : element_(element) {}

  void add(std::string_view text_or_bytes);
  void add(std::int64_t number);
  void add_value(const IndexValue& value);
  void add_null();

  [[nodiscard]] std::size_t bytes() const { return elements_.size(); }

 private:
  friend class Parameters;

  Type element_;
  std::uint32_t count_ = 0;
  bool has_null_ = false;
  std::string elements_;
};

class Parameters {
 public:
  Parameters& text(std::string_view text) { return add(static_cast<Oid>(Type::text), std::string(text)); }
  Parameters& integer(std::int64_t number);
  Parameters& value(const IndexValue& value);
  Parameters& array(const Array& array);

  [[nodiscard]] int count() const { return static_cast<int>(types_.size()); }

  /// What libpq's calls take; valid while this lives and is not changed.
  struct Raw {
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
  };
  [[nodiscard]] Raw raw() const;
  [[nodiscard]] const std::vector<Oid>& types() const { return types_; }

 private:
  Parameters& add(Oid type, std::string bytes);

  std::vector<Oid> types_;
  std::vector<std::string> values_;
};

/// The type of an array parameter: its number, and its name in SQL such as `text[]`.
Oid array_oid(Type element);
std::string_view array_name(Type element);

}  // namespace openindex::postgres
