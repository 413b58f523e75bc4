#include "model/chooser.hpp"

#include <algorithm>
#include <numeric>

#include "model/definition.hpp"

namespace openindex::model {
namespace {

struct Kind {
  std::string_view name;
  unsigned weight;
};

// In the order of `Command`, then of `Try`.
constexpr std::array<Kind, kind_count> kinds{{{"claim", 120},
                                              {"release", 30},
                                              {"heartbeat", 40},
                                              {"set_fields", 150},
                                              {"add_comment", 35},
                                              {"change_status", 110},
                                              {"progress", 150},
                                              {"complete", 25},
                                              {"done", 60},
                                              {"reacknowledge", 40},
                                              {"take_over", 35},
                                              {"reopen", 70},
                                              {"update_item", 50},
                                              {"add_dependency", 25},
                                              {"remove_dependency", 25},
                                              {"add_attachment", 15},
                                              {"remove_attachment", 15},
                                              {"migrate", 30},
                                              {"delete_item", 10},
                                              {"cancel_run", 40},
                                              {"resume_run", 30},
                                              {"start_run", 60},
                                              {"create", 18},
                                              {"available", 8},
                                              {"mine", 8},
                                              {"dispatch_run", 60},
                                              {"execute_all", 20}}};
static_assert(kinds.back().weight != 0, "every kind has a row");

template <class Alternative, std::size_t I = 0>
constexpr std::size_t index_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<I, Command>, Alternative>) {
    return I;
  } else {
    return index_of<Alternative, I + 1>();
  }
}

constexpr std::size_t first_other = std::variant_size_v<Command>;
constexpr std::size_t index_of_dispatch_run = kind_count - 2;
constexpr std::size_t index_of_many = kind_count - 1;
constexpr const char* bot = "openindex-dispatcher";
const std::string long_text(2001, 'x');

Actor run_of(const Item& item, std::uint64_t epoch) {
  return Actor::run(item.seen.hold ? item.seen.hold->run : RunId("run_0"), item.seen.key, bot, epoch);
}

}  // namespace

std::size_t kind_of(const Attempt& attempt) {
  if (const auto* command = std::get_if<Command>(&attempt.what)) return command->index();
  return first_other + attempt.what.index() - 1;
}

std::string_view kind_name(std::size_t kind) { return kinds[kind].name; }

Duration Chooser::pause() {
  using namespace std::chrono_literals;
  constexpr Duration pauses[] = {1s, 1s, 10s, 10s, 40s, 3min, 15min};
  return dice_.chance(12) ? dice_.one_of(pauses) : Duration(0);
}

ItemKey Chooser::any_item() {
  if (reference_.items.empty() || dice_.chance(2)) return "CLM-999";
  return std::next(reference_.items.begin(), static_cast<std::ptrdiff_t>(dice_.below(reference_.items.size())))->first;
}

std::map<std::string, Role> Chooser::members() {
  return {{"mia", Role::owner}, {"noa", Role::admin}, {"kim", Role::member}, {"uli", Role::viewer}};
}

Attempt Chooser::choose(Time now) {
  if (!keyed_.empty() && dice_.chance(4)) return repeat();
  Attempt attempt = choose_new(now);
  if (attempt.what.index() != 0 || !dice_.chance(12)) return attempt;
  attempt.call.idempotency_key = "key " + std::to_string(++keys_);
  constexpr std::size_t kept_max = 8;
  if (keyed_.size() == kept_max) keyed_.erase(keyed_.begin());
  keyed_.push_back(attempt);
  return attempt;
}

// The same again, or under the same key something else.
Attempt Chooser::repeat() {
  Attempt attempt = dice_.one_of(keyed_);
  if (dice_.chance(60)) return attempt;
  if (dice_.chance(50)) {
    attempt.item = any_item();
  } else {
    attempt.what = Command(AddComment{"another"});
  }
  return attempt;
}

Attempt Chooser::choose_new(Time now) {
  const ItemKey key = any_item();
  static const Item unknown;
  const auto found = reference_.items.find(key);
  const Item& item = found == reference_.items.end() ? unknown : found->second;
  std::size_t kind = any_kind();
  for (const bool sound = dice_.chance(88); sound && !suits(kind, item, now);) kind = any_kind();
  if (item.seen.stage == stage_for_runs && suits(index_of<Claim>(), item, now) && dice_.chance(15)) {
    kind = index_of<Claim>();  // few items come here, and fewer still are free
  }
  // A run waits only after somebody has taken its item.
  if (item.seen.hold && !item.seen.hold->run.empty() && dice_.chance(15)) kind = index_of<TakeOver>();
  if (suits(index_of<ResumeRun>(), item, now) && dice_.chance(60)) kind = index_of<ResumeRun>();
  if (reference_.items.size() < 4) kind = first_other;
  Attempt attempt{actor_for(kind, item, dice_.chance(88)), key, {}, Create{}};
  if (kind == index_of_many) {
    Many many{{}, dice_.chance(60)};
    for (std::size_t left = 2 + dice_.below(3); left > 0; --left) {
      const Attempt one = choose_new(now);
      if (one.what.index() == 0) many.commands.push_back({one.item, std::get<Command>(one.what), one.call});
      if (dice_.chance(60)) attempt.actor = one.actor;
    }
    attempt.what = std::move(many);
    return attempt;
  }
  if (kind >= first_other) {
    attempt.what = other(kind);
    return attempt;
  }
  attempt.what = command(kind, item, dice_.chance(82));
  if (attempt.actor.kind() == ActorKind::agent && dice_.chance(25)) {
    attempt.call.fence = item.epoch + (dice_.chance(15) ? 1 : 0);
  }
  return attempt;
}

std::size_t Chooser::any_kind() {
  constexpr unsigned total =
      std::accumulate(kinds.begin(), kinds.end(), 0u, [](unsigned sum, const Kind& kind) { return sum + kind.weight; });
  auto left = static_cast<unsigned>(dice_.below(total));
  std::size_t kind = 0;
  for (; left >= kinds[kind].weight; ++kind) left -= kinds[kind].weight;
  return kind;
}

// Makes sense for an item that stands like this, whoever tries it.
bool Chooser::suits(std::size_t kind, const Item& item, Time now) const {
  const WorkItem& seen = item.seen;
  const bool is_held = openindex::is_held(seen.hold, now);
  if (kind >= first_other) return kind != index_of_dispatch_run || (!seen.run.empty() && !is_held);
  if (kind == index_of<AddComment>() || kind == index_of<AddAttachment>()) return true;
  if (kind == index_of<RemoveAttachment>()) return !seen.attachments.empty();
  if (kind == index_of<Migrate>() || kind == index_of<DeleteItem>()) return true;
  if (seen.resolution != Resolution::unresolved) return kind == index_of<Reopen>();
  if (kind == index_of<Release>() || kind == index_of<Heartbeat>()) return seen.hold.has_value();
  if (kind == index_of<Claim>()) return !is_held && seen.execution_target != ExecutionTarget::human;
  if (kind == index_of<Reacknowledge>()) return !seen.gates.empty();
  if (kind == index_of<CancelRun>()) return !seen.run.empty();
  if (kind == index_of<ResumeRun>()) return !seen.run.empty() && item.run_state == RunState::waiting;
  if (kind == index_of<StartRun>()) {
    return !seen.stage.empty() && reference_.book(item).stage(seen.stage).agent_required;
  }
  return kind != index_of<Reopen>();
}

Actor Chooser::any_actor(const Item& item) {
  switch (dice_.below(13)) {
    case 11:
      return Actor::person(dice_.chance(50) ? "uli" : "eve");
    case 12:
      return Actor::agent("agent-beta", dice_.chance(50) ? "uli" : "eve");
    case 0:
      return Actor::system("host");
    case 1:
    case 2:
      return Actor::person("mia");
    case 3:
      return Actor::person("noa");
    case 4:
      return Actor::agent("agent-alpha");
    case 5:
      return Actor::agent("agent-beta");
    case 6:
      return Actor::agent("agent-gamma");
    case 7:
      return dice_.chance(50) ? Actor::agent("") : Actor::person("");
    case 8:
      return run_of(item, item.epoch);
    case 9:
      return run_of(item, item.epoch + 1);
    default:
      return Actor::run("run_1", "CLM-1", bot, 1);
  }
}

Actor Chooser::actor_for(std::size_t kind, const Item& item, bool sound) {
  if (!sound) return any_actor(item);
  constexpr const char* admins[] = {"mia", "noa"};
  constexpr const char* agents[] = {"agent-alpha", "agent-beta", "agent-gamma"};
  Actor person = dice_.chance(80) ? Actor::person(dice_.one_of(admins)) : Actor::system("host");
  if (kind == index_of<TakeOver>() || kind == index_of<Reopen>() || kind == index_of<Migrate>()) return person;
  if (kind == index_of<DeleteItem>()) return person;
  const bool of_runs = kind == index_of<CancelRun>() || kind == index_of<ResumeRun>() || kind == index_of<StartRun>();
  if (of_runs) return person;
  if (dice_.chance(20)) person = Actor::person("kim");
  if (kind == first_other) return person;
  if (item.seen.hold && dice_.chance(60)) {
    return item.seen.hold->run.empty() ? Actor::agent(item.seen.hold->agent) : run_of(item, item.seen.hold->epoch);
  }
  const bool for_agents = kind == index_of<Claim>() || kind == index_of<Heartbeat>() || kind == index_of<Release>();
  if (!for_agents && kind < first_other) return person;
  return Actor::agent(dice_.one_of(agents), dice_.chance(20) ? "kim" : "");
}

Duration Chooser::hold(bool sound) {
  using namespace std::chrono_literals;
  constexpr Duration good[] = {1s, 20s, 2min, 30min, 24h};
  constexpr Duration any[] = {0s, 1min, 169h, -1s};
  return sound ? dice_.one_of(good) : dice_.one_of(any);
}

std::string Chooser::status_from(const Item& item, bool sound, bool terminal) {
  std::vector<std::string> fitting;
  if (!item.seen.status.empty()) {
    const Book& book = reference_.book(item);
    for (const std::string& exit : book.exits(item.seen.status)) {
      const bool plain = book.gate_between(item.seen.stage, book.status(exit)->stage) == nullptr;
      if ((plain || dice_.chance(5)) && book.status(exit)->resolution.has_value() == terminal) {
        fitting.push_back(exit);
      }
    }
  }
  if (sound && !fitting.empty()) return dice_.one_of(fitting);
  if (dice_.chance(10)) return "nowhere";
  if (terminal && dice_.chance(50)) return "settled";
  return dice_.one_of(reference_.book(item).workflow.statuses).key;
}

FieldValues Chooser::fields(const Item& item, bool sound) {
  using std::chrono::January, std::chrono::year;
  static const std::vector<std::pair<std::string, std::vector<FieldValue>>> good = {
      {"kind", {"fire", "water", "theft"}},
      {"place", {"Bonn", "Ulm", "Emden"}},
      {"amount", {1, 250.5, 9000}},
      {"happened", {Date(year(2024) / January / 3), Date(year(2020) / January / 1)}},
      {"remark", {"", "said so", "said so twice"}}};
  static const std::vector<std::pair<std::string, FieldValue>> bad = {
      {"kind", "flood"}, {"place", "x"},     {"place", "longer than that"},
      {"amount", 0},     {"amount", "much"}, {"happened", Date(year(2019) / January / 1)},
      {"remark", 7},     {"colour", "red"}};
  FieldValues out;
  if (!sound && dice_.chance(70)) out.insert(dice_.one_of(bad));
  if (!sound && dice_.chance(50)) return out;
  for (const auto& [key, values] : good) {
    if (reference_.book(item).field(key) == nullptr && !dice_.chance(3)) continue;
    if (dice_.chance(item.seen.fields.contains(key) ? 25 : 70)) {
      out[key] = dice_.chance(12) ? FieldValue() : dice_.one_of(values);
    }
  }
  return out;
}

UpdateItem Chooser::update(bool sound) {
  constexpr const char* words[] = {"Roof", "Cellar", "Bicycle"};
  constexpr const char* users[] = {"", "mia", "noa"};
  constexpr ExecutionTarget targets[] = {ExecutionTarget::agent, ExecutionTarget::either, ExecutionTarget::agent,
                                         ExecutionTarget::either, ExecutionTarget::human};
  constexpr Priority priorities[] = {Priority::critical, Priority::high, Priority::low};
  const Time day{std::chrono::days(20'000)};
  const Schedule schedules[] = {Schedule(), Schedule::block(day, day + std::chrono::hours(2))};
  UpdateItem out;
  if (dice_.chance(30)) out.title = dice_.one_of(words);
  if (dice_.chance(20)) out.description = dice_.one_of(words);
  if (dice_.chance(20)) out.priority = dice_.one_of(priorities);
  if (dice_.chance(40)) out.execution_target = dice_.one_of(targets);
  if (dice_.chance(20)) out.owner = dice_.one_of(users);
  if (dice_.chance(20)) out.assignee = dice_.one_of(users);
  if (dice_.chance(20)) out.categories = {dice_.one_of(words), dice_.one_of(words)};
  if (dice_.chance(20)) out.schedule = dice_.one_of(schedules);
  if (dice_.chance(20)) out.objective_state = dice_.one_of(words);
  if (sound) return out;
  switch (dice_.below(3)) {
    case 0:
      out.title = "";
      break;
    case 1:
      out.owner = long_text;
      break;
    default:
      out.schedule = Schedule::block(day, day);
  }
  return out;
}

std::string Chooser::gate(const Item& item, bool sound) {
  std::vector<std::string> here;
  for (const StageGate& gate : reference_.book(item).workflow.gates) {
    if (gate.from_stage == item.seen.stage) here.push_back(gate.key);
  }
  if (sound && !here.empty()) return dice_.one_of(here);
  return dice_.chance(10) ? "heaven" : dice_.one_of(reference_.book(item).workflow.gates).key;
}

Migrate Chooser::migrate(const Item& item, bool sound) {
  const std::uint32_t other = item.seen.workflow_version == 1 ? dice_.chance(50) ? 0 : 2 : 1;
  Migrate out{sound || dice_.chance(50) ? other : static_cast<std::uint32_t>(dice_.below(5)), {}};
  out.mapping.drop_unknown_fields = dice_.chance(sound ? 90 : 50);
  if (sound) out.mapping.statuses = {{"asked_back", "waiting"}};
  if (sound && other == 1) out.mapping.statuses = {{"waiting", "asked_back"}};
  if (!sound && dice_.chance(30)) out.mapping.statuses = {{item.seen.status, "settled"}};
  if (!sound && dice_.chance(20)) out.mapping.statuses = {{"new", "nowhere"}};
  return out;
}

Command Chooser::command(std::size_t kind, const Item& item, bool sound) {
  const auto checked = [&](const std::string& gate) {
    const StageGate* known = reference_.book(item).gate(gate);
    std::vector<std::string> all = known != nullptr ? known->items : std::vector<std::string>();
    if (!dice_.chance(80) && !all.empty()) all.pop_back();
    return all;
  };
  const std::string note = sound ? "because" : long_text;
  static const std::vector<std::string> agents{"agent-alpha", "agent-beta", "agent-gamma", ""};
  static const std::vector<std::string> every_item{"Cause named", "Photos seen", "Place seen", "Signed"};
  switch (kind) {
    case index_of<Claim>(): {
      const bool aims = dice_.chance(sound ? 15 : 60);
      const Duration length = hold(sound || dice_.chance(50));
      return Claim{aims ? status_from(item, sound, false) : "", length};
    }
    case index_of<Release>():
      return Release{note};
    case index_of<Heartbeat>():
      return Heartbeat{hold(sound)};
    case index_of<SetFields>():
      return SetFields{fields(item, sound)};
    case index_of<AddComment>():
      return AddComment{sound ? "seen" : "", dice_.chance(50)};
    case index_of<ChangeStatus>():
      return ChangeStatus{status_from(item, sound, dice_.chance(8))};
    case index_of<Progress>(): {
      const std::string chosen = gate(item, sound);
      return Progress{chosen, dice_.chance(85), checked(chosen)};
    }
    case index_of<Complete>():
      return Complete{dice_.chance(30) ? "" : status_from(item, sound, true)};
    case index_of<Done>():
      return Done{dice_.chance(45) ? "" : status_from(item, sound && dice_.chance(50), true)};
    case index_of<Reacknowledge>(): {
      std::string chosen = sound ? "" : gate(item, false);
      if (sound && !item.seen.gates.empty() && dice_.chance(50)) chosen = dice_.one_of(item.seen.gates).gate;
      return Reacknowledge{chosen, dice_.chance(85), dice_.chance(85) ? every_item : std::vector<std::string>()};
    }
    case index_of<TakeOver>():
      return TakeOver{dice_.one_of(agents), hold(sound), sound || dice_.chance(50) ? "needed" : long_text};
    case index_of<Reopen>():
      return Reopen{sound && dice_.chance(40) ? "" : dice_.one_of(reference_.book(item).workflow.statuses).key,
                    sound || dice_.chance(50) ? "again" : long_text};
    case index_of<UpdateItem>():
      return update(sound);
    case index_of<AddDependency>():
      return AddDependency{any_item()};
    case index_of<RemoveDependency>():
      if (sound && !item.seen.depends_on.empty()) return RemoveDependency{dice_.one_of(item.seen.depends_on)};
      return RemoveDependency{any_item()};
    case index_of<AddAttachment>():
      return AddAttachment{{.name = sound ? "photo.jpg" : "", .media_type = "image/jpeg", .uri = "file:photo"}};
    case index_of<RemoveAttachment>():
      if (sound && !item.seen.attachments.empty()) return RemoveAttachment{dice_.one_of(item.seen.attachments).number};
      return RemoveAttachment{static_cast<std::uint32_t>(dice_.below(9))};
    case index_of<Migrate>():
      return migrate(item, sound);
    case index_of<DeleteItem>():
      return DeleteItem{note};
    case index_of<CancelRun>():
      return CancelRun{sound || dice_.chance(50) ? item.seen.run : RunId("run_1"),
                       sound || dice_.chance(80) ? note : long_text};
    case index_of<ResumeRun>():
      return ResumeRun{.run = sound || dice_.chance(80) ? RunId() : RunId("run_1"), .answer = note};
    case index_of<StartRun>():
      return StartRun{sound || dice_.chance(80) ? ProviderId() : ProviderId("prov_none")};
  }
  static_assert(std::variant_size_v<Command> == 22, "a new command needs a case here");
  return Release{};
}

Try Chooser::other(std::size_t kind) {
  switch (kind - first_other + 1) {
    case 1:
      return create();
    case 2:
      return Available{};
    case 3:
      return Mine{};
    default:
      return DispatchRun{};
  }
}

Create Chooser::create() {
  if (!creations_.empty() && dice_.chance(25)) {
    Create again{dice_.one_of(creations_)};
    if (dice_.chance(30)) again.item.title = "Broken door";
    return again;
  }
  const bool sound = dice_.chance(70);
  Create create{{.workflow = "CLAIMS", .title = sound || dice_.chance(70) ? "Broken window" : ""}};
  if (dice_.chance(50)) create.item.fields = fields({}, sound);
  std::erase_if(create.item.fields, [](const auto& entry) { return entry.second.empty(); });
  if (dice_.chance(30))
    create.item.status = sound ? "reading" : dice_.one_of(reference_.book({}).workflow.statuses).key;
  if (dice_.chance(25) && !reference_.items.empty()) create.item.depends_on = {any_item()};
  constexpr WorkKind kinds_below[] = {WorkKind::sub_task, WorkKind::sub_task, WorkKind::task, WorkKind::project};
  if (dice_.chance(25)) {
    create.item.kind = dice_.one_of(kinds_below);
    if (create.item.kind == WorkKind::sub_task || dice_.chance(50)) create.item.parent = any_item();
  }
  if (!dice_.chance(25)) return create;
  create.item.idempotency_key = "import " + std::to_string(++keys_);
  constexpr std::size_t kept_max = 4;
  if (creations_.size() == kept_max) creations_.erase(creations_.begin());
  creations_.push_back(create.item);
  return create;
}

}  // namespace openindex::model
