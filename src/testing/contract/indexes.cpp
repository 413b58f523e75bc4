// What holds for every field of every index: its place in the order, its ranges and its predicates.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

using Op = Predicate::Op;

/// The nth value of a field's type, in order; numbers and texts whose order is not that of their digits or lengths.
IndexValue nth_value(IndexType type, std::size_t nth) {
  static const std::vector<std::string> texts = {"A1", "a", "aa", "b"};
  static const std::vector<std::int64_t> numbers = {-7, 9, 10, 1'000'000'000'000};
  if (type == IndexType::text) return texts.at(nth);
  return numbers.at(nth);
}

/// An entry whose fields before one are all alike, and whose fields behind it go the other way.
IndexEntry entry_at(const IndexSchema& schema, std::size_t field, std::size_t nth) {
  IndexEntry entry{schema.index, {}};
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    entry.values.push_back(nth_value(schema.fields[i].type, i < field ? 0 : i == field ? nth : 3 - nth));
  }
  return entry;
}

Result<void> every_field_has_its_place_in_the_order(const StorageUnderTest& tested) {
  Trial trial(tested);
  for (const auto& schema : index_schemas().subspan(1)) {
    for (std::size_t field = 0; field < schema.fields.size(); ++field) {
      const auto type = schema.fields[field].type;
      const auto name = fmt::format("{}.{}", schema.name, schema.fields[field].name);
      for (const std::size_t nth : {2U, 0U, 1U}) {
        trial.put(std::to_string(nth), "{}", {entry_at(schema, field, nth)});
      }
      ScanRequest request{.index = schema.index, .prefix = {}};
      trial.equal(name + " orders the index", trial.keys(request), Keys{"0", "1", "2"});
      request.descending = true;
      trial.equal(name + " orders it backwards", trial.keys(request), Keys{"2", "1", "0"});
      request.descending = false;
      for (std::size_t i = 0; i < field; ++i) request.prefix.push_back(nth_value(schema.fields[i].type, 0));
      request.from = nth_value(type, 1);
      trial.equal("a range from " + name, trial.keys(request), Keys{"1", "2"});
      request.below = nth_value(type, 2);
      trial.equal("a range of " + name, trial.keys(request), Keys{"1"});
      request.from = {};
      trial.equal("a range below " + name, trial.keys(request), Keys{"0", "1"});
      trial.equal("a count of it",
                  trial.count({.index = schema.index, .prefix = request.prefix, .below = request.below}),
                  std::uint64_t{2});
      request = {.index = schema.index, .prefix = {}, .where = {{field, Op::greater, nth_value(type, 0)}}};
      trial.equal("a predicate on " + name, trial.keys(request), Keys{"1", "2"});
      request.where.push_back({field, Op::not_equal, nth_value(type, 2)});
      trial.equal("two predicates on " + name, trial.keys(request), Keys{"1"});
      request = {.index = schema.index, .prefix = entry_at(schema, field, 1).values};
      trial.equal("the whole entry, differing in " + name, trial.keys(request), Keys{"1"});
      if (auto verdict = trial.verdict(); !verdict) return verdict;
    }
  }
  return {};
}

Result<void> a_record_may_feed_every_index(const StorageUnderTest& tested) {
  Trial trial(tested);
  std::vector<IndexEntry> entries;
  for (const auto& schema : index_schemas().subspan(1)) entries.push_back(entry_at(schema, 0, 1));
  trial.put("full", "{}", entries);
  trial.put("bare");
  trial.that("a get has every entry", trial.get(named("full")).index == entries);
  for (const auto& entry : entries) {
    const auto name = index_schema(entry.index).name;
    const auto page = trial.scan({.index = entry.index, .prefix = {}});
    trial.that(fmt::format("a scan of {} has every entry", name),
               page.rows.size() == 1 && page.rows[0].index == entries);
  }
  trial.put("full", "{}", {entries[1]});
  for (const auto& entry : entries) {
    trial.equal(fmt::format("entries of {} that were left out", index_schema(entry.index).name),
                trial.count({.index = entry.index, .prefix = {}}), std::uint64_t{entry == entries[1] ? 1U : 0U});
  }
  return trial.verdict();
}

Result<void> prefixes_may_be_the_largest_values(const StorageUnderTest& tested) {
  Trial trial(tested);
  constexpr auto smallest = std::numeric_limits<std::int64_t>::min();
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  const std::string last_text = "\xf4\x8f\xbf\xbf";  // U+10FFFF
  trial.put("a", "{}", {in_due("hold", smallest, "")});
  trial.put("b", "{}", {in_due("hold", largest, "")});
  trial.put("c", "{}", {in_due("hold", largest, last_text)});
  trial.put("d", "{}", {in_due("hold a", smallest, "")});
  trial.put("e", "{}", {in_due(last_text, largest, last_text)});
  for (const bool descending : {false, true}) {
    const auto keys = [&](std::vector<IndexValue> prefix) {
      Keys found = trial.all_keys(
          {.index = Index::due, .prefix = std::move(prefix), .descending = descending, .limit_count = 1});
      if (descending) std::reverse(found.begin(), found.end());
      return found;
    };
    trial.equal("the smallest number", keys({"hold", smallest}), Keys{"a"});
    trial.equal("the largest number", keys({"hold", largest}), Keys{"b", "c"});
    trial.equal("text that others begin with", keys({"hold"}), Keys{"a", "b", "c"});
    trial.equal("the last text of all", keys({last_text}), Keys{"e"});
    trial.equal("the last entry of all", keys({last_text, largest, last_text}), Keys{"e"});
    trial.equal("everything", keys({}), Keys{"a", "b", "c", "d", "e"});
  }
  trial.equal("from the largest number", trial.keys({.index = Index::due, .prefix = {"hold"}, .from = largest}),
              Keys{"b", "c"});
  trial.equal("below the smallest number", trial.keys({.index = Index::due, .prefix = {"hold"}, .below = smallest}),
              Keys{});
  return trial.verdict();
}

}  // namespace

std::vector<ContractCase> index_cases() {
  return {
      {"every field of every index orders it, bounds it and filters it", every_field_has_its_place_in_the_order},
      {"a record may feed every index at once", a_record_may_feed_every_index},
      {"prefixes and ranges may be the largest values there are", prefixes_may_be_the_largest_values},
  };
}

}  // namespace openindex::contract
