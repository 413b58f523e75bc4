// The verdict table: what `decide` says to each command, in each situation, to each kind of actor; and every door that
// leads to it must say the same.
//
// openindex_verdicts --print writes the table; openindex_verdicts FILE compares it with the one that is checked in.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "engine/core.hpp"
#include "verdicts/act.hpp"
#include "verdicts/rows.hpp"

namespace {

using namespace openindex;
using namespace openindex::verdicts;

constexpr std::array<const char*, std::variant_size_v<Command>> names{
    "claim",  "release",       "heartbeat", "set_fields", "comment", "transition",     "progress",          "complete",
    "done",   "reacknowledge", "take_over", "reopen",     "update",  "add_dependency", "remove_dependency", "attach",
    "detach", "migrate"};
static_assert(std::variant_size_v<Command> == 18, "a new command needs a name here, and its row in rows.hpp");

template <class T>
std::string verdict(const Result<T>& result) {
  return result ? "accepted" : std::string(name(result.error().code()));
}

/// The verdict of the rules on the item as it is stored.
std::string rules_verdict(StageSet& set, const Command& command) {
  const auto loaded = set.engine.core().door.load(set.item).value();
  ItemSnapshot snapshot = loaded->snapshot();
  snapshot.claims_by_hand = set.engine.core().shelf.claims_by_hand(*loaded).value();
  const RelatedItem other{.key = set.open_item, .domain = "VER"};
  if (std::holds_alternative<AddDependency>(command)) snapshot.related = &other;
  const auto latest = set.engine.core().shelf.find(loaded->item.workflow, 0).value();
  if (std::holds_alternative<Migrate>(command)) snapshot.target = latest.get();
  return verdict(decide(snapshot, command, set.actor, set.clock.now(), set.fence));
}

/// Go in by one door after the other, each time into the same situation.
class Doors {
 public:
  Doors(std::string where, std::string expected) : where_(std::move(where)), expected_(std::move(expected)) {}

  void check(const char* door, const std::string& said) {
    ++asked;
    if (said == expected_) return;
    ++wrong;
    std::printf("%s: decide says %s, %s says %s\n", where_.c_str(), expected_.c_str(), door, said.c_str());
  }

  static inline int asked = 0;
  static inline int wrong = 0;

 private:
  std::string where_;
  std::string expected_;
};

template <class Alternative>
std::string cell(Holding holding, Who who) {
  const auto prepare = [&](auto&& enter) {
    StageSet set(holding, who);
    const Alternative command = Example{set}(For<Alternative>());
    return enter(set, command);
  };
  const std::string expected =
      prepare([](StageSet& set, const Command& command) { return rules_verdict(set, command); });
  Doors doors(fmt::format("{}, {}, {}", names[Command(Alternative()).index()], whos[static_cast<std::size_t>(who)],
                          holdings[static_cast<std::size_t>(holding)]),
              expected);
  doors.check("execute", prepare([](StageSet& set, const Command& command) {
                return verdict(set.engine.execute(set.actor, set.item, command, {.fence = set.fence}));
              }));
  doors.check("execute with an idempotency key", prepare([](StageSet& set, const Command& command) {
                const CallOptions call{.fence = set.fence, .idempotency_key = "once"};
                const std::string first = verdict(set.engine.execute(set.actor, set.item, command, call));
                const std::string second = verdict(set.engine.execute(set.actor, set.item, command, call));
                return first == second ? first : first + " and then " + second;
              }));
  doors.check("execute_all", prepare([](StageSet& set, const Command& command) {
                const ItemCommand one{set.item, command, {.fence = set.fence}};
                return verdict(set.engine.execute_all(set.actor, std::span(&one, 1), {.partial = true})->front());
              }));
  doors.check("another engine", prepare([](StageSet& set, const Command& command) {
                WorkflowEngine other({.storage = set.storage, .clock = set.clock, .random = set.random});
                return verdict(other.execute(set.actor, set.item, command, {.fence = set.fence}));
              }));
  doors.check("the named method", prepare([](StageSet& set, const Alternative& command) {
                const CallOptions call{.fence = set.fence};
                return verdict(NamedMethod{set.engine, set.actor, set.item, call}(command));
              }));
  // The queue hands sessions to agents; a run has its hold from the dispatcher.
  if constexpr (std::is_same_v<Alternative, Claim>) {
    if (who == Who::person || who == Who::agent || who == Who::host) {
      doors.check("AgentQueue::claim", prepare([](StageSet& set, const Claim& claim) {
                    return verdict(set.queue.claim(set.actor, set.item, claim));
                  }));
    }
  }
  if (who == Who::fenced_agent) {
    const auto said = prepare([](StageSet& set, const Alternative& command) -> std::optional<std::string> {
      AgentSession session(set.engine, set.actor, set.as_claimed, std::chrono::minutes(30));
      const auto answer = SessionMethod{session}(command);
      return answer ? std::optional(verdict(*answer)) : std::nullopt;
    });
    if (said) doors.check("AgentSession", *said);
  }
  // Only a run that holds its item gets to act.
  if (who == Who::run && holding == Holding::own) {
    if (const auto said = prepare([](StageSet& set, const Command& command) { return act(set, command); })) {
      doors.check("Act", *said);
    }
  }
  return expected;
}

template <class Alternative>
void add_rows(std::string& table) {
  for (std::size_t who = 0; who < whos.size(); ++who) {
    table += fmt::format("{:<18} {:<19}", names[Command(Alternative()).index()], whos[who]);
    for (std::size_t holding = 0; holding < holdings.size(); ++holding) {
      const std::string said = cell<Alternative>(static_cast<Holding>(holding), static_cast<Who>(who));
      table += holding + 1 == holdings.size() ? ' ' + said : fmt::format(" {:<21}", said);
    }
    table += '\n';
  }
}

std::string make_table() {
  std::string table = fmt::format("{:<18} {:<19}", "command", "who");
  for (const auto& holding : holdings) table += fmt::format(" {:<21}", holding);
  table.erase(table.find_last_not_of(' ') + 1);
  table += '\n';
  [&]<std::size_t... I>(std::index_sequence<I...>) { (add_rows<std::variant_alternative_t<I, Command>>(table), ...); }
  (std::make_index_sequence<std::variant_size_v<Command>>());
  return table;
}

// Says where two tables differ, line by line.
bool compare(const std::string& expected, const std::string& table) {
  if (expected == table) return true;
  auto left = expected.begin();
  auto right = table.begin();
  while (left != expected.end() || right != table.end()) {
    const auto take = [](auto& from, auto end) {
      const auto line_end = std::find(from, end, '\n');
      std::string line(from, line_end);
      from = line_end == end ? end : line_end + 1;
      return line;
    };
    const std::string was = take(left, expected.end());
    const std::string is = take(right, table.end());
    if (was != is) std::printf("- %s\n+ %s\n", was.c_str(), is.c_str());
  }
  std::printf("The rules say something else than the table. If they shall, print it again with --print.\n");
  return false;
}

int run(const std::string& argument) {
  const std::string table = make_table();
  if (argument == "--print") {
    std::fputs(table.c_str(), stdout);
    return Doors::wrong == 0 ? 0 : 1;
  }
  std::ifstream file(argument);
  const std::string expected((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const bool same = compare(expected, table);
  std::printf("%d answers asked at the doors, %d of them wrong\n", Doors::asked, Doors::wrong);
  return same && Doors::wrong == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: openindex_verdicts --print | openindex_verdicts FILE\n", stderr);
    return 2;
  }
  try {
    return run(arguments[1]);
  } catch (const std::exception& thrown) {
    std::printf("stopped: %s\n", thrown.what());
    return 1;
  }
}
