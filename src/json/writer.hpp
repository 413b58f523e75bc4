// Writing JSON text: appends to one string, with no tree in between, because every stored record goes through it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace openindex::json {

/// Append text as a JSON string, quotes included. @pre valid UTF-8
void append_string(std::string& out, std::string_view text);

/// Append a JSON number that reads back as the same value.
void append_number(std::string& out, double value);

class Writer {
 public:
  Writer() { out_.reserve(512); }  // most records fit: no growing on the way

  Writer& begin_object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& begin_array() { return open('['); }
  Writer& end_array() { return close(']'); }

  /// Start a member; a value, object or array follows.
  Writer& key(std::string_view name);

  Writer& string(std::string_view text);
  Writer& number(std::int64_t value);
  Writer& number(std::uint64_t value);
  Writer& number(double value);
  Writer& boolean(bool value);
  Writer& null();
  /// Append text that is JSON already.
  Writer& raw(std::string_view json);

  /// Append members that `Stored::rest` kept, `,"name":value…`.
  Writer& rest(std::string_view members);

  // A member that is left out when it says nothing.
  Writer& member(std::string_view name, std::string_view text) { return text.empty() ? *this : key(name).string(text); }
  Writer& member(std::string_view name, std::uint64_t value) { return value == 0 ? *this : key(name).number(value); }
  Writer& member(std::string_view name, bool value) { return value ? key(name).boolean(true) : *this; }
  Writer& member(std::string_view name, const char* text) { return member(name, std::string_view(text)); }
  Writer& member(std::string_view name, const std::string& text) { return member(name, std::string_view(text)); }

  [[nodiscard]] const std::string& str() const& { return out_; }
  [[nodiscard]] std::string str() && { return std::move(out_); }

 private:
  Writer& open(char bracket);
  Writer& close(char bracket);
  void separate();

  std::string out_;
  bool first_ = true;
};

}  // namespace openindex::json
