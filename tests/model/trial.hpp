// One world: an engine on memory storage and the reference model, told the same things one after the other.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/agent_queue.hpp>
#include <openindex/testing/manual_clock.hpp>
#include <openindex/testing/seeded_random.hpp>
#include <openindex/workflow_engine.hpp>

#include "model/chooser.hpp"
#include "model/reference.hpp"

namespace openindex::model {

/// What was tried how often, and what came of it.
struct Tally {
  std::array<std::uint64_t, kind_count> accepted{};
  std::array<std::uint64_t, kind_count> refused{};
  std::map<errc, std::uint64_t> codes = {};  ///< That commands were refused with, and bulk calls as a whole.
  std::uint64_t whole_bulks = 0;             ///< Bulk calls, all or none, that did two commands or more.
};

class Trial {
 public:
  explicit Trial(std::uint64_t seed);

  /// Try one thing on both. Returns how they disagree; empty: they do not.
  std::string step(Tally& tally);
  /// Compare everything there is, and walk the audit chains.
  std::string compare_all();

  [[nodiscard]] std::string last() const;  ///< The last attempt and both answers, as text.

 private:
  Verdict ask_engine(const Attempt& attempt);
  Verdict ask_reference(const Attempt& attempt);
  std::string compare(const ItemKey& key);
  std::string compare_deleted(const ItemKey& key);
  std::string compare_touched(const ItemKey& key);
  std::string compare_answer();
  Verdict ask_engine(const Actor& actor, const Many& many);
  void count(Tally& tally, const Attempt& attempt, const Verdict& verdict) const;

  testing::ManualClock clock_;
  testing::SeededRandom random_;
  MemoryStorage storage_;
  WorkflowEngine engine_{{.storage = storage_, .clock = clock_, .random = random_}};
  AgentQueue queue_{engine_};
  Reference reference_;
  Chooser chooser_;
  struct Answered {
    Attempt attempt{Actor::system("host")};
    Verdict engine = {}, model = {};
  } last_;
  std::string listed_;              ///< How two lists differed.
  ItemKey created_;                 ///< By the engine, in the attempt at hand.
  std::optional<WorkItem> answer_;  ///< Of the engine, in the attempt at hand.
  std::vector<Verdict> each_;       ///< Of the engine, of many commands in one call.
  std::set<std::size_t> refused_;   ///< Which of them, when the call was refused for them.
};

}  // namespace openindex::model
