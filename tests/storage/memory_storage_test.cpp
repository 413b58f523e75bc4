#include <openindex/adapters/memory_storage.hpp>

#include "storage/run_contract.hpp"

using namespace openindex;

TEST_CASE("memory storage keeps the storage contract") {
  run_contract([] { return std::make_unique<MemoryStorage>(); });
}
