// Runs every case of the storage contract as a subcase of the test it is called from.
#pragma once

#include <doctest/doctest.h>

#include <openindex/testing/storage_contract.hpp>

namespace openindex {

inline void run_contract(const testing::StorageFactory& make) {
  for (const auto& one : testing::storage_contract()) {
    SUBCASE(one.name.c_str()) {
      const auto held = one.run(make);
      CHECK_MESSAGE(held.has_value(), (held ? std::string() : held.error().describe()));
    }
  }
}

}  // namespace openindex
