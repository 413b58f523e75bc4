#include "model/reference.hpp"

#include <algorithm>
#include <tuple>

#include "model/step.hpp"

namespace openindex::model {
namespace {

template <class List, class Key>
auto find_key(const List& list, const Key& key) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.key == key; });
  return found == list.end() ? nullptr : &*found;
}

bool same_content(const NewItem& a, const NewItem& b) {
  return std::tie(a.title, a.status, a.fields, a.kind, a.parent, a.depends_on) ==
         std::tie(b.title, b.status, b.fields, b.kind, b.parent, b.depends_on);
}

}  // namespace

// Who is no member learns of nothing; the host's own agents count as members.
Verdict Reference::role_lacks(const Actor& actor, Role needed) const {
  if (actor.kind() == ActorKind::system || actor.kind() == ActorKind::run) return {};
  if (actor.id().empty()) return actor.is_agent() ? errc::agent_id_required : errc::invalid_argument;
  const std::string& user = actor.is_agent() ? actor.on_behalf_of() : actor.id();
  Role role = Role::member;
  if (!user.empty()) {
    if (!members_.contains(user)) return errc::not_found;
    role = members_.at(user);
  }
  return role < needed ? Verdict(errc::not_permitted) : Verdict();
}

Verdict Reference::execute(const Actor& actor, const ItemKey& key, const Command& command, Time now,
                           const CallOptions& call) {
  repeated.reset();
  if (actor.kind() == ActorKind::run && actor.run_item() != key) return errc::outside_run;
  const bool privileged = std::holds_alternative<TakeOver>(command) || std::holds_alternative<Reopen>(command) ||
                          std::holds_alternative<Migrate>(command) || std::holds_alternative<DeleteItem>(command);
  if (const Verdict lacks = role_lacks(actor, privileged ? Role::admin : Role::member)) return lacks;
  if (call.idempotency_key.empty()) return judge(actor, key, command, now, call.fence);
  const std::string who = std::to_string(static_cast<int>(actor.kind())) + actor.id() + call.idempotency_key;
  const auto known = answers_.find(who);
  if (known != answers_.end() && now - known->second.at < std::chrono::hours(24)) {
    const Remembered& answer = known->second;
    if (answer.key != key || answer.command != command) return errc::idempotency_conflict;
    repeated = answer;
    return {};
  }
  const Verdict refused = judge(actor, key, command, now, call.fence);
  if (refused) return refused;
  Remembered& answer = answers_[who] = {key, command, now};
  if (!items.contains(key)) return {};
  answer.seen = items.at(key).seen;
  answer.blocked_by = blocked_by(items.at(key));
  return {};
}

Verdict Reference::execute_all(const Actor& actor, const std::vector<ItemCommand>& commands, bool partial, Time now,
                               std::vector<Verdict>& each) {
  const Reference before = *this;
  for (const ItemCommand& one : commands) each.push_back(execute(actor, one.key, one.command, now, one.call));
  repeated.reset();
  if (partial || std::none_of(each.begin(), each.end(), [](const Verdict& one) { return one.has_value(); })) return {};
  *this = before;
  return errc::bulk_refused;
}

Verdict Reference::judge(const Actor& actor, const ItemKey& key, const Command& command, Time now,
                         std::uint64_t fence) {
  if (!items.contains(key)) return errc::not_found;
  if (actor.id().empty()) return actor.is_agent() ? errc::agent_id_required : errc::invalid_argument;
  Item copy = items.at(key);
  try {
    std::visit(Step{*this, book(copy), copy, actor, now, fence}, command);
  } catch (errc code) {
    return code;
  }
  if (copy.deleted) {
    items.erase(key);
  } else {
    items[key] = copy;
  }
  return {};
}

Verdict Reference::create(const Actor& actor, const NewItem& item, const ItemKey& key, Time now) {
  if (actor.kind() == ActorKind::run) return errc::outside_run;
  const bool keyed = !item.idempotency_key.empty();
  const std::string who =
      actor.kind() == ActorKind::system ? "" : std::to_string(static_cast<int>(actor.kind())) + actor.id() + " ";
  const auto known = creations_.find(who + item.idempotency_key);
  if (keyed && known != creations_.end()) {
    const auto& [before, made] = known->second;
    if (!same_content(before, item)) return errc::idempotency_conflict;
    if (const Verdict lacks = role_lacks(actor, Role::viewer)) return lacks;
    if (!items.contains(made)) return errc::not_found;
    return key == made ? Verdict() : Verdict(errc::already_exists);  // which no answer of the engine is
  }
  if (const Verdict refused = judge_create(actor, item)) return refused;
  if (keyed) creations_.emplace(who + item.idempotency_key, std::pair(item, key));
  if (!key.empty()) add(key, item, now);
  return {};
}

Verdict Reference::judge_create(const Actor& actor, const NewItem& item) const {
  if (const Verdict lacks = role_lacks(actor, Role::member)) return lacks;
  if (item.title.empty() || item.title.size() > 500) return errc::invalid_argument;
  const auto above = items.find(item.parent);
  const bool fits = item.kind == WorkKind::sub_task
                        ? above != items.end() && above->second.seen.kind == WorkKind::task
                        : item.parent.empty() || (item.kind == WorkKind::task && above != items.end() &&
                                                  above->second.seen.kind == WorkKind::project);
  if (!fits) return errc::invalid_argument;
  const Book& latest = books_.back();
  if (const Verdict refused = latest.judge_fields(item.fields)) return refused;
  const std::string& initial = latest.workflow.initial_status;
  const Status* at = latest.status(item.status.empty() ? initial : item.status);
  if (at == nullptr || at->stage != latest.status(initial)->stage) return errc::status_transition_not_allowed;
  for (const ItemKey& on : item.depends_on) {
    if (!items.contains(on)) return errc::not_found;
  }
  return {};
}

void Reference::add(const ItemKey& key, const NewItem& given, Time now) {
  Item& item = items[key];
  const Book& latest = books_.back();
  const Actor host = Actor::system("host");
  Step{*this, latest, item, host, now, 0}.stand_at(
      *latest.status(given.status.empty() ? latest.workflow.initial_status : given.status));
  item.seen.workflow_version = static_cast<std::uint32_t>(books_.size());
  item.seen.key = key;
  item.seen.kind = given.kind;
  item.seen.parent = given.parent;
  item.seen.title = given.title;
  item.seen.priority = given.priority;
  item.seen.execution_target = given.execution_target.value_or(latest.workflow.execution_target);
  item.seen.fields = given.fields;
  for (const ItemKey& on : given.depends_on) {
    if (!has(item.seen.depends_on, on)) item.seen.depends_on.push_back(on);
  }
}

Verdict Reference::start_run(const ItemKey& key, const AgentId& agent, Duration hold, Time now) {
  Item& item = items.at(key);
  if (item.seen.run.empty()) return errc::run_not_active;
  if (live(item, now)) return errc::already_claimed;
  if (!blocked_by(item).empty()) return errc::dependencies_unresolved;
  take(item, agent, item.seen.run, hold, now);
  item.run_state = RunState::running;
  item.workers.insert(agent.str());
  return {};
}

std::set<std::string> Reference::available(Time now) const {
  std::set<std::string> out;
  for (const auto& [key, item] : items) {
    const WorkItem& seen = item.seen;
    if (seen.stage == stage_for_runs && book(item).stage(seen.stage).agent_required) continue;
    if (seen.resolution == Resolution::unresolved && seen.execution_target != ExecutionTarget::human &&
        !live(item, now) && blocked_by(item).empty()) {
      out.insert(key.str());
    }
  }
  return out;
}

std::set<std::string> Reference::mine(const AgentId& agent) const {
  std::set<std::string> out;
  for (const auto& [key, item] : items) {
    if (item.seen.hold && item.seen.hold->agent == agent) out.insert(key.str());
  }
  return out;
}

std::vector<ItemKey> Reference::blocked_by(const Item& item) const {
  std::vector<ItemKey> out;
  for (const ItemKey& on : item.seen.depends_on) {
    if (items.at(on).seen.resolution == Resolution::unresolved) out.push_back(on);
  }
  return out;
}

bool Reference::depends(const ItemKey& item, const ItemKey& on) const {
  const auto& direct = items.at(item).seen.depends_on;
  return has(direct, on) ||
         std::any_of(direct.begin(), direct.end(), [&](const ItemKey& next) { return depends(next, on); });
}

const Book* Reference::version(std::uint32_t number) const {
  if (number > books_.size()) return nullptr;
  return number == 0 ? &books_.back() : &books_[number - 1];
}

const Book& Reference::book(const Item& item) const { return *version(item.seen.workflow_version); }

const Status* Book::status(const std::string& key) const { return find_key(workflow.statuses, key); }
const Stage& Book::stage(const std::string& key) const { return *find_key(workflow.stages, key); }
const StageGate* Book::gate(const std::string& key) const { return find_key(workflow.gates, key); }
const Field* Book::field(const std::string& key) const { return find_key(workflow.fields, key); }

const StageGate* Book::gate_between(const std::string& from, const std::string& to) const {
  for (const StageGate& gate : workflow.gates) {
    if (gate.from_stage == from && gate.to_stage == to) return &gate;
  }
  return nullptr;
}

std::vector<std::string> Book::exits(const std::string& from) const {
  std::vector<std::string> out;
  for (const Transition& move : workflow.transitions) {
    if (move.from == from) out.push_back(move.to);
  }
  return out;
}

Verdict Book::judge_fields(const FieldValues& values) const {
  for (const auto& [key, value] : values) {
    if (field(key) == nullptr) return errc::unknown_field;
  }
  for (const auto& [key, value] : values) {
    const Field& field = *this->field(key);
    const auto* text = value.text();
    const auto* number = value.number();
    const auto* date = value.date();
    const bool fits =
        value.empty() ||
        (field.type == FieldType::text && text && text->size() >= field.bytes_min && text->size() <= field.bytes_max) ||
        (field.type == FieldType::select && text && has(field.options, *text)) ||
        (field.type == FieldType::number && number && *number >= *field.minimum && *number <= *field.maximum) ||
        (field.type == FieldType::date && date && *date >= *field.earliest);
    if (!fits) return errc::invalid_field_value;
  }
  return {};
}

}  // namespace openindex::model
