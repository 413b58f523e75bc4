// Runs every case of the storage contract as a subcase of the test it is called from.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>

#include <openindex/testing/storage_contract.hpp>

namespace openindex {

/// Enough for another way to connect to a storage that has been through large tables already.
constexpr std::uint32_t few_rows = 2'000;

/// The cases about large tables write as many rows as `tested` says, or OPENINDEX_CONTRACT_ROWS, such as 1000000.
inline void run_contract(testing::StorageUnderTest tested) {
  if (const char* asked = std::getenv("OPENINDEX_CONTRACT_ROWS")) {
    tested.rows_count = static_cast<std::uint32_t>(std::strtoul(asked, nullptr, 10));
  }
  for (const auto& one : testing::storage_contract(tested)) {
    SUBCASE(one.name.c_str()) {
      const auto held = one.run(tested);
      CHECK_MESSAGE(held.has_value(), (held ? std::string() : held.error().describe()));
    }
  }
}

inline void run_contract(const testing::StorageFactory& make) { run_contract(testing::StorageUnderTest{.make = make}); }

}  // namespace openindex
