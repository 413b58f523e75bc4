#include <openindex/testing/storage_contract.hpp>

#include <utility>

#include "testing/contract/trial.hpp"

namespace openindex {
inline namespace v0 {
namespace testing {

std::vector<ContractCase> storage_contract() {
  std::vector<ContractCase> cases;
  for (auto* part : {&contract::commit_cases, &contract::bound_cases, &contract::scan_cases, &contract::paging_cases,
                     &contract::concurrency_cases}) {
    for (auto& one : part()) cases.push_back(std::move(one));
  }
  return cases;
}

}  // namespace testing
}  // namespace v0
}  // namespace openindex
