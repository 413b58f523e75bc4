// The storage contract: what every backend must do, as a list of named checks.
//
// Bring a backend of your own under it: give a factory that makes an empty storage, run every case, look at the
// answers. No test framework is involved; in doctest: `for (auto& c : storage_contract()) { SUBCASE(c.name)
// CHECK(c.run(make)) }`. Target: openindex::testing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <openindex/storage/storage.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

/// Make an empty storage of its own for each call.
using StorageFactory = std::function<std::unique_ptr<Storage>()>;

struct ContractCase {
  std::string name;                                        ///< The behaviour, as a sentence.
  std::function<Result<void>(const StorageFactory&)> run;  ///< An error says what was expected and what came.
};

/// Return every case of the contract.
OPENINDEX_API std::vector<ContractCase> storage_contract();

}  // namespace testing
}  // namespace v0
}  // namespace openindex
