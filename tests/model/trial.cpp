#include "model/trial.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "engine/started_run.hpp"
#include "model/definition.hpp"
#include "work/command_json.hpp"

namespace openindex::model {
namespace {

constexpr Duration run_hold = std::chrono::seconds(60);
constexpr const char* bot = "openindex-dispatcher";

std::string word(const Verdict& verdict) { return verdict ? std::string(name(*verdict)) : "accepted"; }

std::string describe(const Actor& actor) {
  constexpr const char* kinds[] = {"host", "person", "agent", "run"};
  std::string out = fmt::format("{} '{}'", kinds[static_cast<std::size_t>(actor.kind())], actor.id());
  if (actor.kind() != ActorKind::run) return out;
  return out + fmt::format(" of {} on {}, epoch {}", actor.run_id().str(), actor.run_item().str(), actor.run_epoch());
}

std::string list(const std::vector<ItemKey>& keys) {
  std::set<std::string> sorted;
  for (const ItemKey& key : keys) sorted.insert(key.str());
  return fmt::format("{}", fmt::join(sorted, ","));
}

std::string hold_text(const std::optional<Hold>& hold) {
  if (!hold) return "nobody";
  return fmt::format("{} epoch {} until {} {}", hold->agent.str(), hold->epoch, to_rfc3339(hold->deadline),
                     hold->run.str());
}

std::string gates_text(const std::vector<GateAcknowledgement>& gates) {
  std::string out;
  for (const GateAcknowledgement& made : gates) {
    out += fmt::format("{} by {}{} at {} checked [{}] covered [{}] changed [{}] by '{}'; ", made.gate, made.by,
                       made.by_agent ? " (agent)" : "", to_rfc3339(made.at), fmt::join(made.checked, ","),
                       fmt::join(made.covered, ","), fmt::join(made.changed, ","), made.changed_by);
  }
  return out;
}

std::string fields_text(const FieldValues& fields) {
  std::string out;
  for (const auto& [key, value] : fields) out += key + "=" + value.display() + " ";
  return out;
}

std::string describe(const Attempt& attempt) {
  std::string what;
  if (const auto* command = std::get_if<Command>(&attempt.what)) what = work::to_json(*command);
  if (const auto* create = std::get_if<Create>(&attempt.what)) {
    const NewItem& item = create->item;
    what = fmt::format("{} '{}' below '{}' in '{}' with {} after {} under '{}'", to_text(item.kind), item.title,
                       item.parent.str(), item.status, fields_text(item.fields), list(item.depends_on),
                       item.idempotency_key);
  }
  if (!attempt.call.idempotency_key.empty()) what += " under '" + attempt.call.idempotency_key + "'";
  if (const auto* many = std::get_if<Many>(&attempt.what)) {
    what = many->partial ? "partial" : "whole";
    for (const ItemCommand& one : many->commands) what += " " + one.key.str() + " " + work::to_json(one.command);
  }
  return fmt::format("{}: {} {} {}{}", describe(attempt.actor), kind_name(kind_of(attempt)), attempt.item.str(), what,
                     attempt.call.fence != 0 ? fmt::format(" fence {}", attempt.call.fence) : "");
}

bool same(const std::optional<Hold>& a, const std::optional<Hold>& b) {
  if (!a || !b) return !a && !b;
  return std::tie(a->agent, a->epoch, a->deadline, a->run) == std::tie(b->agent, b->epoch, b->deadline, b->run);
}

bool same(const GateAcknowledgement& a, const GateAcknowledgement& b) {
  return std::tie(a.gate, a.by, a.by_agent, a.at, a.checked, a.covered, a.changed, a.changed_by) ==
         std::tie(b.gate, b.by, b.by_agent, b.at, b.checked, b.covered, b.changed, b.changed_by);
}

auto plain_members(const WorkItem& item) {
  return std::tie(item.status, item.stage, item.resolution, item.resolved_at, item.fields, item.depends_on, item.run,
                  item.title, item.description, item.priority, item.execution_target, item.owner, item.assignee,
                  item.categories, item.schedule, item.objective_state, item.comment_count, item.attachments,
                  item.workflow_version, item.kind, item.parent);
}

// Everything a reader sees that the model keeps.
bool same(const WorkItem& a, const WorkItem& b) {
  return plain_members(a) == plain_members(b) && same(a.hold, b.hold) &&
         std::equal(a.gates.begin(), a.gates.end(), b.gates.begin(), b.gates.end(),
                    [](const auto& one, const auto& other) { return same(one, other); });
}

// The same for people, line by line.
std::vector<std::string> lines(const WorkItem& item, const std::vector<ItemKey>& blocked_by) {
  std::vector<std::string> out{"status " + item.status,
                               "stage " + item.stage,
                               fmt::format("resolution {}", to_text(item.resolution)),
                               "resolved at " + (item.resolved_at ? to_rfc3339(*item.resolved_at) : "never"),
                               "hold " + hold_text(item.hold),
                               "gates " + gates_text(item.gates),
                               "fields " + fields_text(item.fields),
                               "depends on " + list(item.depends_on),
                               "blocked by " + list(blocked_by),
                               "run " + item.run.str(),
                               fmt::format("version {}", item.workflow_version),
                               fmt::format("{} below '{}'", to_text(item.kind), item.parent.str()),
                               "title " + item.title,
                               "description " + item.description,
                               fmt::format("priority {}", to_text(item.priority)),
                               fmt::format("for {}", to_text(item.execution_target)),
                               "owner " + item.owner,
                               "assignee " + item.assignee,
                               fmt::format("labels {}", fmt::join(item.categories, ",")),
                               fmt::format("schedule {}", to_text(item.schedule.granularity)),
                               "objective " + item.objective_state,
                               fmt::format("comments {}", item.comment_count)};
  for (const Attachment& file : item.attachments) {
    out.push_back(
        fmt::format("file {} {} by {} at {}", file.number, file.name, file.added_by, to_rfc3339(file.added_at)));
  }
  return out;
}

std::string difference(const WorkItem& engine, const WorkItem& model, std::vector<ItemKey> blocked_by) {
  auto blocked_there = engine.blocked_by;
  std::sort(blocked_by.begin(), blocked_by.end());
  std::sort(blocked_there.begin(), blocked_there.end());
  if (same(engine, model) && blocked_by == blocked_there) return {};
  const auto here = lines(engine, blocked_there);
  const auto there = lines(model, blocked_by);
  for (std::size_t i = 0; i < std::min(here.size(), there.size()); ++i) {
    if (here[i] != there[i]) return fmt::format("the engine has '{}', the model '{}'", here[i], there[i]);
  }
  return "a member differs that is not told apart here";
}

std::set<std::size_t> refused_in(const std::vector<Verdict>& each) {
  std::set<std::size_t> out;
  for (std::size_t i = 0; i < each.size(); ++i) {
    if (each[i]) out.insert(i);
  }
  return out;
}

}  // namespace

Trial::Trial(std::uint64_t seed)
    : random_(seed),
      reference_({claims_workflow(), changed_claims_workflow()}, Chooser::members()),
      chooser_(reference_, seed) {
  const Actor host = Actor::system("host");
  static_cast<void>(engine_.save(host, claims_workflow()).value());
  engine_.set_stage_settings(host, "CLAIMS", stage_for_runs, {.claims_by_hand = false}).value();
  static_cast<void>(engine_.save(host, changed_claims_workflow()).value());
  static_cast<void>(engine_.create_domain(host, {.key = "CLM", .name = "Claims", .owner = "mia"}).value());
  for (const auto& [user, role] : Chooser::members()) {
    if (role != Role::owner) static_cast<void>(engine_.set_member(host, "CLM", user, role).value());
  }
}

Verdict Trial::ask_engine(const Attempt& attempt) {
  created_ = {};
  answer_.reset();
  each_.clear();
  refused_.clear();
  if (const auto* many = std::get_if<Many>(&attempt.what)) return ask_engine(attempt.actor, *many);
  if (const auto* command = std::get_if<Command>(&attempt.what)) {
    auto done = engine_.execute(attempt.actor, attempt.item, *command, attempt.call);
    if (!done) return done.error().code();
    answer_ = std::move(*done);
    return {};
  }
  if (const auto* create = std::get_if<Create>(&attempt.what)) {
    auto made = engine_.create(attempt.actor, create->item);
    if (!made) return made.error().code();
    created_ = made->key;
    answer_ = std::move(*made);
    return {};
  }
  if (std::holds_alternative<DispatchRun>(attempt.what)) {
    auto started = tests::start_run(engine_, attempt.item, bot, run_hold);
    if (!started) return started.error().code();
    answer_ = std::move(*started);
    return {};
  }
  std::set<std::string> engine;
  std::set<std::string> model;
  if (std::holds_alternative<Mine>(attempt.what)) {
    const auto mine = queue_.mine(attempt.actor);
    if (!mine) return mine.error().code();
    for (const WorkItem& item : *mine) engine.insert(item.key.str());
    if (reference_.reads(attempt.actor)) model = reference_.mine(attempt.actor.id());
  } else {
    std::string after;
    do {
      const auto page = queue_.available(attempt.actor, {}, 7, after);
      if (!page) return page.error().code();
      for (const WorkItem& item : page->items) {
        if (!engine.insert(item.key.str()).second) listed_ = item.key.str() + " is listed twice";
      }
      after = page->next;
    } while (!after.empty());
    if (reference_.reads(attempt.actor)) model = reference_.available(clock_.now());
  }
  if (engine != model) {
    listed_ = fmt::format("the engine lists {}, the model {}", fmt::join(engine, ","), fmt::join(model, ","));
  }
  return {};
}

Verdict Trial::ask_engine(const Actor& actor, const Many& many) {
  const auto answers = engine_.execute_all(actor, many.commands, {.partial = many.partial});
  if (!answers) {
    for (const Problem& problem : answers.error().problems()) refused_.insert(std::stoul(problem.pointer.substr(1)));
    return answers.error().code();
  }
  for (const auto& answer : *answers) each_.push_back(answer ? Verdict() : Verdict(answer.error().code()));
  return {};
}

Verdict Trial::ask_reference(const Attempt& attempt) {
  reference_.repeated.reset();
  if (const auto* many = std::get_if<Many>(&attempt.what)) {
    std::vector<Verdict> each;
    const Verdict whole = reference_.execute_all(attempt.actor, many->commands, many->partial, clock_.now(), each);
    if (!whole && each != each_) listed_ = "the answers to single commands differ";
    if (whole && refused_in(each) != refused_) listed_ = "other commands of a bulk call are refused";
    for (const ItemCommand& one : many->commands) {
      if (listed_.empty() && reference_.items.contains(one.key)) listed_ = compare_touched(one.key);
    }
    return whole;
  }
  if (const auto* command = std::get_if<Command>(&attempt.what)) {
    return reference_.execute(attempt.actor, attempt.item, *command, clock_.now(), attempt.call);
  }
  if (const auto* create = std::get_if<Create>(&attempt.what)) {
    return reference_.create(attempt.actor, create->item, created_, clock_.now());
  }
  if (std::holds_alternative<DispatchRun>(attempt.what)) {
    if (!reference_.items.contains(attempt.item)) return errc::not_found;
    return reference_.start_run(attempt.item, bot, run_hold, clock_.now());
  }
  if (std::holds_alternative<Available>(attempt.what)) {
    if (attempt.actor.kind() == ActorKind::run) return errc::outside_run;
    if (!attempt.actor.id().empty()) return {};
    return attempt.actor.is_agent() ? errc::agent_id_required : errc::invalid_argument;
  }
  const bool agent = attempt.actor.kind() == ActorKind::agent && !attempt.actor.id().empty();
  return agent ? Verdict() : Verdict(errc::agent_id_required);
}

// A bulk call is accepted when it did something: one that is partial may have done nothing.
void Trial::count(Tally& tally, const Attempt& attempt, const Verdict& verdict) const {
  const auto* many = std::get_if<Many>(&attempt.what);
  const auto done = std::count(each_.begin(), each_.end(), Verdict());
  const bool accepted = !verdict && (many == nullptr || done > 0);
  ++(accepted ? tally.accepted : tally.refused)[kind_of(attempt)];
  if (many != nullptr && !many->partial && done > 1) ++tally.whole_bulks;
  if (verdict && (many != nullptr || std::holds_alternative<Command>(attempt.what))) ++tally.codes[*verdict];
}

std::string Trial::step(Tally& tally) {
  if (const Duration pause = chooser_.pause(); pause != Duration(0)) clock_.advance(pause);
  const Attempt attempt = chooser_.choose(clock_.now());
  listed_.clear();
  const Verdict engine = ask_engine(attempt);
  const Verdict model = ask_reference(attempt);
  last_ = {attempt, engine, model};
  count(tally, attempt, engine);
  if (engine != model) return "the answers differ";
  if (!listed_.empty()) return listed_;
  return answer_ ? compare_answer() : std::string();
}

// A repeated one tells how it was then; what stands in storage is how it is now.
std::string Trial::compare_answer() {
  const auto& repeated = reference_.repeated;
  std::string differs;
  if (repeated && !repeated->seen.key.empty()) differs = difference(*answer_, repeated->seen, repeated->blocked_by);
  if (!differs.empty()) return "in the repeated answer " + differs;
  if (!reference_.items.contains(answer_->key)) return compare_deleted(answer_->key);
  const Item& item = reference_.items.at(answer_->key);
  if (!repeated) differs = difference(*answer_, item.seen, reference_.blocked_by(item));
  return differs.empty() ? compare_touched(answer_->key) : "in the answer " + differs;
}

std::string Trial::last() const {
  return fmt::format("{} {} -> engine {}, model {}", to_rfc3339(clock_.now()), describe(last_.attempt),
                     word(last_.engine), word(last_.model));
}

// What stands in storage of the item, and of the items that depend on it.
std::string Trial::compare_touched(const ItemKey& key) {
  if (auto differs = compare(key); !differs.empty()) return differs;
  for (const auto& [other, item] : reference_.items) {
    const auto& on = item.seen.depends_on;
    if (std::find(on.begin(), on.end(), key) == on.end()) continue;
    if (auto differs = compare(other); !differs.empty()) return differs;
  }
  return {};
}

// Nothing but its audit trail, which is sound.
std::string Trial::compare_deleted(const ItemKey& key) {
  const Actor host = Actor::system("host");
  const auto gone = engine_.get(host, key);
  if (gone || gone.error().code() != errc::not_found) return key.str() + " is still there";
  if (!engine_.verify(host, key)) return "the audit trail of " + key.str() + " is broken";
  if (engine_.audit(host, key)->empty()) return "the audit trail of " + key.str() + " is gone";
  if (!engine_.comments(host, key)->empty() || !engine_.runs(host, key)->empty()) return key.str() + " left something";
  return {};
}

std::string Trial::compare(const ItemKey& key) {
  const Actor host = Actor::system("host");
  const Item& model = reference_.items.at(key);
  const auto stored = engine_.get(host, key).value();
  auto differs = difference(stored, model.seen, reference_.blocked_by(model));
  if (!differs.empty()) return key.str() + ": " + differs;
  if (!model.run_state) return {};
  const auto runs = engine_.runs(host, key).value();
  if (runs.empty() || runs.front().state != *model.run_state) {
    return fmt::format("{}: the engine has a run that is {}, the model one that is {}", key.str(),
                       runs.empty() ? "missing" : to_text(runs.front().state), to_text(*model.run_state));
  }
  return {};
}

std::string Trial::compare_all() {
  for (const auto& [key, item] : reference_.items) {
    if (auto differs = compare(key); !differs.empty()) return differs;
    if (auto sound = engine_.verify(Actor::system("host"), key); !sound) return sound.error().describe();
  }
  return {};
}

}  // namespace openindex::model
