// Forgetting work that ended long ago. An item goes in two steps: one commit takes it away and leaves what is to be
// erased, then its many small records go in pieces. A call that dies in between is taken up by the next one.
#include <openindex/work/retention.hpp>

#include <algorithm>
#include <functional>
#include <new>
#include <optional>

#include <fmt/format.h>

#include "engine/answers.hpp"
#include "engine/commit.hpp"
#include "engine/core.hpp"
#include "engine/dependents.hpp"
#include "engine/pruned_item.hpp"
#include "engine/run_record.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using namespace openindex::engine;

constexpr std::uint32_t erases_max = 256;  // in one commit
constexpr std::uint32_t rows_max = 100;    // of what is looked up by time
constexpr std::string_view after_items = "=";
constexpr char before_cursor = '.';

std::int64_t ms(Time time) { return time.time_since_epoch().count(); }

Result<void> check(const Prune& prune, Time now) {
  std::vector<Problem> problems;
  const auto require = [&](bool kept, const char* pointer, const char* text) {
    if (!kept) problems.push_back({pointer, text});
  };
  require(prune.older_than <= now, "/olderThan", "must not lie in the future");
  require(prune.items_max >= 1 && prune.items_max <= 1000, "/itemsMax", "must be 1 to 1000");
  require(prune.records_max >= 100 && prune.records_max <= 100'000, "/recordsMax", "must be 100 to 100000");
  require(prune.after.empty() || prune.after == after_items || prune.after.front() == before_cursor, "/after",
          "must be the cursor of an earlier call");
  if (problems.empty()) return {};
  return Error(errc::invalid_argument, "Nothing can be pruned like this").with_problems(std::move(problems));
}

Result<void> check_permission(EngineCore& core, const Actor& actor, const std::string& domain) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  if (actor.is_agent()) return Error(errc::not_permitted, "Agents do not prune").with("actor", actor.id());
  if (!domain.empty()) return core.domains.require(actor, domain, Role::admin);
  if (actor.kind() == ActorKind::system) return {};
  return Error(errc::not_permitted, "Only the host may prune every domain; name one").with("actor", actor.id());
}

/// What ended before the moment, oldest first. `before`: what the subject's domain stands behind.
ScanRequest ended_before(const char* topic, const Prune& prune, const std::string& before = {}) {
  ScanRequest request{.index = Index::due, .prefix = {std::string(topic)}, .below = ms(prune.older_than)};
  if (!prune.domain.empty()) {
    constexpr std::size_t subject = 2;  // position in the index
    request.where.push_back({subject, Predicate::Op::greater_equal, before + prune.domain + "-"});
    request.where.push_back({subject, Predicate::Op::less, before + prune.domain + "."});  // '.' follows '-'
  }
  return request;
}

/// Whether work that is still there needs the item.
Result<bool> is_needed(Storage& storage, const ItemKey& key, const Dependents& dependents) {
  if (!dependents.items.empty()) return true;
  auto below = storage.scan({.index = Index::tree, .prefix = {key.str()}, .limit_count = 1});
  if (!below) return below.error();
  return !below->rows.empty();
}

class Pruning {
 public:
  using Receipt = std::function<Result<std::string>(const ItemKey&)>;

  Pruning(EngineCore& core, const Actor& actor, const Prune& prune, Receipt receipt)
      : core_(core),
        storage_(core.options.storage),
        actor_(actor),
        prune_(prune),
        now_(core.options.clock.now()),
        receipt_(std::move(receipt)) {}

  Result<Pruned> run() {
    if (prune_.after != after_items) {
      if (auto done = take_items(); !done) return done.error();
    }
    if (auto done = erase_leftovers(); !done) return done.error();
    if (auto done = take_journals(); !done) return done.error();
    if (prune_.domain.empty()) {
      if (auto done = take_keys(); !done) return done.error();
    }
    if (report_.next.empty() && more_) report_.next = after_items;
    return std::move(report_);
  }

 private:
  // -- Items --

  Result<void> take_items() {
    ScanRequest request = ended_before("resolved", prune_);
    request.limit_count = prune_.items_max;
    if (!prune_.after.empty()) request.after = prune_.after.substr(1);
    auto page = storage_.scan(request);
    if (!page) return page.error();
    for (const Record& row : page->rows) {
      auto taken = take_item(row.id.key);
      if (!taken && taken.error().code() == errc::storage_corrupt) {
        report_.broken.push_back(taken.error().with("item", row.id.key));
      } else if (!taken) {
        return taken;
      }
    }
    if (!page->next.empty()) report_.next = before_cursor + page->next;
    return {};
  }

  Result<void> take_item(const ItemKey& key) {
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
      auto item = core_.door.load(key);
      if (!item && item.error().code() == errc::not_found) return {};
      if (!item) return item.error();
      const auto& resolved = (*item)->item.resolved_at;
      if (!resolved || *resolved >= prune_.older_than) return {};
      auto dependents = read_dependents(storage_, key);
      if (!dependents) return dependents.error();
      auto needed = is_needed(storage_, key, *dependents);
      if (!needed) return needed.error();
      if (*needed) {
        ++report_.kept;
        return {};
      }
      if (prune_.export_audit) {
        if (auto exported = export_audit(key); !exported) return exported;
      }
      auto changes = removal_of(**item, *dependents);
      if (!changes) return changes.error();
      auto done = core_.door.feed().commit(*changes);
      if (done) {
        core_.door.forget(key);
        ++report_.items;
        report_.records += changes->erases.size();
        return {};
      }
      if (done.error().code() != errc::conflict) return done.error();
    }
    return Error(errc::contention).with("item", key.str());
  }

  Result<void> export_audit(const ItemKey& key) {
    auto receipt = receipt_(key);
    if (!receipt) return receipt.error();
    try {
      return prune_.export_audit(key, *receipt);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& thrown) {
      return Error(errc::host_callback_failed, fmt::format("The sink of receipts threw: {}", thrown.what()));
    } catch (...) {
      return Error(errc::host_callback_failed, "The sink of receipts threw");
    }
  }

  /// Everything that makes the item one goes in this commit; what is left is found through the mark that stays.
  Result<ChangeSet> removal_of(const LoadedItem& item, const Dependents& dependents) {
    const ItemKey& key = item.item.key;
    ChangeSet changes;
    changes.id = core_.door.mint_commit();
    changes.expectations = {
        {state_record(key), item.item.version}, {dependents_record(key), dependents.version}, {pruned_record(key), 0}};
    changes.erases = {state_record(key), content_record(key), hold_record(key), gates_record(key),
                      dependents_record(key)};
    for (const ItemKey& on : item.item.depends_on) {
      auto others = read_dependents(storage_, on);
      if (!others) return others.error();
      if (std::erase(others->items, key) != 0) write_dependents(changes, on, *others);
    }
    PrunedItem pruned{key, item.chain, !prune_.export_audit, 0};
    if (pruned.audit_kept) {
      const AuditDraft draft{"work_item.pruned", {{"resolvedAt", to_rfc3339(*item.item.resolved_at), ""}}, {}};
      append_audit(changes, pruned.chain, frame(key.str(), item.item.domain, changes), std::span(&draft, 1));
    } else {
      const AuditDraft draft{"work_item.pruned",
                             {{"item", key.str(), ""}, {"auditHead", item.chain.digest, ""}},
                             fmt::format("{} audit entries", item.chain.count)};
      if (auto told = tell_domain(changes, item.item.domain, draft); !told) return told.error();
    }
    changes.puts.push_back(write_pruned(pruned, true, now_));
    return changes;
  }

  // -- What an item leaves behind --

  Result<void> erase_leftovers() {
    auto page = storage_.scan({.index = Index::due, .prefix = {std::string("pruned")}, .limit_count = rows_max});
    if (!page) return page.error();
    if (!page->next.empty()) more_ = true;
    for (const Record& row : page->rows) {
      auto pruned = read_pruned(row);
      if (!pruned) return pruned.error();
      if (auto erased = erase_leftovers(*pruned); !erased) return erased;
      if (spent()) break;
    }
    return {};
  }

  Result<void> erase_leftovers(const PrunedItem& pruned) {
    const std::string& key = pruned.key.str();
    const Expectation still{pruned_record(pruned.key), pruned.version};
    const std::string runs = "run_" + key + "_";
    if (auto gone = erase_range("step", runs, runs + ":", still); !gone) return gone;  // ':' follows the digits
    if (auto gone = erase_range("run", runs, runs + ":", still); !gone) return gone;
    if (auto gone = erase_range("comment", key + "/", key + "0", still); !gone) return gone;  // '0' follows '/'
    if (!pruned.audit_kept) {
      if (auto gone = erase_range("audit", key + "/", key + "0", still); !gone) return gone;
    }
    if (spent()) return {};
    ChangeSet changes;
    changes.id = core_.door.mint_commit();
    changes.expectations.push_back(still);
    changes.erases.push_back({"counter", "item/" + key});  // of its sub-tasks
    if (pruned.audit_kept) {
      changes.puts.push_back(write_pruned(pruned, false, now_));
    } else {
      changes.erases.push_back(still.id);
    }
    return commit_small(changes);
  }

  /// Erase records of one kind, by key, as long as the call's bound allows.
  Result<void> erase_range(const char* kind, const std::string& from, const std::string& below,
                           const Expectation& still) {
    while (!spent()) {
      const std::uint64_t rest = prune_.records_max - erased_;
      auto page = storage_.scan({.index = Index::key,
                                 .prefix = {std::string(kind)},
                                 .from = from,
                                 .below = below,
                                 .limit_count = static_cast<std::uint32_t>(std::min<std::uint64_t>(erases_max, rest))});
      if (!page) return page.error();
      if (page->rows.empty()) return {};
      ChangeSet changes;
      changes.id = core_.door.mint_commit();
      changes.expectations.push_back(still);
      for (const Record& row : page->rows) changes.erases.push_back(row.id);
      if (auto done = commit_small(changes); !done) return done;
    }
    return {};
  }

  // -- Journals of runs --

  Result<void> take_journals() {
    ScanRequest request = ended_before("ended", prune_, "run_");
    request.limit_count = rows_max;
    auto page = storage_.scan(request);
    if (!page) return page.error();
    if (!page->next.empty()) more_ = true;
    for (const Record& row : page->rows) {
      if (spent()) return {};
      if (auto taken = take_journal(row); !taken) return taken;
    }
    return {};
  }

  Result<void> take_journal(const Record& record) {
    auto run = read_run(record);
    if (!run) return run.error();
    const Expectation still{record.id, record.version};
    const std::string& id = run->id.str();
    if (auto gone = erase_range("step", id + "/", id + "0", still); !gone) return gone;
    if (spent()) return {};
    ChangeSet changes;
    changes.id = core_.door.mint_commit();
    changes.expectations.push_back(still);
    run->journal_pruned = true;
    changes.puts.push_back(write_run(*run));
    const AuditDraft draft{"agent.journal_pruned", {{"run", id, ""}}, fmt::format("{} steps", run->steps)};
    if (auto told = tell_domain(changes, domain_of(run->item), draft); !told) return told;
    auto done = commit(storage_, changes);
    if (done) {
      ++report_.journals;
    } else if (done.error().code() == errc::conflict) {
      more_ = true;
    } else {
      return done.error();
    }
    return {};
  }

  // -- Idempotency keys --

  Result<void> take_keys() {
    forget_old_answers(storage_, now_);
    while (!spent()) {
      ScanRequest request = ended_before("created", prune_);
      request.limit_count = erases_max;
      auto page = storage_.scan(request);
      if (!page) return page.error();
      if (page->rows.empty()) return {};
      ChangeSet changes;
      changes.id = core_.door.mint_commit();
      for (const Record& row : page->rows) {
        changes.expectations.push_back({row.id, row.version});
        changes.erases.push_back(row.id);
      }
      if (auto done = commit_small(changes); !done) return done;
    }
    return {};
  }

  // -- Common --

  /// Whether the call has erased what it may; then there is more.
  bool spent() {
    if (erased_ < prune_.records_max) return false;
    more_ = true;
    return true;
  }

  /// Erasing again what may be gone already does no harm, so a conflict or an unknown fate is left to the next call.
  Result<void> commit_small(const ChangeSet& changes) {
    erased_ += changes.erases.size();
    auto done = commit(storage_, changes);
    if (done) {
      report_.records += changes.erases.size();
    } else if (done.error().code() == errc::conflict || done.error().code() == errc::commit_unknown) {
      more_ = true;
      erased_ = prune_.records_max;
    } else {
      return done.error();
    }
    return {};
  }

  AuditFrame frame(std::string_view stream, std::string_view domain, const ChangeSet& changes) const {
    return {.stream = stream,
            .domain = domain,
            .actor = actor_,
            .at = now_,
            .commit = changes.id.str(),
            .stage = {},
            .step = {}};
  }

  /// Append to the stream of what the domain has forgotten.
  Result<void> tell_domain(ChangeSet& changes, const std::string& domain, const AuditDraft& draft) {
    const RecordId id{"retention", domain};
    ChainHead head;
    auto record = read_record(storage_, id, "retention of " + domain);
    if (!record && record.error().code() != errc::not_found) return record.error();
    if (record) {
      auto in = json::Stored::read(record->body, "retention of " + domain);
      if (!in) return in.error();
      head = {in->natural("auditCount"), in->text("auditHead")};
    }
    append_audit(changes, head, frame(domain + "-retention", domain, changes), std::span(&draft, 1));
    json::Writer out;
    out.begin_object().key("auditCount").number(head.count).key("auditHead").string(head.digest).end_object();
    changes.expectations.push_back({id, record ? record->version : 0});
    changes.puts.push_back({id, std::move(out).str(), {}});
    return {};
  }

  EngineCore& core_;
  Storage& storage_;
  const Actor& actor_;
  const Prune& prune_;
  const Time now_;
  const Receipt receipt_;
  Pruned report_;
  std::uint64_t erased_ = 0;
  bool more_ = false;
};

}  // namespace

Result<Pruned> WorkflowEngine::prune(const Actor& actor, const Prune& prune) {
  if (auto sound = check(prune, core_->options.clock.now()); !sound) return sound.error();
  if (auto allowed = check_permission(*core_, actor, prune.domain); !allowed) return allowed.error();
  return Pruning(*core_, actor, prune, [&](const ItemKey& key) { return export_receipt(actor, key); }).run();
}

}  // namespace v0
}  // namespace openindex
