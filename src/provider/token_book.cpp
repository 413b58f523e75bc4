#include "provider/token_book.hpp"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "engine/commit.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::providers {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr const char* use_kind = "token_use";
constexpr const char* day_kind = "token_day";
constexpr const char* total_kind = "token_total";
constexpr std::uint32_t fold_max = 500;
constexpr std::uint32_t drop_max = 200;
constexpr std::uint32_t page_max = 1000;
constexpr std::size_t model_bytes_max = 200;
constexpr days kept{400};

sys_days day_of(Time at) { return std::chrono::floor<days>(at); }

std::string day_text(Time day) {
  const std::chrono::year_month_day date(day_of(day));
  return fmt::format("{:04}{:02}{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string below(const ProviderId& provider, std::string_view key) { return provider.str() + "/" + std::string(key); }

/// All rows of one kind below a provider.
ScanRequest all_of(const char* kind, const ProviderId& provider, std::uint32_t limit) {
  return {.prefix = {std::string(kind)},
          .from = below(provider, ""),
          .below = provider.str() + "0",  // '0' follows '/'
          .limit_count = limit};
}

RecordId day_record(const ProviderId& provider, const TokenUse& use) {
  return {day_kind, below(provider, day_text(use.period_start) + "/" + use.model)};
}

RecordId total_record(const ProviderId& provider, const std::string& model) {
  return {total_kind, below(provider, model)};
}

constexpr std::uint64_t sum_max = std::uint64_t{1} << 62;  // numbers in records are signed

Put write_use(RecordId id, const TokenUse& use, std::string_view commit = {}) {
  json::Writer out;
  out.begin_object().member("commit", commit).key("model").string(use.model);
  out.key("at").number(std::int64_t{use.period_start.time_since_epoch().count()});
  out.key("input").number(use.input).key("output").number(use.output).end_object();
  return {std::move(id), std::move(out).str(), {}};
}

Result<TokenUse> read_use(const Record& record) {
  auto in = json::Stored::read(record.body, "use of tokens " + record.id.key);
  if (!in) return in.error();
  return TokenUse{in->text("model"), in->natural("input"), in->natural("output"), Time(day_of(in->time("at")))};
}

std::uint64_t capped(std::uint64_t one, std::uint64_t other) { return std::min(one + other, sum_max); }

void add(TokenUse& sum, const TokenUse& use) {
  sum.model = use.model;
  sum.period_start = use.period_start;
  sum.input = capped(sum.input, use.input);
  sum.output = capped(sum.output, use.output);
}

// Uses by day, the latest first, and model.
using Days = std::map<std::pair<std::int64_t, std::string>, TokenUse>;

void add(Days& sums, const TokenUse& use) { add(sums[{-use.period_start.time_since_epoch().count(), use.model}], use); }

}  // namespace

Time period_start(TokenLimit::Period period, Time at) {
  const sys_days day = day_of(at);
  if (period == TokenLimit::Period::day) return day;
  if (period == TokenLimit::Period::week) return day - (std::chrono::weekday(day) - std::chrono::Monday);
  const std::chrono::year_month_day date(day);
  return sys_days(date.year() / date.month() / 1);
}

Time next_period(TokenLimit::Period period, Time at) {
  const Time start = period_start(period, at);
  if (period == TokenLimit::Period::day) return start + days(1);
  if (period == TokenLimit::Period::week) return start + days(7);
  return period_start(period, start + days(31));
}

// The model's name goes into keys of records, which have a bound; the commit tells whether it has happened.
Put TokenBook::entry(const ProviderId& provider, std::string_view key, const TokenUse& use, const CommitId& commit) {
  TokenUse entry = use;
  entry.model = cut_utf8(use.model, model_bytes_max);
  return write_use({use_kind, below(provider, key)}, entry, commit.str());
}

Result<std::vector<Record>> TokenBook::rows(const char* kind, const ProviderId& provider, const std::string& from) {
  std::vector<Record> out;
  ScanRequest request = all_of(kind, provider, page_max);
  request.from = below(provider, from);
  do {
    auto page = storage_.scan(request);
    if (!page) return page.error();
    std::move(page->rows.begin(), page->rows.end(), std::back_inserter(out));
    request.after = std::move(page->next);
  } while (!request.after.empty());
  return out;
}

// The uses are read before the totals: what is folded in between is counted twice rather than not at all. Who decides
// by it reads again.
Result<std::vector<TokenUse>> TokenBook::since(const ProviderId& provider, Time from) {
  auto uses = rows(use_kind, provider, "");
  if (!uses) return uses.error();
  auto totals = rows(day_kind, provider, day_text(from));
  if (!totals) return totals.error();
  Days sums;
  for (const auto* part : {&*uses, &*totals}) {
    for (const Record& row : *part) {
      const auto use = read_use(row);
      if (!use) return use.error();
      if (use->period_start >= day_of(from)) add(sums, *use);
    }
  }
  std::vector<TokenUse> out;
  for (auto& [key, sum] : sums) out.push_back(std::move(sum));
  return out;
}

Result<std::map<std::string, std::uint64_t>> TokenBook::totals(const ProviderId& provider) {
  auto uses = rows(use_kind, provider, "");
  if (!uses) return uses.error();
  auto totals = rows(total_kind, provider, "");
  if (!totals) return totals.error();
  std::map<std::string, std::uint64_t> out;
  for (const auto* part : {&*uses, &*totals}) {
    for (const Record& row : *part) {
      const auto use = read_use(row);
      if (!use) return use.error();
      out[use->model] = capped(out[use->model], capped(use->input, use->output));
    }
  }
  return out;
}

Result<void> TokenBook::fold(const ProviderId& provider, const CommitId& commit, Time now) {
  for (;;) {
    const auto more = fold_some(provider, commit, now);
    if (!more) return more.error();
    if (!*more) return {};
  }
}

/// Whether there may be more to do.
Result<bool> TokenBook::fold_some(const ProviderId& provider, const CommitId& commit, Time now) {
  const auto uses = storage_.scan(all_of(use_kind, provider, fold_max));
  if (!uses) return uses.error();
  if (uses->rows.empty()) return false;
  ChangeSet changes;
  changes.id = commit;
  Sums sums;
  for (const Record& row : uses->rows) {
    const auto use = read_use(row);
    if (!use) return use.error();
    add(sums[day_record(provider, *use)], *use);
    add(sums[total_record(provider, use->model)], *use);
    changes.expectations.push_back({row.id, row.version});
    changes.erases.push_back(row.id);
  }
  if (auto added = add_stored(sums, changes); !added) return added.error();
  if (auto dropped = drop_old(provider, now, sums, changes); !dropped) return dropped.error();
  const auto done = engine::commit(storage_, changes);
  const bool elsewhere =
      !done && (done.error().code() == errc::conflict || done.error().code() == errc::commit_unknown);
  if (!done && !elsewhere) return done.error();
  return done && uses->rows.size() == fold_max;
}

/// Add what is stored to each sum, and write it.
Result<void> TokenBook::add_stored(Sums& sums, ChangeSet& changes) {
  std::vector<RecordId> ids;
  for (const auto& [id, sum] : sums) ids.push_back(id);
  const auto known = storage_.get_bodies(ids);
  if (!known) return known.error();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& before = (*known)[i];
    TokenUse& sum = sums[ids[i]];
    if (before) {
      const auto use = read_use(*before);
      if (!use) return use.error();
      add(sum, *use);
    }
    changes.expectations.push_back({ids[i], before ? before->version : 0});
    changes.puts.push_back(write_use(ids[i], sum));
  }
  return {};
}

Result<void> TokenBook::drop_old(const ProviderId& provider, Time now, const Sums& written, ChangeSet& changes) {
  ScanRequest old = all_of(day_kind, provider, drop_max);
  old.below = below(provider, day_text(now - kept));
  const auto page = storage_.scan(old);
  if (!page) return page.error();
  for (const Record& row : page->rows) {
    if (!written.contains(row.id)) changes.erases.push_back(row.id);
  }
  return {};
}

void TokenBook::forget(const ProviderId& provider, const CommitId& commit) {
  for (const char* kind : {use_kind, day_kind, total_kind}) {
    for (;;) {
      const auto page = storage_.scan(all_of(kind, provider, fold_max));
      if (!page || page->rows.empty()) break;
      ChangeSet changes;
      changes.id = commit;
      for (const Record& row : page->rows) changes.erases.push_back(row.id);
      if (!engine::commit(storage_, changes)) break;
    }
  }
}

}  // namespace openindex::providers
