// TLS on top of an open connection, for protocols that begin it in the middle.
#pragma once

#include <memory>
#include <string>

#include <openindex/core/result.hpp>
#include <openindex/net/connector.hpp>

namespace openindex::curl_http {

/// Shake hands and verify the certificate: TLS 1.2 at least, the roots of the request, or else `ca_file`, or else
/// those that libcurl trusts. Waits as long as the connection below does. Holds nothing of the arguments but the
/// connection. @par Errors http_tls (reason), those of the connection
Result<std::unique_ptr<Connection>> start_tls(std::unique_ptr<Connection> connection, const ConnectRequest& request,
                                              const std::string& ca_file);

}  // namespace openindex::curl_http
