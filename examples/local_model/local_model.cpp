// A model server of your own: one work item done through its OpenAI wire, one through its Anthropic wire, each with a
// call of a tool. llama.cpp's llama-server, Ollama and vLLM speak both.
//
//   LOCAL_MODEL_URL   where it listens, without a version: http://127.0.0.1:8080
//   LOCAL_MODEL       the model's name there; llama-server takes any
//   LOCAL_MODEL_KEY   its key, if it wants one
//
// Without LOCAL_MODEL_URL it says how to start a server. With the argument `rehearse` a script plays one.
// Ends with 0 when both items are done or there is no server to ask, 1 on errors, 2 when the model did not do its work.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <openindex/adapters/curl_http_client.hpp>
#include <openindex/openindex.hpp>
#include <openindex/testing/scripted_provider.hpp>

namespace oi = openindex;

namespace {

constexpr auto how_to_start = R"(No model server is named. Start one, such as

  llama-server -hf Qwen/Qwen3-4B-GGUF --jinja --port 8080    # llama.cpp; --jinja lets the model call tools
  ollama pull qwen3 && ollama serve                              # listens on port 11434
  vllm serve Qwen/Qwen3-4B --enable-auto-tool-choice --tool-call-parser hermes    # port 8000

and say where it is and which model to ask:

  LOCAL_MODEL_URL=http://127.0.0.1:8080 LOCAL_MODEL=qwen3 examples/run local_model

`examples/run local_model rehearse` needs no server: a script plays one.
)";

// What a model that does its work would say.
constexpr auto script = R"({"rules": [
  {"when": {"turn": 0, "tool_offered": "read_meter"},
   "reply": {"text": "I read the meter.", "tool_calls": [{"name": "read_meter", "arguments": {"room": "cellar"}}]}},
  {"when": {"turn": 1, "last_contains": "4711"},
   "reply": {"tool_calls": [{"name": "set_fields", "arguments": {"reading": 4711}}]}},
  {"when": {"turn": 2}, "reply": {"tool_calls": [{"name": "change_status", "arguments": {"to_status": "done"}}]}}]})";

struct Server {
  std::string url, model, key;
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

oi::NewProvider provider_of(const Server& server, const std::string& type) {
  return {.name = type,
          .type = type,
          .config = {{"endpoint", server.url + (type == "openai" ? "/v1" : "")},
                     {"model", server.model},
                     {"api_key", server.key.empty() ? "none" : server.key}}};
}

oi::Result<oi::Workflow> meter_workflow() {
  return oi::WorkflowBuilder("METER")
      .stage({.key = "read",
              .agent_required = true,
              .goal = "Read the meter of the cellar with the tool read_meter, set the field reading to what it shows, "
                      "then change the status to done."})
      .stage({.key = "closed"})
      .status({.key = "open", .stage = "read"})
      .status({.key = "done", .stage = "closed", .resolution = oi::Resolution::resolved})
      .transition("open", "done")
      .field({.key = "reading", .type = oi::FieldType::number, .description = "What the meter shows"})
      .build();
}

// Have the model do one item through one of the server's wires; tell whether it did.
oi::Result<bool> read_meter(const Server& server, const std::string& type) {
  oi::MemoryStorage storage;
  oi::SealedSecretStore secrets{oi::HostKey::ephemeral()};
  oi::CurlHttpClient http{{.egress = oi::Egress::public_and_loopback().trusting_host_of(server.url)}};
  oi::ProviderRegistry providers{{.storage = storage, .secrets = secrets, .http = http}};
  oi::WorkflowEngine engine{{.storage = storage}};
  oi::Dispatcher dispatcher{{.engine = engine, .providers = providers, .http = http, .retries_max = 2}};

  const auto host = oi::Actor::system("local_model");
  const auto provider = providers.save(host, provider_of(server, type));
  if (!provider) return provider.error();
  const auto tested = providers.test(host, provider->id);
  if (!tested) return tested.error();
  std::printf("%s wire at %s: %s\n", type.c_str(), server.url.c_str(), tested->ok() ? "ok" : tested->message.c_str());
  if (!tested->reachable) return oi::Error(oi::errc::http_unreachable, "No server answers; see above");

  const auto workflow = meter_workflow();
  if (!workflow) return workflow.error();
  if (auto saved = engine.save(host, *workflow); !saved) return saved.error();
  if (auto set = engine.set_stage_settings(host, "METER", "read", {.providers = {provider->id}, .turns_max = 8});
      !set) {
    return set.error();
  }
  int calls = 0;
  const oi::Tool tool{
      .name = "read_meter",
      .description = "Tell what the meter of a room shows",
      .schema = R"({"type": "object", "properties": {"room": {"type": "string"}}, "required": ["room"]})",
      .call = [&calls](const oi::ToolCall&) -> oi::Result<std::string> {
        ++calls;
        return std::string("4711 kWh");
      }};
  if (auto added = dispatcher.add_tool(tool); !added) return added.error();
  const auto item = engine.create(host, {.workflow = "METER", .title = "Meter of the cellar"});
  if (!item) return item.error();
  if (auto ran = dispatcher.run_until_idle(); !ran) return ran.error();

  const auto after = engine.get(host, item->key);
  const auto why = engine.explain(host, item->key);
  if (!after || !why) return after ? why.error() : after.error();
  const auto reading = after->fields.find("reading");
  const bool done = after->status == "done" && calls > 0 && reading != after->fields.end() &&
                    reading->second == oi::FieldValue(4711.0);
  std::printf("%s wire: status %s, tool called %d times, %s\n", type.c_str(), after->status.c_str(), calls,
              done ? "the reading is right" : why->summary.c_str());
  return done;
}

}  // namespace

int main(int count, char** arguments) {
  Server server{environment("LOCAL_MODEL_URL"), environment("LOCAL_MODEL"), environment("LOCAL_MODEL_KEY")};
  std::optional<oi::testing::ScriptedProvider> played;
  if (count > 1 && std::string_view(arguments[1]) == "rehearse") {
    auto started = oi::testing::ScriptedProvider::start({.script = script});
    if (!started) return std::fprintf(stderr, "local_model: %s\n", started.error().describe().c_str()), 1;
    played = std::move(*started);
    server = {played->url(), "scripted", ""};
  }
  if (server.url.empty()) return std::fputs(how_to_start, stdout), 0;
  if (server.url.back() == '/') server.url.pop_back();
  if (server.model.empty()) server.model = "default";

  bool all_done = true;
  for (const char* type : {"openai", "anthropic"}) {
    const auto done = read_meter(server, type);
    if (!done) return std::fprintf(stderr, "local_model: %s: %s\n", type, done.error().describe().c_str()), 1;
    all_done = all_done && *done;
  }
  return all_done ? 0 : 2;
}
