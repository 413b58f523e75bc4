// Cutting HTTP/1.1 requests out of a stream of bytes.
#pragma once

#include <optional>
#include <string>

#include "testing/loopback_server.hpp"

namespace openindex::scripted {

/// What stands at the front of a connection's input.
struct ReadRequest {
  std::optional<ServedRequest> request;  ///< Whole, and taken from the input.
  int refused = 0;                       ///< Or the status to refuse it with; nothing after it can be read.
  bool wants_continue = false;           ///< Or it is not whole, and its sender waits to be asked for the body.
};

ReadRequest take_request(std::string& input);

}  // namespace openindex::scripted
