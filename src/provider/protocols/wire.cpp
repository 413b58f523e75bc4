#include "provider/protocols/wire.hpp"

namespace openindex::providers {

Result<void> Wire::fill() {
  auto more = connection_->read(16'384);
  if (!more) return more.error();
  if (more->empty()) return Error(errc::http_interrupted);
  buffer_ += *more;
  return {};
}

Result<std::string> Wire::read(std::size_t count) {
  while (buffer_.size() < count) {
    if (auto filled = fill(); !filled) return filled.error();
  }
  std::string out = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return out;
}

Result<std::string> Wire::read_line(std::size_t bytes_max) {
  std::size_t end = buffer_.find('\n');
  while (end == std::string::npos) {
    if (buffer_.size() > bytes_max) return Error(errc::provider_malformed_reply);
    if (auto filled = fill(); !filled) return filled.error();
    end = buffer_.find('\n');
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Result<void> Wire::start_tls(Connector& connector, const ConnectRequest& request) {
  if (!buffer_.empty()) return Error(errc::provider_malformed_reply);
  auto secured = connector.start_tls(std::move(connection_), request);
  if (!secured) return secured.error();
  connection_ = std::move(*secured);
  return {};
}

std::string big_endian(std::uint32_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = bytes; i > 0; --i) out += static_cast<char>(value >> (8 * (i - 1)) & 0xFF);
  return out;
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::string little_endian(std::uint32_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = count; i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

}  // namespace openindex::providers
