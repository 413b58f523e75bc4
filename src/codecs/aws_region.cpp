#include "codecs/aws_region.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace openindex::codecs {
namespace {

// As in botocore's partitions.json, which AWS publishes: a region is the prefix, a word and a number.
struct Partition {
  std::string_view prefix;
  std::string_view domain;
};

constexpr std::array<Partition, 7> partitions = {{
    {"cn-", "amazonaws.com.cn"},
    {"eu-isoe-", "cloud.adc-e.uk"},
    {"eusc-de-", "amazonaws.eu"},
    {"us-gov-", "amazonaws.com"},
    {"us-iso-", "c2s.ic.gov"},
    {"us-isob-", "sc2s.sgov.gov"},
    {"us-isof-", "csp.hci.ic.gov"},
}};
constexpr std::string_view common_domain = "amazonaws.com";

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A word and a number, such as `west-1`.
bool is_place(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == 0 || dash == std::string_view::npos || dash + 1 == text.size()) return false;
  const auto word = text.substr(0, dash), number = text.substr(dash + 1);
  return std::all_of(word.begin(), word.end(), is_lower) && std::all_of(number.begin(), number.end(), is_digit);
}

std::optional<std::string_view> domain_of(std::string_view region) {
  for (const Partition& one : partitions) {
    if (region.starts_with(one.prefix) && is_place(region.substr(one.prefix.size()))) return one.domain;
  }
  const bool is_common =
      region.size() > 3 && is_lower(region[0]) && is_lower(region[1]) && region[2] == '-' && is_place(region.substr(3));
  return is_common ? std::optional(common_domain) : std::nullopt;
}

}  // namespace

Result<std::string> aws_url(std::string_view service, std::string_view region) {
  const auto domain = domain_of(region);
  if (!domain) {
    return Error(errc::invalid_argument,
                 "AWS's hosts in this region are not known here, and not guessed; check region, or set endpoint")
        .with("key", "region");
  }
  return fmt::format("https://{}.{}.{}", service, region, *domain);
}

}  // namespace openindex::codecs
