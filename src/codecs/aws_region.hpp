// Where the services of AWS are: each region belongs to a partition, and each partition has a domain of its own.
#pragma once

#include <string>
#include <string_view>

#include <openindex/core/result.hpp>

namespace openindex::codecs {

/// Return `https://<service>.<region>.<domain of the region's partition>`. A region of three parts whose first is two
/// letters, such as `eu-west-1`, is in the partition that everybody can use, also when it is newer than this library,
/// as it is for AWS's own SDKs; regions of partitions that are not known are refused.
/// @par Errors invalid_argument (context `key`)
Result<std::string> aws_url(std::string_view service, std::string_view region);

}  // namespace openindex::codecs
