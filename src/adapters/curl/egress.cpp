#include "adapters/curl/egress.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "adapters/curl/url.hpp"

namespace openindex {
namespace curl_http {
namespace {

using Bytes4 = std::array<std::uint8_t, 4>;
using Bytes16 = std::array<std::uint8_t, 16>;

template <class Bytes>
struct Range {
  Bytes base;
  std::size_t bits;
  Place place;
};

// The first range that matches decides, so exceptions stand before the range they lie in.
constexpr std::array ranges4 = {
    Range<Bytes4>{{169, 254, 169, 254}, 32, Place::aws_metadata},  // Azure's, Google's and others' as well
    Range<Bytes4>{{169, 254, 170, 2}, 32, Place::aws_metadata},    // ECS
    Range<Bytes4>{{169, 254, 170, 23}, 32, Place::aws_metadata},   // EKS
    Range<Bytes4>{{100, 100, 100, 200}, 32, Place::never},         // metadata: Alibaba
    Range<Bytes4>{{168, 63, 129, 16}, 32, Place::never},           // Azure WireServer
    Range<Bytes4>{{0, 0, 0, 0}, 8, Place::never},                  // "this host": connects to loopback on Linux
    Range<Bytes4>{{127, 0, 0, 0}, 8, Place::loopback},
    Range<Bytes4>{{10, 0, 0, 0}, 8, Place::inside},
    Range<Bytes4>{{172, 16, 0, 0}, 12, Place::inside},
    Range<Bytes4>{{192, 168, 0, 0}, 16, Place::inside},
    Range<Bytes4>{{100, 64, 0, 0}, 10, Place::inside},   // carrier NAT
    Range<Bytes4>{{169, 254, 0, 0}, 16, Place::inside},  // link local
    Range<Bytes4>{{198, 18, 0, 0}, 15, Place::inside},   // benchmark networks
    Range<Bytes4>{{192, 0, 0, 0}, 24, Place::never},     // protocol assignments, Oracle metadata
    Range<Bytes4>{{224, 0, 0, 0}, 3, Place::never},      // multicast, reserved, broadcast
};

constexpr std::array ranges6 = {
    Range<Bytes16>{{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, Place::aws_metadata},  // EC2
    Range<Bytes16>{{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x23}, 128, Place::aws_metadata},     // EKS
    Range<Bytes16>{{0xfd, 0x20, 0, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, Place::never},  // Google
    Range<Bytes16>{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, Place::loopback},
    Range<Bytes16>{{0xfc}, 7, Place::inside},              // unique local
    Range<Bytes16>{{0xfe, 0x80}, 10, Place::inside},       // link local
    Range<Bytes16>{{0xfe, 0xc0}, 10, Place::inside},       // site local
    Range<Bytes16>{{0x20, 0x01, 0, 0}, 32, Place::never},  // Teredo
    Range<Bytes16>{{0x20}, 3, Place::outside},             // global unicast
};

bool lies_in(std::span<const std::uint8_t> address, std::span<const std::uint8_t> base, std::size_t bits) noexcept {
  const std::size_t whole = bits / 8;
  for (std::size_t i = 0; i < whole; ++i) {
    if (address[i] != base[i]) return false;
  }
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - bits % 8));
  return (address[whole] & mask) == (base[whole] & mask);
}

template <class Bytes, std::size_t N>
Place first_match(const std::array<Range<Bytes>, N>& ranges, const Bytes& address, Place otherwise) noexcept {
  const auto found = std::find_if(ranges.begin(), ranges.end(),
                                  [&](const auto& range) { return lies_in(address, range.base, range.bits); });
  return found == ranges.end() ? otherwise : found->place;
}

// An IPv6 address that only wraps an IPv4 one goes where the IPv4 one goes.
std::optional<Bytes4> wrapped(const Bytes16& address) noexcept {
  struct Wrapping {
    Bytes16 base;
    std::size_t bits, at;
  };
  constexpr std::array wrappings = {
      Wrapping{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 12},  // IPv4-mapped
      Wrapping{{0, 0x64, 0xff, 0x9b}, 96, 12},                       // NAT64
      Wrapping{{0x20, 0x02}, 16, 2},                                 // 6to4
  };
  for (const auto& [base, bits, at] : wrappings) {
    if (lies_in(address, base, bits)) return Bytes4{address[at], address[at + 1], address[at + 2], address[at + 3]};
  }
  return std::nullopt;
}

Place place_of_v4(const Bytes4& address) noexcept { return first_match(ranges4, address, Place::outside); }

Place place_of_v6(const Bytes16& address) noexcept {
  if (const auto inner = wrapped(address)) return place_of_v4(*inner);
  return first_match(ranges6, address, Place::never);
}

}  // namespace

Place place_of(const sockaddr& address) noexcept {
  if (address.sa_family == AF_INET) {
    sockaddr_in full;
    std::memcpy(&full, &address, sizeof full);
    Bytes4 bytes;
    std::memcpy(bytes.data(), &full.sin_addr, bytes.size());
    return place_of_v4(bytes);
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 full;
    std::memcpy(&full, &address, sizeof full);
    Bytes16 bytes;
    std::memcpy(bytes.data(), &full.sin6_addr, bytes.size());
    return place_of_v6(bytes);
  }
  return Place::never;
}

bool trusts(const Egress& egress, std::string_view host) noexcept {
  return std::any_of(egress.trusted_hosts.begin(), egress.trusted_hosts.end(),
                     [&](const std::string& trusted) { return same_text(trusted, host); });
}

bool allows_plain_http(const Egress& egress, bool trusted_host) noexcept {
  return egress.allow_plain_http || trusted_host;
}

bool allows(const Egress& egress, bool trusted_host, Place place, bool plain_http) noexcept {
  if (plain_http && !allows_plain_http(egress, trusted_host)) return false;
  switch (place) {
    case Place::outside:
      return egress.allow_public && !plain_http;
    case Place::loopback:
      return egress.allow_loopback || trusted_host;
    case Place::inside:
      return egress.allow_private || trusted_host;
    case Place::aws_metadata:
      return egress.allow_aws_metadata;
    case Place::never:
      return false;
  }
  return false;
}

std::string to_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.sa_family == AF_INET) {
    sockaddr_in full;
    std::memcpy(&full, &address, sizeof full);
    inet_ntop(AF_INET, &full.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 full;
    std::memcpy(&full, &address, sizeof full);
    inet_ntop(AF_INET6, &full.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

}  // namespace curl_http

inline namespace v0 {

Egress Egress::trusting_host_of(std::string_view url) const {
  Egress wider = *this;
  curl_http::Url parsed;
  if (!parsed.parse(std::string(url))) return wider;
  if (auto host = parsed.part(CURLUPART_HOST); !host.empty()) wider.trusted_hosts.push_back(std::move(host));
  return wider;
}

bool allows_address(const Egress& egress, std::string_view numeric_address) {
  using namespace curl_http;
  const std::string text(numeric_address);
  Bytes4 v4;
  if (inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return allows(egress, false, place_of_v4(v4), false);
  Bytes16 v6;
  if (inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return allows(egress, false, place_of_v6(v6), false);
  return false;
}

}  // namespace v0
}  // namespace openindex
