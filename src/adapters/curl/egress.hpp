// What kind of place an address is, and whether a policy lets a client go there.
#pragma once

#include <string>
#include <string_view>

#include <sys/socket.h>

#include <openindex/adapters/curl_http_client.hpp>

namespace openindex::curl_http {

enum class Place {
  outside,       ///< The public internet.
  loopback,      ///< This machine.
  inside,        ///< A private network.
  aws_metadata,  ///< Where AWS gives machines and containers their credentials; other clouds have services there, too.
  never,         ///< Other metadata services, multicast, reserved and tunnelled addresses.
};

/// Classify a resolved address; a family that is not IP is `never`.
Place place_of(const sockaddr& address) noexcept;

/// Tell whether the policy names this host, in any case of letters.
bool trusts(const Egress& egress, std::string_view host) noexcept;

/// Tell whether the policy lets requests to a host go out over plain HTTP, as far as addresses are not in question.
bool allows_plain_http(const Egress& egress, bool trusted_host) noexcept;

/// Decide for one connect. Plain HTTP never goes outside: a key in clear text would cross networks nobody here knows.
bool allows(const Egress& egress, bool trusted_host, Place place, bool plain_http) noexcept;

/// Format the numeric address without its port.
std::string to_text(const sockaddr& address);

}  // namespace openindex::curl_http
