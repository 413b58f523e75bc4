// Forgetting work that ended long ago. An item goes in two steps: one commit takes it away and leaves what is to be
// erased, then its many small records go in pieces. A call that dies in between is taken up by the next one.
#include <openindex/work/retention.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <new>
#include <optional>

#include <fmt/format.h>

#include "engine/answers.hpp"
#include "engine/commit.hpp"
#include "engine/core.hpp"
#include "engine/erasing.hpp"
#include "engine/prune_answer.hpp"
#include "engine/pruned_item.hpp"
#include "engine/removal.hpp"
#include "engine/run_record.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using namespace openindex::engine;

constexpr std::uint32_t rows_max = 100;  // of what is looked up by time

// A cursor is the letter of a phase and where it stands.
constexpr char items_phase = 'i';
constexpr char items_again = 'j';  // the same, and another pass is needed behind it
constexpr char leftovers_phase = 'l';
constexpr char journals_phase = 'r';
constexpr char keys_phase = 'k';
constexpr std::string_view phases = "ijlrk";

std::int64_t ms(Time time) { return time.time_since_epoch().count(); }

Result<void> check(const Prune& prune, Time now) {
  std::vector<Problem> problems;
  const auto require = [&](bool kept, const char* pointer, const char* text) {
    if (!kept) problems.push_back({pointer, text});
  };
  require(prune.older_than <= now, "/olderThan", "must not lie in the future");
  require(prune.items_max >= 1 && prune.items_max <= 1000, "/itemsMax", "must be 1 to 1000");
  require(prune.records_max >= 100 && prune.records_max <= 100'000, "/recordsMax", "must be 100 to 100000");
  require(prune.after.empty() || phases.find(prune.after.front()) != phases.npos, "/after",
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

class Pruning {
 public:
  using Receipt = std::function<Result<std::string>(const ItemKey&)>;

  Pruning(EngineCore& core, const Actor& actor, const Prune& prune, Receipt receipt)
      : core_(core),
        storage_(core.options.storage),
        prune_(prune),
        now_(core.options.clock.now()),
        erasing_(core, actor, now_, prune.records_max),
        receipt_(std::move(receipt)) {}

  /// Each phase goes on where the call before stood, and ends the call when it has not come to its end.
  Result<Pruned> run() {
    const std::string cursor = prune_.after.empty() ? std::string() : prune_.after.substr(1);
    const char begun = prune_.after.empty() ? items_phase : prune_.after.front();
    bool reached = false;
    for (const char phase : {items_phase, leftovers_phase, journals_phase, keys_phase}) {
      const bool here = begun == phase || (begun == items_again && phase == items_phase);
      reached = reached || here;
      if (!reached) continue;
      if (auto done = do_phase(phase, here ? cursor : std::string()); !done) return done.error();
      if (!report_.next.empty()) break;
    }
    report_.records = erasing_.records();
    return std::move(report_);
  }

 private:
  Result<void> do_phase(char phase, const std::string& cursor) {
    switch (phase) {
      case items_phase:
        return take_items(cursor);
      case leftovers_phase:
        return erase_leftovers(cursor);
      case journals_phase:
        return take_journals(cursor);
      default:
        return prune_.domain.empty() ? take_keys() : Result<void>();
    }
  }

  /// Go through a page; what is damaged is named, and keeps nothing else from going.
  template <class Take>
  Result<void> each(const ScanPage& page, const char* what, Take take) {
    for (const Record& row : page.rows) {
      if (erasing_.spent()) return {};
      auto taken = take(row);
      if (taken) continue;
      if (taken.error().code() != errc::storage_corrupt) return taken;
      report_.broken.push_back(taken.error().with(what, row.id.key));
    }
    return {};
  }

  /// Where the next call goes on: on the same page if there was too much on it, else on the next one.
  void go_on(char phase, const std::string& cursor, const std::string& next) {
    if (erasing_.spent()) {
      report_.next = phase + cursor;
    } else if (!next.empty()) {
      report_.next = phase + next;
    }
  }

  // -- Items --

  Result<void> take_items(const std::string& cursor) {
    ScanRequest request = ended_before("resolved", prune_);
    request.limit_count = prune_.items_max;
    request.after = cursor;
    auto page = storage_.scan(request);
    if (!page) return page.error();
    again_ = !prune_.after.empty() && prune_.after.front() == items_again;
    for (const Record& row : page->rows) freed_.emplace_back(row.id.key);
    std::size_t looks = freed_.size() + std::size_t{prune_.items_max};
    for (; !freed_.empty(); --looks) {
      if (looks == 0) {
        again_ = true;
        break;
      }
      const ItemKey key = std::move(freed_.front());
      freed_.pop_front();
      auto taken = take_item(key);
      if (!taken && taken.error().code() == errc::storage_corrupt) {
        report_.broken.push_back(taken.error().with("item", key.str()));
      } else if (!taken) {
        return taken;
      }
    }
    if (!page->next.empty()) {
      report_.next = (again_ ? items_again : items_phase) + page->next;
    } else if (again_) {
      report_.next = items_phase;
    }
    return {};
  }

  Result<void> take_item(const ItemKey& key) {
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
      auto item = core_.door.load(key);
      if (!item && is_gone(item.error(), key)) return {};
      if (!item) return item.error();
      const auto& resolved = (*item)->item.resolved_at;
      if (!resolved || *resolved >= prune_.older_than || !is_meant(key)) return {};
      auto needed_by = read_needed_by(storage_, key);
      if (!needed_by) return needed_by.error();
      if (!needed_by->items.empty()) {
        ++report_.kept;
        return {};
      }
      if (prune_.export_audit) {
        auto exported = export_audit(key);
        if (!exported && is_gone(exported.error(), key)) return {};  // another call took it
        if (!exported) return exported;
      }
      PrunedItem mark;
      auto changes = removal_of(**item, *needed_by, mark);
      if (!changes) return changes.error();
      auto done = core_.door.feed().commit(*changes);
      if (done) return took(**item, std::move(mark), *done);
      if (done.error().code() != errc::conflict) return done.error();
    }
    return Error(errc::contention).with("item", key.str());
  }

  Result<void> took(const LoadedItem& item, PrunedItem mark, const CommitReceipt& receipt) {
    core_.door.forget(item.item.key);
    ++report_.items;
    erasing_.count(records_per_item);
    if (!item.item.parent.empty()) freed_.push_back(item.item.parent);
    freed_.insert(freed_.end(), item.item.depends_on.begin(), item.item.depends_on.end());
    mark.version = receipt.versions.back();
    return erasing_.leftovers(mark);
  }

  static bool is_gone(const Error& error, const ItemKey& key) {
    return error.code() == errc::not_found && error.context("item") == key.str();
  }

  /// What an item that went had kept may be of another domain.
  [[nodiscard]] bool is_meant(const ItemKey& key) const {
    return prune_.domain.empty() || domain_of(key) == prune_.domain;
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
  Result<ChangeSet> removal_of(const LoadedItem& item, const NeededBy& needed_by, PrunedItem& mark) {
    const ItemKey& key = item.item.key;
    ChangeSet changes;
    changes.id = core_.door.mint_commit();
    if (auto written = write_removal(storage_, changes, item, needed_by); !written) return written.error();
    mark = {key, item.chain, !prune_.export_audit, 0};
    if (mark.audit_kept) {
      const AuditDraft draft{"work_item.pruned", {{"resolvedAt", to_rfc3339(*item.item.resolved_at), ""}}, {}};
      append_audit(changes, mark.chain, erasing_.frame(key.str(), item.item.domain, changes), std::span(&draft, 1));
    } else {
      const AuditDraft draft{"work_item.pruned",
                             {{"item", key.str(), ""}, {"auditHead", item.chain.digest, ""}},
                             fmt::format("{} audit entries", item.chain.count)};
      if (auto told = erasing_.tell_domain(changes, item.item.domain, draft); !told) return told.error();
    }
    changes.puts.push_back(write_pruned(mark, true, now_));
    return changes;
  }

  // -- What an item leaves behind --

  Result<void> erase_leftovers(const std::string& cursor) {
    auto page = storage_.scan(
        {.index = Index::due, .prefix = {std::string("pruned")}, .limit_count = rows_max, .after = cursor});
    if (!page) return page.error();
    auto done = each(*page, "item", [&](const Record& row) -> Result<void> {
      auto mark = read_pruned(row);
      if (!mark) return mark.error();
      return erasing_.leftovers(*mark);
    });
    if (done) go_on(leftovers_phase, cursor, page->next);
    return done;
  }

  // -- Journals of runs --

  Result<void> take_journals(const std::string& cursor) {
    ScanRequest request = ended_before("ended", prune_, "run_");
    request.limit_count = rows_max;
    request.after = cursor;
    auto page = storage_.scan(request);
    if (!page) return page.error();
    auto done = each(*page, "run", [&](const Record& row) { return take_journal(row); });
    if (done) go_on(journals_phase, cursor, page->next);
    return done;
  }

  Result<void> take_journal(const Record& record) {
    auto run = read_run(record);
    if (!run) return run.error();
    const Expectation still{record.id, record.version};
    const std::string& id = run->id.str();
    auto erased = erasing_.range("step", id + "/", id + "0", still);
    if (!erased) return erased.error();
    if (!*erased) return {};
    ChangeSet changes;
    changes.id = core_.door.mint_commit();
    changes.expectations.push_back(still);
    run->journal_pruned = true;
    changes.puts.push_back(write_run(*run));
    const AuditDraft draft{"agent.journal_pruned", {{"run", id, ""}}, fmt::format("{} steps", run->steps)};
    if (auto told = erasing_.tell_domain(changes, domain_of(run->item), draft); !told) return told;
    auto done = erasing_.commit(changes);
    if (!done) return done.error();
    if (*done) ++report_.journals;
    return {};
  }

  // -- Idempotency keys --

  Result<void> take_keys() {
    for (bool more = true; more && !erasing_.spent();) {
      auto forgotten = forget_old_answers(storage_, now_);
      if (!forgotten) return forgotten.error();
      erasing_.count(*forgotten);
      more = *forgotten > 0;
    }
    while (!erasing_.spent()) {
      ScanRequest request = ended_before("created", prune_);
      request.limit_count = Erasing::count_max;
      auto page = storage_.scan(request);
      if (!page) return page.error();
      if (page->rows.empty()) return {};
      ChangeSet changes;
      changes.id = core_.door.mint_commit();
      for (const Record& row : page->rows) {
        changes.expectations.push_back({row.id, row.version});
        changes.erases.push_back(row.id);
      }
      if (auto done = erasing_.commit(changes); !done) return done.error();
    }
    report_.next = keys_phase;
    return {};
  }

  EngineCore& core_;
  Storage& storage_;
  const Prune& prune_;
  const Time now_;
  Erasing erasing_;
  const Receipt receipt_;
  Pruned report_;
  std::deque<ItemKey> freed_;  ///< Items to look at: of the page, then what those that went had kept.
  bool again_ = false;         ///< Something that may go was left out.
};

}  // namespace

Result<Pruned> WorkflowEngine::prune(const Actor& actor, const Prune& prune, const CallOptions& call) {
  if (auto sound = check(prune, core_->options.clock.now()); !sound) return sound.error();
  if (auto allowed = check_permission(*core_, actor, prune.domain); !allowed) return allowed.error();
  auto request = request_of(actor, call.idempotency_key, text_of(prune));
  if (!request) return request.error();
  if (*request) {
    auto known = recall_pruning(*core_, **request);
    if (!known) return known.error();
    if (*known) return std::move(**known);
  }
  auto report = Pruning(*core_, actor, prune, [&](const ItemKey& key) { return export_receipt(actor, key); }).run();
  if (!report || !*request) return report;
  return remember_pruning(*core_, **request, std::move(*report));
}

}  // namespace v0
}  // namespace openindex
