#include <openindex/net/connector.hpp>

namespace openindex {
inline namespace v0 {

Connection::~Connection() = default;
Connector::~Connector() = default;

Result<std::unique_ptr<Connection>> Connector::start_tls(std::unique_ptr<Connection>, const ConnectRequest&) {
  return Error(errc::http_no_start_tls);
}

}  // namespace v0
}  // namespace openindex
