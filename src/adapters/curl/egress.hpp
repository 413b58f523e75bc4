// What kind of place an address is, and whether a policy lets a client go there.
#pragma once

#include <string>

#include <sys/socket.h>

#include <openindex/adapters/curl_http_client.hpp>

namespace openindex::curl_http {

enum class Place {
  outside,   ///< The public internet.
  loopback,  ///< This machine.
  inside,    ///< A private network.
  never,     ///< Metadata services, multicast, reserved and tunnelled addresses.
};

/// Classify a resolved address; a family that is not IP is `never`.
Place place_of(const sockaddr& address) noexcept;

/// Decide for one connect. Plain HTTP never goes outside: a key in clear text would cross networks nobody here knows.
bool allows(const Egress& egress, Place place, bool plain_http) noexcept;

/// Format the numeric address without its port.
std::string to_text(const sockaddr& address);

}  // namespace openindex::curl_http
