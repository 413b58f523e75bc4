// What a connection string of MongoDB says: `mongodb://[user[:password]@]host[:port],…/[database][?options]`.
#pragma once

#include <string>
#include <string_view>

#include <openindex/core/result.hpp>

#include "provider/protocols/protocol_probe.hpp"

namespace openindex::providers {

struct MongoAddress {
  Place place = {};  ///< Of the first server.
  bool tls = false;
  bool has_files = false;  ///< Certificates that stand in files are named.
  bool has_user = false;
  std::string user = {};
  std::string password = {};
  std::string source = {};     ///< The database that knows the user.
  std::string mechanism = {};  ///< Of the login; empty: the best there is.
};

/// Read one. @pre it does not begin with `mongodb+srv:`
/// @par Errors invalid_argument: what is wrong, without quoting any of it
Result<MongoAddress> mongo_address(std::string_view url);

}  // namespace openindex::providers
