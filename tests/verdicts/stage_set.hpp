// A small world in which one item stands in one of the situations of the verdict table.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/agent_queue.hpp>
#include <openindex/testing/manual_clock.hpp>
#include <openindex/testing/seeded_random.hpp>
#include <openindex/workflow_engine.hpp>

namespace openindex::verdicts {

/// How the item is held, as the one who acts sees it. People and the host hold nothing: "own" is an agent's there.
/// "for runs": by nobody, and the settings of its stage keep agents from claiming it.
enum class Holding : std::uint8_t { none, own, anothers, own_expired, anothers_expired, run_ended, resolved, for_runs };
constexpr std::array<std::string_view, 8> holdings{"none",           "own",       "another's", "own expired",
                                                   "another's exp.", "run ended", "resolved",  "for runs"};

/// Who acts. A person is a member of the domain; a fenced agent names the epoch of the claim it once made, as a session
/// does; an agent for a viewer may do no more than that person.
enum class Who : std::uint8_t { person, admin, viewer, agent, fenced_agent, viewers_agent, run, host, foreign_run };
constexpr std::array<std::string_view, 9> whos{
    "person", "admin", "viewer", "agent", "agent, fenced", "viewer's agent", "run", "host", "another item's run"};

class StageSet {
 public:
  StageSet(Holding holding, Who who);

  testing::ManualClock clock;
  testing::SeededRandom random{3};
  MemoryStorage storage;
  WorkflowEngine engine{{.storage = storage, .clock = clock, .random = random}};
  AgentQueue queue{engine};

  ItemKey item;
  ItemKey open_item;    ///< Another one, which the item may depend on.
  ItemKey closed_item;  ///< One that the item depends on, resolved.
  Actor actor = Actor::system("host");
  Role role = Role::owner;  ///< Of the actor; the host and runs need none.
  std::uint64_t fence = 0;
  WorkItem as_claimed = {};  ///< The item when the actor, or the agent in its place, had claimed it.

 private:
  void prepare_items();
  void hold(Who who);
  void turn_to(Holding holding);
};

Workflow two_stages();

}  // namespace openindex::verdicts
