// Connector: how the library reaches servers that speak something else than HTTP, to find out whether they are there.
//
// The provider registry calls it for tests of brokers and databases; `CurlConnector` implements it. Nothing else opens
// a socket.
//
// For implementers: called from any thread, concurrently; blocks. Errors are those of `HttpClient`: http_unreachable,
// http_timeout, http_interrupted, http_tls, http_refused_by_policy, invalid_argument. No error may hold what was sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <openindex/core/api.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>

namespace openindex {
inline namespace v0 {

struct ConnectRequest {
  std::string host = {};  ///< A name or a numeric address; IPv6 without brackets.
  std::uint16_t port = 0;
  bool tls = false;          ///< From the first byte on, the certificate verified against the host.
  std::string ca_pem = {};   ///< Roots to trust in place of the implementation's own; empty: those.
  Duration timeout{10'000};  ///< For everything, from the look-up of the name to the last byte read.
};

/// One connection, for one thread at a time; ends with its destruction. It may outlive the connector.
class OPENINDEX_API Connection {
 public:
  Connection() = default;
  virtual ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Send all of it.
  virtual Result<void> write(std::string_view bytes) = 0;

  /// Wait for some bytes, at most that many; none: the server has closed the connection.
  virtual Result<std::string> read(std::size_t bytes_max) = 0;
};

class OPENINDEX_API Connector {
 public:
  Connector() = default;
  virtual ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  virtual Result<std::unique_ptr<Connection>> open(const ConnectRequest& request) = 0;
};

}  // namespace v0
}  // namespace openindex
