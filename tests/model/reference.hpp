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

class Reference {
 public:
  explicit Reference(const std::vector<Workflow>& versions) {
    for (const Workflow& version : versions) books_.push_back({version});
  }

  Verdict execute(const Actor& actor, const ItemKey& key, const Command& command, Time now, std::uint64_t fence);

  /// Judge a creation; `add` then keeps it under the key that the engine gave it.
  [[nodiscard]] Verdict judge_create(const Actor& actor, const NewItem& item) const;
  void add(const ItemKey& key, const NewItem& item, Time now);

  /// A dispatcher starts the item's run.
  Verdict start_run(const ItemKey& key, const AgentId& agent, Duration hold, Time now);

  [[nodiscard]] std::set<std::string> available(Time now) const;
  [[nodiscard]] std::set<std::string> mine(const AgentId& agent) const;

  [[nodiscard]] std::vector<ItemKey> blocked_by(const Item& item) const;
  [[nodiscard]] bool depends(const ItemKey& item, const ItemKey& on) const;  ///< Over any number of steps.

  /// Of the version that the item stands under; of an unknown item, the latest.
  [[nodiscard]] const Book& book(const Item& item) const;
  [[nodiscard]] const Book* version(std::uint32_t number) const;  ///< 0: the latest; null: there is none.

  std::map<ItemKey, Item> items = {};

 private:
  std::vector<Book> books_;
};

}  // namespace openindex::model
