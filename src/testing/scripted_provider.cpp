#include <openindex/testing/scripted_provider.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "testing/provider_service.hpp"

namespace openindex {
inline namespace v0 {
namespace testing {
namespace {

using namespace scripted;

// A pipe that carries no bytes: its reading end tells when the last writing end is closed, by hand or by death.
struct Lifeline {
  Descriptor held;
  Descriptor watched;
};

Result<Lifeline> make_lifeline() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Error(errc::http_unreachable, "No pipe for the scripted provider").with("reason", std::strerror(errno));
  }
  return Lifeline{Descriptor(ends[1]), Descriptor(ends[0])};
}

// Files and sockets of the parent must not stay open because a test double still lives.
void close_all_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned from = STDERR_FILENO + 1;
  for (const int fd : kept) {
    if (fd < static_cast<int>(from)) continue;
    if (static_cast<unsigned>(fd) > from) ::close_range(from, static_cast<unsigned>(fd) - 1, 0);
    from = static_cast<unsigned>(fd) + 1;
  }
  ::close_range(from, ~0u, 0);
}

[[noreturn]] void serve_in_child(LoopbackServer& server, ProviderService& service, int watched, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);                                            // it died before the line above
  for (const int signal : {SIGINT, SIGHUP, SIGQUIT}) std::signal(signal, SIG_IGN);  // the terminal means the parent
  std::signal(SIGTERM, SIG_DFL);
  close_all_but({server.descriptor(), watched, service.log_descriptor()});
  server.serve(watched, [&](const ServedRequest& request) { return service.answer(request); });
  ::_exit(0);
}

}  // namespace

class ScriptedProvider::Server {
 public:
  Server(LoopbackServer server, std::unique_ptr<ProviderService> service, Lifeline lifeline)
      : server_(std::move(server)),
        service_(std::move(service)),
        lifeline_(std::move(lifeline)),
        url_(fmt::format("http://127.0.0.1:{}", server_.port())) {}

  ~Server() {
    lifeline_.held.reset();
    if (thread_.joinable()) thread_.join();
    while (child_ > 0 && ::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  Result<void> start_thread() {
    try {
      thread_ = std::thread([this] {
        server_.serve(lifeline_.watched.get(),
                      [this](const ServedRequest& request) { return service_->answer(request); });
      });
    } catch (const std::system_error& failed) {
      return Error(errc::http_unreachable, "No thread for the scripted provider").with("reason", failed.what());
    }
    return {};
  }

  Result<void> start_child() {
    const pid_t parent = ::getpid();
    std::fflush(nullptr);  // what is buffered must not be written twice
    child_ = ::fork();
    if (child_ < 0) {
      return Error(errc::http_unreachable, "No process for the scripted provider").with("reason", std::strerror(errno));
    }
    if (child_ == 0) {
      lifeline_.held.reset();
      serve_in_child(server_, *service_, lifeline_.watched.get(), parent);
    }
    server_ = {};
    lifeline_.watched.reset();
    return {};
  }

  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  [[nodiscard]] std::size_t request_count() const noexcept { return service_->chat_count(); }

  static Result<std::unique_ptr<Server>> open(const ScriptedProviderOptions& options) {
    auto service = ProviderService::open(options);
    if (!service) return service.error();
    auto server = LoopbackServer::open();
    if (!server) return server.error();
    auto lifeline = make_lifeline();
    if (!lifeline) return lifeline.error();
    return std::make_unique<Server>(std::move(*server), std::move(*service), std::move(*lifeline));
  }

 private:
  LoopbackServer server_;
  std::unique_ptr<ProviderService> service_;
  Lifeline lifeline_;
  std::string url_;
  std::thread thread_;
  pid_t child_ = -1;
};

ScriptedProvider::ScriptedProvider(std::unique_ptr<Server> server) : server_(std::move(server)) {}
ScriptedProvider::ScriptedProvider(ScriptedProvider&&) noexcept = default;
ScriptedProvider& ScriptedProvider::operator=(ScriptedProvider&&) noexcept = default;
ScriptedProvider::~ScriptedProvider() = default;

Result<ScriptedProvider> ScriptedProvider::start(ScriptedProviderOptions options) {
  auto server = Server::open(options);
  if (!server) return server.error();
  if (auto started = (*server)->start_thread(); !started) return started.error();
  return ScriptedProvider(std::move(*server));
}

Result<ScriptedProvider> ScriptedProvider::start_process(ScriptedProviderOptions options) {
  auto server = Server::open(options);
  if (!server) return server.error();
  if (auto started = (*server)->start_child(); !started) return started.error();
  return ScriptedProvider(std::move(*server));
}

const std::string& ScriptedProvider::url() const noexcept { return server_->url(); }
std::size_t ScriptedProvider::request_count() const noexcept { return server_->request_count(); }

}  // namespace testing
}  // namespace v0
}  // namespace openindex
