// The verdict table: what `decide` says to each command, in each situation, to each kind of actor; and every door that
// leads to it must say the same.
//
// openindex_verdicts --print writes the table; openindex_verdicts TABLE DOORS HEADER… compares it with the one that is
// checked in, and the methods of those headers with the list of doors: each of them that changes items must be asked.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "engine/core.hpp"
#include "verdicts/act.hpp"
#include "verdicts/methods.hpp"
#include "verdicts/rows.hpp"
#include "verdicts/written_through.hpp"

namespace {

using namespace openindex;
using namespace openindex::verdicts;

constexpr std::array<const char*, std::variant_size_v<Command>> names{
    "claim",      "release",  "heartbeat", "set_fields",     "comment",
    "transition", "progress", "complete",  "done",           "reacknowledge",
    "take_over",  "reopen",   "update",    "add_dependency", "remove_dependency",
    "attach",     "detach",   "migrate",   "delete_item",    "cancel_run",
    "resume_run", "start_run"};
static_assert(std::variant_size_v<Command> == 22, "a new command needs a name here, and its row in rows.hpp");

template <class T>
std::string verdict(const Result<T>& result) {
  return result ? "accepted" : std::string(name(result.error().code()));
}

/// The verdict of the rules on the item as it is stored.
std::string rules_verdict(StageSet& set, const Command& command) {
  if (set.role < role_needed(command)) return std::string(name(errc::not_permitted));
  const auto loaded = set.engine.core().door.load(set.item).value();
  ItemSnapshot snapshot = loaded->snapshot();
  snapshot.claims_by_hand = set.engine.core().shelf.claims_by_hand(*loaded).value();
  const RelatedItem other{.key = set.open_item, .domain = "VER"};
  if (std::holds_alternative<AddDependency>(command)) snapshot.related = &other;
  const auto latest = set.engine.core().shelf.find(loaded->item.workflow, 0).value();
  if (std::holds_alternative<Migrate>(command)) snapshot.target = latest.get();
  std::optional<AgentRun> run;
  if (!loaded->item.run.empty()) run = set.engine.core().door.load_run(loaded->item.run).value();
  snapshot.run = run ? &*run : nullptr;
  return verdict(decide(snapshot, command, set.actor, set.clock.now(), set.fence));
}

/// Go in by one door after the other, each time into the same situation.
class Doors {
 public:
  Doors(std::string where, std::string expected) : where_(std::move(where)), expected_(std::move(expected)) {}

  void check(const std::string& door, const std::string& said) {
    ++asked[door];
    if (said == expected_) return;
    ++wrong;
    std::printf("%s: decide says %s, %s says %s\n", where_.c_str(), expected_.c_str(), door.c_str(), said.c_str());
  }

  static inline std::map<std::string, int> asked = {};
  static inline int wrong = 0;

 private:
  std::string where_;
  std::string expected_;
};

/// What the item's version would be told to migrate to, and it alone.
MigrateAll migration_of(const Migrate& migrate) {
  return {.version = migrate.version, .mapping = migrate.mapping, .domain = "VER"};
}

/// The doors of the queue, which hand items to agents. None of them has a person's item to give.
template <class Prepare>
void ask_queue(Doors& doors, Who who, Holding holding, Prepare prepare) {
  if (who != Who::run && who != Who::foreign_run && who != Who::fenced_agent) {  // they name no epoch here
    doors.check("AgentQueue::claim", prepare([](StageSet& set, const Claim& claim) {
                  return verdict(set.queue.claim(set.actor, set.item, claim));
                }));
  }
  const bool is_free = holding == Holding::none || holding == Holding::own_expired ||
                       holding == Holding::anothers_expired || holding == Holding::run_ended;
  if (who != Who::agent || !is_free) return;
  const QueueFilter filter{.search = "Cellar"};
  doors.check("AgentQueue::claim_next", prepare([&](StageSet& set, const Claim& claim) {
                const auto given = set.queue.claim_next(set.actor, filter, claim);
                return given && !*given ? "nothing" : verdict(given);
              }));
  doors.check("AgentQueue::claim_next", prepare([&](StageSet& set, const Claim& claim) {
                const auto given = set.queue.claim_next(set.actor, 5, filter, claim);
                return given && given->size() != 1 ? "nothing" : verdict(given);
              }));
}

template <class Alternative>
std::string cell(Holding holding, Who who) {
  const std::string method = names[Command(Alternative()).index()];
  const auto prepare = [&](auto&& enter) {
    StageSet set(holding, who);
    const Alternative command = Example{set}(For<Alternative>());
    return enter(set, command);
  };
  const std::string expected =
      prepare([](StageSet& set, const Command& command) { return rules_verdict(set, command); });
  Doors doors(fmt::format("{}, {}, {}", method, whos[static_cast<std::size_t>(who)],
                          holdings[static_cast<std::size_t>(holding)]),
              expected);
  doors.check("WorkflowEngine::execute", prepare([](StageSet& set, const Command& command) {
                return verdict(set.engine.execute(set.actor, set.item, command, {.fence = set.fence}));
              }));
  doors.check("WorkflowEngine::execute", prepare([](StageSet& set, const Command& command) {
                const CallOptions call{.fence = set.fence, .idempotency_key = "once"};
                const std::string first = verdict(set.engine.execute(set.actor, set.item, command, call));
                const std::string second = verdict(set.engine.execute(set.actor, set.item, command, call));
                return first == second ? first : first + " and then " + second;
              }));
  doors.check("WorkflowEngine::execute_all", prepare([](StageSet& set, const Command& command) {
                const ItemCommand one{set.item, command, {.fence = set.fence}};
                return verdict(set.engine.execute_all(set.actor, std::span(&one, 1), {.partial = true})->front());
              }));
  doors.check("another engine", prepare([](StageSet& set, const Command& command) {
                WorkflowEngine other({.storage = set.storage, .clock = set.clock, .random = set.random});
                return verdict(other.execute(set.actor, set.item, command, {.fence = set.fence}));
              }));
  doors.check("WorkflowEngine::with", prepare([](StageSet& set, const Command& command) {
                WrittenThrough transaction(set.storage);
                const CallOptions call{.fence = set.fence};
                return verdict(set.engine.with(transaction).execute(set.actor, set.item, command, call));
              }));
  doors.check("WorkflowEngine::" + method, prepare([](StageSet& set, const Alternative& command) {
                const CallOptions call{.fence = set.fence};
                return verdict(NamedMethod{set.engine, set.actor, set.item, call}(command));
              }));
  if constexpr (std::is_same_v<Alternative, Claim>) ask_queue(doors, who, holding, prepare);
  if constexpr (std::is_same_v<Alternative, Migrate>) {
    if (who != Who::fenced_agent && who != Who::run && who != Who::foreign_run) {  // it names no epoch
      doors.check("WorkflowEngine::migrate_all", prepare([&](StageSet& set, const Migrate& command) {
                    auto all = migration_of(command);
                    all.resolved = holding == Holding::resolved;
                    return verdict(set.engine.migrate_all(set.actor, "VERDICTS", all));
                  }));
    }
  }
  if (who == Who::fenced_agent) {
    const auto in_session = [&](const std::string& door, auto enter) {
      const auto said = prepare([&](StageSet& set, const Alternative& command) -> std::optional<std::string> {
        AgentSession session(set.engine, set.actor, set.as_claimed, std::chrono::minutes(30));
        const std::optional<Result<void>> answer = enter(session, command);
        return answer ? std::optional(verdict(*answer)) : std::nullopt;
      });
      if (said) doors.check("AgentSession::" + door, *said);
    };
    in_session(method,
               [](AgentSession& session, const Alternative& command) { return SessionMethod{session}(command); });
    if constexpr (std::is_same_v<Alternative, SetFields>) {
      in_session("set_field", [](AgentSession& session, const SetFields& given) {
        return std::optional(session.set_field(given.values.begin()->first, given.values.begin()->second));
      });
    }
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

// Holds the list of doors against the headers, and what was asked against both.
bool are_all_asked(const std::string& doors_file, std::span<char* const> headers) {
  const auto listed = listed_methods(doors_file);
  bool complete = !listed.empty();
  std::set<std::string> declared;
  for (const char* header : headers) {
    for (const std::string& method : declared_methods(header)) declared.insert(method);
  }
  for (const std::string& method : declared) {
    if (listed.contains(method)) continue;
    std::printf("%s is not in the list of doors\n", method.c_str());
    complete = false;
  }
  for (const auto& [method, role] : listed) {
    const bool gone = !declared.contains(method), unasked = role == "door" && !Doors::asked.contains(method);
    if (gone) std::printf("%s is in the list of doors, and in no header\n", method.c_str());
    if (unasked) std::printf("%s is a door that nobody asks\n", method.c_str());
    if (gone || unasked) complete = false;
  }
  return complete;
}

int print() {
  std::fputs(make_table().c_str(), stdout);
  return Doors::wrong == 0 ? 0 : 1;
}

int check(std::span<char* const> arguments) {
  const std::string table = make_table();
  std::ifstream file(arguments[0]);
  const std::string expected((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const bool same = compare(expected, table);
  int asked = 0;
  for (const auto& [door, count] : Doors::asked) asked += count;
  const bool complete = are_all_asked(arguments[1], arguments.subspan(2));
  std::printf("%d answers asked at %zu doors, %d of them wrong\n", asked, Doors::asked.size(), Doors::wrong);
  return same && complete && Doors::wrong == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  const std::span<char* const> given(arguments + 1, static_cast<std::size_t>(count - 1));
  const bool prints = count == 2 && std::string_view(given[0]) == "--print";
  if (!prints && count < 4) {
    std::fputs("usage: openindex_verdicts --print | openindex_verdicts TABLE DOORS HEADER...\n", stderr);
    return 2;
  }
  try {
    return prints ? print() : check(given);
  } catch (const std::exception& thrown) {
    std::printf("stopped: %s\n", thrown.what());
    return 1;
  }
}
