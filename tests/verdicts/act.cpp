#include "verdicts/act.hpp"

#include <boost/json/parse.hpp>

#include <openindex/adapters/sealed_secret_store.hpp>
#include <openindex/dispatcher.hpp>
#include <openindex/provider_registry.hpp>

namespace openindex::verdicts {
namespace {

class NoNetwork final : public HttpClient {
 public:
  HttpTicket send(HttpRequest, HttpDone) override { return 1; }
  void cancel(HttpTicket) noexcept override {}
};

// Tries one command, notes what came of it, and waits for a person.
class OneAct final : public AgentRunner {
 public:
  explicit OneAct(Command command) : command_(std::move(command)) {}
  std::unique_ptr<RunProgram> start() override { return std::make_unique<Program>(*this); }

  std::optional<ToolOutcome> outcome = {};

 private:
  class Program final : public RunProgram {
   public:
    explicit Program(OneAct& runner) : runner_(runner) {}
    RunAction on(const RunEvent& event) override {
      if (std::holds_alternative<RunBegins>(event)) return Act{{"call", "act", "{}"}, runner_.command_};
      if (const auto* done = std::get_if<CallDone>(&event)) runner_.outcome = done->outcome;
      return AskPerson{};
    }

   private:
    OneAct& runner_;
  };

  Command command_;
};

std::string code_of(const ToolOutcome& outcome) {
  if (!outcome.is_error) return "accepted";
  return std::string(boost::json::parse(outcome.text).at("error").at("code").as_string());
}

}  // namespace

std::optional<std::string> act(StageSet& set, const Command& command) {
  const bool hold_of_dispatcher = std::holds_alternative<Claim>(command) || std::holds_alternative<Release>(command) ||
                                  std::holds_alternative<Heartbeat>(command);
  if (hold_of_dispatcher) return std::nullopt;
  // The run began under the hold that the set gave it; let a real dispatcher begin it instead.
  static_cast<void>(set.engine.take_over(Actor::system("host"), set.item, {}).value());
  set.clock.advance(std::chrono::seconds(1));  // so long the run is left to who had it
  // The other item's run is none of this dispatcher's business.
  static_cast<void>(set.engine.claim(Actor::agent("agent-beta"), set.open_item).value());
  NoNetwork network;
  SealedSecretStore secrets{HostKey::ephemeral(set.random), set.random};
  ProviderRegistry providers{
      {.storage = set.storage, .secrets = secrets, .http = network, .clock = set.clock, .random = set.random}};
  Dispatcher dispatcher{{.engine = set.engine, .providers = providers, .http = network}};
  OneAct runner(command);
  dispatcher.add_runner("chat", runner);
  for (int round = 0; round < 5; ++round) static_cast<void>(dispatcher.step().value());
  if (runner.outcome) return code_of(*runner.outcome);
  // A program is not called any more once its item has left the stage: the journal has the outcome then.
  for (const RunStep& step : set.engine.journal(Actor::system("host"), set.as_claimed.run).value()) {
    if (step.kind != "tool") continue;
    const auto body = boost::json::parse(step.body);
    return code_of({.text = std::string(body.at("text").as_string()), .is_error = body.at("error").as_bool()});
  }
  return "no answer";
}

}  // namespace openindex::verdicts
