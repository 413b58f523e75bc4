// Connector: how the library reaches servers that speak something else than HTTP, to find out whether they are there.
//
// The provider registry calls it for tests of brokers and databases; `CurlConnector` implements it. Nothing else opens
// a socket.
//
// For implementers: called from any thread, concurrently; blocks. Errors are those of `HttpClient`: http_unreachable,
// http_timeout, http_interrupted, http_tls, http_refused_by_policy, invalid_argument. No error may hold what was sent,
// or bytes of the server.
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
  bool tls = false;  ///< From the first byte on, the certificate verified against the host.
  /// Without TLS at first, and `start_tls` follows before anything secret is written. A policy that wants TLS takes it
  /// for that; an implementation that does not know this member opens a connection without TLS.
  bool tls_later = false;
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

  /// Begin TLS on a connection that `open` returned for the same request, where protocols do so in the middle
  /// (PostgreSQL, NATS): the certificate is verified against the host as `tls` would, with the roots of the request,
  /// and the connection's own time goes on to count. What is returned owns the connection that was given, which is over
  /// when this fails; all that the server sent before must have been read. A reading of nothing means that the server
  /// said that it was done; a connection that only ends is http_interrupted.
  /// For implementers: optional. @par Errors http_no_start_tls (what the default answers), http_tls, those of the
  /// connection, invalid_argument (no host, no connection)
  virtual Result<std::unique_ptr<Connection>> start_tls(std::unique_ptr<Connection> connection,
                                                        const ConnectRequest& request);
};

}  // namespace v0
}  // namespace openindex
