#include <doctest/doctest.h>

#include <set>

#include <openindex/core/result.hpp>

using namespace openindex;

TEST_CASE("every code has a name of its own, a sentence and a remedy") {
  std::set<std::string_view> names;
  for (const errc code : all_errcs()) {
    CHECK(names.insert(name(code)).second);
    CHECK_FALSE(message(code).empty());
    CHECK_FALSE(remedy(code).empty());
  }
  CHECK(names.size() > 50);
}

TEST_CASE("an error tells everything that helps") {
  const Error error = Error(errc::checklist_incomplete)
                          .with("gate", "plan_to_review")
                          .with("gate", "ignored")
                          .with_missing({"Test proposed"})
                          .with_allowed({"x"})
                          .with_problems({{"/a", "is wrong"}})
                          .with_retry_after(std::chrono::milliseconds(5))
                          .caused_by(Error(errc::storage_failed).with("path", "p"));
  CHECK(error.context("gate") == "plan_to_review");
  CHECK(error.context("nothing").empty());
  const std::string text = error.describe();
  for (const char* part : {"Stage gate checklist is incomplete", "checklist_incomplete", "plan_to_review",
                           "Test proposed", "/a", "5 ms", "storage_failed", "to do:"}) {
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("adding to a copy leaves the original alone") {
  const Error first = Error(errc::not_found);
  const Error second = first.with("item", "OPS-1");
  CHECK(first.context().empty());
  CHECK(second.context("item") == "OPS-1");
}

TEST_CASE("a result holds one side and says which") {
  const Result<int> good = 7;
  const Result<int> bad = errc::not_found;
  CHECK(good.has_value());
  CHECK(*good == 7);
  CHECK(good.value_or(1) == 7);
  CHECK(bad.value_or(1) == 1);
  CHECK(bad.error().code() == errc::not_found);
  CHECK_THROWS_AS(static_cast<void>(bad.value()), BadResult);
  CHECK(Result<int>(good).and_then([](int n) { return Result<int>(n + 1); }).value() == 8);
  CHECK(Result<int>(bad).and_then([](int n) { return Result<int>(n + 1); }).error().code() == errc::not_found);
  CHECK(Result<int>(good).transform([](int n) { return std::to_string(n); }).value() == "7");
  CHECK(Result<int>(bad).or_else([](const Error&) { return Result<int>(3); }).value() == 3);
}

TEST_CASE("the value of a temporary result outlives the expression") {
  const auto make = [] { return Result<std::vector<std::string>>(std::vector<std::string>{"one", "two"}); };
  std::string joined;
  for (const auto& text : make().value()) joined += text;
  for (const auto& text : *make()) joined += text;
  CHECK(joined == "onetwoonetwo");
}
