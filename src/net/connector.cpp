#include <openindex/net/connector.hpp>

namespace openindex {
inline namespace v0 {

Connection::~Connection() = default;
Connector::~Connector() = default;

}  // namespace v0
}  // namespace openindex
