#include <openindex/testing/storage_contract.hpp>

#include <utility>

#include "testing/contract/trial.hpp"

namespace openindex {
inline namespace v0 {
namespace testing {

Result<void> ContractCase::run(const StorageUnderTest& tested) const {
  constexpr std::uint32_t rows_count_min = 200;
  const auto refused = [](std::string message) { return Error(errc::invalid_argument, std::move(message)); };
  if (!tested.make) return refused("There is no factory: nothing was tried.");
  if (tested.rows_count < rows_count_min) return refused("rows_count is at least 200: nothing was tried.");
  if (needs_crash && !tested.crash_and_reopen) return refused("The case needs crash_and_reopen: nothing was tried.");
  return check(tested);
}

Result<void> ContractCase::run(const StorageFactory& make) const { return run(StorageUnderTest{.make = make}); }

std::vector<ContractCase> storage_contract() {
  std::vector<ContractCase> cases;
  for (auto* part : {&contract::commit_cases, &contract::bound_cases, &contract::text_cases, &contract::repeat_cases,
                     &contract::scan_cases, &contract::index_cases, &contract::paging_cases,
                     &contract::concurrency_cases, &contract::race_cases, &contract::large_table_cases}) {
    for (auto& one : part()) cases.push_back(std::move(one));
  }
  return cases;
}

std::vector<ContractCase> storage_contract(const StorageUnderTest& tested) {
  auto cases = storage_contract();
  if (!tested.crash_and_reopen) return cases;
  for (auto& one : contract::crash_cases()) {
    one.needs_crash = true;
    cases.push_back(std::move(one));
  }
  return cases;
}

}  // namespace testing
}  // namespace v0
}  // namespace openindex
