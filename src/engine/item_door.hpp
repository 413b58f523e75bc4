// The one door for items: load what a decision needs, decide, commit, and decide again when somebody was faster.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <openindex/workflow_engine.hpp>

#include "engine/agent_stops.hpp"
#include "engine/answers.hpp"
#include "engine/commit_ids.hpp"
#include "engine/domain_book.hpp"
#include "engine/event_feed.hpp"
#include "engine/item_cache.hpp"
#include "engine/item_record.hpp"
#include "engine/number_lease.hpp"
#include "engine/workflow_shelf.hpp"

namespace openindex::engine {

struct NeededBy;

/// A run's record and new steps, written in the same commit as what they caused. Its version guards the run.
struct RunWrite {
  AgentRun run;
  std::vector<RunStep> steps;    ///< Numbers follow `run.steps`, which the caller has raised already.
  std::vector<Put> beside = {};  ///< Appended with them, when only the run is written.
};

using Decide = std::function<Result<Decision>(const LoadedItem&, Time now)>;

/// One change through the door. With an empty key only the run is written.
struct Change {
  ItemKey key;
  Actor actor;
  Command command = {};     ///< Judged by the rules, unless `decide` judges in their place.
  std::uint64_t fence = 0;  ///< As `CallOptions::fence`.
  Decide decide = {};
  RunWrite* run = nullptr;             ///< Updated in place on success: version, and the state if the decision ends it.
  std::vector<AuditDraft> notes = {};  ///< Audit entries beside those of the decision.
  std::optional<Request> request = {};  ///< The accepted answer is remembered for it.
  /// Told what the item will be, before the run and its steps are written: to put the outcome into them.
  std::function<void(const LoadedItem& next)> foresee = {};
};

struct Outcome {
  LoadedItemPtr item;  ///< After the change; null when only a run was written.
  Decision decision;
};

class ItemDoor {
 public:
  /// What a door works with. `storage` is where it reads items and commits; the books read where they always do.
  struct With {
    Storage& storage;
    Clock& clock;
    WorkflowShelf& shelf;
    DomainBook& domains;
    NumberLease& numbers;
    CommitIds& ids;
    AgentStops& stops;
    std::shared_ptr<EventFeed> feed = nullptr;  ///< Where it commits instead of a feed of its own to `storage`.
    bool keeps = true;                          ///< Whether items are remembered from one call to the next.
  };
  explicit ItemDoor(const With& with);

  /// Read an item from storage. @par Errors not_found, storage
  Result<LoadedItemPtr> load(const ItemKey& key);
  /// Read several; those that are gone are left out.
  Result<std::vector<LoadedItemPtr>> load_all(std::span<const ItemKey> keys);
  Result<AgentRun> load_run(const RunId& run);
  /// Read what was answered to a request before; null: nothing that is remembered.
  /// @par Errors idempotency_conflict, storage
  Result<LoadedItemPtr> recall(const Request& request);

  /// Make changes, as many as possible in one commit; each succeeds or fails by itself.
  std::vector<Result<Outcome>> apply(std::span<Change> changes);
  Result<Outcome> apply(Change change);

  Result<LoadedItemPtr> create(const Actor& actor, const NewItem& item);

  CommitId mint_commit() { return ids_.mint(); }

  /// Let go of an item that is gone.
  void forget(const ItemKey& key) { cache_.forget(key); }

  /// Where whatever changes items commits, and who wants to know of it listens.
  [[nodiscard]] EventFeed& feed() noexcept { return *feed_; }

 private:
  // What one attempt would commit, and what is remembered when it succeeds.
  struct Prepared {
    ChangeSet changes;
    std::shared_ptr<LoadedItem> next;  ///< Null: the item does not change.
    LoadedItemPtr current;
    std::optional<RelatedItem> related;   ///< The item that the command names.
    std::shared_ptr<NeededBy> needed_by;  ///< Who needs an item that is to be deleted.
    std::optional<AgentRun> run;          ///< The item's last run, of a command that is about it,
    std::vector<ProviderId> providers;    ///< and who serves its stage.
    CompiledWorkflowPtr target;           ///< The version of the workflow that the command names.
    Decision decision;
    std::optional<std::size_t> state_put, text_put, hold_put, run_put;
    struct Other {
      std::shared_ptr<LoadedItem> next;
      std::size_t state_put;
    };
    std::vector<Other> others;  ///< Items that wait for this one, as they will be.
  };
  Result<KnownAnswer> find_known(const Request& request);
  Result<Prepared> prepare(Change& change, bool fresh);
  Result<Prepared> prepare_run(const Change& change);
  Result<Decision> judge(Prepared& prepared, const Change& change, std::vector<Expectation>& seen, Time now);
  Result<Decision> judge_deletion(const Prepared& prepared, ItemSnapshot& snapshot, const Change& change, Time now);
  Result<void> write_item(Prepared& prepared, Change& change, Time now);
  Result<std::optional<RelatedItem>> relate(const ItemKey& item, const ItemKey& on, std::vector<Expectation>& seen);
  Result<void> add_dependent(Prepared& prepared, const ItemKey& on, const ItemKey& dependent);
  Result<void> remove_dependent(Prepared& prepared, const ItemKey& on, const ItemKey& dependent);
  Result<void> tell_dependents(Prepared& prepared, const Change& change, Time now);
  Result<void> tell_waiting_run(Prepared& prepared, const LoadedItem& item, Time now);
  void remember_answer(Prepared& prepared, const Request& request, std::uint64_t version);
  Result<void> write_effects(Prepared& prepared, Change& change, const LoadedItem& current, Time now);
  Result<void> write_deletion(Prepared& prepared, const LoadedItem& current, Time now);
  Result<void> look_up_run(Prepared& prepared, const LoadedItem& current);
  void resume_run(Prepared& prepared, const Actor& actor, std::vector<AuditDraft>& drafts, Time now);
  void start_run(Prepared& prepared, LoadedItem& item, std::vector<AuditDraft>& drafts, Time now);
  Result<void> end_run(Prepared& prepared, Change& change, const LoadedItem& current, std::vector<AuditDraft>& drafts,
                       Time now);
  Result<void> tell_run(Prepared& prepared, const Change& change, const LoadedItem& current,
                        std::vector<AuditDraft>& drafts, Time now);
  Outcome finish(Prepared& prepared, Change& change, const CommitReceipt& receipt);
  Result<CompiledWorkflowPtr> workflow_of(const NewItem& given, const std::optional<RelatedItem>& parent);
  Result<void> check_use(const Actor& actor, const NewItem& given, const std::string& domain, const Workflow& workflow);
  Result<void> number(LoadedItem& next);
  Result<std::shared_ptr<LoadedItem>> draft(const NewItem& given, const CompiledWorkflowPtr& workflow,
                                            StatusIndex status, const std::optional<RelatedItem>& parent);
  Result<void> wait_for(Prepared& prepared, LoadedItem& next, const std::vector<ItemKey>& depends_on);
  Result<Prepared> prepare_creation(const Actor& actor, const NewItem& given, const CompiledWorkflowPtr& workflow,
                                    StatusIndex status, const std::optional<RelatedItem>& parent,
                                    const std::string& digest);
  LoadedItemPtr finish_creation(Prepared& prepared);
  Result<LoadedItemPtr> existing(const Actor& actor, const NewItem& item, const std::string& digest);

  Storage& storage_;
  Clock& clock_;
  WorkflowShelf& shelf_;
  DomainBook& domains_;
  NumberLease& numbers_;
  CommitIds& ids_;
  AgentStops& stops_;
  std::shared_ptr<EventFeed> feed_;  ///< Shared with subscriptions, which may outlive the engine.
  ItemCache cache_;
  std::atomic<std::uint64_t> answer_count_{0};
};

}  // namespace openindex::engine
