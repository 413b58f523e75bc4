// The contract on trial: every flaw is noticed by the cases that are about it, and every case notices some flaw.
#include <openindex/testing/storage_contract.hpp>

#include <algorithm>
#include <set>
#include <string>

#include "storage/flawed_storage.hpp"
#include "storage/run_contract.hpp"

using namespace openindex;
using testing::StorageUnderTest;

namespace {

StorageUnderTest with_flaw(const MakeFlaw& make_flaw) {
  return {.make = [make_flaw] { return std::make_unique<FlawedStorage>(make_flaw()); },
          .crash_and_reopen = FlawedStorage::crash_and_reopen,
          .rows_count = 3'000};
}

const testing::ContractCase& find_case(const std::vector<testing::ContractCase>& cases, const std::string& name) {
  const auto found = std::find_if(cases.begin(), cases.end(), [&](const auto& one) { return one.name == name; });
  REQUIRE_MESSAGE(found != cases.end(), name);
  return *found;
}

void check_noticed(const std::vector<MakeFlaw>& flaws) {
  for (const auto& make_flaw : flaws) {
    const auto tested = with_flaw(make_flaw);
    const auto cases = testing::storage_contract(tested);
    const auto flaw = make_flaw();
    for (const auto& name : flaw.broken) {
      const auto held = find_case(cases, name).run(tested);
      CHECK_MESSAGE(!held, "not noticed: ", flaw.name, ", by: ", name);
      if (!held) CHECK(held.error().code() == errc::storage_failed);
    }
  }
}

}  // namespace

TEST_CASE("a storage that only keeps a log of its commits keeps the storage contract") {
  auto tested = with_flaw([] { return Flaw{}; });
  run_contract(tested);
}

TEST_CASE("the storage contract notices flaws of commits") { check_noticed(commit_flaws()); }
TEST_CASE("the storage contract notices flaws of contents") { check_noticed(content_flaws()); }
TEST_CASE("the storage contract notices flaws of scans") { check_noticed(scan_flaws()); }
TEST_CASE("the storage contract notices flaws among threads") { check_noticed(thread_flaws()); }
TEST_CASE("the storage contract notices flaws after a crash") { check_noticed(crash_flaws()); }

TEST_CASE("every case of the storage contract notices a flaw") {
  std::set<std::string> needed;
  for (const auto& make_flaw : all_flaws()) {
    const auto flaw = make_flaw();
    needed.insert(flaw.broken.begin(), flaw.broken.end());
  }
  for (const auto& one : testing::storage_contract(with_flaw([] { return Flaw{}; }))) {
    CHECK_MESSAGE(needed.contains(one.name), "no flaw is known that it notices: ", one.name);
  }
}

TEST_CASE("cases of the storage contract have names of their own") {
  std::set<std::string> names;
  for (const auto& one : testing::storage_contract(with_flaw([] { return Flaw{}; }))) {
    CHECK_MESSAGE(names.insert(one.name).second, one.name);
  }
}

TEST_CASE("a case about crashes tries nothing without a way to crash") {
  const auto tested = with_flaw([] { return Flaw{}; });
  std::size_t about_crashes = 0;
  for (const auto& one : testing::storage_contract(tested)) {
    if (!one.needs_crash) continue;
    ++about_crashes;
    const auto held = one.run(tested.make);
    REQUIRE(!held);
    CHECK(held.error().code() == errc::invalid_argument);
  }
  CHECK(about_crashes + testing::storage_contract(StorageUnderTest{.make = tested.make}).size() ==
        testing::storage_contract(tested).size());
}

TEST_CASE("a storage that was not made fails every case") {
  for (const auto& one : testing::storage_contract()) {
    CHECK_MESSAGE(!one.run([]() -> std::unique_ptr<Storage> { return nullptr; }), one.name);
  }
}
