// What a scan and a count find: order, prefixes, ranges, predicates, and the requests that make no sense.
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

using Op = Predicate::Op;

Result<void> integers_are_ordered_by_size(const StorageUnderTest& tested) {
  Trial trial(tested);
  constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::pair<std::int64_t, std::string>> times = {
      {100, "f"}, {largest, "h"}, {-1, "c"}, {smallest, "a"}, {9, "e"}, {0, "d"}, {-200, "b"}, {1LL << 53, "g"}};
  for (const auto& [at, key] : times) trial.put(key, "{}", {in_due("hold", at, "s")});
  trial.equal("ascending", trial.keys({.index = Index::due, .prefix = {"hold"}}),
              Keys{"a", "b", "c", "d", "e", "f", "g", "h"});
  trial.equal("a range below zero", trial.keys({.index = Index::due, .prefix = {"hold"}, .from = -200, .below = 0}),
              Keys{"b", "c"});
  trial.equal("from the smallest, below the largest",
              trial.keys({.index = Index::due, .prefix = {"hold"}, .from = smallest, .below = largest}),
              Keys{"a", "b", "c", "d", "e", "f", "g"});
  return trial.verdict();
}

Result<void> text_is_ordered_byte_by_byte(const StorageUnderTest& tested) {
  Trial trial(tested);
  const Keys ordered = {"",
                        " ",
                        "10",
                        "9",
                        "A",
                        "B",
                        "Z",
                        "_",
                        "a",
                        "aa",
                        "ab",
                        "a\xc3\xa9",
                        "b",
                        "z",
                        "\xc3\xa9",
                        "\xe6\x97\xa5",
                        "\xef\xbf\xbd",
                        "\xf0\x9f\x98\x80"};
  for (std::size_t i = ordered.size(); i-- > 0;) {
    trial.put(ordered[i].empty() ? "empty" : ordered[i], "{}", {in_due("hold", 1, ordered[i])});
  }
  Keys by_text = ordered;
  by_text.front() = "empty";
  trial.equal("index text", trial.keys({.index = Index::due, .prefix = {"hold", 1}}), by_text);
  trial.equal("a range of text", trial.keys({.index = Index::due, .prefix = {"hold", 1}, .from = "a", .below = "b"}),
              Keys{"a", "aa", "ab", "a\xc3\xa9"});
  return trial.verdict();
}

Result<void> equal_entries_are_ordered_by_kind_and_key(const StorageUnderTest& tested) {
  Trial trial(tested);
  const auto entry = in_due("hold", 1, "s");
  trial.commit(putting({{{"b", "1"}, "{}", {entry}},
                        {{"a", "2"}, "{}", {entry}},
                        {{"a.a", "4"}, "{}", {entry}},
                        {{"a", "3"}, "{}", {entry}}}));
  trial.equal("ascending", trial.keys({.index = Index::due, .prefix = {}}), Keys{"2", "3", "4", "1"});
  trial.equal("descending", trial.keys({.index = Index::due, .prefix = {}, .descending = true}),
              Keys{"1", "4", "3", "2"});
  return trial.verdict();
}

void fill_queue(Trial& trial) {
  trial.put("f5", "{}", {in_queue("", 2, 5)});
  trial.put("f3", "{}", {in_queue("", 1, 3)});
  trial.put("f4", "{}", {in_queue("", 1, 4, "plan")});
  trial.put("h1", "{}", {in_queue("agent", 1, 1)});
  trial.put("h2", "{}", {in_queue("agent", 9, 2)});
  trial.put("elsewhere", "{}", {in_items("OPS", 1)});
}

Result<void> the_queue_is_ordered(const StorageUnderTest& tested) {
  Trial trial(tested);
  fill_queue(trial);
  trial.equal("all of it", trial.keys({.index = Index::queue, .prefix = {}}), Keys{"f3", "f4", "f5", "h1", "h2"});
  trial.equal("what is free", trial.keys({.index = Index::queue, .prefix = {""}}), Keys{"f3", "f4", "f5"});
  trial.equal("one rank", trial.keys({.index = Index::queue, .prefix = {"", 1}}), Keys{"f3", "f4"});
  trial.equal("a whole entry", trial.keys({.index = Index::queue, .prefix = {"", 1, 4, "OPS", "TRIAGE", "plan"}}),
              Keys{"f4"});
  trial.equal("from a rank", trial.keys({.index = Index::queue, .prefix = {""}, .from = 2}), Keys{"f5"});
  trial.equal("below a number", trial.keys({.index = Index::queue, .prefix = {"", 1}, .below = 4}), Keys{"f3"});
  trial.equal("from a holder", trial.keys({.index = Index::queue, .prefix = {}, .from = "a"}), Keys{"h1", "h2"});
  trial.equal("backwards", trial.keys({.index = Index::queue, .prefix = {""}, .descending = true}),
              Keys{"f5", "f4", "f3"});
  trial.equal("one stage", trial.keys({.index = Index::queue, .prefix = {""}, .where = {{5, Op::equal, "plan"}}}),
              Keys{"f4"});
  return trial.verdict();
}

Result<void> items_are_ordered(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.put("b1", "{}", {in_items("B", 1)});
  trial.put("a10", "{}", {in_items("A", 10, "done")});
  trial.put("a2", "{}", {in_items("A", 2, "new", "agent")});
  trial.put("a1", "{}", {in_items("A", 1)});
  trial.equal("all of them", trial.keys({.index = Index::items, .prefix = {}}), Keys{"a1", "a2", "a10", "b1"});
  trial.equal("one domain", trial.keys({.index = Index::items, .prefix = {"A"}}), Keys{"a1", "a2", "a10"});
  trial.equal("a range, backwards",
              trial.keys({.index = Index::items, .prefix = {"A"}, .from = 2, .below = 11, .descending = true}),
              Keys{"a10", "a2"});
  trial.equal("one status", trial.keys({.index = Index::items, .prefix = {"A"}, .where = {{4, Op::equal, "new"}}}),
              Keys{"a1", "a2"});
  trial.equal(
      "two predicates",
      trial.keys({.index = Index::items, .prefix = {"A"}, .where = {{4, Op::equal, "new"}, {8, Op::not_equal, ""}}}),
      Keys{"a2"});
  return trial.verdict();
}

Result<void> due_times_are_ordered(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.put("late", "{}", {in_due("hold", 30, "x")});
  trial.put("soon", "{}", {in_due("hold", 10, "x")});
  trial.put("next", "{}", {in_due("hold", 20, "x")});
  trial.put("run", "{}", {in_due("run", 5, "x")});
  trial.equal("what is due", trial.keys({.index = Index::due, .prefix = {"hold"}, .below = 21}), Keys{"soon", "next"});
  trial.equal("the last one",
              trial.keys({.index = Index::due, .prefix = {"hold"}, .descending = true, .limit_count = 1}),
              Keys{"late"});
  trial.equal("an empty range", trial.keys({.index = Index::due, .prefix = {"hold"}, .from = 20, .below = 20}), Keys{});
  trial.equal("a range that is upside down",
              trial.keys({.index = Index::due, .prefix = {"hold"}, .from = 30, .below = 10}), Keys{});
  trial.equal("a topic that is not there", trial.keys({.index = Index::due, .prefix = {"parked"}}), Keys{});
  return trial.verdict();
}

Result<void> every_record_is_found_by_kind_and_key(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.commit(putting({{{"audit", "OPS-1/2"}, "{}", {}},
                        {{"audit", "OPS-1/1"}, "{}", {in_due("hold", 1, "s")}},
                        {{"audit", "OPS-10/1"}, "{}", {}},
                        {{"item", "OPS-1"}, "{}", {}},
                        {{"audit.x", "OPS-1/3"}, "{}", {}}}));
  trial.equal("everything", trial.keys({.index = Index::key, .prefix = {}}),
              Keys{"OPS-1/1", "OPS-1/2", "OPS-10/1", "OPS-1/3", "OPS-1"});
  trial.equal("one kind", trial.keys({.index = Index::key, .prefix = {"audit"}}),
              Keys{"OPS-1/1", "OPS-1/2", "OPS-10/1"});
  trial.equal("a range of keys",
              trial.keys({.index = Index::key, .prefix = {"audit"}, .from = "OPS-1/", .below = "OPS-10"}),
              Keys{"OPS-1/1", "OPS-1/2"});
  trial.equal("backwards",
              trial.keys({.index = Index::key, .prefix = {"audit"}, .below = "OPS-10", .descending = true}),
              Keys{"OPS-1/2", "OPS-1/1"});
  trial.equal("one record", trial.keys({.index = Index::key, .prefix = {"audit", "OPS-1/2"}}), Keys{"OPS-1/2"});
  trial.equal("a predicate on the key",
              trial.keys({.index = Index::key, .prefix = {"audit"}, .where = {{1, Op::not_equal, "OPS-1/2"}}}),
              Keys{"OPS-1/1", "OPS-10/1"});
  const auto page = trial.scan({.index = Index::key, .prefix = {"audit", "OPS-1/1"}});
  trial.that("a row is the whole record", page.rows.size() == 1 && page.rows[0].version == 1 &&
                                              page.rows[0].index == std::vector{in_due("hold", 1, "s")});
  return trial.verdict();
}

Result<void> predicates_compare_numbers_and_text(const StorageUnderTest& tested) {
  Trial trial(tested);
  for (int i = 1; i <= 3; ++i)
    trial.put(std::to_string(i), "{}", {in_due("hold", i, std::string(1, static_cast<char>('a' + i)))});
  const auto keys = [&](std::size_t field, Op op, IndexValue value) {
    return trial.keys({.index = Index::due, .prefix = {"hold"}, .where = {{field, op, std::move(value)}}});
  };
  const std::vector<std::pair<Op, Keys>> expected = {{Op::equal, {"2"}},   {Op::not_equal, {"1", "3"}},
                                                     {Op::less, {"1"}},    {Op::less_equal, {"1", "2"}},
                                                     {Op::greater, {"3"}}, {Op::greater_equal, {"2", "3"}}};
  for (const auto& [op, found] : expected) {
    trial.equal("a number", keys(1, op, 2), found);
    trial.equal("text", keys(2, op, "c"), found);
  }
  trial.equal("a bit of a number", keys(1, Op::has_bits, 2), Keys{"2", "3"});
  trial.equal("all bits of a number", keys(1, Op::has_bits, 3), Keys{"3"});
  trial.equal("no bit", keys(1, Op::has_bits, 0), Keys{"1", "2", "3"});
  trial.put("0", "{}", {in_due("hold", -1, "a")});
  trial.equal("the bits of a negative number", keys(1, Op::has_bits, 3), Keys{"0", "3"});
  trial.equal("the highest bit", keys(1, Op::has_bits, std::numeric_limits<std::int64_t>::min()), Keys{"0"});
  return trial.verdict();
}

Result<void> counts_agree_with_scans(const StorageUnderTest& tested) {
  Trial trial(tested);
  fill_queue(trial);
  trial.equal("all of it", trial.count({.index = Index::queue, .prefix = {}}), std::uint64_t{5});
  trial.equal("a prefix", trial.count({.index = Index::queue, .prefix = {""}}), std::uint64_t{3});
  trial.equal("a range", trial.count({.index = Index::queue, .prefix = {""}, .from = 1, .below = 2}), std::uint64_t{2});
  trial.equal("a predicate", trial.count({.index = Index::queue, .prefix = {}, .where = {{5, Op::equal, "triage"}}}),
              std::uint64_t{4});
  trial.equal("every record", trial.count({.index = Index::key, .prefix = {"host.contract"}}), std::uint64_t{6});
  trial.equal("no more than the limit", trial.count({.index = Index::queue, .prefix = {}, .limit_count = 2}),
              std::uint64_t{2});
  trial.equal("nor with a predicate",
              trial.count({.index = Index::queue, .prefix = {}, .where = {{5, Op::equal, "triage"}}, .limit_count = 3}),
              std::uint64_t{3});
  return trial.verdict();
}

Result<void> requests_that_do_not_fit_are_refused(const StorageUnderTest& tested) {
  Trial trial(tested);
  fill_queue(trial);
  trial.refuse_scan("a prefix of another type", {.index = Index::due, .prefix = {1}});
  trial.refuse_scan("a prefix that is too long", {.index = Index::key, .prefix = {"a", "b", "c"}});
  trial.refuse_scan("a range of another type", {.index = Index::due, .prefix = {"hold"}, .from = "1"});
  trial.refuse_scan("an end of another type", {.index = Index::due, .prefix = {"hold"}, .below = "1"});
  trial.refuse_scan("a range behind the last field", {.index = Index::due, .prefix = {"hold", 1, "s"}, .from = "1"});
  trial.refuse_scan("a predicate of another type", {.index = Index::due, .prefix = {}, .where = {{1, Op::equal, "1"}}});
  trial.refuse_scan("bits of a text", {.index = Index::due, .prefix = {}, .where = {{2, Op::has_bits, "1"}}});
  trial.refuse_scan("a predicate on no field", {.index = Index::due, .prefix = {}, .where = {{3, Op::equal, "1"}}});
  trial.refuse_scan("a page of no rows", {.index = Index::due, .prefix = {}, .limit_count = 0});
  trial.refuse_scan("a page of too many rows", {.index = Index::due, .prefix = {}, .limit_count = 10'001});
  trial.refuse_scan("a scan that may look at nothing", {.index = Index::due, .prefix = {}, .examine_count = 0});
  const auto counted = trial.storage().count({.index = Index::due, .prefix = {1}});
  trial.that("a count of another type", !counted && counted.error().code() == errc::invalid_argument);
  return trial.verdict();
}

}  // namespace

std::vector<ContractCase> scan_cases() {
  return {
      {"integers are ordered by size", integers_are_ordered_by_size},
      {"text is ordered byte by byte", text_is_ordered_byte_by_byte},
      {"equal entries are ordered by kind and key", equal_entries_are_ordered_by_kind_and_key},
      {"the queue can be scanned by prefix, range and predicate", the_queue_is_ordered},
      {"items can be scanned by prefix, range and predicate", items_are_ordered},
      {"due times can be scanned by prefix and range", due_times_are_ordered},
      {"every record is found by kind and key", every_record_is_found_by_kind_and_key},
      {"predicates compare numbers and text", predicates_compare_numbers_and_text},
      {"counts agree with scans and stop at their limit", counts_agree_with_scans},
      {"requests that do not fit the index are refused", requests_that_do_not_fit_are_refused},
  };
}

}  // namespace openindex::contract
