// Bug triage: agents rate bugs and plan their fixes, a person approves the plans, and everything survives kill -9.
//
// Run it, kill it, run it again: it goes on where it stopped. It works with OpenAI (OPENAI_API_KEY, also any compatible
// server through OPENAI_BASE_URL), Anthropic (ANTHROPIC_API_KEY), Ollama (OLLAMA_HOST), or, with none of them, with a
// scripted provider in a process of its own. Files in the working folder: triage.db, triage.key, triage.requests.log.
// Ends with 0 when what is left waits for people, 2 when some of it waits for a server or a setting, 1 on errors.
#include <filesystem>
#include <fstream>

#include <openindex/adapters/curl_http_client.hpp>
#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/openindex.hpp>
#include <openindex/testing/scripted_provider.hpp>

#include "display.hpp"

namespace oi = openindex;
using namespace std::chrono_literals;

namespace {

const std::filesystem::path folder = EXAMPLE_DIR;

// What makes the agent useful is the host's: here, a look into the source tree.
oi::Result<std::string> search_sources(const oi::ToolCall& call) {
  std::string found;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "sources")) {
    std::ifstream file(entry.path());
    int number = 1;
    for (std::string line; std::getline(file, line); ++number) {
      if (line.find(call.text("term")) == std::string::npos) continue;
      found += entry.path().filename().string() + ":" + std::to_string(number) + ": " + line + "\n";
    }
  }
  return found.empty() ? "no line contains it" : found;
}

const oi::Tool search_tool{
    .name = "search_sources",
    .description = "Find the lines of the source tree that contain a term",
    .schema = R"({"type": "object", "properties": {"term": {"type": "string", "minLength": 2, "maxLength": 100}},
                  "required": ["term"], "additionalProperties": false})",
    .call = search_sources};

// Twenty bug reports, each created once however often this program starts, and handed to the agents.
oi::Result<std::size_t> submit_bugs(oi::WorkflowEngine& engine, const oi::Actor& host) {
  const auto bugs = oi::NewItem::list_from_json(read_file(folder / "items.json"));
  if (!bugs) return bugs.error().with("file", (folder / "items.json").string());
  for (const auto& bug : *bugs) {
    auto item = engine.create(host, bug);
    if (item && item->status == "new") item = engine.transition(host, item->key, "triaging");
    if (!item) return item.error();
  }
  return bugs->size();
}

// A person reads the plans: what matters is approved, small things are turned down.
oi::Result<void> review_plans(oi::WorkflowEngine& engine) {
  const auto mia = oi::Actor::person("mia");
  const auto waiting = engine.list(mia, {.workflow = "TRIAGE", .stage = "review"});
  if (!waiting) return waiting.error();
  std::printf("\n\n%zu plans wait for a person:\n", waiting->items.size());
  for (const auto& item : waiting->items) {
    std::printf("  %-7s %s\n", item.key.str().c_str(), plain(item.title).c_str());
    const bool matters = item.fields.at("severity") != oi::FieldValue("minor");
    auto acted = matters ? engine.progress(mia, item.key, {.gate = "review_to_done", .accept_text = true})
                         : engine.transition(mia, item.key, "rejected");
    if (!acted) return acted.error();
  }
  return {};
}

oi::Result<int> run_triage() {
  // The scripted provider is forked, so it comes before anything that starts a thread.
  const auto named = oi::NewProvider::from_environment();
  if (!named) return named.error();
  auto wanted = *named;
  std::optional<oi::testing::ScriptedProvider> scripted;
  if (!wanted) {
    auto started = oi::testing::ScriptedProvider::start_process(
        {.script = read_file(folder / "script.json"), .log = "triage.requests.log"});
    if (!started) return started.error();
    scripted = std::move(*started);
    wanted = {.name = "scripted",
              .type = "openai",
              .config = {{"api_key", "scripted"}, {"endpoint", scripted->url() + "/v1"}, {"model", "scripted"}}};
  }

  auto storage = oi::SqliteStorage::open({.path = "triage.db"});
  if (!storage) return storage.error();  // says what is wrong with the file, and what to do
  auto key = oi::HostKey::from_file("triage.key");
  if (!key) return key.error();
  oi::SealedSecretStore secrets{*key};
  // The user's own server may stand in a private network; nothing else there is reached.
  oi::CurlHttpClient http{{.egress = oi::Egress::public_and_loopback().trusting_host_of(wanted->config["endpoint"])}};
  oi::ProviderRegistry providers{{.storage = **storage, .secrets = secrets, .http = http}};
  oi::WorkflowEngine engine{{.storage = **storage}};
  oi::AgentQueue queue{engine};
  oi::Dispatcher dispatcher{
      {.engine = engine, .providers = providers, .http = http, .runs_max = 6, .hold = 3s, .retries_max = 4}};

  const auto host = oi::Actor::system("triage");
  const auto workflow = oi::Workflow::from_json(read_file(folder / "workflow.json"));
  if (!workflow) return workflow.error().with("file", (folder / "workflow.json").string());  // lists every mistake
  if (auto saved = engine.save(host, *workflow); !saved) return saved.error();
  const auto provider = providers.save(host, *wanted);
  if (!provider) return provider.error();
  for (const char* stage : {"triage", "plan"}) {
    if (auto set = engine.set_stage_settings(host, workflow->id, stage, {.providers = {provider->id}}); !set)
      return set.error();
  }
  if (auto added = dispatcher.add_tool(search_tool); !added) return added.error();
  const auto count = submit_bugs(engine, host);
  if (!count) return count.error();

  const auto open = engine.list(host, {.workflow = "TRIAGE", .resolution = oi::Resolution::unresolved});
  if (!open) return open.error();
  if (open->items.empty()) return std::printf("Nothing is left to do: all %zu bugs are resolved.\n", *count), 0;
  const auto free = queue.available(host, {.workflow = "TRIAGE"});
  if (!free) return free.error();
  print_start(open->items.size(), free->items.size(), *provider);

  if (auto ran = dispatcher.run_until_idle({.observer = ProgressLine(open->items)}); !ran) return ran.error();
  if (auto reviewed = review_plans(engine); !reviewed) return reviewed.error();

  const auto all = engine.list(host, {.workflow = "TRIAGE"});
  if (!all) return all.error();
  print_items(all->items);
  bool stuck = false;
  for (const auto& item : all->items) {
    if (item.resolution != oi::Resolution::unresolved) continue;
    const auto why = engine.explain(host, item.key);
    if (!why) return why.error();
    print_explanation(item.key, *why);
    stuck = stuck || !waits_for_person(*why);
  }
  const auto trail = engine.audit(host, all->items.front().key);
  if (!trail) return trail.error();
  print_trail(all->items.front().key, *trail);
  if (auto sound = engine.verify(host, all->items.front().key); !sound) return sound.error();
  return stuck ? 2 : 0;
}

}  // namespace

int main() {
  const auto done = run_triage();
  if (!done) std::fprintf(stderr, "triage: %s\n", done.error().describe().c_str());
  return done ? *done : 1;
}
