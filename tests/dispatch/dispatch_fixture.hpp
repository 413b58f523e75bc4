// A whole deployment in one thread: memory storage, a clock that stands still, and a model that the test plays.
#pragma once

#include <deque>
#include <functional>

#include <boost/json.hpp>

#include <openindex/adapters/sealed_secret_store.hpp>
#include <openindex/dispatcher.hpp>
#include <openindex/provider_registry.hpp>

#include "engine/engine_fixture.hpp"

namespace openindex::tests {

// What the model of a test sets in the triage stage, and accepts at the gate behind it.
inline const std::string set_triage = R"({"severity":"high","component":"parser"})";
inline const std::string accept = R"({"accept_requirements_text":true})";

// Answers every chat request with what the test has laid out, in the OpenAI form; answers wait until they are released.
class PlayedModel final : public HttpClient {
 public:
  HttpTicket send(HttpRequest request, HttpDone done) override {
    requests.push_back(request);
    waiting.emplace_back(++tickets, std::move(done));
    return tickets;
  }
  void cancel(HttpTicket ticket) noexcept override { cancelled.push_back(ticket); }

  /// Answer the oldest request.
  void answer(Result<HttpResponse> response) {
    auto done = std::move(waiting.front().second);
    waiting.pop_front();
    done(std::move(response));
  }
  void answer_calls(std::initializer_list<std::pair<std::string, std::string>> calls) {
    boost::json::array list;
    for (const auto& [name, arguments] : calls) {
      list.push_back({{"id", "call_" + std::to_string(list.size())},
                      {"type", "function"},
                      {"function", {{"name", name}, {"arguments", arguments}}}});
    }
    answer(reply({{"role", "assistant"}, {"content", nullptr}, {"tool_calls", list}}, "tool_calls"));
  }
  void answer_text(const std::string& text) { answer(reply({{"role", "assistant"}, {"content", text}}, "stop")); }
  void answer_status(int status, HttpHeaders headers = {}) {
    answer(HttpResponse{status, std::move(headers), R"({"error":{"message":"no","type":"x","code":"x"}})"});
  }

  std::deque<HttpRequest> requests;
  std::deque<std::pair<HttpTicket, HttpDone>> waiting;
  std::vector<HttpTicket> cancelled;
  HttpTicket tickets = 0;

 private:
  static HttpResponse reply(const boost::json::object& message, const char* reason) {
    const boost::json::value body = {
        {"id", "x"},
        {"object", "chat.completion"},
        {"model", "played"},
        {"choices", boost::json::array{{{"index", 0}, {"message", message}, {"finish_reason", reason}}}},
        {"usage", {{"prompt_tokens", 100}, {"completion_tokens", 10}, {"total_tokens", 110}}}};
    return {200, {{"Content-Type", "application/json"}}, boost::json::serialize(body)};
  }
};

struct DispatchFixture : EngineFixture {
  PlayedModel model;
  SealedSecretStore secrets{HostKey::ephemeral(random), random};
  ProviderRegistry providers{{.storage = storage, .secrets = secrets, .http = model, .clock = clock, .random = random}};
  std::unique_ptr<Dispatcher> dispatcher = make_dispatcher();
  std::vector<std::string> updates;

  std::unique_ptr<Dispatcher> make_dispatcher() {
    auto made = std::make_unique<Dispatcher>(
        Dispatcher::Options{.engine = engine, .providers = providers, .http = model, .hold = std::chrono::seconds(60)});
    made->observe([this](const RunUpdate& update) {
      constexpr const char* words[] = {"started", "turn", "tool", "waiting", "ended"};
      updates.push_back(words[static_cast<int>(update.what)]);
    });
    return made;
  }
  ProviderId provider(const std::string& name = "played") {
    const auto made =
        providers.create(host, {.name = name, .type = "openai", .config = {{"api_key", "k-" + name}, {"model", "m"}}});
    return made.value().id;
  }
  void attach(const ProviderId& id) {
    for (const char* stage : {"triage", "plan"}) engine.attach_provider(host, "TRIAGE", stage, id).value();
  }
  ItemKey dispatched() {
    const ItemKey key = bug();
    static_cast<void>(engine.transition(mia, key, "triaging").value());
    return key;
  }
  /// Rounds until nothing happens any more.
  void settle() {
    for (int i = 0; i < 50; ++i) {
      if (dispatcher->step().value().events == 0) return;
    }
    FAIL("the dispatcher never comes to rest");
  }
  /// As if the process had died: what was in flight is never answered.
  void crash() {
    dispatcher = nullptr;
    model.waiting.clear();
    dispatcher = make_dispatcher();
  }
  AgentRun run(const ItemKey& key) { return engine.runs(host, key).value().front(); }
};

}  // namespace openindex::tests
