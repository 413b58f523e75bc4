// Judges one command on one item: what `decide` is made of. Split over the files that are named after what they judge.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <openindex/work/rules.hpp>

#include "work/exit_rules.hpp"

namespace openindex::work {

class Judge {
 public:
  Judge(const ItemSnapshot& snapshot, const Actor& actor, Time now, std::uint64_t fence)
      : snapshot_(snapshot),
        workflow_(snapshot.workflow),
        item_(snapshot.item),
        actor_(actor),
        now_(now),
        fence_(fence) {}

  // hold_rules.cpp
  Result<Decision> operator()(const Claim& claim);
  Result<Decision> operator()(const Release& release);
  Result<Decision> operator()(const Heartbeat& beat);
  Result<Decision> operator()(const TakeOver& take);
  // content_rules.cpp
  Result<Decision> operator()(const SetFields& set);
  Result<Decision> operator()(const AddComment& comment);
  Result<Decision> operator()(const UpdateItem& update);
  Result<Decision> operator()(const AddAttachment& add);
  Result<Decision> operator()(const RemoveAttachment& remove);
  // dependency_rules.cpp
  Result<Decision> operator()(const AddDependency& add);
  Result<Decision> operator()(const RemoveDependency& remove);
  // move_rules.cpp
  Result<Decision> operator()(const ChangeStatus& change);
  Result<Decision> operator()(const Progress& progress);
  Result<Decision> operator()(const Reacknowledge& again);
  Result<Decision> operator()(const Complete& complete);
  Result<Decision> operator()(const Reopen& reopen);
  // migration_rules.cpp
  Result<Decision> operator()(const Migrate& migrate);
  // deletion_rules.cpp
  Result<Decision> operator()(const DeleteItem& deletion);
  // run_rules.cpp
  Result<Decision> operator()(const CancelRun& cancel);
  Result<Decision> operator()(const ResumeRun& resume);
  Result<Decision> operator()(const StartRun& start);
  // done_rules.cpp
  Result<Decision> operator()(const Done& done);

 private:
  Result<void> check_worker() const;
  /// Refuse whoever is not a person or the host. `what`: for the error's sentence.
  Result<void> check_privileged(const char* what) const;
  Result<StatusIndex> status_named(const std::string& key, Moves moves = Moves::all) const;
  Result<Time> deadline(Duration hold) const;
  Result<std::optional<StatusIndex>> claim_status(const Claim& claim) const;
  Result<StatusIndex> completion_status(const std::string& key) const;
  Result<StatusIndex> nearest_completion() const;
  /// Any accepted write by the holder shows that the holder is alive.
  void extend_hold(Decision& decision) const;
  void move(Decision& decision, StatusIndex to) const;
  /// Move on from where earlier moves of the same decision have led.
  void move(Decision& decision, StatusIndex from, StatusIndex to) const;
  /// Of a migration: the run of the stage that the item stands in, when that is another stage now.
  void move_run(Decision& decision, const Stage& to) const;
  /// Gates that the item has passed and its version of the workflow knows.
  std::vector<std::string> gates_passed() const;
  /// Refuse a run that is not the item's; an empty id means the one it has.
  Result<void> check_run(const RunId& named) const;
  /// Refuse a provider that does not serve the stage; an empty id means any.
  Result<void> check_provider(const ProviderId& named) const;
  void acknowledge(Decision& decision, GateIndex gate, const std::vector<std::string>& checked) const;

  const ItemSnapshot& snapshot_;
  const CompiledWorkflow& workflow_;
  const WorkItem& item_;
  const Actor& actor_;
  Time now_;
  std::uint64_t fence_;
};

}  // namespace openindex::work
