// A small HTTP/1.1 server on 127.0.0.1: one thread, hundreds of connections, answers that may wait.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <openindex/core/result.hpp>
#include <openindex/http/http_message.hpp>

#include "testing/descriptor.hpp"
#include "testing/provider_script.hpp"

namespace openindex::scripted {

struct ServedRequest {
  std::string method;
  std::string target;
  HttpHeaders headers;
  std::string body;

  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

struct ServedReply {
  int status = 200;
  HttpHeaders headers;
  std::string body;
  Duration delay{0};
  Drop drop = Drop::none;
};

class LoopbackServer {
 public:
  using Answer = std::function<ServedReply(const ServedRequest&)>;

  /// Bind a free port and listen: from here on connects succeed and wait. @par Errors http_unreachable
  static Result<LoopbackServer> open();

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] int descriptor() const noexcept { return listener_.get(); }

  /// Serve on the calling thread until `stop` can be read or its other end is closed.
  void serve(int stop, const Answer& answer);

 private:
  Descriptor listener_;
  std::uint16_t port_ = 0;
};

}  // namespace openindex::scripted
