// A static-analysis bot. What a runner needs is a plain function: the dispatcher hands it each item of the stage "lint"
// on a thread where it may block, keeps the hold meanwhile, and tells it to stop when its work is no longer wanted.
//
// The tool is the compiler, the source tree is beside this file. One of its files does not compile: a person decides.
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <openindex/openindex.hpp>
namespace oi = openindex;

const std::filesystem::path sources = std::filesystem::path(EXAMPLE_DIR) / "sources";

struct NoHttp final : oi::HttpClient {  // this host asks no model
  oi::HttpTicket send(oi::HttpRequest, oi::HttpDone done) override { return done(oi::errc::http_unreachable), 0; }
  void cancel(oi::HttpTicket) noexcept override {}
};

// The name is safe in a command: the workflow lets no other into the field.
oi::Result<void> lint(oi::AgentSession& work, std::stop_token stop) {
  const std::string file = *work.item().fields.at("file").text();
  const std::string command =
      "cd '" + sources.string() + "' && LC_ALL=C c++ -std=c++20 -fsyntax-only -Wall -Wextra " + file + " 2>&1";
  std::FILE* compiler = popen(command.c_str(), "r");
  if (compiler == nullptr) return oi::Error(oi::errc::host_callback_failed, "no compiler can be started");
  std::string report;
  int warnings = 0;
  char line[1024];
  while (!stop.stop_requested() && std::fgets(line, sizeof line, compiler) != nullptr) {
    if (report.size() < 8000) report += line;
    if (std::string_view(line).find("warning: ") != std::string_view::npos) ++warnings;
  }
  const int status = pclose(compiler);
  if (stop.stop_requested()) return {};  // somebody else has the item, or the host ends
  if (WEXITSTATUS(status) == 127) return oi::Error(oi::errc::host_callback_failed, "there is no compiler");
  if (!report.empty()) {
    if (auto said = work.comment(report); !said) return said;
  }
  if (auto set = work.set_field("warnings", warnings); !set) return set;
  if (status != 0) {
    auto given = std::move(work).release(file + " does not compile");
    return given ? oi::Result<void>() : given.error();
  }
  return std::move(work).progress("lint_to_review", {.checked = {"It compiles"}});
}

oi::Result<oi::Workflow> lint_workflow() {
  return oi::WorkflowBuilder("LINT")
      .execution_target(oi::ExecutionTarget::agent)
      .stage({.key = "lint", .agent_required = true, .runner = "lint"})
      .stage({.key = "review"})
      .status({.key = "linting", .stage = "lint", .in_progress = true})
      .status({.key = "in_review", .stage = "review"})
      .status({.key = "reviewed", .stage = "review", .resolution = oi::Resolution::resolved})
      .transition("linting", "in_review")
      .transition("in_review", "reviewed")
      .field({.key = "file", .pattern = "[a-z_]+\\.cpp"})
      .field({.key = "warnings", .type = oi::FieldType::number})
      .gate({.key = "lint_to_review",
             .from_stage = "lint",
             .to_stage = "review",
             .to_status = "in_review",
             .mode = oi::GateMode::checklist,
             .items = {"It compiles"},
             .required_fields = {"warnings"}})
      .build();
}

int main() {
  oi::MemoryStorage storage;
  oi::SealedSecretStore secrets{oi::HostKey::ephemeral()};
  NoHttp http;
  oi::ProviderRegistry providers{{.storage = storage, .secrets = secrets, .http = http}};
  oi::WorkflowEngine engine{{.storage = storage}};
  oi::BlockingRunner runner{lint};
  oi::Dispatcher dispatcher{{.engine = engine, .providers = providers, .http = http}};
  dispatcher.add_runner("lint", runner);

  const auto host = oi::Actor::system("custom_runner");
  const auto workflow = lint_workflow();
  if (!workflow || !engine.save(host, *workflow)) return 1;
  for (const auto& entry : std::filesystem::directory_iterator(sources)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".cpp")) continue;
    if (!engine.create(host, {.workflow = "LINT", .title = "Check " + name, .fields = {{"file", name}}})) return 1;
  }
  if (!dispatcher.run_until_idle()) return 1;

  int reviewable = 0, blocked = 0;
  for (const auto& item : engine.list(host, {.workflow = "LINT"}).value().items) {
    std::printf("%-20s %-10s %s warnings\n", item.title.c_str(), item.status.c_str(),
                item.fields.at("warnings").display().c_str());
    if (item.status == "in_review") ++reviewable;
    const auto why = engine.explain(host, item.key).value();
    if (why.run_reason != oi::RunReason::needs_person) continue;
    std::printf("  %s\n", why.summary.c_str());
    ++blocked;
  }
  return reviewable == 3 && blocked == 1 ? 0 : 1;
}
