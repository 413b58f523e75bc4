// CurlConnector: Connector on libcurl, under the same egress policy as CurlHttpClient.
//
// A connection without TLS counts as plain HTTP does: it goes to loopback and private addresses that the policy allows,
// never to public ones, since a password may cross it; one on which TLS begins later counts as one with TLS.
// `start_tls` is OpenSSL's, on any connection: TLS 1.2 at least, certificates verified against the roots that libcurl
// trusts, unless the options or the request name others. Target: openindex::curl.
//
// Thread safety: all methods, from any threads.
#pragma once

#include <memory>

#include <openindex/adapters/curl_http_client.hpp>
#include <openindex/net/connector.hpp>

namespace openindex {
inline namespace v0 {

class OPENINDEX_API CurlConnector final : public Connector {
 public:
  explicit CurlConnector(CurlOptions options = {});
  ~CurlConnector() override;

  Result<std::unique_ptr<Connection>> open(const ConnectRequest& request) override;
  Result<std::unique_ptr<Connection>> start_tls(std::unique_ptr<Connection> connection,
                                                const ConnectRequest& request) override;

 private:
  const CurlOptions options_;
};

}  // namespace v0
}  // namespace openindex
