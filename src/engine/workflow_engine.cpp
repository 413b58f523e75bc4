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

// The rules know nothing of roles, by which everything is refused before they are asked.
void refuse_exits(AgentContext& context, const Error& refused) {
  for (BlockedExit& blocked : context.blocked_exits) blocked.reasons.insert(blocked.reasons.begin(), refused);
  for (Exit& exit : context.allowed_exits) context.blocked_exits.push_back({std::move(exit), {refused}});
  context.allowed_exits.clear();
}

}  // namespace

WorkflowEngine::WorkflowEngine(Options options) : core_(std::make_unique<EngineCore>(options)) {}
WorkflowEngine::~WorkflowEngine() = default;

Storage& WorkflowEngine::storage() noexcept { return core_->options.storage; }
Clock& WorkflowEngine::clock() noexcept { return core_->options.clock; }
RandomSource& WorkflowEngine::random() noexcept { return core_->options.random; }

Result<WorkItem> WorkflowEngine::create(const Actor& actor, const NewItem& item) {
  auto created = core_->door.create(actor, item);
  if (!created) return created.error();
  return (*created)->whole();
}

Result<WorkItem> WorkflowEngine::get(const Actor& actor, const ItemKey& key) {
  if (auto allowed = core_->check_reader(actor, key); !allowed) return allowed.error();
  auto item = core_->door.load(key);
  if (!item) return item.error();
  return (*item)->whole();
}

Result<Transitions> WorkflowEngine::transitions(const Actor& actor, const ItemKey& key) {
  if (auto allowed = core_->check_reader(actor, key); !allowed) return allowed.error();
  auto item = core_->door.load(key);
  if (!item) return item.error();
  return transitions_of((*item)->snapshot());
}

Result<AgentContext> WorkflowEngine::agent_context(const Actor& actor, const ItemKey& key) {
  if (auto allowed = core_->check_reader(actor, key); !allowed) return allowed.error();
  auto loaded = core_->door.load(key);
  if (!loaded) return loaded.error();
  AgentContext context = context_of((*loaded)->snapshot(), actor, core_->options.clock.now());
  if (auto works = core_->domains.require(actor, domain_of(key), Role::member); !works) {
    if (works.error().code() != errc::not_permitted) return works.error();
    refuse_exits(context, works.error());
  }
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
  if (auto allowed = core_->check_reader(actor, key); !allowed) return allowed.error();
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

}  // namespace v0
}  // namespace openindex
