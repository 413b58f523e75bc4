// Reads an object that this library wrote: members by name, and what is left over kept for the next write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>

namespace openindex::json {

class Stored {
 public:
  /// @par Errors storage_corrupt (context `what`)
  static Result<Stored> read(std::string_view body, std::string_view what);

  std::string text(std::string_view name);
  std::int64_t integer(std::string_view name);
  std::uint64_t natural(std::string_view name) { return static_cast<std::uint64_t>(integer(name)); }
  bool boolean(std::string_view name);
  Time time(std::string_view name) { return Time(Duration(integer(name))); }
  /// Read an array of texts; what is none is left out.
  std::vector<std::string> texts(std::string_view name);
  /// Read an array of objects; what is none is left out.
  std::vector<Stored> objects(std::string_view name);
  const boost::json::value* member(std::string_view name);

  /// Members that nobody asked for, as `,"name":value…`, for Writer::rest.
  [[nodiscard]] std::string rest() const;

 private:
  explicit Stored(boost::json::value value) : value_(std::move(value)) { known_.reserve(32); }

  boost::json::value value_;
  std::vector<std::string_view> known_;
};

}  // namespace openindex::json
