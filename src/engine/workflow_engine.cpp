#include <openindex/workflow_engine.hpp>

#include <algorithm>

#include <fmt/format.h>

#include "engine/commit.hpp"
#include "engine/core.hpp"
#include "engine/reading.hpp"
#include "engine/run_record.hpp"
#include "json/stored.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using namespace openindex::engine;

Result<Comment> read_comment(const Record& record) {
  auto in = json::Stored::read(record.body, "comment " + record.id.key);
  if (!in) return in.error();
  Comment comment;
  comment.body = in->text("body");
  comment.external = in->boolean("external");
  comment.author = in->text("author");
  comment.by_agent = in->boolean("byAgent");
  comment.at = parse_rfc3339(in->text("at")).value_or(Time());
  return comment;
}

}  // namespace

WorkflowEngine::WorkflowEngine(Options options) : core_(std::make_unique<EngineCore>(options)) {}
WorkflowEngine::~WorkflowEngine() = default;

Storage& WorkflowEngine::storage() noexcept { return core_->options.storage; }
Clock& WorkflowEngine::clock() noexcept { return core_->options.clock; }
RandomSource& WorkflowEngine::random() noexcept { return core_->options.random; }

Result<SavedWorkflow> WorkflowEngine::save(const Actor& actor, const Workflow& workflow) {
  return core_->shelf.save(actor, workflow, core_->door.mint_commit());
}

Result<Workflow> WorkflowEngine::workflow(const WorkflowId& id, std::uint32_t version) {
  auto found = core_->shelf.find(id, version);
  if (!found) return found.error();
  return (*found)->definition();
}

Result<void> WorkflowEngine::attach_provider(const Actor& actor, const WorkflowId& id, const std::string& stage,
                                             const ProviderId& provider) {
  const auto add = [&](StageSettings& settings) {
    const auto& list = settings.providers;
    if (std::find(list.begin(), list.end(), provider) != list.end()) return false;
    settings.providers.push_back(provider);
    return true;
  };
  return core_->shelf.edit_settings(actor, id, stage, add, core_->door.mint_commit());
}

Result<void> WorkflowEngine::set_stage_settings(const Actor& actor, const WorkflowId& id, const std::string& stage,
                                                const StageSettings& settings) {
  const auto replace = [&](StageSettings& current) {
    const bool differs = current.providers != settings.providers;
    current = settings;
    return differs;
  };
  return core_->shelf.edit_settings(actor, id, stage, replace, core_->door.mint_commit());
}

Result<StageSettings> WorkflowEngine::stage_settings(const WorkflowId& id, const std::string& stage) {
  return core_->shelf.settings(id, stage);
}

Result<WorkItem> WorkflowEngine::create(const Actor& actor, const NewItem& item) {
  auto created = core_->door.create(actor, item);
  if (!created) return created.error();
  return (*created)->whole();
}

Result<WorkItem> WorkflowEngine::get(const Actor& actor, const ItemKey& key) {
  if (auto allowed = check_reader(actor, key); !allowed) return allowed.error();
  auto item = core_->door.load(key);
  if (!item) return item.error();
  return (*item)->whole();
}

Result<ItemPage> WorkflowEngine::list(const Actor& actor, const ItemFilter& filter) {
  if (auto allowed = refuse_run(actor); !allowed) return allowed.error();
  if (filter.limit_count < 1 || filter.limit_count > 1000) {
    return Error(errc::invalid_argument, "A page holds 1 to 1000 items")
        .with("limit_count", std::to_string(filter.limit_count));
  }
  ScanRequest request{.index = Index::items, .limit_count = filter.limit_count, .after = filter.after};
  if (!filter.domain.empty()) request.prefix.emplace_back(filter.domain);
  const auto where = [&](std::size_t field, const std::string& value) {
    if (!value.empty()) request.where.push_back({field, Predicate::Op::equal, value});
  };
  where(3, filter.workflow.str());
  where(4, filter.status);
  where(5, filter.stage);
  if (filter.resolution) where(6, std::string(to_text(*filter.resolution)));
  where(8, filter.holder);
  auto page = core_->options.storage.scan(request);
  if (!page) return page.error();
  std::vector<ItemKey> keys;
  for (const Record& row : page->rows) keys.emplace_back(row.id.key);
  auto items = core_->door.load_all(keys);
  if (!items) return items.error();
  ItemPage out;
  for (const auto& item : *items) out.items.push_back(item->whole());
  out.next = std::move(page->next);
  return out;
}

Result<WorkItem> WorkflowEngine::execute(const Actor& actor, const ItemKey& key, const Command& command,
                                         std::uint64_t fence) {
  if (auto allowed = check_reader(actor, key); !allowed) return allowed.error();
  const auto related = std::make_shared<std::optional<RelatedItem>>();
  const auto* dependency = std::get_if<AddDependency>(&command);
  auto outcome = core_->door.apply(Change{.key = key,
                                          .actor = actor,
                                          .decide =
                                              [&](const LoadedItem& item, Time now) {
                                                ItemSnapshot snapshot = item.snapshot();
                                                if (*related) snapshot.related = &**related;
                                                return decide(snapshot, command, actor, now, fence);
                                              },
                                          .notes = {},
                                          .on = dependency != nullptr ? dependency->on : ItemKey(),
                                          .related = related});
  if (!outcome) return outcome.error();
  return outcome->item->whole();
}

Result<WorkItem> WorkflowEngine::claim(const Actor& actor, const ItemKey& key, const Claim& claim) {
  return execute(actor, key, claim);
}
Result<WorkItem> WorkflowEngine::release(const Actor& actor, const ItemKey& key, const Release& release) {
  return execute(actor, key, release);
}
Result<WorkItem> WorkflowEngine::heartbeat(const Actor& actor, const ItemKey& key, const Heartbeat& beat) {
  return execute(actor, key, beat);
}
Result<WorkItem> WorkflowEngine::set_fields(const Actor& actor, const ItemKey& key, FieldValues values) {
  return execute(actor, key, SetFields{std::move(values)});
}
Result<WorkItem> WorkflowEngine::comment(const Actor& actor, const ItemKey& key, std::string body) {
  return execute(actor, key, AddComment{std::move(body)});
}
Result<WorkItem> WorkflowEngine::transition(const Actor& actor, const ItemKey& key, std::string to_status) {
  return execute(actor, key, ChangeStatus{std::move(to_status)});
}
Result<WorkItem> WorkflowEngine::progress(const Actor& actor, const ItemKey& key, const Progress& progress) {
  return execute(actor, key, progress);
}
Result<WorkItem> WorkflowEngine::complete(const Actor& actor, const ItemKey& key, const Complete& complete) {
  return execute(actor, key, complete);
}

Result<WorkItem> WorkflowEngine::done(const Actor& actor, const ItemKey& key, const Done& done) {
  return execute(actor, key, done);
}
Result<WorkItem> WorkflowEngine::reacknowledge(const Actor& actor, const ItemKey& key, const Reacknowledge& again) {
  return execute(actor, key, again);
}
Result<WorkItem> WorkflowEngine::take_over(const Actor& actor, const ItemKey& key, const TakeOver& take) {
  return execute(actor, key, take);
}
Result<WorkItem> WorkflowEngine::reopen(const Actor& actor, const ItemKey& key, const Reopen& reopen) {
  return execute(actor, key, reopen);
}
Result<WorkItem> WorkflowEngine::update(const Actor& actor, const ItemKey& key, const UpdateItem& update) {
  return execute(actor, key, update);
}
Result<WorkItem> WorkflowEngine::add_dependency(const Actor& actor, const ItemKey& key, const ItemKey& on) {
  return execute(actor, key, AddDependency{on});
}
Result<WorkItem> WorkflowEngine::remove_dependency(const Actor& actor, const ItemKey& key, const ItemKey& on) {
  return execute(actor, key, RemoveDependency{on});
}
Result<WorkItem> WorkflowEngine::attach(const Actor& actor, const ItemKey& key, const Attachment& attachment) {
  return execute(actor, key, AddAttachment{attachment});
}
Result<WorkItem> WorkflowEngine::detach(const Actor& actor, const ItemKey& key, std::uint32_t attachment) {
  return execute(actor, key, RemoveAttachment{attachment});
}

Result<AgentContext> WorkflowEngine::agent_context(const Actor& actor, const ItemKey& key) {
  if (auto allowed = check_reader(actor, key); !allowed) return allowed.error();
  auto loaded = core_->door.load(key);
  if (!loaded) return loaded.error();
  AgentContext context = context_of((*loaded)->snapshot(), actor, core_->options.clock.now());
  context.item = (*loaded)->whole();
  auto all_runs = runs(actor, key);
  if (!all_runs) return all_runs.error();
  context.runs = std::move(*all_runs);
  const std::uint32_t count = context.item.comment_count;
  auto recent = comments(actor, key, count > 20 ? count - 19 : 1);
  if (!recent) return recent.error();
  context.recent_comments = std::move(*recent);
  return context;
}

Result<std::vector<Comment>> WorkflowEngine::comments(const Actor& actor, const ItemKey& key,
                                                      std::uint32_t from_number) {
  if (auto allowed = check_reader(actor, key); !allowed) return allowed.error();
  from_number = std::max(1u, from_number);
  auto records = read_numbered(core_->options.storage, "comment", key.str(), fmt::format("{:06}", from_number), 1000);
  if (!records) return records.error();
  std::vector<Comment> out;
  for (const Record& record : *records) {
    auto comment = read_comment(record);
    if (!comment) return comment.error();
    comment->number = from_number + static_cast<std::uint32_t>(out.size());
    out.push_back(std::move(*comment));
  }
  return out;
}

Result<std::vector<AgentRun>> WorkflowEngine::runs(const Actor& actor, const ItemKey& key) {
  if (auto allowed = check_reader(actor, key); !allowed) return allowed.error();
  const std::string prefix = "run_" + key.str() + "_";
  auto page = core_->options.storage.scan({.index = Index::key,
                                           .prefix = {std::string("run")},
                                           .from = prefix,
                                           .below = prefix + ":",  // ':' follows the digits
                                           .where = {},
                                           .descending = true,
                                           .limit_count = 20,
                                           .after = {}});
  if (!page) return page.error();
  std::vector<AgentRun> out;
  for (const Record& record : page->rows) {
    auto run = read_run(record);
    if (!run) return run.error();
    out.push_back(std::move(*run));
  }
  return out;
}

Result<std::vector<RunStep>> WorkflowEngine::journal(const Actor& actor, const RunId& id) {
  auto run = core_->door.load_run(id);
  if (!run) return run.error();
  if (auto allowed = check_reader(actor, run->item); !allowed) return allowed.error();
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

}  // namespace v0
}  // namespace openindex
