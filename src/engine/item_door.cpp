#include "engine/item_door.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "engine/answers.hpp"
#include "engine/commit.hpp"
#include "engine/item_changes.hpp"
#include "engine/item_runs.hpp"
#include "engine/pruned_item.hpp"
#include "engine/removal.hpp"
#include "engine/run_record.hpp"
#include "json/writer.hpp"

namespace openindex::engine {
namespace {

bool changes_nothing(const Decision& decision) {
  const bool runs_on = !decision.run_ends && !decision.run_resumes && !decision.run_starts;
  return runs_on && decision.audit.empty() && decision.hold.kind == HoldChange::Kind::none && !decision.comment;
}

}  // namespace

ItemDoor::ItemDoor(const With& with)
    : storage_(with.storage),
      clock_(with.clock),
      shelf_(with.shelf),
      domains_(with.domains),
      numbers_(with.numbers),
      ids_(with.ids),
      stops_(with.stops),
      feed_(with.feed ? with.feed : std::make_shared<EventFeed>(with.storage)),
      cache_(with.keeps) {}

Result<LoadedItemPtr> ItemDoor::load(const ItemKey& key) {
  const RecordId ids[] = {state_record(key), content_record(key), hold_record(key), gates_record(key)};
  auto records = storage_.get_bodies(ids);
  if (!records) return records.error();
  auto item = read_item(key, *records, [this](const auto& id, auto version) { return shelf_.find(id, version); });
  if (item) cache_.keep(*item);
  return item;
}

Result<std::vector<LoadedItemPtr>> ItemDoor::load_all(std::span<const ItemKey> keys) {
  std::vector<RecordId> ids;
  for (const ItemKey& key : keys) {
    ids.push_back(state_record(key));
    ids.push_back(content_record(key));
    ids.push_back(hold_record(key));
    ids.push_back(gates_record(key));
  }
  std::vector<LoadedItemPtr> out;
  if (ids.empty()) return out;
  auto records = storage_.get_bodies(ids);
  if (!records) return records.error();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto part = std::span<const std::optional<Record>>(*records).subspan(i * records_per_item, records_per_item);
    auto item = read_item(keys[i], part, [this](const auto& id, auto version) { return shelf_.find(id, version); });
    if (item) {
      cache_.keep(*item);
      out.push_back(std::move(*item));
    } else if (item.error().code() != errc::not_found) {
      return item.error();
    }
  }
  return out;
}

Result<AgentRun> ItemDoor::load_run(const RunId& run) {
  auto record = read_record(storage_, run_record(run), "run");
  if (!record) return record.error();
  return read_run(*record);
}

Result<LoadedItemPtr> ItemDoor::recall(const Request& request) {
  auto known = find_known(request);
  if (!known) return known.error();
  return std::move(known->item);
}

Result<KnownAnswer> ItemDoor::find_known(const Request& request) {
  return find_answer(storage_, request, clock_.now(),
                     [this](const auto& id, auto version) { return shelf_.find(id, version); });
}

Result<ItemDoor::Prepared> ItemDoor::prepare(Change& change, bool fresh) {
  const Time now = clock_.now();
  std::uint64_t answer_version = 0;
  if (change.request) {
    auto known = find_known(*change.request);
    if (!known) return known.error();
    if (known->item) {
      Prepared replayed;
      replayed.current = known->item;
      return replayed;
    }
    answer_version = known->version;
  }
  if (change.key.empty()) return prepare_run(change);
  Prepared prepared;
  prepared.current = fresh ? nullptr : cache_.find(change.key);
  const bool from_cache = prepared.current != nullptr;
  if (!prepared.current) {
    auto loaded = load(change.key);
    if (!loaded) return loaded.error();
    prepared.current = std::move(*loaded);
  }
  std::vector<Expectation> seen;
  auto decision = judge(prepared, change, seen, now);
  if (!decision && from_cache) return prepare(change, true);  // a refusal is only believed of what is stored now
  if (!decision) return decision.error();
  // So is an answer that nothing needs to change: there is no commit that would notice what somebody else wrote. Only
  // a heartbeat (it names its deadline) is checked by the record it writes.
  const bool unguarded = changes_nothing(*decision) || (decision->only_extends() && decision->hold.deadline == Time());
  if (from_cache && unguarded) return prepare(change, true);
  prepared.decision = std::move(*decision);
  if (auto written = write_item(prepared, change, now); !written) return written.error();
  if (change.request) remember_answer(prepared, *change.request, answer_version);
  if (!prepared.changes.puts.empty()) {
    auto& expectations = prepared.changes.expectations;
    expectations.insert(expectations.end(), seen.begin(), seen.end());
  }
  return prepared;
}

Result<ItemDoor::Prepared> ItemDoor::prepare_run(const Change& change) {
  Prepared prepared;
  prepared.changes.id = mint_commit();
  for (const RunStep& step : change.run->steps) {
    prepared.changes.appends.push_back(write_step(change.run->run.id, step, prepared.changes.id.str()));
  }
  prepared.changes.appends.insert(prepared.changes.appends.end(), change.run->beside.begin(), change.run->beside.end());
  prepared.changes.expectations.push_back({run_record(change.run->run.id), change.run->run.version});
  prepared.run_put = prepared.changes.puts.size();
  prepared.changes.puts.push_back(write_run(change.run->run));
  return prepared;
}

// What the command names beside the item is looked up first: the rules read nothing.
Result<Decision> ItemDoor::judge(Prepared& prepared, const Change& change, std::vector<Expectation>& seen, Time now) {
  const LoadedItem& current = *prepared.current;
  // Who decides by themselves go by the switches themselves: a dispatcher also has to put runs to rest.
  if (change.decide) return change.decide(current, now);
  if (change.actor.is_agent() && !std::holds_alternative<Release>(change.command)) {
    if (auto may_work = stops_.check(current.item.workflow); !may_work) return may_work.error();
  }
  ItemSnapshot snapshot = current.snapshot();
  if (std::holds_alternative<Claim>(change.command)) {
    auto by_hand = shelf_.claims_by_hand(current);
    if (!by_hand) return by_hand.error();
    snapshot.claims_by_hand = *by_hand;
  }
  if (const auto* dependency = std::get_if<AddDependency>(&change.command)) {
    auto related = relate(change.key, dependency->on, seen);
    if (!related) return related.error();
    prepared.related = std::move(*related);
    if (prepared.related) snapshot.related = &*prepared.related;
  }
  if (const auto* migration = std::get_if<Migrate>(&change.command)) {
    auto target = shelf_.find(current.item.workflow, migration->version);
    if (!target && target.error().code() != errc::not_found) return target.error();
    if (target) prepared.target = std::move(*target);
    snapshot.target = prepared.target.get();
  }
  if (is_about_run(change.command)) {
    if (auto found = look_up_run(prepared, current); !found) return found.error();
    snapshot.run = prepared.run ? &*prepared.run : nullptr;
    snapshot.providers = prepared.providers;
  }
  if (std::holds_alternative<DeleteItem>(change.command)) {
    auto needed_by = read_needed_by(storage_, change.key);
    if (!needed_by) return needed_by.error();
    prepared.needed_by = std::make_shared<NeededBy>(std::move(*needed_by));
    return judge_deletion(prepared, snapshot, change, now);
  }
  return decide(snapshot, change.command, change.actor, now, change.fence);
}

// What needs the item may stand where the actor has no role: then it is not named.
Result<Decision> ItemDoor::judge_deletion(const Prepared& prepared, ItemSnapshot& snapshot, const Change& change,
                                          Time now) {
  snapshot.needed_by = prepared.needed_by->items;
  auto decision = decide(snapshot, change.command, change.actor, now, change.fence);
  if (decision || decision.error().code() != errc::item_needed) return decision;
  std::vector<std::string> known;
  for (const std::string& other : decision.error().missing()) {
    auto sees = domains_.sees(change.actor, domain_of(ItemKey(other)));
    if (!sees) return sees.error();
    if (*sees) known.push_back(other);
  }
  return Error(decision.error()).with_missing(std::move(known));
}

// The answer is what the item will be when this commits: its versions are known beforehand.
void ItemDoor::remember_answer(Prepared& prepared, const Request& request, std::uint64_t version) {
  LoadedItem answer = prepared.next ? *prepared.next : *prepared.current;
  if (prepared.state_put) ++answer.item.version;
  if (prepared.text_put) ++answer.text_version;
  if (prepared.hold_put) ++answer.hold_version;
  const Time now = clock_.now();
  prepared.changes.expectations.push_back({request.record, version});
  prepared.changes.puts.push_back(write_answer(request, answer, now));
  constexpr std::uint64_t answers_between = 256;
  if (++answer_count_ % answers_between == 0) static_cast<void>(forget_old_answers(storage_, now).has_value());
}

Result<void> ItemDoor::write_item(Prepared& prepared, Change& change, Time now) {
  const LoadedItem& current = *prepared.current;
  prepared.changes.id = mint_commit();
  const bool quiet = change.run == nullptr && change.notes.empty();
  if (quiet && changes_nothing(prepared.decision)) return {};
  prepared.next = std::make_shared<LoadedItem>(current);
  if (!quiet || !prepared.decision.only_extends()) return write_effects(prepared, change, current, now);
  change_hold(*prepared.next, prepared.decision.hold, change.actor, now);
  prepared.changes.expectations.push_back({hold_record(change.key), current.hold_version});
  prepared.hold_put = 0;
  prepared.changes.puts.push_back(write_hold(*prepared.next));
  return {};
}

Result<void> ItemDoor::write_effects(Prepared& prepared, Change& change, const LoadedItem& current, Time now) {
  const Decision& decision = prepared.decision;
  LoadedItem& next = *prepared.next;
  ChangeSet& changes = prepared.changes;
  std::vector<AuditDraft> drafts = std::move(prepared.decision.audit);  // nobody else tells what it says
  drafts.insert(drafts.end(), change.notes.begin(), change.notes.end());

  if (decision.migration) migrate_item(next, *decision.migration, prepared.target, change.actor);
  apply_decision(next, decision, change.actor, now);
  if (!decision.depends.empty()) {
    const bool open = prepared.related->resolution == Resolution::unresolved;
    if (open) next.item.blocked_by.push_back(decision.depends);
    if (auto told = add_dependent(prepared, decision.depends, change.key); !told) return told;
  }
  if (!decision.independent.empty()) {
    if (auto told = remove_dependent(prepared, decision.independent, change.key); !told) return told;
  }
  if (next.item.resolution != current.item.resolution) {
    if (auto told = tell_dependents(prepared, change, now); !told) return told;
  }
  if (change.foresee) change.foresee(next);
  if (decision.comment) changes.appends.push_back(write_comment(next, *decision.comment, change.actor, now));
  if (decision.run_ends) {
    if (auto ended = end_run(prepared, change, current, drafts, now); !ended) return ended;
  }
  if (auto told = tell_run(prepared, change, current, drafts, now); !told) return told;
  if (decision.run_resumes) resume_run(prepared, change.actor, drafts, now);
  if (change.run != nullptr && !prepared.run_put) {
    changes.expectations.push_back({run_record(change.run->run.id), change.run->run.version});
    prepared.run_put = changes.puts.size();
    changes.puts.push_back(write_run(change.run->run));
  }
  if (decision.stage_entered && !next.item.resolved_at &&
      next.workflow->stage(*decision.stage_entered).agent_required) {
    start_run(prepared, next, drafts, now);
  } else if (decision.run_starts) {
    start_run(prepared, next, drafts, now);
  }

  const std::string step = change.run != nullptr && !change.run->steps.empty() ? change.run->steps.back().key : "";
  const AuditFrame frame{.stream = change.key.str(),
                         .domain = next.item.domain,
                         .actor = change.actor,
                         .at = now,
                         .commit = changes.id.str(),
                         .stage = current.item.stage,
                         .step = step,
                         .epoch = next.epoch};
  // The audit entries come first among the appends: the first one tells whether the commit happened.
  std::vector<Put> other = std::move(changes.appends);
  changes.appends.clear();
  changes.appends.reserve(drafts.size() + other.size());
  append_audit(changes, next.chain, frame, drafts);
  changes.appends.insert(changes.appends.end(), std::make_move_iterator(other.begin()),
                         std::make_move_iterator(other.end()));
  if (change.run != nullptr) {
    for (const RunStep& written : change.run->steps) {
      changes.appends.push_back(write_step(change.run->run.id, written, changes.id.str()));
    }
  }
  if (decision.deletes) return write_deletion(prepared, current, now);
  changes.expectations.push_back({state_record(change.key), current.item.version});
  if (decision.hold.kind == HoldChange::Kind::take) {
    changes.expectations.push_back({hold_record(change.key), current.hold_version});
  }
  prepared.state_put = changes.puts.size();
  changes.puts.reserve(changes.puts.size() + records_per_item);
  changes.puts.push_back(write_state(next));
  if (decision.changes_gates()) changes.puts.push_back(write_gates(next));
  if (decision.changes_content()) {
    prepared.text_put = changes.puts.size();
    changes.puts.push_back(write_content(next));
  }
  if (decision.hold.kind != HoldChange::Kind::none) {
    prepared.hold_put = changes.puts.size();
    changes.puts.push_back(write_hold(next));
  }
  return {};
}

// The audit trail stays, and its head with the mark.
Result<void> ItemDoor::write_deletion(Prepared& prepared, const LoadedItem& current, Time now) {
  auto written = write_removal(storage_, prepared.changes, current, *prepared.needed_by);
  if (!written) return written;
  prepared.changes.puts.push_back(write_pruned({current.item.key, prepared.next->chain, true, 0}, true, now));
  return {};
}

Outcome ItemDoor::finish(Prepared& prepared, Change& change, const CommitReceipt& receipt) {
  if (change.run != nullptr && prepared.run_put) {
    AgentRun& run = change.run->run;
    run.version = receipt.versions[*prepared.run_put];
    if (prepared.decision.run_ends) {
      set_ended(run, prepared.decision, change.actor, prepared.next->item.updated_at);
    }
  }
  if (!prepared.next) return {prepared.current, std::move(prepared.decision)};
  if (prepared.state_put) prepared.next->item.version = receipt.versions[*prepared.state_put];
  if (prepared.text_put) prepared.next->text_version = receipt.versions[*prepared.text_put];
  if (prepared.hold_put) prepared.next->hold_version = receipt.versions[*prepared.hold_put];
  for (auto& other : prepared.others) {
    other.next->item.version = receipt.versions[other.state_put];
    cache_.keep(LoadedItemPtr(std::move(other.next)));
  }
  LoadedItemPtr after = std::move(prepared.next);
  if (prepared.decision.deletes) {
    cache_.forget(after->item.key);
  } else {
    cache_.keep(after);
  }
  return {std::move(after), std::move(prepared.decision)};
}

std::vector<Result<Outcome>> ItemDoor::apply(std::span<Change> changes) {
  std::vector<Result<Outcome>> results(changes.size(), Error(errc::contention));
  std::vector<std::size_t> open(changes.size());
  for (std::size_t i = 0; i < open.size(); ++i) open[i] = i;
  constexpr int rounds_max = 256;  // losing against a change of an item that waits for ours is no lost attempt
  for (int attempt = 0, round = 0; attempt < attempts_max && round < rounds_max && !open.empty(); ++round) {
    std::vector<std::size_t> sent;
    std::vector<Prepared> prepared;
    std::vector<ChangeSet> sets;
    prepared.reserve(open.size());
    sets.reserve(open.size());
    for (const std::size_t i : open) {
      auto ready = prepare(changes[i], round > 0);
      if (!ready) {
        results[i] = ready.error();
      } else if (ready->changes.puts.empty()) {
        results[i] = finish(*ready, changes[i], {});
      } else {
        sent.push_back(i);
        sets.push_back(std::move(ready->changes));
        prepared.push_back(std::move(*ready));
      }
    }
    open.clear();
    if (sets.empty()) break;
    auto receipts = feed_->commit(sets);
    bool own_conflict = false;
    for (std::size_t n = 0; n < sent.size(); ++n) {
      const std::size_t i = sent[n];
      if (receipts[n]) {
        results[i] = finish(prepared[n], changes[i], *receipts[n]);
        continue;
      }
      const errc code = receipts[n].error().code();
      // A run that somebody else wrote will not change back: deciding again cannot help.
      const bool run_lost = code == errc::conflict && receipts[n].error().context("kind") == "run" &&
                            changes[i].run != nullptr &&
                            receipts[n].error().context("key") == changes[i].run->run.id.str();
      // A heartbeat carries no append to look for, and may simply be repeated.
      const bool repeat = code == errc::commit_unknown && sets[n].appends.empty();
      results[i] = receipts[n].error();
      if (run_lost) {
        results[i] = Error(errc::hold_lost, "Somebody else took over the run").caused_by(receipts[n].error());
      } else if (code == errc::conflict || repeat) {
        open.push_back(i);
        const auto key = receipts[n].error().context("key");
        const bool others = receipts[n].error().context("kind") == "item" && key != changes[i].key.str();
        own_conflict = own_conflict || !others;
      }
    }
    if (own_conflict) ++attempt;
  }
  for (const std::size_t i : open) results[i] = Error(errc::contention).with("item", changes[i].key.str());
  return results;
}

Result<Outcome> ItemDoor::apply(Change change) { return std::move(apply(std::span(&change, 1)).front()); }

}  // namespace openindex::engine
