// Reading and writing the pieces of a protocol on a connection, bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <openindex/net/connector.hpp>

namespace openindex::providers {

class Wire {
 public:
  explicit Wire(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Result<void> write(std::string_view bytes) { return connection_->write(bytes); }

  /// Read exactly that many bytes. @par Errors http_interrupted (closed before), those of the connection
  Result<std::string> read(std::size_t count);

  /// Read up to a line's end, which is taken away. @par Errors as read; provider_malformed_reply: longer than that
  Result<std::string> read_line(std::size_t bytes_max);

  /// Begin TLS. After an error nothing may be called any more. @par Errors those of the connector;
  /// provider_malformed_reply: the server has sent something ahead, which somebody else may have put there
  Result<void> start_tls(Connector& connector, const ConnectRequest& request);

 private:
  Result<void> fill();

  std::unique_ptr<Connection> connection_;
  std::string buffer_;
};

/// Write a number, most significant byte first.
std::string big_endian(std::uint32_t value, std::size_t bytes);

/// Read one. @pre it is there
std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) noexcept;

/// The same, least significant byte first.
std::string little_endian(std::uint32_t value, std::size_t bytes);
std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) noexcept;

}  // namespace openindex::providers
