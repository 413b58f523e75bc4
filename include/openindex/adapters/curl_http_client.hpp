// CurlHttpClient: HttpClient on libcurl, one thread and one multi handle for any number of exchanges.
//
// TLS certificates are verified, redirects are not followed, neither proxies nor credentials are taken from the
// environment, sizes and times are bounded by the request. Every connect passes the client's egress policy with the
// address it is about to use, so a name that resolves inside is refused however it was written.
// A request that may have reached the server is never sent again by the client: the caller is told and decides (curl
// alone would repeat it when a kept connection dies under it).
// The thread starts with the first exchange. Target: openindex::curl.
//
// Thread safety: all methods, from any threads. Lifetime: destroying it cancels what is in flight and waits for the
// callbacks to return; not from inside a callback.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/http/http_client.hpp>

namespace openindex {
inline namespace v0 {

/// Which addresses a client may connect to. Checked for every resolved address, at connect time.
struct OPENINDEX_API Egress {
  bool allow_public = true;
  bool allow_loopback = false;
  bool allow_private = false;  ///< RFC 1918, CGNAT, unique local, link local. Cloud metadata addresses: see below.
  /// `http://` to the loopback and private addresses allowed above. Never to public ones: a key would travel in the
  /// clear.
  bool allow_plain_http = false;
  /// Hosts that are reached at loopback and private addresses, over `http://` too, whatever the above says of those:
  /// servers that whoever runs the program named. As in a URL (`ollama.lan`, `192.168.1.5`, `[fd00::5]`), without port;
  /// no patterns. Metadata addresses stay refused, and `http://` to public ones.
  std::vector<std::string> trusted_hosts = {};
  /// The addresses where AWS gives machines and containers their credentials (169.254.169.254, 169.254.170.2,
  /// 169.254.170.23, fd00:ec2::254, fd00:ec2::23). For the client of an `AwsDefaultIdentity` and no other: not for one
  /// that goes where users say.
  bool allow_aws_metadata = false;

  /// Return this policy with the host of a URL among `trusted_hosts`. Text that is no URL adds nothing: no client would
  /// send anything there.
  [[nodiscard]] Egress trusting_host_of(std::string_view url) const;

  /// `https` to public addresses only.
  static Egress public_internet() { return {}; }
  /// The public internet, and plain HTTP to this machine: for local model servers and tests.
  static Egress public_and_loopback() { return {.allow_loopback = true, .allow_plain_http = true}; }
  /// The public internet, and plain HTTP to AWS's metadata addresses.
  static Egress public_and_aws_metadata() { return {.allow_plain_http = true, .allow_aws_metadata = true}; }
};

/// Tell whether a policy lets a numeric address (`203.0.113.9`, `::1`, IPv4-mapped forms included) be connected to, for
/// a host that it does not trust by name.
OPENINDEX_API bool allows_address(const Egress& egress, std::string_view numeric_address);

struct CurlOptions {
  Egress egress = Egress::public_internet();
  std::size_t connections_max =
      1000;                  ///< Exchanges under way at once; more wait their turn, their timeouts not running.
  std::string ca_file = {};  ///< PEM file of trusted roots; empty: the system's.
};

class OPENINDEX_API CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(CurlOptions options = {});
  ~CurlHttpClient() override;

  HttpTicket send(HttpRequest request, HttpDone done) override;
  void cancel(HttpTicket ticket) noexcept override;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace v0
}  // namespace openindex
