// The smallest host: all in memory, with its own HTTP client and runner, linked with openindex::openindex and no more.
#include <cstdio>
#include <openindex/openindex.hpp>
namespace oi = openindex;

// This host calls nobody. Yours hands the request to the HTTP stack it has, and calls `done` once with the answer.
struct NoHttp final : oi::HttpClient {
  oi::HttpTicket send(oi::HttpRequest, oi::HttpDone done) override { return done(oi::errc::http_unreachable), 0; }
  void cancel(oi::HttpTicket) noexcept override {}
};

// A runner is a state machine: an event comes in, the next action goes out.
struct Greeter final : oi::AgentRunner {
  struct Program final : oi::RunProgram {
    oi::RunAction on(const oi::RunEvent&) override { return oi::Act{{.name = "greet"}, oi::Complete{"greeted"}}; }
  };
  std::unique_ptr<oi::RunProgram> start() override { return std::make_unique<Program>(); }
};

int main() {
  oi::MemoryStorage storage;
  oi::SealedSecretStore secrets{oi::HostKey::ephemeral()};
  NoHttp http;
  Greeter greeter;
  oi::ProviderRegistry providers{{.storage = storage, .secrets = secrets, .http = http}};
  oi::WorkflowEngine engine{{.storage = storage}};
  oi::Dispatcher dispatcher{{.engine = engine, .providers = providers, .http = http}};
  dispatcher.add_runner("greeter", greeter);
  const auto host = oi::Actor::system("embed");
  const auto workflow = oi::WorkflowBuilder("GREET")
                            .stage({.key = "greet", .agent_required = true, .runner = "greeter"})
                            .status({.key = "open", .stage = "greet"})
                            .status({.key = "greeted", .stage = "greet", .resolution = oi::Resolution::resolved})
                            .transition("open", "greeted")
                            .build();
  if (!workflow || !engine.save(host, *workflow)) return 1;
  const auto item = engine.create(host, {.workflow = "GREET", .title = "world"});
  if (!item || !dispatcher.run_until_idle()) return 1;
  std::printf("%s: %s\n", item->title.c_str(), engine.get(host, item->key).value().status.c_str());
}
