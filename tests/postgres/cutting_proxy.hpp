// A Unix socket in front of a server's that carries bytes both ways, and can cut a connection at a chosen moment.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "postgres/postgres_server.hpp"

namespace openindex {

class CuttingProxy {
 public:
  enum class Action {
    forward,
    cut_before,   ///< The server never gets the bytes.
    cut_behind,   ///< The server gets them and answers; the client never hears it.
    answer_late,  ///< The server gets them and answers; the client hears it when `let_answers_through` is called.
    hold,         ///< The client is cut off now; the server gets the bytes when `release` is called.
  };

  /// Decides about each piece that a client sends. Called from several threads.
  using Watch = std::function<Action(std::string_view bytes)>;

  CuttingProxy(const PostgresServer& server, Watch watch);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  /// The connection string that leads through the proxy.
  [[nodiscard]] std::string conninfo() const;

  /// Let the server have what was held, and wait until it has answered.
  void release();

  /// Let the clients hear what was kept from them.
  void let_answers_through();

 private:
  struct Held {
    int server;
    std::string bytes;
  };

  void accept_clients();
  void carry(int client);

  ServerFolder folder_;
  const std::string server_socket_;
  const Watch watch_;
  int listening_ = -1;
  int stop_[2] = {-1, -1};
  std::thread acceptor_;
  std::mutex mutex_;
  std::condition_variable answers_may_go_;
  bool answers_go_ = false;
  std::vector<std::thread> carriers_;
  std::vector<Held> held_;
};

}  // namespace openindex
