// Reading runs and their journals.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"
#include "engine/reading.hpp"
#include "engine/run_record.hpp"
#include "engine/run_token.hpp"
#include "json/writer.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using namespace openindex::engine;

constexpr std::uint32_t runs_listed_max = 1000;
constexpr std::uint32_t runs_examined_max = 10'000;
constexpr std::uint32_t run_scans_max = 200;  // of a filter that lets few runs through

ScanRequest runs_of(const ItemKey& item) {
  const std::string prefix = "run_" + item.str() + "_";
  return {.index = Index::key,
          .prefix = {std::string("run")},
          .from = prefix,
          .below = prefix + ":",  // ':' follows the digits
          .descending = true};
}

bool wants_state(const RunFilter& filter, RunState state) {
  if (filter.states.empty()) return state < RunState::succeeded || !filter.item.empty();
  return std::find(filter.states.begin(), filter.states.end(), state) != filter.states.end();
}

bool run_matches(const RunFilter& filter, const AgentRun& run) {
  if (!wants_state(filter, run.state)) return false;
  if (filter.reason && run.reason != *filter.reason) return false;
  if (!filter.workflow.empty() && run.workflow != filter.workflow) return false;
  if (!filter.stage.empty() && run.stage != filter.stage) return false;
  const std::string& provider = filter.provider.str();
  if (!provider.empty() && run.provider != provider && run.wanted_provider != provider) return false;
  return !filter.due_until || (run.due_at && *run.due_at <= *filter.due_until);
}

// The listings that can hold what is wanted, one after the other.
std::vector<ScanRequest> run_sources_of(const RunFilter& filter) {
  if (!filter.item.empty()) return {runs_of(filter.item)};
  std::vector<ScanRequest> sources;
  const auto add = [&](const char* topic) { sources.push_back({.index = Index::due, .prefix = {std::string(topic)}}); };
  const bool waits = wants_state(filter, RunState::waiting);
  if (waits || wants_state(filter, RunState::queued)) add("run");
  if (filter.due_until) return sources;  // nothing else is due by itself
  if (waits) add("parked");
  if (wants_state(filter, RunState::running)) add("run_hold");
  const bool ended = wants_state(filter, RunState::succeeded) || wants_state(filter, RunState::failed) ||
                     wants_state(filter, RunState::cancelled);
  if (ended) add("ended");
  return sources;
}

// Reads one listing after the other, a page of the storage at a time: where the page ends, the next one begins.
class RunSearch {
 public:
  RunSearch(EngineCore& core, const Actor& actor, const RunFilter& filter)
      : core_(core), actor_(actor), filter_(filter), sources_(run_sources_of(filter)) {}

  Result<RunPage> run() {
    if (auto started = begin(); !started) return started.error();
    std::uint32_t examined = 0;
    for (std::uint32_t scans = 0; source_ < sources_.size(); ++scans) {
      const bool full =
          page_.runs.size() == filter_.limit_count || examined >= runs_examined_max || scans == run_scans_max;
      if (full) {
        page_.next = std::to_string(source_) + ":" + after_;
        break;
      }
      ScanRequest& request = sources_[source_];
      request.limit_count = static_cast<std::uint32_t>(filter_.limit_count - page_.runs.size());
      request.after = after_;
      auto rows = core_.options.storage.scan(request);
      if (!rows) return rows.error();
      examined += static_cast<std::uint32_t>(rows->rows.size());
      for (const Record& row : rows->rows) {
        if (auto taken = take(row); !taken) return taken.error();
      }
      after_ = std::move(rows->next);
      if (after_.empty()) ++source_;
    }
    return std::move(page_);
  }

 private:
  Result<void> begin() {
    if (filter_.after.empty()) return {};
    const auto colon = filter_.after.find(':');
    const bool good = colon == 1 && filter_.after[0] >= '0' && filter_.after[0] <= '3';
    if (good) source_ = static_cast<std::size_t>(filter_.after[0] - '0');
    if (!good || source_ >= sources_.size()) {
      return Error(errc::invalid_argument, "This is not a cursor of this list");
    }
    after_ = filter_.after.substr(colon + 1);
    return {};
  }

  Result<void> take(const Record& row) {
    auto run = row.id.kind == "run" ? read_run(row) : run_of_hold(ItemKey(row.id.key));
    if (!run && run.error().code() == errc::not_found) return {};  // it changed meanwhile
    if (!run) return run.error();
    if (!run_matches(filter_, *run)) return {};
    auto sees = sees_domain(domain_of(run->item));
    if (!sees) return sees.error();
    if (*sees) page_.runs.push_back(std::move(*run));
    return {};
  }

  Result<AgentRun> run_of_hold(const ItemKey& item) {
    auto loaded = core_.door.load(item);
    if (!loaded) return loaded.error();
    const auto& hold = (*loaded)->item.hold;
    if (!hold || hold->run.empty()) return errc::not_found;
    return core_.door.load_run(hold->run);
  }

  Result<bool> sees_domain(const std::string& domain) {
    const auto known = sees_.find(domain);
    if (known != sees_.end()) return known->second;
    auto sees = core_.domains.sees(actor_, domain);
    if (sees) sees_.emplace(domain, *sees);
    return sees;
  }

  EngineCore& core_;
  const Actor& actor_;
  const RunFilter& filter_;
  std::vector<ScanRequest> sources_;
  std::size_t source_ = 0;
  std::string after_;
  std::map<std::string, bool> sees_;
  RunPage page_;
};

std::string run_line(const AgentRun& run) {
  json::Writer out;
  out.begin_object().key("run").string(run.id.str()).key("item").string(run.item.str());
  out.key("workflow").string(run.workflow.str()).key("stage").string(run.stage);
  out.key("state").string(to_text(run.state)).key("reason").string(to_text(run.reason));
  out.member("detail", run.detail).member("agent", run.agent.str()).member("provider", run.provider);
  out.key("attempt").number(std::uint64_t{run.attempt}).key("turns").number(std::uint64_t{run.turns});
  out.key("calls").number(std::uint64_t{run.calls});
  out.key("inputTokens").number(run.input_tokens).key("outputTokens").number(run.output_tokens);
  out.member("cost", run.cost);
  out.key("createdAt").string(to_rfc3339(run.created_at));
  if (run.started_at) out.key("startedAt").string(to_rfc3339(*run.started_at));
  if (run.ended_at) out.key("endedAt").string(to_rfc3339(*run.ended_at));
  return std::move(out.end_object()).str() + "\n";
}

std::string step_line(const RunStep& step) {
  json::Writer out;
  out.begin_object().key("key").string(step.key).key("number").number(std::uint64_t{step.number});
  out.key("kind").string(step.kind).key("at").string(to_rfc3339(step.at));
  return std::move(out.key("body").raw(step.body.empty() ? "{}" : step.body).end_object()).str() + "\n";
}

}  // namespace

Result<std::vector<AgentRun>> WorkflowEngine::runs(const Actor& actor, const ItemKey& key) {
  if (auto allowed = core_->check_reader(actor, key); !allowed) return allowed.error();
  ScanRequest request = runs_of(key);
  request.limit_count = 20;
  auto page = core_->options.storage.scan(request);
  if (!page) return page.error();
  std::vector<AgentRun> out;
  for (const Record& record : page->rows) {
    auto run = read_run(record);
    if (!run) return run.error();
    out.push_back(std::move(*run));
  }
  return out;
}

Result<AgentRun> WorkflowEngine::run(const Actor& actor, const RunId& id) {
  auto run = core_->door.load_run(id);
  if (!run) return run.error();
  if (auto allowed = core_->check_reader(actor, run->item); !allowed) return allowed.error();
  return run;
}

Result<Actor> WorkflowEngine::actor_of_token(std::string_view token) {
  const auto id = run_of_token(token);
  if (!id) return errc::credential_refused;
  auto run = core_->door.load_run(*id);
  if (!run && run.error().code() == errc::not_found) return errc::credential_refused;
  if (!run) return run.error();
  if (run->state != RunState::running || !is_token_of(token, run->token_hash)) return errc::credential_refused;
  return Actor::run(run->id, run->item, run->agent, run->epoch);
}

Result<RunPage> WorkflowEngine::list_runs(const Actor& actor, const RunFilter& filter) {
  if (auto allowed = refuse_run(actor); !allowed) return allowed.error();
  if (filter.limit_count < 1 || filter.limit_count > runs_listed_max) {
    return Error(errc::invalid_argument, "A page holds 1 to 1000 runs")
        .with("limit_count", std::to_string(filter.limit_count));
  }
  return RunSearch(*core_, actor, filter).run();
}

Result<std::vector<RunStep>> WorkflowEngine::journal(const Actor& actor, const RunId& id) {
  if (auto readable = run(actor, id); !readable) return readable.error();
  auto records = read_numbered(core_->options.storage, "step", id.str(), "", 100'000);
  if (!records) return records.error();
  std::vector<RunStep> out;
  for (const Record& record : *records) {
    auto step = read_step(id, record);
    if (!step) return step.error();
    out.push_back(std::move(*step));
  }
  return out;
}

Result<void> WorkflowEngine::export_journal(const Actor& actor, const RunId& id, const AuditSink& sink) {
  auto exported = run(actor, id);
  if (!exported) return exported.error();
  if (auto told = tell_sink(sink, run_line(*exported)); !told) return told;
  constexpr std::size_t steps_at_once = 100;
  for (std::uint32_t from = 0;;) {
    auto records = read_numbered(core_->options.storage, "step", id.str(), fmt::format("{:06}", from), steps_at_once);
    if (!records) return records.error();
    for (const Record& record : *records) {
      auto step = read_step(id, record);
      if (!step) return step.error();
      if (auto told = tell_sink(sink, step_line(*step)); !told) return told;
      from = step->number + 1;
    }
    if (records->size() < steps_at_once) return {};
  }
}

}  // namespace v0
}  // namespace openindex
