// Commands on items: every one goes through the door.
#include <openindex/workflow_engine.hpp>

#include "engine/admission.hpp"
#include "engine/bulk.hpp"
#include "engine/commit.hpp"
#include "engine/core.hpp"
#include "engine/erasing.hpp"
#include "engine/pruned_item.hpp"

namespace openindex {
inline namespace v0 {

using namespace openindex::engine;

namespace {

// Comments, runs and journals of a deleted item go at once; what does not, because the process dies or is refused, goes
// with the next `prune`.
void erase_leftovers(EngineCore& core, const Actor& actor, const ItemKey& key, const Command& command) {
  if (!std::holds_alternative<DeleteItem>(command)) return;
  constexpr std::uint64_t records_max = 10'000;
  auto record = read_record(core.options.storage, pruned_record(key), "pruned item");
  auto mark = record ? read_pruned(*record) : Result<PrunedItem>(record.error());
  if (!mark) return;
  Erasing erasing(core, actor, core.options.clock.now(), records_max);
  static_cast<void>(erasing.leftovers(*mark).has_value());
}

}  // namespace

Result<WorkItem> WorkflowEngine::execute(const Actor& actor, const ItemKey& key, const Command& command,
                                         const CallOptions& call) {
  auto change = admit(*core_, actor, key, command, call);
  if (!change) return change.error();
  auto outcome = core_->door.apply(std::move(*change));
  if (!outcome) return outcome.error();
  erase_leftovers(*core_, actor, key, command);
  return outcome->item->whole();
}

Result<BulkAnswer> WorkflowEngine::execute_all(const Actor& actor, std::span<const ItemCommand> commands,
                                               const BulkOptions& options) {
  const auto execute_one = [&](ItemDoor& door, std::size_t position) -> Result<LoadedItemPtr> {
    const ItemCommand& one = commands[position];
    auto change = admit(*core_, actor, one.key, one.command, one.call);
    if (!change) return change.error();
    auto outcome = door.apply(std::move(*change));
    if (!outcome) return outcome.error();
    return std::move(outcome->item);
  };
  auto answer = answer_all(*core_, commands.size(), execute_one, options);
  if (!answer || options.dry_run) return answer;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if ((*answer)[i]) erase_leftovers(*core_, actor, commands[i].key, commands[i].command);
  }
  return answer;
}

Result<BulkAnswer> WorkflowEngine::create_all(const Actor& actor, std::span<const NewItem> items,
                                              const BulkOptions& options) {
  const auto create_one = [&](ItemDoor& door, std::size_t position) { return door.create(actor, items[position]); };
  return answer_all(*core_, items.size(), create_one, options);
}

Result<WorkItem> WorkflowEngine::claim(const Actor& actor, const ItemKey& key, const Claim& claim,
                                       const CallOptions& call) {
  return execute(actor, key, claim, call);
}
Result<WorkItem> WorkflowEngine::release(const Actor& actor, const ItemKey& key, const Release& release,
                                         const CallOptions& call) {
  return execute(actor, key, release, call);
}
Result<WorkItem> WorkflowEngine::heartbeat(const Actor& actor, const ItemKey& key, const Heartbeat& beat,
                                           const CallOptions& call) {
  return execute(actor, key, beat, call);
}
Result<WorkItem> WorkflowEngine::set_fields(const Actor& actor, const ItemKey& key, FieldValues values,
                                            const CallOptions& call) {
  return execute(actor, key, SetFields{std::move(values)}, call);
}
Result<WorkItem> WorkflowEngine::comment(const Actor& actor, const ItemKey& key, std::string body,
                                         const CallOptions& call) {
  return execute(actor, key, AddComment{std::move(body)}, call);
}
Result<WorkItem> WorkflowEngine::transition(const Actor& actor, const ItemKey& key, std::string to_status,
                                            const CallOptions& call) {
  return execute(actor, key, ChangeStatus{std::move(to_status)}, call);
}
Result<WorkItem> WorkflowEngine::progress(const Actor& actor, const ItemKey& key, const Progress& progress,
                                          const CallOptions& call) {
  return execute(actor, key, progress, call);
}
Result<WorkItem> WorkflowEngine::complete(const Actor& actor, const ItemKey& key, const Complete& complete,
                                          const CallOptions& call) {
  return execute(actor, key, complete, call);
}
Result<WorkItem> WorkflowEngine::done(const Actor& actor, const ItemKey& key, const Done& done,
                                      const CallOptions& call) {
  return execute(actor, key, done, call);
}
Result<WorkItem> WorkflowEngine::reacknowledge(const Actor& actor, const ItemKey& key, const Reacknowledge& again,
                                               const CallOptions& call) {
  return execute(actor, key, again, call);
}
Result<WorkItem> WorkflowEngine::take_over(const Actor& actor, const ItemKey& key, const TakeOver& take,
                                           const CallOptions& call) {
  return execute(actor, key, take, call);
}
Result<WorkItem> WorkflowEngine::reopen(const Actor& actor, const ItemKey& key, const Reopen& reopen,
                                        const CallOptions& call) {
  return execute(actor, key, reopen, call);
}
Result<WorkItem> WorkflowEngine::update(const Actor& actor, const ItemKey& key, const UpdateItem& update,
                                        const CallOptions& call) {
  return execute(actor, key, update, call);
}
Result<WorkItem> WorkflowEngine::add_dependency(const Actor& actor, const ItemKey& key, const ItemKey& on,
                                                const CallOptions& call) {
  return execute(actor, key, AddDependency{on}, call);
}
Result<WorkItem> WorkflowEngine::remove_dependency(const Actor& actor, const ItemKey& key, const ItemKey& on,
                                                   const CallOptions& call) {
  return execute(actor, key, RemoveDependency{on}, call);
}
Result<WorkItem> WorkflowEngine::attach(const Actor& actor, const ItemKey& key, const Attachment& attachment,
                                        const CallOptions& call) {
  return execute(actor, key, AddAttachment{attachment}, call);
}
Result<WorkItem> WorkflowEngine::detach(const Actor& actor, const ItemKey& key, std::uint32_t attachment,
                                        const CallOptions& call) {
  return execute(actor, key, RemoveAttachment{attachment}, call);
}

Result<WorkItem> WorkflowEngine::migrate(const Actor& actor, const ItemKey& key, const Migrate& migrate,
                                         const CallOptions& call) {
  return execute(actor, key, migrate, call);
}
Result<WorkItem> WorkflowEngine::delete_item(const Actor& actor, const ItemKey& key, const DeleteItem& deletion,
                                             const CallOptions& call) {
  return execute(actor, key, deletion, call);
}
Result<WorkItem> WorkflowEngine::cancel_run(const Actor& actor, const ItemKey& key, const CancelRun& cancel,
                                            const CallOptions& call) {
  return execute(actor, key, cancel, call);
}
Result<WorkItem> WorkflowEngine::resume_run(const Actor& actor, const ItemKey& key, const ResumeRun& resume,
                                            const CallOptions& call) {
  return execute(actor, key, resume, call);
}
Result<WorkItem> WorkflowEngine::start_run(const Actor& actor, const ItemKey& key, const StartRun& start,
                                           const CallOptions& call) {
  return execute(actor, key, start, call);
}

}  // namespace v0
}  // namespace openindex
