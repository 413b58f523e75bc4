// The inside of Dispatcher: the runs it works on, and the writes that its events lead to.
//
// Everything that becomes ready in a round is queued with what to do afterwards, and committed in one call; what
// follows from it is the next batch of the same round.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/json/value.hpp>

#include <openindex/dispatcher.hpp>
#include <openindex/provider_registry.hpp>
#include <openindex/workflow_engine.hpp>

#include "codecs/stream_decoder.hpp"
#include "dispatch/inbox.hpp"
#include "dispatch/provider_failure.hpp"
#include "engine/core.hpp"
#include "provider/provider_login.hpp"

namespace openindex {
inline namespace v0 {

class Dispatcher::Work {
 public:
  explicit Work(Options given);
  ~Work();

  Result<StepReport> step();
  Result<void> run(std::stop_token stop, bool until_idle);

  struct HostTool {
    Tool tool;
    boost::json::value schema;
  };

  Options options;
  std::vector<Tool> tools;  ///< As programs see them.
  std::map<std::string, boost::json::value, std::less<>> schemas;
  std::map<std::string, AgentRunner*> runners;
  RunObserver observer;
  std::shared_ptr<dispatch::Inbox> inbox;

 private:
  // A run in this dispatcher's hands.
  struct Active {
    Active() = default;
    Active(const Active&) = delete;
    Active& operator=(const Active&) = delete;
    ~Active() {
      if (hand) hand->stop.request_stop();
    }
    AgentRun run;
    Actor actor = Actor::agent({});
    std::unique_ptr<RunProgram> program;
    engine::WorkflowShelf::StageSettingsPtr settings;  ///< As of its last step.
    AskModel asking;                                   ///< While a request is in flight.
    codecs::ChatEndpoint endpoint;
    std::vector<ProviderId> providers;
    std::size_t provider = 0;      ///< Which of them is being asked.
    std::size_t failed = 0;        ///< How many of them have failed at this question.
    std::optional<Error> hopeful;  ///< Of the providers that failed: the one most likely to work again.
    std::uint64_t request = 0;     ///< 0: none in flight.
    HttpTicket ticket = 0;
    std::optional<codecs::StreamDecoder> watched;  ///< Reads the answer along, for the observer alone.
    std::string provider_type;
    std::string model;        ///< Being asked, as tokens are counted by.
    bool is_granted = false;  ///< The request goes out with a grant that the configuration's credential was good for.
    bool renewed = false;     ///< The provider refused one, and another one was asked for.
    std::shared_ptr<dispatch::Hand> hand;  ///< A function of the host works on it.
    std::string token;                     ///< Until the program has it.
    Duration next_beat{0};
    bool queued = false;  ///< A write of it waits: beats can wait too.
  };
  // A grant on its way, and who waits for it.
  struct Login {
    providers::ProviderLogin login;
    std::vector<RunId> waiting;
  };
  using Outcome = engine::Outcome;
  using Then = std::function<void(Result<Outcome>)>;
  struct Pending {
    engine::Change change;
    std::unique_ptr<engine::RunWrite> write;
    Then then;
  };

  // -- what settings say (run_settings.cpp)
  Result<void> follow_settings();
  void consider(AgentRun run, bool may_start);
  bool may_go_on(Active& active);
  void end_overdue();
  Result<void> end_parked(Time until);
  Result<void> look_through_due();

  // -- what others say (run_stops.cpp)
  Result<void> honour_stops();
  bool let_go(const RunId& id, std::uint64_t epoch);
  std::optional<Error> stop_of(const WorkflowId& workflow);
  void drop_stopped();
  void drop_if_stopped(Active& active);
  void wait_for_agents(Active& active, const Error& stopped);

  // -- work on threads of the host (host_work.cpp)
  void work_on_host(Active& active, WorkOnHost wanted);
  void host_done(const dispatch::HostDone& done);
  bool is_still_worked_on(const AgentRun& run);
  void stop_host_work();

  // -- starting (run_starts.cpp)
  Result<void> start_due(Time now);
  Result<void> take_over_expired(Time now);
  Result<void> revive_parked();
  void consider_all(const ScanPage& page);
  Result<std::optional<Time>> earliest(const char* topic, std::optional<Time> after);
  Result<void> find_next_due();
  Active& take_in(AgentRun run);
  void start(AgentRun run);
  void started(AgentRun run, Result<Outcome> outcome);
  void retire(Active& active);
  void begin(Active& active, const engine::LoadedItem& item);
  std::uint32_t room() const;

  // -- working (run_steps.cpp)
  void feed(Active& active, const RunEvent& event);
  void perform(Active& active, RunAction action);
  void act(Active& active, Act act);
  void call_host_tool(Active& active, const CallHostTool& wanted);
  void settle_call(Active& active, const ToolUse& call);
  void make_call(Active& active, const ToolUse& call, const Tool& tool);
  const Tool* find_tool(const std::string& name) const;
  void journal_outcome(Active& active, const ToolUse& call, ToolOutcome outcome);
  void call_done(const RunId& id, const ToolOutcome& outcome, Result<Outcome> result);
  AgentContext context_of_item(const Active& active, const engine::LoadedItem& item) const;

  // -- asking (model_calls.cpp, logins.cpp)
  void ask(Active& active, AskModel ask);
  void send(Active& active);
  void log_in(Active& active, providers::ProviderLogin login);
  std::uint64_t login_under_way(providers::ProviderLogin login);
  void logged_in(const Login& pending, const dispatch::Answer& answer);
  bool may_renew(Active& active, const Error& error);
  void clear_of_suspicion(Active& active);
  void watch(dispatch::Part part);
  Result<ChatReply> read_answer(const Active& active, HttpResponse response) const;
  void answered(dispatch::Answer answer);
  void replied(Active& active, const ChatReply& reply);
  void fold_tokens(const ProviderId& provider);
  void provider_failed(Active& active, const Error& error);

  // -- ending and waiting (run_endings.cpp)
  void wait(Active& active, RunReason reason, std::string detail, std::optional<Time> due);
  void wait(Active& active, AskPerson ask, std::optional<Time> due);
  void fail(Active& active, RunReason reason, std::string detail);
  void give_back_all();
  void write_run(Active& active, Then then);
  void put_down(Active& active);
  void lose(const RunId& id);
  void ended(Active& active, const AgentRun& run);
  bool settle(const RunId& id, const Result<Outcome>& result);

  // -- the round (work.cpp)
  void queue(Active& active, engine::Change change, std::unique_ptr<engine::RunWrite> write, Then then);
  void commit_queued();
  void beat(Duration now);
  Active* find(const RunId& id);
  std::unique_ptr<engine::RunWrite> next_step(const Active& active, std::string kind, std::string body) const;
  void tell(RunUpdate::What what, const AgentRun& run, std::string_view detail, Usage usage = {}) const noexcept;
  engine::ItemDoor& door() { return options.engine.core().door; }
  Time now() const { return options.engine.clock().now(); }
  [[nodiscard]] std::optional<Time> next_wake() const;

  std::unordered_map<std::string, std::unique_ptr<Active>> active_;
  std::map<std::string, std::shared_ptr<dispatch::Hand>> hands_;  ///< By item: functions that have not returned.
  std::vector<Pending> queue_;
  std::uint64_t requests_ = 0;
  std::map<std::uint64_t, Login> logins_;  ///< By their number among the requests.
  std::map<ProviderId, std::uint64_t> turns_of_;
  std::uint64_t settings_seen_ = 0;
  bool reviving_ = true;
  std::size_t revive_topic_ = 0;
  std::string revive_after_;
  std::string look_after_;  ///< Of a full dispatcher among what is due.
  Duration next_look_{0};
  std::uint32_t events_ = 0;
  std::optional<Time> next_due_;    ///< When a run can be started again.
  std::optional<Time> next_lapse_;  ///< When a parked one ends.
  Time lapses_seen_{};              ///< None of a parked one is left up to here.
  std::optional<Error> storage_error_;
};

}  // namespace v0
}  // namespace openindex
