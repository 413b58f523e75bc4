#include "testing/loopback_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <optional>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

#include "testing/http_request_reader.hpp"

namespace openindex::scripted {
namespace {

using Steady = std::chrono::steady_clock;

std::string serialized(const ServedReply& reply) {
  std::string text = fmt::format("HTTP/1.1 {} Scripted\r\nContent-Length: {}\r\n", reply.status, reply.body.size());
  for (const auto& [name, value] : reply.headers) text += fmt::format("{}: {}\r\n", name, value);
  text += "\r\n";
  const auto head = text.size();
  text += reply.body;
  if (reply.drop == Drop::half) text.resize(head + reply.body.size() / 2);
  return text;
}

class Connection {
 public:
  explicit Connection(Descriptor socket) : socket_(std::move(socket)) {}

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  [[nodiscard]] short events() const noexcept {
    return static_cast<short>(POLLIN | (sent_ < out_.size() ? POLLOUT : 0));
  }
  [[nodiscard]] std::optional<Steady::time_point> due() const noexcept { return due_; }

  /// Do all that can be done without waiting; false: the connection is over.
  bool advance(Steady::time_point now, const LoopbackServer::Answer& answer) {
    const bool open = receive();  // a client that is gone still sent what it sent: it is counted, not answered
    for (;;) {
      if (due_ && *due_ > now) return open;
      if (due_) give(std::exchange(pending_, {}));
      if (!send()) return false;
      if (sent_ < out_.size()) return open;
      if (close_after_) return false;
      if (!start_next(now, answer)) return open;
    }
  }

 private:
  // False when the client is gone.
  bool receive() {
    std::array<char, 16384> buffer;
    for (;;) {
      const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got > 0) {
        in_.append(buffer.data(), static_cast<std::size_t>(got));
      } else if (got < 0 && errno == EINTR) {
        continue;
      } else {
        return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
      }
    }
  }

  bool send() {
    while (sent_ < out_.size()) {
      const auto put = ::send(socket_.get(), out_.data() + sent_, out_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
      sent_ += static_cast<std::size_t>(put);
    }
    out_.clear();
    sent_ = 0;
    return true;
  }

  // Take the next request from the input; false: there is none yet.
  bool start_next(Steady::time_point now, const LoopbackServer::Answer& answer) {
    ReadRequest read = take_request(in_);
    if (read.refused != 0) {
      close_after_ = true;
      out_ = serialized({.status = read.refused, .headers = {{"Connection", "close"}}, .body = {}});
      return true;
    }
    if (!read.request) {
      if (!read.wants_continue || continued_) return false;
      continued_ = true;
      out_ = "HTTP/1.1 100 Continue\r\n\r\n";
      return true;
    }
    continued_ = false;
    ServedReply reply = answer(*read.request);
    if (reply.delay > Duration(0)) {
      due_ = now + reply.delay;
      pending_ = std::move(reply);
    } else {
      give(reply);
    }
    return true;
  }

  void give(const ServedReply& reply) {
    due_.reset();
    close_after_ = reply.drop != Drop::none;
    if (reply.drop != Drop::before) out_ = serialized(reply);
  }

  Descriptor socket_;
  std::string in_;
  std::string out_;
  std::size_t sent_ = 0;
  ServedReply pending_;
  std::optional<Steady::time_point> due_;
  bool continued_ = false;
  bool close_after_ = false;
};

void accept_all(int listener, std::list<Connection>& connections) {
  for (;;) {
    Descriptor socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections.emplace_back(std::move(socket));
  }
}

int ms_until_due(const std::list<Connection>& connections, Steady::time_point now) {
  std::optional<Steady::time_point> first;
  for (const auto& connection : connections) {
    if (const auto due = connection.due()) first = first ? std::min(*first, *due) : *due;
  }
  if (!first) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*first - now).count();
  return static_cast<int>(std::clamp<decltype(wait)>(wait, 0, 60'000));
}

}  // namespace

std::string_view ServedRequest::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (key.size() == name.size() && ::strncasecmp(key.data(), name.data(), name.size()) == 0) return value;
  }
  return {};
}

Result<LoopbackServer> LoopbackServer::open() {
  LoopbackServer server;
  server.listener_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const int fd = server.listener_.get();
  if (!server.listener_ || ::bind(fd, generic, size) != 0 || ::listen(fd, SOMAXCONN) != 0 ||
      ::getsockname(fd, generic, &size) != 0) {
    return Error(errc::http_unreachable, "No loopback port to serve on").with("reason", std::strerror(errno));
  }
  server.port_ = ntohs(address.sin_port);
  return server;
}

void LoopbackServer::serve(int stop, const Answer& answer) {
  std::list<Connection> connections;
  std::vector<pollfd> watched;
  for (;;) {
    watched = {{stop, POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const auto& connection : connections) watched.push_back({connection.descriptor(), connection.events(), 0});
    if (::poll(watched.data(), watched.size(), ms_until_due(connections, Steady::now())) < 0 && errno != EINTR) return;
    if (watched[0].revents != 0) return;
    const auto now = Steady::now();
    auto watch = watched.begin() + 2;
    for (auto it = connections.begin(); it != connections.end(); ++watch) {
      const bool due = it->due() && *it->due() <= now;
      it = (watch->revents == 0 && !due) || it->advance(now, answer) ? std::next(it) : connections.erase(it);
    }
    if (watched[1].revents != 0) accept_all(listener_.get(), connections);
  }
}

}  // namespace openindex::scripted
