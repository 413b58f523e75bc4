#include "postgres/cutting_proxy.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace openindex {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

int connect_to(const std::string& path) {
  const auto address = address_of(path);
  const int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(end, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return end;
  close(end);
  return -1;
}

bool send_all(int end, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = send(end, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Read what is there; empty at the end.
std::string receive(int end) {
  std::string bytes(1 << 20, '\0');
  const auto size = recv(end, bytes.data(), bytes.size(), 0);
  bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return bytes;
}

}  // namespace

CuttingProxy::CuttingProxy(const PostgresServer& server, Watch watch)
    : server_socket_((server.socket_folder() / ".s.PGSQL.5432").string()), watch_(std::move(watch)) {
  const auto address = address_of((folder_.path() / ".s.PGSQL.5432").string());
  listening_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(listening_, 64) == 0);
  REQUIRE(pipe(stop_) == 0);
  acceptor_ = std::thread([this] { accept_clients(); });
}

CuttingProxy::~CuttingProxy() {
  (void)!::write(stop_[1], "x", 1);  // nobody reads it: everybody sees it
  let_answers_through();
  acceptor_.join();
  for (auto& carrier : carriers_) carrier.join();
  for (const auto& held : held_) close(held.server);
  for (const int end : {listening_, stop_[0], stop_[1]}) close(end);
}

std::string CuttingProxy::conninfo() const {
  return "host=" + folder_.path().string() + " user=openindex dbname=postgres";
}

void CuttingProxy::accept_clients() {
  for (;;) {
    pollfd sources[2] = {{listening_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    poll(sources, 2, -1);
    if (sources[1].revents != 0) return;
    const int client = accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const std::lock_guard lock(mutex_);
    carriers_.emplace_back([this, client] { carry(client); });
  }
}

void CuttingProxy::carry(int client) {
  int server = connect_to(server_socket_);
  for (bool open = server >= 0; open;) {
    pollfd sources[3] = {{client, POLLIN, 0}, {server, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    poll(sources, 3, -1);
    if (sources[2].revents != 0) break;
    if (sources[1].revents != 0) {
      const auto bytes = receive(server);
      open = !bytes.empty() && send_all(client, bytes);
    }
    if (open && sources[0].revents != 0) {
      const auto bytes = receive(client);
      const auto action = bytes.empty() ? Action::forward : watch_(bytes);
      if (action == Action::hold) {
        const std::lock_guard lock(mutex_);
        held_.push_back({server, bytes});
        server = -1;
      }
      if (action == Action::cut_behind && send_all(server, bytes)) (void)receive(server);
      const bool goes_on = action == Action::forward || action == Action::answer_late;
      open = goes_on && !bytes.empty() && send_all(server, bytes);
      if (action == Action::answer_late) {
        std::unique_lock lock(mutex_);
        answers_may_go_.wait(lock, [this] { return answers_go_; });
      }
    }
  }
  close(client);
  if (server >= 0) close(server);
}

void CuttingProxy::let_answers_through() {
  {
    const std::lock_guard lock(mutex_);
    answers_go_ = true;
  }
  answers_may_go_.notify_all();
}

void CuttingProxy::release() {
  std::vector<Held> held;
  {
    const std::lock_guard lock(mutex_);
    held.swap(held_);
  }
  for (const auto& one : held) {
    if (send_all(one.server, one.bytes)) (void)receive(one.server);
    close(one.server);
  }
}

}  // namespace openindex
