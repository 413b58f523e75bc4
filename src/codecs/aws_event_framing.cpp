// AWS's binary event stream: length, length of the headers, CRC of these two; headers; payload; CRC of everything.

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "codecs/event_framing.hpp"
#include "codecs/reply_reader.hpp"
#include "json/writer.hpp"

namespace openindex::codecs {
namespace {

constexpr std::size_t prelude_bytes = 12, crc_bytes = 4;

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320u : 0u);
    table[i] = value;
  }
  return table;
}();

std::uint32_t crc32(std::string_view bytes) noexcept {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) crc = (crc >> 8) ^ crc_table[(crc ^ static_cast<unsigned char>(c)) & 0xFFu];
  return ~crc;
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t width) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// How many bytes a header's value has, by its type; its length included where that is written before it.
std::optional<std::size_t> value_bytes(std::string_view bytes, std::uint32_t type) noexcept {
  constexpr std::array<std::size_t, 6> fixed = {0, 0, 1, 2, 4, 8};
  if (type < fixed.size()) return fixed[type];
  if (type == 8) return 8;
  if (type == 9) return 16;
  if ((type != 6 && type != 7) || bytes.size() < 2) return std::nullopt;
  return 2 + big_endian(bytes, 0, 2);
}

using Headers = std::map<std::string_view, std::string_view>;

std::optional<Headers> read_headers(std::string_view bytes) {
  Headers headers;
  while (!bytes.empty()) {
    const std::size_t name_bytes = static_cast<unsigned char>(bytes[0]);
    if (bytes.size() < 2 + name_bytes) return std::nullopt;
    const std::string_view name = bytes.substr(1, name_bytes);
    const std::uint32_t type = static_cast<unsigned char>(bytes[1 + name_bytes]);
    bytes.remove_prefix(2 + name_bytes);
    const auto value = value_bytes(bytes, type);
    if (!value || bytes.size() < *value) return std::nullopt;
    if (type == 7) headers[name] = bytes.substr(2, *value - 2);
    bytes.remove_prefix(*value);
  }
  return headers;
}

class AwsFraming final : public EventFraming {
 public:
  explicit AwsFraming(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  Result<void> feed(std::string_view chunk, const TakeEvent& take) override {
    while (!chunk.empty()) {
      const std::size_t wanted = wanted_ - buffer_.size();
      buffer_ += chunk.substr(0, wanted);
      chunk.remove_prefix(std::min(wanted, chunk.size()));
      if (buffer_.size() < wanted_) return {};
      auto done = wanted_ == prelude_bytes ? read_prelude() : read_message(take);
      if (!done) return done.error();
    }
    return {};
  }

  Result<void> end(const TakeEvent&) override {
    return buffer_.empty() ? Result<void>() : misshapen("the stream ends inside an event");
  }

 private:
  Result<void> read_prelude() {
    if (crc32(std::string_view(buffer_).substr(0, 8)) != big_endian(buffer_, 8, 4)) {
      return misshapen("the checksum of an event's lengths does not fit");
    }
    const std::size_t total = big_endian(buffer_, 0, 4), headers = big_endian(buffer_, 4, 4);
    if (total < prelude_bytes + crc_bytes || headers > total - prelude_bytes - crc_bytes) {
      return misshapen("the lengths of an event do not fit");
    }
    if (total > bytes_max_) return misshapen("an event of the stream is too long");
    wanted_ = total;
    return {};
  }

  Result<void> read_message(const TakeEvent& take) {
    const std::string message = std::move(buffer_);
    buffer_.clear();
    wanted_ = prelude_bytes;
    const std::size_t checked = message.size() - crc_bytes;
    if (crc32(std::string_view(message).substr(0, checked)) != big_endian(message, checked, 4)) {
      return misshapen("the checksum of an event does not fit");
    }
    const std::size_t header_bytes = big_endian(message, 4, 4);
    const auto headers = read_headers(std::string_view(message).substr(prelude_bytes, header_bytes));
    if (!headers) return misshapen("the headers of an event do not fit");
    const std::size_t start = prelude_bytes + header_bytes;
    return hand_on(*headers, std::string_view(message).substr(start, checked - start), take);
  }

  static std::string_view value(const Headers& headers, std::string_view name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : found->second;
  }

  static Result<void> hand_on(const Headers& headers, std::string_view payload, const TakeEvent& take) {
    const auto type = value(headers, ":message-type");
    if (type == "exception") return take({payload, value(headers, ":exception-type")});
    if (type == "error") return take({"{}", value(headers, ":error-code")});
    const auto event = value(headers, ":event-type");
    for (const char c : event) {
      if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')) return misshapen("an event has no name");
    }
    return take({fmt::format(R"({{"{}":{}}})", event, payload.empty() ? "{}" : payload)});
  }

  std::size_t bytes_max_;
  std::size_t wanted_ = prelude_bytes;
  std::string buffer_;
};

}  // namespace

std::unique_ptr<EventFraming> aws_framing(std::size_t event_bytes_max) {
  return std::make_unique<AwsFraming>(event_bytes_max);
}

}  // namespace openindex::codecs
