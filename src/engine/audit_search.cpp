// Searching the audit entries of every stream.
#include <algorithm>
#include <charconv>

#include <openindex/workflow_engine.hpp>

#include "engine/audit_chain.hpp"
#include "engine/core.hpp"
#include "engine/reading.hpp"
#include "storage/scan_cursor.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using namespace openindex::engine;
using Op = Predicate::Op;

constexpr std::uint32_t entries_max = 1000;
constexpr std::uint32_t examined_max = 10'000;

// Places in the audit index.
enum Field : std::size_t { at_field, domain_field, type_field, actor_field };

std::int64_t count_of(Time time) { return time.time_since_epoch().count(); }

std::vector<Predicate> predicates_of(const AuditFilter& filter) {
  std::vector<Predicate> where;
  if (!filter.domain.empty()) where.push_back({domain_field, Op::equal, filter.domain});
  if (filter.type.ends_with('.')) {
    std::string behind = filter.type;
    ++behind.back();
    where.push_back({type_field, Op::greater_equal, filter.type});
    where.push_back({type_field, Op::less, std::move(behind)});
  } else if (!filter.type.empty()) {
    where.push_back({type_field, Op::equal, filter.type});
  }
  if (!filter.actor.empty()) where.push_back({actor_field, Op::equal, filter.actor});
  return where;
}

Result<AuditPage> search_all(Storage& storage, const AuditFilter& filter) {
  ScanRequest request{.index = Index::audit,
                      .prefix = {},
                      .from = {},
                      .below = {},
                      .where = predicates_of(filter),
                      .descending = filter.newest_first,
                      .limit_count = filter.limit_count,
                      .examine_count = examined_max,
                      .after = filter.after};
  if (filter.from) request.from = count_of(*filter.from);
  if (filter.until) request.below = count_of(*filter.until);
  auto rows = storage.scan(request);
  if (!rows) return rows.error();
  AuditPage page;
  for (const Record& row : rows->rows) {
    auto entry = read_audit(row);
    if (!entry) return entry.error();
    page.entries.push_back(std::move(*entry));
  }
  page.next = std::move(rows->next);
  return page;
}

// A stream is read in key order, which is the order of its numbers, and its rows are judged here by what they feed into
// the audit index.
class StreamSearch {
 public:
  StreamSearch(Storage& storage, const AuditFilter& filter)
      : storage_(storage), filter_(filter), where_(predicates_of(filter)) {
    if (filter.from) where_.push_back({at_field, Op::greater_equal, count_of(*filter.from)});
    if (filter.until) where_.push_back({at_field, Op::less, count_of(*filter.until)});
  }

  Result<AuditPage> run() {
    auto request = first_request();
    if (!request) return request.error();
    for (std::uint32_t examined = 0;;) {
      const auto missing = static_cast<std::uint32_t>(filter_.limit_count - page_.entries.size());
      request->limit_count = where_.empty() ? missing : std::min(entries_max, examined_max - examined);
      auto rows = storage_.scan(*request);
      if (!rows) return rows.error();
      for (const Record& row : rows->rows) {
        ++examined;
        if (auto taken = take(row); !taken) return taken.error();
        const bool last = &row == &rows->rows.back() && rows->next.empty();
        const bool full = page_.entries.size() == filter_.limit_count || examined == examined_max;
        if (full && !last) page_.next = row.id.key;
        if (full || last) return std::move(page_);
      }
      if (rows->next.empty()) return std::move(page_);
      request->after = std::move(rows->next);
    }
  }

 private:
  // The cursor is the key of the last entry looked at.
  Result<ScanRequest> first_request() const {
    const std::string& stream = filter_.item.str();
    ScanRequest request{.index = Index::key,
                        .prefix = {std::string("audit")},
                        .from = stream + "/",
                        .below = stream + "0",  // '0' follows '/'
                        .where = {},
                        .descending = filter_.newest_first};
    if (filter_.after.empty()) return request;
    std::uint64_t number = 0;
    const auto digits = std::string_view(filter_.after).substr(std::min(filter_.after.size(), stream.size() + 1));
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (audit_record(stream, number).key != filter_.after) {
      return Error(errc::invalid_argument, "This is not a cursor of this search").with("item", stream);
    }
    if (filter_.newest_first) {
      request.below = filter_.after;
    } else {
      request.from = audit_record(stream, number + 1).key;
    }
    return request;
  }

  bool matches(const Record& row) const {
    if (where_.empty()) return true;
    const auto entry = std::find_if(row.index.begin(), row.index.end(),
                                    [](const IndexEntry& fed) { return fed.index == Index::audit; });
    if (entry == row.index.end()) return false;
    return std::all_of(where_.begin(), where_.end(), [&](const Predicate& predicate) {
      const IndexValue& value = entry->values[predicate.field];
      const auto* text = std::get_if<std::string>(&value);
      return text != nullptr ? storage::holds(predicate, std::string_view(*text))
                             : storage::holds(predicate, std::get<std::int64_t>(value));
    });
  }

  Result<void> take(const Record& row) {
    if (!matches(row)) return {};
    auto entry = read_audit(row);
    if (!entry) return entry.error();
    page_.entries.push_back(std::move(*entry));
    return {};
  }

  Storage& storage_;
  const AuditFilter& filter_;
  std::vector<Predicate> where_;
  AuditPage page_;
};

}  // namespace

Result<AuditPage> WorkflowEngine::audit_entries(const Actor& actor, const AuditFilter& filter) {
  if (auto allowed = refuse_run(actor); !allowed) return allowed.error();
  if (filter.limit_count < 1 || filter.limit_count > entries_max) {
    return Error(errc::invalid_argument, "A page holds 1 to 1000 entries")
        .with("limit_count", std::to_string(filter.limit_count));
  }
  Storage& storage = core_->options.storage;
  auto page = filter.item.empty() ? search_all(storage, filter) : StreamSearch(storage, filter).run();
  if (!page) return page;
  AuditPage seen{.entries = {}, .next = std::move(page->next)};
  for (AuditEntry& entry : page->entries) {
    auto sees = core_->sees_stream(actor, entry.stream);
    if (!sees) return sees.error();
    if (*sees) seen.entries.push_back(std::move(entry));
  }
  return seen;
}

}  // namespace v0
}  // namespace openindex
