// Runs every case of the storage contract as a subcase of the test it is called from.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>

#include <openindex/testing/storage_contract.hpp>

namespace openindex {

/// How many rows the cases about large tables write: OPENINDEX_CONTRACT_ROWS, such as 1000000, or the default.
inline std::uint32_t contract_rows() {
  const char* asked = std::getenv("OPENINDEX_CONTRACT_ROWS");
  return asked != nullptr ? static_cast<std::uint32_t>(std::strtoul(asked, nullptr, 10))
                          : testing::StorageUnderTest{}.rows_count;
}

inline void run_contract(testing::StorageUnderTest tested) {
  tested.rows_count = contract_rows();
  for (const auto& one : testing::storage_contract(tested)) {
    SUBCASE(one.name.c_str()) {
      const auto held = one.run(tested);
      CHECK_MESSAGE(held.has_value(), (held ? std::string() : held.error().describe()));
    }
  }
}

inline void run_contract(const testing::StorageFactory& make) { run_contract(testing::StorageUnderTest{.make = make}); }

}  // namespace openindex
