#include <openindex/testing/verdict.hpp>

#include <ostream>

#include <fmt/format.h>

namespace openindex {
inline namespace v0 {
namespace testing {

void print_verdict(std::ostream& out, const Error* refused) { out << (refused ? refused->describe() : "accepted"); }

std::string missing(const Error& error) { return fmt::format("{}", fmt::join(error.missing(), ", ")); }

}  // namespace testing

std::ostream& operator<<(std::ostream& out, errc code) { return out << name(code); }
std::ostream& operator<<(std::ostream& out, const Error& error) { return out << error.describe(); }
std::ostream& operator<<(std::ostream& out, const FieldValue& value) {
  return out << (value.empty() ? "(unset)" : value.display());
}

}  // namespace v0
}  // namespace openindex
