// Versions of a workflow and the items that live under them.
#include <algorithm>

#include <fmt/format.h>

#include <openindex/workflow_engine.hpp>

#include "engine/admission.hpp"
#include "engine/answers.hpp"
#include "engine/bulk.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using namespace openindex::engine;

constexpr std::size_t migrated_max = 100'000;
constexpr std::size_t problems_max = 1'000;

using Visit = std::function<Result<void>(const LoadedItem&)>;

// Goes through the items of a workflow, the finished ones if they are asked for.
Result<void> visit_items(EngineCore& core, const WorkflowId& id, const std::string& domain, bool resolved,
                         const Visit& visit) {
  constexpr std::size_t workflow = 3, resolution = 6;  // positions in the index
  ScanRequest request{.index = Index::items, .limit_count = 1000};
  if (!domain.empty()) request.prefix.emplace_back(domain);
  request.where.push_back({workflow, Predicate::Op::equal, id.str()});
  if (!resolved) {
    request.where.push_back({resolution, Predicate::Op::equal, std::string(to_text(Resolution::unresolved))});
  }
  do {
    auto page = core.options.storage.scan(request);
    if (!page) return page.error();
    std::vector<ItemKey> keys;
    for (const Record& row : page->rows) keys.emplace_back(row.id.key);
    auto items = core.door.load_all(keys);
    if (!items) return items.error();
    for (const auto& item : *items) {
      if (auto visited = visit(*item); !visited) return visited;
    }
    request.after = std::move(page->next);
  } while (!request.after.empty());
  return {};
}

// What was asked, for the digest of a request.
std::string asked(const WorkflowId& id, const MigrateAll& migration) {
  json::Writer out;
  out.begin_array().string("migrate all").string(id.str()).number(std::uint64_t{migration.version});
  out.string(migration.domain).boolean(migration.resolved).boolean(migration.mapping.drop_unknown_fields);
  for (const auto& [from, to] : migration.mapping.statuses) out.string(from).string(to);
  return std::move(out.end_array()).str();
}

// A report as it is remembered.
Record record_of(const WorkflowId& id, const MigrationReport& report) {
  json::Writer out;
  out.begin_object().key("checked").number(report.checked_count).key("migrated").number(report.migrated_count);
  return {{"workflow", id.str()}, report.version, std::move(out.end_object()).str(), {}};
}

Result<MigrationReport> read_report(const Record& record) {
  auto in = json::Stored::read(record.body, "migration of " + record.id.key);
  if (!in) return in.error();
  return MigrationReport{static_cast<std::uint32_t>(record.version), in->natural("checked"), in->natural("migrated")};
}

Error refuse(const std::vector<ItemKey>& keys, const std::vector<Result<LoadedItemPtr>>& answers) {
  std::vector<Problem> problems;
  std::uint64_t refused = 0;
  const auto add = [&](std::string pointer, const std::string& text) {
    if (problems.size() < problems_max) problems.push_back({std::move(pointer), text});
  };
  const Error* first = nullptr;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (answers[i]) continue;
    const Error& error = answers[i].error();
    ++refused;
    if (first == nullptr) first = &error;
    for (const Problem& problem : error.problems()) add("/" + keys[i].str() + problem.pointer, problem.text);
    if (error.problems().empty()) add("/" + keys[i].str(), error.message());
  }
  // An item that the actor may not touch is no misfit of the item.
  if (first->code() != errc::migration_refused) return *first;
  return Error(errc::migration_refused, "Some items do not fit the other version; nothing was changed")
      .with("refused_count", std::to_string(refused))
      .with_problems(std::move(problems));
}

}  // namespace

Result<std::vector<TouchingDifference>> WorkflowEngine::compare_versions(const Actor& actor, const WorkflowId& id,
                                                                         std::uint32_t before, std::uint32_t after) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  auto old_version = core_->readable_workflow(actor, id, before);
  if (!old_version) return old_version.error();
  auto new_version = core_->readable_workflow(actor, id, after);
  if (!new_version) return new_version.error();
  const Workflow& from = (*old_version)->definition();
  const Workflow& to = (*new_version)->definition();
  std::vector<TouchingDifference> out;
  for (WorkflowDifference& difference : compare(from, to)) out.push_back({std::move(difference), 0, {}});
  constexpr std::size_t named_max = 100;
  auto visited = visit_items(*core_, id, {}, false, [&](const LoadedItem& loaded) -> Result<void> {
    if (loaded.item.workflow_version != (*old_version)->version()) return {};
    auto sees = core_->domains.sees(actor, loaded.item.domain);
    if (!sees) return sees.error();
    for (TouchingDifference& one : out) {
      if (!touches(one.difference, from, to, loaded.item)) continue;
      ++one.item_count;
      if (*sees && one.items.size() < named_max) one.items.push_back(loaded.item.key);
    }
    return {};
  });
  if (!visited) return visited.error();
  return out;
}

Result<MigrationReport> WorkflowEngine::migrate_all(const Actor& actor, const WorkflowId& id,
                                                    const MigrateAll& migration, const CallOptions& call) {
  auto request = request_of(actor, migration.dry_run ? std::string() : call.idempotency_key, asked(id, migration));
  if (!request) return request.error();
  auto target = core_->shelf.find(id, migration.version);
  if (!target) return target.error();
  if (actor.is_agent()) {
    return Error(errc::not_permitted, "Only people and the host may migrate items").with("actor", actor.id());
  }
  if (auto allowed = core_->require_in((*target)->definition(), actor, Role::admin); !allowed) return allowed.error();
  if (*request) {
    auto found = find_record(core_->options.storage, **request, core_->options.clock.now());
    if (!found) return found.error();
    if (found->record) return read_report(*found->record);
  }
  MigrationReport report{.version = (*target)->version()};
  std::vector<ItemKey> keys;
  const auto gather = [&](const LoadedItem& loaded) -> Result<void> {
    ++report.checked_count;
    if (loaded.item.workflow_version == report.version) return {};
    keys.push_back(loaded.item.key);
    if (keys.size() <= migrated_max) return {};
    return Error(errc::input_too_large, fmt::format("A call migrates at most {} items", migrated_max))
        .with("workflow", id.str());
  };
  if (auto gathered = visit_items(*core_, id, migration.domain, migration.resolved, gather); !gathered) {
    return gathered.error();
  }
  const Migrate command{report.version, migration.mapping};
  const auto migrate_one = [&](ItemDoor& door, std::size_t position) -> Result<LoadedItemPtr> {
    auto change = admit(*core_, actor, keys[position], command, {});
    if (!change) return change.error();
    auto outcome = door.apply(std::move(*change));
    if (outcome) return std::move(outcome->item);
    const Error& error = outcome.error();
    if (error.code() == errc::not_found && error.context("item") == keys[position].str()) return LoadedItemPtr();
    return error;
  };
  const auto count = [&](const std::vector<Result<LoadedItemPtr>>& answers) {
    // Null: gone since it was gathered.
    report.migrated_count = static_cast<std::uint64_t>(
        std::count_if(answers.begin(), answers.end(), [](const auto& one) { return one && *one != nullptr; }));
  };
  std::optional<Record> answered;  // by the same call, while this one was judging
  const auto remember_report = [&](const std::vector<Result<LoadedItemPtr>>& answers) -> Result<ChangeSet> {
    auto found = find_record(core_->options.storage, **request, core_->options.clock.now());
    if (!found) return found.error();
    if ((answered = std::move(found->record))) return Error(errc::conflict);
    count(answers);
    ChangeSet changes;
    changes.id = core_->door.mint_commit();
    remember(changes, **request, *found, record_of(id, report), core_->options.clock.now());
    return changes;
  };
  auto answers = apply_all(*core_, keys.size(), migrate_one, {.dry_run = migration.dry_run},
                           *request ? BulkFinish(remember_report) : BulkFinish());
  if (answered) return read_report(*answered);
  if (!answers) return answers.error();
  if (std::any_of(answers->begin(), answers->end(), [](const auto& one) { return !one; })) {
    return refuse(keys, *answers);
  }
  count(*answers);
  return report;
}

}  // namespace v0
}  // namespace openindex
