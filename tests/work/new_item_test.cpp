#include <doctest/doctest.h>

#include <openindex/work/work_item.hpp>

using namespace openindex;
using namespace std::chrono_literals;

TEST_CASE("items are read from JSON with every member they can have") {
  const auto items = NewItem::list_from_json(R"([{"title": "crash", "description": "d", "priority": "high",
      "workflow": "TRIAGE", "executionTarget": "either", "status": "new", "domain": "BUG", "idempotencyKey": "k",
      "fields": {"a": "text", "b": 2.5, "c": {"date": "2026-12-01"}}}, {"title": "x"}])");
  REQUIRE(items);
  REQUIRE(items->size() == 2);
  const NewItem& first = items->front();
  CHECK(first.priority == Priority::high);
  CHECK(first.execution_target == ExecutionTarget::either);
  CHECK(first.fields == FieldValues{{"a", "text"}, {"b", 2.5}, {"c", Date(2026y / 12 / 1)}});
  CHECK(first.idempotency_key == "k");
}

TEST_CASE("every mistake in a list of items is named with its place") {
  const auto items = NewItem::list_from_json(
      R"([{"title": 1}, {"title": "x", "priority": "urgent"}, 7, {"title": "x", "fields": {"a": [1]}, "extra": 0}])");
  REQUIRE_FALSE(items);
  std::string places;
  for (const auto& problem : items.error().problems()) places += problem.pointer + " ";
  CHECK(places == "/0/title /1/priority /2 /3/fields/a /3/extra ");
  CHECK(NewItem::list_from_json("{}").error().problems().front().text == "must be an array");
  CHECK(NewItem::list_from_json("[").error().code() == errc::invalid_json);
}
