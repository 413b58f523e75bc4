// WorkflowEngine: work items that move only as their workflow allows.
//
// The host owns one (or several, in several processes) on a `Storage`. Every change is decided by the rules
// (work/rules.hpp) and committed atomically with its audit entries; a conflict with somebody else's commit is decided
// again, so a caller sees its change or the reason why it is no longer legal.
//
// Thread safety: all methods, from any threads. Lifetime: the storage, clock and randomness must outlive it. It
// starts no thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/access/domain.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/executor.hpp>
#include <openindex/core/random.hpp>
#include <openindex/core/result.hpp>
#include <openindex/storage/enlistment.hpp>
#include <openindex/storage/storage.hpp>
#include <openindex/work/agent_context.hpp>
#include <openindex/work/agent_stop.hpp>
#include <openindex/work/audit_entry.hpp>
#include <openindex/work/audit_query.hpp>
#include <openindex/work/audit_receipt.hpp>
#include <openindex/work/bulk.hpp>
#include <openindex/work/call_options.hpp>
#include <openindex/work/event.hpp>
#include <openindex/work/item_filter.hpp>
#include <openindex/work/migration.hpp>
#include <openindex/work/retention.hpp>
#include <openindex/work/rules.hpp>
#include <openindex/work/run_filter.hpp>
#include <openindex/work/subscription.hpp>
#include <openindex/work/transitions.hpp>
#include <openindex/work/work_item.hpp>
#include <openindex/workflow/stage_settings.hpp>
#include <openindex/workflow/workflow.hpp>

namespace openindex {
inline namespace v0 {

class EngineCore;

/// A stored version of a workflow.
struct SavedWorkflow {
  WorkflowId id = {};
  std::uint32_t version = 0;
  bool created = false;  ///< False when the latest version said the same already.
};

/// One of the workflows there are, in its latest version.
struct WorkflowSummary {
  WorkflowId id = {};
  std::string name = {};
  std::string domain = {};
  std::uint32_t version = 0;
};

/// What was walked when every audit chain was verified.
struct VerifiedAudit {
  std::uint64_t chain_count = 0;  ///< Of items, workflows, domains, providers and retention.
  std::uint64_t entry_count = 0;
};

class OPENINDEX_API WorkflowEngine {
 public:
  struct Options {
    Storage& storage;
    Clock& clock = system_clock();
    RandomSource& random = system_random();
  };
  explicit WorkflowEngine(Options options);
  ~WorkflowEngine();
  WorkflowEngine(const WorkflowEngine&) = delete;
  WorkflowEngine& operator=(const WorkflowEngine&) = delete;

  // -- Definitions --------------------------------------------------------------------------------------------------

  /// Store a definition: a new version unless the latest one is the same. Items keep the version they were created
  /// with.
  /// @par Errors invalid_definition, not_permitted (agents and runs), idempotency_conflict, storage
  Result<SavedWorkflow> save(const Actor& actor, const Workflow& workflow, const CallOptions& call = {});

  /// Read a version of a definition; version 0: the latest. A run reads its item's workflow and no other.
  /// @par Errors not_found (also for who has no role in its domain), outside_run, storage
  Result<Workflow> workflow(const Actor& actor, const WorkflowId& id, std::uint32_t version = 0);

  /// Write a version with the settings that its stages have now (`merged_json`); version 0: the latest.
  /// @par Errors not_found (also for who has no role in its domain), outside_run (any run), storage
  Result<std::string> workflow_json(const Actor& actor, const WorkflowId& id, std::uint32_t version = 0);

  /// Read which workflows there are, by id: those of a domain, or of all domains that this actor has a role in.
  /// @par Errors outside_run, storage
  Result<std::vector<WorkflowSummary>> workflows(const Actor& actor, const std::string& domain = {});

  /// Let a provider serve a stage, after those attached before. Reaches items that already wait. Attaching it again
  /// changes nothing. That the provider exists is not checked here: runs wait with `no_provider` until it does.
  /// @par Errors not_found (no such workflow or stage), not_permitted (needs admin), invalid_argument, storage
  Result<void> attach_provider(const Actor& actor, const WorkflowId& id, const std::string& stage,
                               const ProviderId& provider, const CallOptions& call = {});

  /// Replace a stage's settings. The same settings again change nothing. Other processes go by new ones within a
  /// second, this engine and every dispatcher that is awake at once.
  /// @par Errors as attach_provider; invalid_argument: every problem with its JSON pointer
  Result<void> set_stage_settings(const Actor& actor, const WorkflowId& id, const std::string& stage,
                                  const StageSettings& settings, const CallOptions& call = {});

  /// Read a stage's settings; the defaults when none were made.
  /// @par Errors not_found (no such workflow or stage, no role in its domain), outside_run (any run), storage
  Result<StageSettings> stage_settings(const Actor& actor, const WorkflowId& id, const std::string& stage);

  /// Stop agents, or let them work again: `AgentStop`, whose `by` and `since` are filled in. Again changes nothing.
  /// @par Errors not_found (no such workflow, no role in its domain), not_permitted (agents; needs admin in the domain
  /// of the workflow, for all agents a credential of scope admin), invalid_argument, contention, storage
  Result<void> stop_agents(const Actor& actor, const AgentStop& stop);
  Result<void> let_agents_work(const Actor& actor, const WorkflowId& workflow = {});
  /// Read who is stopped: all, and agents of workflows that this actor may read. @par Errors outside_run, storage
  Result<std::vector<AgentStop>> stopped_agents(const Actor& actor);

  /// Tell what changed between two stored versions, and which unresolved items under the first it is about. Reads every
  /// unresolved item of the workflow. @par Errors not_found, outside_run, not_permitted (needs viewer), storage
  Result<std::vector<TouchingDifference>> compare_versions(const Actor& actor, const WorkflowId& id,
                                                           std::uint32_t before, std::uint32_t after = 0);

  /// Migrate the items of a workflow to another version: all of them, in one commit, or none. Every item is judged
  /// first. At most 100,000 items a call; name a domain to take fewer. Called again with the same idempotency key, it
  /// gives the report it gave before; a dry run takes none.
  /// @par Errors migration_refused (every item that does not fit, pointers `/<item>/…`; context `refused_count`, since
  /// at most 1,000 problems are listed; nothing was changed), not_found, not_permitted (needs admin in every domain
  /// concerned), input_too_large, idempotency_conflict, contention, storage
  Result<MigrationReport> migrate_all(const Actor& actor, const WorkflowId& id, const MigrateAll& migration = {},
                                      const CallOptions& call = {});

  // -- Domains ------------------------------------------------------------------------------------------------------

  // Every call that changes something takes an idempotency key; the fence is for items.

  /// Create a domain; from then on its roles count. Other processes go by them within a second.
  /// @par Errors already_exists, idempotency_conflict, invalid_argument (every problem with its pointer), not_found (a
  /// default workflow that is not there, or not for this actor to read), not_permitted (agents), storage
  Result<Domain> create_domain(const Actor& actor, const NewDomain& domain, const CallOptions& call = {});

  /// Read a domain. @par Errors not_found (also for who has no role in it), storage
  Result<Domain> domain(const Actor& actor, const std::string& key);

  /// Read the domains that this actor has a role in, by key. @par Errors outside_run, storage
  Result<std::vector<Domain>> domains(const Actor& actor);

  /// Read the personal domain of a person, which is made when it is asked for the first time: what the CLI calls `ME`.
  /// An agent that works for a person gets that person's. Its key follows from the user id and is kept for it: nobody
  /// creates a domain of it in another way, and no other person an item in it.
  /// @par Errors invalid_argument (neither a person nor an agent for one), outside_run, contention, storage
  Result<Domain> personal_domain(const Actor& actor);

  /// Change a domain. @par Errors not_found (also of the default workflow), not_permitted (needs admin),
  /// invalid_argument, contention, storage
  Result<Domain> update_domain(const Actor& actor, const std::string& key, const DomainUpdate& update,
                               const CallOptions& call = {});

  /// Add a member or change their role. @par Errors as update_domain; the owner's role changes by handing over only
  Result<Domain> set_member(const Actor& actor, const std::string& key, const std::string& user, Role role,
                            const CallOptions& call = {});

  /// Remove a member. @par Errors as set_member
  Result<Domain> remove_member(const Actor& actor, const std::string& key, const std::string& user,
                               const CallOptions& call = {});

  /// Make another member the owner; the owner before becomes an admin. @par Errors as update_domain (needs owner)
  Result<Domain> hand_over_domain(const Actor& actor, const std::string& key, const std::string& user,
                                  const CallOptions& call = {});

  // -- Items --------------------------------------------------------------------------------------------------------

  /// Create an item in the latest version of its workflow; entering an agent-required stage dispatches it at once. In a
  /// domain go its own workflows, its default, and those of any other domain that the actor has a role in.
  /// @par Errors not_found (workflow), invalid_argument, unknown_field, invalid_field_value, idempotency_conflict,
  /// storage
  Result<WorkItem> create(const Actor& actor, const NewItem& item);

  /// Create many items at once, up to `bulk_count_max`; an element that carries an idempotency key gives the item that
  /// was created under it before.
  /// @par Errors bulk_refused (every refused element with its problems, pointers `/<position>/…`; nothing was created),
  /// invalid_argument (more elements than that), contention, storage
  Result<BulkAnswer> create_all(const Actor& actor, std::span<const NewItem> items, const BulkOptions& options = {});

  /// Read one item. @par Errors not_found, outside_run, storage
  Result<WorkItem> get(const Actor& actor, const ItemKey& key);

  /// List items. @par Errors invalid_argument (limit, cursor), outside_run, storage
  Result<ItemPage> list(const Actor& actor, const ItemFilter& filter);

  /// List what stands directly below an item, in order; none of an unknown item. @par Errors outside_run, storage
  Result<std::vector<WorkItem>> children(const Actor& actor, const ItemKey& key);

  /// Change an item: any command of the rules.
  /// @returns the item after the change.
  /// @par Errors those of `decide`, not_found, idempotency_conflict, contention, storage
  Result<WorkItem> execute(const Actor& actor, const ItemKey& key, const Command& command,
                           const CallOptions& call = {});

  /// Change many items at once, up to `bulk_count_max` commands: progress a hundred, claim a batch.
  /// @par Errors bulk_refused (every refused element, pointers `/<position>`; nothing was changed), invalid_argument
  /// (more commands than that), contention, storage
  Result<BulkAnswer> execute_all(const Actor& actor, std::span<const ItemCommand> commands,
                                 const BulkOptions& options = {});

  // The commands by name; errors as `execute`.
  Result<WorkItem> claim(const Actor& actor, const ItemKey& key, const Claim& claim = {}, const CallOptions& call = {});
  Result<WorkItem> release(const Actor& actor, const ItemKey& key, const Release& release = {},
                           const CallOptions& call = {});
  Result<WorkItem> heartbeat(const Actor& actor, const ItemKey& key, const Heartbeat& beat = {},
                             const CallOptions& call = {});
  Result<WorkItem> set_fields(const Actor& actor, const ItemKey& key, FieldValues values, const CallOptions& call = {});
  Result<WorkItem> comment(const Actor& actor, const ItemKey& key, std::string body, const CallOptions& call = {});
  Result<WorkItem> transition(const Actor& actor, const ItemKey& key, std::string to_status,
                              const CallOptions& call = {});
  Result<WorkItem> progress(const Actor& actor, const ItemKey& key, const Progress& progress,
                            const CallOptions& call = {});
  Result<WorkItem> complete(const Actor& actor, const ItemKey& key, const Complete& complete = {},
                            const CallOptions& call = {});
  Result<WorkItem> done(const Actor& actor, const ItemKey& key, const Done& done = {}, const CallOptions& call = {});
  Result<WorkItem> reacknowledge(const Actor& actor, const ItemKey& key, const Reacknowledge& again,
                                 const CallOptions& call = {});
  Result<WorkItem> take_over(const Actor& actor, const ItemKey& key, const TakeOver& take,
                             const CallOptions& call = {});
  Result<WorkItem> reopen(const Actor& actor, const ItemKey& key, const Reopen& reopen = {},
                          const CallOptions& call = {});
  Result<WorkItem> update(const Actor& actor, const ItemKey& key, const UpdateItem& update,
                          const CallOptions& call = {});
  Result<WorkItem> add_dependency(const Actor& actor, const ItemKey& key, const ItemKey& on,
                                  const CallOptions& call = {});
  Result<WorkItem> remove_dependency(const Actor& actor, const ItemKey& key, const ItemKey& on,
                                     const CallOptions& call = {});
  Result<WorkItem> attach(const Actor& actor, const ItemKey& key, const Attachment& attachment,
                          const CallOptions& call = {});
  Result<WorkItem> detach(const Actor& actor, const ItemKey& key, std::uint32_t attachment,
                          const CallOptions& call = {});
  Result<WorkItem> migrate(const Actor& actor, const ItemKey& key, const Migrate& migrate = {},
                           const CallOptions& call = {});
  Result<WorkItem> delete_item(const Actor& actor, const ItemKey& key, const DeleteItem& deletion = {},
                               const CallOptions& call = {});
  Result<WorkItem> cancel_run(const Actor& actor, const ItemKey& key, const CancelRun& cancel = {},
                              const CallOptions& call = {});
  Result<WorkItem> resume_run(const Actor& actor, const ItemKey& key, const ResumeRun& resume = {},
                              const CallOptions& call = {});
  Result<WorkItem> start_run(const Actor& actor, const ItemKey& key, const StartRun& start = {},
                             const CallOptions& call = {});

  // -- Questions ----------------------------------------------------------------------------------------------------

  /// Tell where the item can go from its status, whoever works on it. @par Errors not_found, outside_run, storage
  Result<Transitions> transitions(const Actor& actor, const ItemKey& key);

  /// Tell what this actor may do to the item now, and why not the rest. @par Errors not_found, outside_run, storage
  Result<AgentContext> agent_context(const Actor& actor, const ItemKey& key);

  /// Tell why the item does not move, and who or what can move it. @par Errors not_found, outside_run, storage
  Result<Explanation> explain(const Actor& actor, const ItemKey& key);

  /// Read an item's comments, oldest first, from a number on; at most 1000 a call, none of an unknown item.
  /// @par Errors outside_run, storage
  Result<std::vector<Comment>> comments(const Actor& actor, const ItemKey& key, std::uint32_t from_number = 1);

  /// Read an item's audit trail, oldest first, from a number on; at most 1000 entries a call, none of an unknown
  /// item. @par Errors outside_run, storage
  Result<std::vector<AuditEntry>> audit(const Actor& actor, const ItemKey& key, std::uint64_t from_number = 1);

  /// Search the audit entries of all items, workflows and providers, a page at a time. A page looks at 10,000 entries
  /// at most, so it may be short. While others append, no entry appears twice in a paged listing; entries that are
  /// appended meanwhile may be missing from it.
  /// @par Errors invalid_argument (limit, cursor), outside_run, storage
  Result<AuditPage> audit_entries(const Actor& actor, const AuditFilter& filter = {});

  /// Write all entries that match, a part at a time; holds no more than `filter.limit_count` of them at once. After an
  /// error what was written is incomplete.
  /// @par Errors as audit_entries, host_callback_failed (the sink threw), what the sink returned
  Result<void> export_audit(const Actor& actor, const AuditFilter& filter, AuditFormat format, const AuditSink& sink);

  /// Walk an item's audit chain from the first entry to the head in its state.
  /// @par Errors storage_corrupt (context `entry`: the one that is missing or is not as it was written), not_found,
  /// outside_run, storage
  Result<void> verify(const Actor& actor, const ItemKey& key);

  /// Verify every audit chain that the actor may read, while others work: those of items, pruned ones included, of
  /// workflows, domains, providers and retention. Reads every entry; `SqliteStorage::check` does it together with
  /// SQLite's own check.
  /// @par Errors storage_corrupt (each broken chain a problem with the pointer `/<stream>/<entry>`, at most 1,000;
  /// context `broken_count`), outside_run, storage
  Result<VerifiedAudit> verify_all(const Actor& actor);

  /// Write an item's audit chain as a receipt: one text that proves later, and elsewhere, what the chain was now.
  /// Check it with `verify_receipt`. Takes memory in proportion to the chain. @par Errors as verify
  Result<std::string> export_receipt(const Actor& actor, const ItemKey& key);

  /// As verify, and the chain must begin with the entries of a receipt exported earlier, byte for byte: also finds what
  /// was rewritten together with all that follows, the head included.
  /// @par Errors as verify, receipt_broken, invalid_argument (a receipt of another item)
  Result<void> verify_against(const Actor& actor, const ItemKey& key, std::string_view receipt);

  /// As verify, and the chain must have passed an earlier head: one that was sealed, or kept out of reach.
  /// @par Errors as verify (context `entry`: of the head; the change may lie before it), invalid_argument (a head of
  /// another item)
  Result<void> verify_against(const Actor& actor, const ItemKey& key, const AuditHead& earlier);

  /// Tell where an item's audit chain stands, for `seal_head`. @par Errors not_found, outside_run, storage
  Result<AuditHead> audit_head(const Actor& actor, const ItemKey& key);

  /// Read an item's runs, newest first, at most 20; none of an unknown item. @par Errors outside_run, storage
  Result<std::vector<AgentRun>> runs(const Actor& actor, const ItemKey& key);

  /// Read one run. @par Errors not_found, outside_run, storage
  Result<AgentRun> run(const Actor& actor, const RunId& run);
  /// Tell whom a run's token stands for. @par Errors credential_refused (no token, or its run works no more), storage
  Result<Actor> actor_of_token(std::string_view token);

  /// List runs. A page looks at 10,000 at most. @par Errors invalid_argument (limit, cursor), outside_run, storage
  Result<RunPage> list_runs(const Actor& actor, const RunFilter& filter = {});

  /// Read a run's journal, oldest step first. @par Errors not_found, outside_run, storage
  Result<std::vector<RunStep>> journal(const Actor& actor, const RunId& run);

  /// Write a run and its journal as JSON lines, first the run, then each step, its body as stored. After an error what
  /// was written is incomplete. @par Errors as journal, host_callback_failed (the sink threw), what the sink returned
  Result<void> export_journal(const Actor& actor, const RunId& run, const AuditSink& sink);

  // -- Retention ----------------------------------------------------------------------------------------------------

  /// Forget work that ended long ago, a bounded part of it; call again until `Pruned::next` is empty. Under an
  /// idempotency key the report is remembered; a call that was cut short goes on. (A fence says nothing here.)
  /// @par Errors invalid_argument (a moment that is still to come, bounds, cursor), not_permitted (agents; people need
  /// to name a domain and to be admin there), outside_run, host_callback_failed (the sink threw), what the sink
  /// returned, idempotency_conflict, contention, storage
  Result<Pruned> prune(const Actor& actor, const Prune& prune, const CallOptions& call = {});

  /// Put texts into the index of words where they are not in it, or only as ones that may hold any word: after an
  /// upgrade, once no process of the older release is left, and over a storage of your own that held items before it
  /// had `Index::text`. Reads all items, a thousand a call, beside other work. Nothing tells of it.
  /// @par Errors not_permitted (all but the host), outside_run, invalid_argument (cursor), contention, storage
  Result<IndexedTexts> index_texts(const Actor& actor, const std::string& after = {});

  // -- The host's own transactions -----------------------------------------------------------------------------------

  /// Work in a transaction of the host, such as `SqliteStorage::enlist` makes one of: the same calls, which read what
  /// was written in it, and what they change lands with the host's rows or not at all. Subscriptions are told after
  /// `Enlistment::committed`, of what has landed. Nothing that is read inside is remembered outside.
  ///
  /// `with(storage->enlist(db)).create(…)`: if there is no transaction to work in, because it could not be enlisted or
  /// because it is in another storage than this engine's (invalid_argument), every call answers with that error.
  ///
  /// What it returns is a light object for one thread, the one that has the transaction. Settings of stages, roles and
  /// workflows that are changed inside reach this engine as they would from another process.
  /// Lifetime: this engine and the transaction must outlive it.
  [[nodiscard]] WorkflowEngine with(Enlistment& transaction);
  [[nodiscard]] WorkflowEngine with(const Result<std::unique_ptr<Enlistment>>& transaction);

  // -- Events -------------------------------------------------------------------------------------------------------

  /// Be told of items that change, until the subscription ends. Every commit that begins after this returns is told of.
  ///
  /// The listener runs on the host's executor after the commit; for one item in the order of its versions, each event
  /// at most once. It may call anything, this engine included. A slow, blocked or throwing listener or executor holds
  /// up no other subscription; what does not fit into the queue is dropped, oldest first, and said to be `missed`, as
  /// is a commit whose fate is unknown or that was under way during this call. The library starts no thread: a host
  /// without a pool gives the executor of a `ThreadExecutor`. With `inline_executor()` whoever commits runs the
  /// listener and waits for it.
  ///
  /// Only changes made through this engine object are seen, and no heartbeats. Of other processes
  /// `Storage::wait_for_change` gives a hint; after a restart, read where you left off. Neither function may be empty.
  [[nodiscard]] Subscription subscribe(EventFilter filter, Executor executor, EventListener listener);

  [[nodiscard]] Storage& storage() noexcept;
  [[nodiscard]] Clock& clock() noexcept;
  [[nodiscard]] RandomSource& random() noexcept;

  /// The inside, for the other front doors of this library; not part of the public API.
  [[nodiscard]] EngineCore& core() noexcept { return *core_; }

 private:
  explicit WorkflowEngine(std::unique_ptr<EngineCore> core) noexcept;
  WorkflowEngine refusing(const Error& error);
  Result<void> check_may_stop(const Actor& actor, const WorkflowId& workflow);
  Result<void> edit_settings(const Actor& actor, const WorkflowId& id, const std::string& stage,
                             const std::function<void(StageSettings&)>& edit, const CallOptions& call,
                             const std::string& what);
  Result<Domain> edit_domain(const Actor& actor, const std::string& key, Role needed,
                             const std::function<Result<std::vector<AuditDraft>>(Domain&)>& edit,
                             const CallOptions& call, const std::string& what);

  std::unique_ptr<EngineCore> core_;
};

}  // namespace v0
}  // namespace openindex
