// Reads an object that a person or a program wrote: every mistake is noted with its JSON pointer, none stops the
// others.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include <openindex/core/error.hpp>

namespace openindex::json {

class ObjectReader {
 public:
  /// Read `value` at `pointer`; a value that is no object is a problem, and every member then reads as absent.
  ObjectReader(const boost::json::value& value, std::string pointer, std::vector<Problem>& problems);

  enum class Need : bool { optional, required };

  std::string text(std::string_view name, Need need = Need::optional);
  bool boolean(std::string_view name);
  std::optional<double> number(std::string_view name);
  std::optional<std::uint32_t> count(std::string_view name);
  /// Read a whole number from 0 to `greatest`. @pre greatest <= 2^53
  std::optional<std::uint64_t> whole(std::string_view name, std::uint64_t greatest);
  std::vector<std::string> texts(std::string_view name);

  /// Read a text that must be one of a closed set; `parse` gives nullopt for others, `choices` names them.
  template <class T>
  std::optional<T> choice(std::string_view name, std::optional<T> (*parse)(std::string_view),
                          std::string_view choices) {
    const std::string spelled = text(name);
    if (spelled.empty()) return std::nullopt;
    auto value = parse(spelled);
    if (!value) problem(name, "must be one of " + std::string(choices));
    return value;
  }

  /// Read an array; `read` is called with each element and its pointer.
  void each(std::string_view name, const std::function<void(const boost::json::value&, const std::string&)>& read);

  /// The member itself; null when absent.
  const boost::json::value* member(std::string_view name);

  /// Note a problem at a member.
  void problem(std::string_view name, std::string what);

  /// Note every member that nobody asked for. Call last.
  void refuse_unknown();

 private:
  std::string at(std::string_view name) const;

  const boost::json::object* object_;
  std::string pointer_;
  std::vector<Problem>& problems_;
  std::vector<std::string_view> known_;
};

/// Keep the first thousand problems, and say how many more there are: nobody reads them, and an input of a megabyte can
/// have a million.
void bound(std::vector<Problem>& problems);

/// Escape one token of a JSON pointer (RFC 6901), after what comes before it.
std::string escape_pointer(std::string_view token, std::string_view before = {});

}  // namespace openindex::json
