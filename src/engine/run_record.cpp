#include "engine/run_record.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {
namespace {

std::int64_t ms(Time time) { return time.time_since_epoch().count(); }

// A run that time will bring back is `run`; one that waits for somebody is `parked`, and stands in the future only when
// it has a deadline; a running one is found through the deadline of its item's hold. One that has ended keeps its
// journal for a while.
void index_run(const AgentRun& run, std::vector<IndexEntry>& index) {
  if (run.ended_at && !run.journal_pruned) index.push_back({Index::due, {"ended", ms(*run.ended_at), run.id.str()}});
  const bool idle = run.state == RunState::queued || run.state == RunState::waiting;
  if (!idle || run.ended_at) return;
  if (run.due_at) {
    index.push_back({Index::due, {"run", ms(std::min(*run.due_at, run.deadline.value_or(Time::max()))), run.id.str()}});
  } else {
    index.push_back({Index::due, {"parked", ms(run.deadline.value_or(run.created_at)), run.id.str()}});
  }
}

}  // namespace

RunId run_id(const ItemKey& item, std::uint32_t number) { return fmt::format("run_{}_{:04}", item.str(), number); }
RecordId run_record(const RunId& run) { return {"run", run.str()}; }
RecordId stop_record(const RunId& run) { return {"run_stop", run.str()}; }
std::string step_key(const RunId& run, std::uint32_t number) { return fmt::format("{}.{}", run.str(), number); }

RecordId step_record(const RunId& run, std::uint32_t number) {
  return {"step", fmt::format("{}/{:06}", run.str(), number)};
}

Put write_run(const AgentRun& run) {
  Put put{run_record(run.id), {}, {}};
  json::Writer out;
  out.begin_object().key("item").string(run.item.str()).key("workflow").string(run.workflow.str());
  out.key("stage").string(run.stage).key("runner").string(run.runner).key("state").string(to_text(run.state));
  if (run.reason != RunReason::none) out.key("reason").string(to_text(run.reason));
  out.member("detail", run.detail).member("agent", run.agent.str()).member("epoch", run.epoch);
  if (run.attempt > 1) out.member("attempt", std::uint64_t{run.attempt});
  if (!run.wanted_provider.empty()) out.member("wantedProvider", run.wanted_provider);
  if (!run.question.empty()) {
    out.key("question").string(run.question).key("options").begin_array();
    for (const std::string& option : run.options) out.string(option);
    out.end_array();
  }
  out.member("steps", std::uint64_t{run.steps}).member("starts", std::uint64_t{run.starts});
  out.member("asked", std::uint64_t{run.asked});
  out.member("retries", std::uint64_t{run.retries}).member("provider", run.provider);
  out.member("turns", std::uint64_t{run.turns}).member("calls", std::uint64_t{run.calls});
  out.member("inputTokens", run.input_tokens).member("outputTokens", run.output_tokens);
  out.member("cost", run.cost);
  out.key("created").number(ms(run.created_at));
  if (run.started_at) out.key("started").number(ms(*run.started_at));
  if (run.due_at) out.key("due").number(ms(*run.due_at));
  if (run.deadline) out.key("deadline").number(ms(*run.deadline));
  if (run.ended_at) out.key("ended").number(ms(*run.ended_at));
  if (!run.token_hash.empty()) out.key("tokenHash").string(run.token_hash);
  if (run.journal_pruned) out.key("journalPruned").boolean(true);
  put.body = std::move(out.rest(run.unknown_members).end_object()).str();
  index_run(run, put.index);
  return put;
}

Result<AgentRun> read_run(const Record& record) {
  auto in = json::Stored::read(record.body, "run " + record.id.key);
  if (!in) return in.error();
  AgentRun run;
  run.id = record.id.key;
  run.version = record.version;
  run.item = in->text("item");
  run.workflow = in->text("workflow");
  run.stage = in->text("stage");
  run.runner = in->text("runner");
  const auto state = parse_run_state(in->text("state"));
  if (!state) return Error(errc::storage_corrupt, "A run has an unknown state").with("run", record.id.key);
  run.state = *state;
  run.reason = parse_run_reason(in->text("reason")).value_or(RunReason::none);
  run.detail = in->text("detail");
  run.agent = in->text("agent");
  run.epoch = in->natural("epoch");
  run.attempt = std::max(1u, static_cast<std::uint32_t>(in->natural("attempt")));
  run.wanted_provider = in->text("wantedProvider");
  run.question = in->text("question");
  run.options = in->texts("options");
  run.steps = static_cast<std::uint32_t>(in->natural("steps"));
  run.starts = static_cast<std::uint32_t>(in->natural("starts"));
  run.asked = static_cast<std::uint32_t>(in->natural("asked"));
  run.retries = static_cast<std::uint32_t>(in->natural("retries"));
  run.provider = in->text("provider");
  run.turns = static_cast<std::uint32_t>(in->natural("turns"));
  run.calls = static_cast<std::uint32_t>(in->natural("calls"));
  run.input_tokens = in->natural("inputTokens");
  run.output_tokens = in->natural("outputTokens");
  run.cost = in->natural("cost");
  run.created_at = in->time("created");
  if (const Time started = in->time("started"); started != Time()) run.started_at = started;
  if (const Time due = in->time("due"); due != Time()) run.due_at = due;
  if (const Time deadline = in->time("deadline"); deadline != Time()) run.deadline = deadline;
  if (const Time ended = in->time("ended"); ended != Time()) run.ended_at = ended;
  run.token_hash = in->text("tokenHash");
  run.journal_pruned = in->boolean("journalPruned");
  run.unknown_members = in->rest();
  return run;
}

Put write_stop(const AgentRun& run, Time at) {
  json::Writer out;
  out.begin_object().key("epoch").number(run.epoch).key("at").number(ms(at)).end_object();
  return {stop_record(run.id), std::move(out).str(), {{Index::due, {"stop", ms(at), run.id.str()}}}};
}

Result<RunStop> read_stop(const Record& record) {
  auto in = json::Stored::read(record.body, "stop of " + record.id.key);
  if (!in) return in.error();
  return RunStop{record.id.key, in->natural("epoch"), in->time("at")};
}

Put write_step(const RunId& run, const RunStep& step, std::string_view commit) {
  json::Writer out;
  out.begin_object().key("kind").string(step.kind).key("at").string(to_rfc3339(step.at));
  out.key("commit").string(commit).key("body").raw(step.body.empty() ? "{}" : step.body).end_object();
  return {step_record(run, step.number), std::move(out).str(), {}};
}

Result<RunStep> read_step(const RunId& run, const Record& record) {
  auto in = json::Stored::read(record.body, "step " + record.id.key);
  if (!in) return in.error();
  RunStep step;
  const std::string_view number = std::string_view(record.id.key).substr(record.id.key.rfind('/') + 1);
  std::from_chars(number.data(), number.data() + number.size(), step.number);
  step.key = step_key(run, step.number);
  step.kind = in->text("kind");
  step.at = parse_rfc3339(in->text("at")).value_or(Time());
  if (const auto* body = in->member("body")) step.body = boost::json::serialize(*body);
  return step;
}

}  // namespace openindex::engine
