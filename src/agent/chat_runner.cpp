#include <openindex/agent/chat_runner.hpp>

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <boost/json/object.hpp>

#include "agent/conversation.hpp"
#include "agent/journal.hpp"
#include "agent/person_question.hpp"
#include "agent/plain_text.hpp"
#include "agent/schema.hpp"
#include "agent/stage_prompt.hpp"
#include "agent/stage_tools.hpp"
#include "json/read.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using agent::Conversation;
namespace step_kind = agent::step_kind;

constexpr std::uint32_t reminders_max = 2;
constexpr std::size_t calls_max = 50;  // carried out in one turn
constexpr json::Limits arguments_limits{.bytes_max = 1024u * 1024, .depth_max = 32, .refuse_duplicates = true};

RejectCall reject(const ToolUse& call, const Error& error) { return {call, agent::refusal_text(error)}; }

bool repeats_an_id(const std::vector<ToolUse>& calls, std::size_t at) {
  const auto end = calls.begin() + static_cast<std::ptrdiff_t>(at);
  return std::any_of(calls.begin(), end, [&](const ToolUse& earlier) { return earlier.id == calls[at].id; });
}

Result<boost::json::value> read_arguments(const ToolUse& call, const ToolSpec& tool) {
  auto arguments = json::parse(call.arguments, arguments_limits);
  if (!arguments) return arguments.error();
  const auto schema = agent::read_schema(tool.schema);
  if (!schema) return schema.error();
  if (auto fit = agent::check_arguments(*schema, *arguments); !fit) return fit.error();
  return arguments;
}

// What happens next follows from the conversation and the item's context alone; the conversation follows from the
// journal. So a program that starts over with the journal goes on where the one before it stopped.
class ChatProgram final : public RunProgram {
 public:
  explicit ChatProgram(const ChatRunnerOptions& options) : options_(options) {}

  RunAction on(const RunEvent& event) override {
    return std::visit([this](const auto& happened) { return handle(happened); }, event);
  }

 private:
  RunAction handle(const RunBegins& begins) {
    host_tools_.clear();
    for (const Tool& tool : begins.tools) host_tools_.push_back({tool.name, tool.description, tool.schema});
    auto conversation = Conversation::read(begins.journal);
    if (!conversation) return unreadable(conversation.error());
    conversation_ = std::move(*conversation);
    return next(begins.context);
  }
  RunAction handle(const ModelReplied& replied) {
    conversation_.add(replied.reply);
    return next(replied.context);
  }
  RunAction handle(const CallDone& done) {
    conversation_.add(done.outcome);
    return next(done.context);
  }

  RunAction next(const AgentContext& context);
  RunAction ask(const AgentContext& context, std::vector<StepDraft> journal_first);
  RunAction tell(const AgentContext& context, std::string text);
  RunAction answer(const AgentContext& context);
  RunAction judge(const ToolUse& call, const AgentContext& context);
  std::optional<Error> objection(const ToolUse& call) const;
  std::vector<ToolSpec> tools(const AgentContext& context) const;

  static GiveUp unreadable(const Error& error) {
    return {RunReason::runner_failed,
            fmt::format("The journal cannot be continued at step {}: {}", error.context("step"), error.message())};
  }

  ChatRunnerOptions options_;
  std::vector<ToolSpec> host_tools_;
  Conversation conversation_;
};

RunAction ChatProgram::next(const AgentContext& context) {
  if (!conversation_.opened()) {
    std::string user = agent::data_part(context, options_.item_bytes_max);
    if (!conversation_.advice().empty()) user += "\n\n" + conversation_.advice();
    conversation_.open(agent::system_part(context), std::move(user));
    const std::string& told = conversation_.turns().front().text;
    return ask(context, {{std::string(step_kind::context), agent::context_body(conversation_.system(), told)}});
  }
  if (conversation_.replies() > 0 && conversation_.last_stop() == ChatReply::Stop::refused) {
    const std::string& words = conversation_.last_reply().text;
    return GiveUp{RunReason::refused, words.empty() ? "the model refused to answer" : agent::shortened(words)};
  }
  if (const auto* repeated = conversation_.repeated()) {
    return GiveUp{RunReason::no_progress,
                  fmt::format("the agent repeats a refused call: {}: {}", agent::shortened(repeated->tool, 64),
                              agent::shortened(repeated->refusal))};
  }
  if (const ToolUse* call = conversation_.open_call()) return judge(*call, context);
  if (conversation_.awaits_answer()) return answer(context);
  return ask(context, {});
}

RunAction ChatProgram::ask(const AgentContext& context, std::vector<StepDraft> journal_first) {
  if (conversation_.replies() >= options_.turns_max) {
    return GiveUp{RunReason::turn_limit, fmt::format("the stage was not finished within {} turns", options_.turns_max)};
  }
  ChatRequest request;
  request.system = conversation_.system();
  request.turns = conversation_.turns();
  request.tools = tools(context);
  request.output_tokens_max = options_.output_tokens_max;
  return AskModel{std::move(request), std::move(journal_first)};
}

RunAction ChatProgram::tell(const AgentContext& context, std::string text) {
  std::string body = agent::note_body(text);
  conversation_.tell(std::move(text));
  return ask(context, {{std::string(step_kind::note_to_model), std::move(body)}});
}

// The model spoke and called nothing.
RunAction ChatProgram::answer(const AgentContext& context) {
  const std::string& words = conversation_.last_reply().text;
  if (conversation_.last_stop() == ChatReply::Stop::length) return tell(context, agent::be_brief());
  const bool for_people = agent::only_people_can_go_on(context);
  if (conversation_.idle_replies() <= reminders_max && !for_people) return tell(context, agent::reminder(context));
  return AskPerson{RunReason::needs_person,
                   fmt::format("{}; the agent's last words: {}",
                               for_people ? "only a person can take the stage's exits" : "the stage was not finished",
                               words.empty() ? "none" : agent::shortened(words))};
}

// What speaks against a call before anybody looks at what it wants.
std::optional<Error> ChatProgram::objection(const ToolUse& call) const {
  const auto& calls = conversation_.last_reply().calls;
  const std::size_t at = conversation_.calls_done();
  if (conversation_.last_stop() == ChatReply::Stop::length) {
    return Error(errc::invalid_argument, "The answer was cut off: no call in it is carried out");
  }
  if (at >= calls_max) {
    return Error(errc::invalid_argument, fmt::format("At most {} calls of one answer are carried out", calls_max));
  }
  if (repeats_an_id(calls, at)) {
    return Error(errc::invalid_argument, fmt::format("The id '{}' is used twice", agent::shortened(call.id, 64)));
  }
  if (conversation_.effect() == Conversation::Effect::given_up) {
    return Error(errc::commit_unknown,
                 "Whether this call was carried out before an interruption is not known; it is not made again");
  }
  return std::nullopt;
}

RunAction ChatProgram::judge(const ToolUse& call, const AgentContext& context) {
  if (conversation_.effect() == Conversation::Effect::unknown) {
    return SettleCall{call};
  }
  if (auto against = objection(call)) return reject(call, *against);
  const auto offered = tools(context);
  const auto tool =
      std::find_if(offered.begin(), offered.end(), [&](const ToolSpec& spec) { return spec.name == call.name; });
  if (tool == offered.end()) {
    std::vector<std::string> names;
    for (const ToolSpec& spec : offered) names.push_back(spec.name);
    return reject(call, agent::not_offered(context, call.name, std::move(names)));
  }
  const auto arguments = read_arguments(call, *tool);
  if (!arguments) return reject(call, arguments.error());
  if (!agent::is_stage_tool(call.name)) return CallHostTool{call, conversation_.approved()};
  if (call.name == agent::ask_person) return agent::to_question(arguments->get_object());
  auto command = agent::to_command(context, call.name, arguments->get_object());
  if (!command) return reject(call, command.error());
  return Act{call, std::move(*command)};
}

std::vector<ToolSpec> ChatProgram::tools(const AgentContext& context) const {
  auto tools = agent::stage_tools(context);
  tools.insert(tools.end(), host_tools_.begin(), host_tools_.end());
  return tools;
}

}  // namespace

ChatRunner::ChatRunner(ChatRunnerOptions options) : options_(options) {}
ChatRunner::~ChatRunner() = default;
std::unique_ptr<RunProgram> ChatRunner::start() { return std::make_unique<ChatProgram>(options_); }

}  // namespace v0
}  // namespace openindex
