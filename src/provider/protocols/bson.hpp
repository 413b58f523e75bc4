// BSON, as far as a login needs it: documents of a few members, read with every size checked before it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/result.hpp>

namespace openindex::providers {

/// Writes one document, member by member. @pre no name holds a zero byte
class BsonWriter {
 public:
  BsonWriter& number(std::string_view name, std::int32_t value);
  BsonWriter& boolean(std::string_view name, bool value);
  BsonWriter& text(std::string_view name, std::string_view value);
  BsonWriter& bytes(std::string_view name, std::string_view value);
  BsonWriter& document(std::string_view name, const BsonWriter& value);

  /// The whole of it.
  [[nodiscard]] std::string str() const;

 private:
  BsonWriter& member(char type, std::string_view name, const std::string& value);

  std::string members_;
};

/// Reads one document, without going into those inside it. Views the bytes that it was read from.
class BsonReader {
 public:
  /// @par Errors provider_malformed_reply: not exactly one document, or one with more than 1,000 members
  static Result<BsonReader> read(std::string_view bytes);

  /// Each is nullopt when there is no such member, or it is of another kind.
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const;  ///< Of any kind; its whole part.
  [[nodiscard]] std::optional<bool> boolean(std::string_view name) const;         ///< Or a number.
  [[nodiscard]] std::optional<std::string_view> text(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> bytes(std::string_view name) const;

  /// Tell whether the array of that name holds this text.
  [[nodiscard]] bool lists(std::string_view name, std::string_view text) const;

 private:
  struct Member {
    unsigned char type = 0;
    std::string_view name;
    std::string_view value;
  };

  static std::optional<std::size_t> size_of(unsigned char type, std::string_view rest);
  static std::optional<std::string_view> text_in(const Member& member);
  [[nodiscard]] const Member* find(std::string_view name) const;

  std::vector<Member> members_;
};

}  // namespace openindex::providers
