// The reference model: what the rules say, written down a second time in the most naive way.
//
// No concurrency, no storage, no indexes, and nothing shared with the code it is compared with but the plain structs
// that callers see. A command works on a copy of the item; a refusal is thrown and the copy forgotten.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/access/domain.hpp>
#include <openindex/work/bulk.hpp>
#include <openindex/work/rules.hpp>
#include <openindex/work/work_item.hpp>

namespace openindex::model {

using Verdict = std::optional<errc>;  ///< Nothing: accepted.

struct Item {
  WorkItem seen = {};  ///< As a reader should see it; `blocked_by` and `version` are not kept.
  std::uint64_t epoch = 0;
  Duration hold_length{0};
  std::set<std::string> workers = {};
  std::optional<RunState> run_state = {};  ///< Of the newest run.
  std::uint32_t runs = 0;
  std::uint32_t attachments = 0;  ///< Ever added.
  bool deleted = false;
};

/// One version of the workflow, and where to find things in it.
struct Book {
  Workflow workflow;

  [[nodiscard]] const Status* status(const std::string& key) const;
  [[nodiscard]] const Stage& stage(const std::string& key) const;
  [[nodiscard]] const StageGate* gate(const std::string& key) const;
  [[nodiscard]] const StageGate* gate_between(const std::string& from_stage, const std::string& to_stage) const;
  [[nodiscard]] const Field* field(const std::string& key) const;
  [[nodiscard]] std::vector<std::string> exits(const std::string& from) const;
  [[nodiscard]] Verdict judge_fields(const FieldValues& values) const;
};

/// What was answered under an idempotency key.
struct Remembered {
  ItemKey key = {};
  Command command = {};
  Time at{};
  WorkItem seen = {};
  std::vector<ItemKey> blocked_by = {};
};

class Reference {
 public:
  Reference(const std::vector<Workflow>& versions, std::map<std::string, Role> members) : members_(std::move(members)) {
    for (const Workflow& version : versions) books_.push_back({version});
  }

  Verdict execute(const Actor& actor, const ItemKey& key, const Command& command, Time now, const CallOptions& call);
  /// Do all of them in order, or none; `partial`: those that are not refused. @param each the verdict of each
  Verdict execute_all(const Actor& actor, const std::vector<ItemCommand>& commands, bool partial, Time now,
                      std::vector<Verdict>& each);

  /// Create an item under the key that the engine gave it. With an idempotency key that it was created under before,
  /// nothing is done but to check that it is that item.
  Verdict create(const Actor& actor, const NewItem& item, const ItemKey& key, Time now);

  /// A dispatcher starts the item's run.
  Verdict start_run(const ItemKey& key, const AgentId& agent, Duration hold, Time now);

  [[nodiscard]] bool reads(const Actor& actor) const { return !role_lacks(actor, Role::viewer); }
  [[nodiscard]] std::set<std::string> available(Time now) const;
  [[nodiscard]] std::set<std::string> mine(const AgentId& agent) const;

  [[nodiscard]] std::vector<ItemKey> blocked_by(const Item& item) const;
  [[nodiscard]] bool depends(const ItemKey& item, const ItemKey& on) const;  ///< Over any number of steps.

  /// Of the version that the item stands under; of an unknown item, the latest.
  [[nodiscard]] const Book& book(const Item& item) const;
  [[nodiscard]] const Book* version(std::uint32_t number) const;  ///< 0: the latest; null: there is none.

  std::map<ItemKey, Item> items = {};
  std::optional<Remembered> repeated = {};  ///< What the last command gave for the second time.

 private:
  [[nodiscard]] Verdict role_lacks(const Actor& actor, Role needed) const;
  [[nodiscard]] Verdict judge_create(const Actor& actor, const NewItem& item) const;
  void add(const ItemKey& key, const NewItem& item, Time now);
  Verdict judge(const Actor& actor, const ItemKey& key, const Command& command, Time now, std::uint64_t fence);

  std::vector<Book> books_;
  std::map<std::string, Role> members_;
  std::map<std::string, Remembered> answers_ = {};                     ///< By who asked, and the key.
  std::map<std::string, std::pair<NewItem, ItemKey>> creations_ = {};  ///< The same of creations.
};

}  // namespace openindex::model
