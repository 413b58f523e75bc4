#include <openindex/dispatcher.hpp>

#include <algorithm>

#include <openindex/agent/chat_runner.hpp>

#include "agent/schema.hpp"
#include "agent/stage_tools.hpp"
#include "dispatch/work.hpp"

namespace openindex {
inline namespace v0 {
namespace {

bool is_tool_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), good);
}

// The ready-made runner keeps no state of its own: one serves every dispatcher.
AgentRunner& chat_runner() {
  static ChatRunner runner;
  return runner;
}

}  // namespace

Dispatcher::Dispatcher(Options options) : work_(std::make_unique<Work>(std::move(options))) {
  work_->runners.emplace("chat", &chat_runner());
}

Dispatcher::~Dispatcher() = default;

Result<void> Dispatcher::add_tool(Tool tool) {
  if (!is_tool_name(tool.name) || agent::is_stage_tool(tool.name)) {
    return Error(errc::invalid_argument, "A tool's name is 1 to 64 of a-z A-Z 0-9 _ - and none of the built-in ones")
        .with("tool", tool.name);
  }
  if (!tool.call) return Error(errc::invalid_argument, "A tool needs a function").with("tool", tool.name);
  if (work_->schemas.contains(tool.name)) return Error(errc::already_exists).with("tool", tool.name);
  auto schema = agent::read_schema(tool.schema);
  if (!schema) return schema.error().with("tool", tool.name);
  work_->schemas.emplace(tool.name, std::move(*schema));
  work_->tools.push_back(std::move(tool));
  return {};
}

void Dispatcher::add_runner(const std::string& name, AgentRunner& runner) { work_->runners[name] = &runner; }
void Dispatcher::observe(RunObserver observer) { work_->observer = std::move(observer); }
Result<StepReport> Dispatcher::step() { return work_->step(); }
Result<void> Dispatcher::run(std::stop_token stop) { return work_->run(std::move(stop), false); }
void Dispatcher::wake() noexcept { work_->inbox->wake(); }

Result<void> Dispatcher::run_until_idle(UntilIdle options) {
  if (options.observer) work_->observer = std::move(options.observer);
  return work_->run(std::move(options.stop), true);
}

}  // namespace v0
}  // namespace openindex
