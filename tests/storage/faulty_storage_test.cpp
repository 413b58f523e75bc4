#include <openindex/testing/faulty_storage.hpp>

#include <array>
#include <utility>

#include <openindex/adapters/memory_storage.hpp>

#include "storage/run_contract.hpp"

using namespace openindex;
using testing::FaultyStorage;

namespace {

/// A memory storage with a faulty one in front of it.
struct Behind {
  MemoryStorage memory;
};

class FaultyMemory final : private Behind, public Storage {
 public:
  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return front_.get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override { return front_.scan(request); }
  Result<std::uint64_t> count(const CountRequest& request) override { return front_.count(request); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> sets) override { return front_.commit(sets); }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return front_.wait_for_change(request); }
  void wake() noexcept override { front_.wake(); }

 private:
  FaultyStorage front_{memory};
};

const RecordId item{"host.test", "a"};

ChangeSet putting(std::string body) {
  ChangeSet changes;
  changes.id = "commit_1";
  changes.puts = {{item, std::move(body), {}}};
  return changes;
}

errc commit_code(Storage& storage, const ChangeSet& changes) {
  const auto results = storage.commit({&changes, 1});
  REQUIRE(results.size() == 1);
  REQUIRE(!results.front());
  return results.front().error().code();
}

bool is_stored(Storage& storage) {
  const auto found = storage.get({&item, 1});
  REQUIRE(found);
  return found->front().has_value();
}

}  // namespace

TEST_CASE("faulty storage without faults keeps the storage contract") {
  run_contract([] { return std::make_unique<FaultyMemory>(); });
}

TEST_CASE("a fault before a commit leaves nothing behind") {
  MemoryStorage memory;
  FaultyStorage faulty(memory);
  faulty.fail_nth(1, FaultyStorage::Fault::before, errc::storage_full);
  CHECK(commit_code(faulty, putting("{}")) == errc::storage_full);
  CHECK(faulty.failed());
  CHECK_FALSE(is_stored(memory));
}

TEST_CASE("a fault after a commit leaves everything behind and says that nobody knows") {
  MemoryStorage memory;
  FaultyStorage faulty(memory);
  faulty.fail_nth(1, FaultyStorage::Fault::after, errc::storage_full);
  CHECK(commit_code(faulty, putting("{}")) == errc::commit_unknown);
  CHECK(is_stored(memory));
}

TEST_CASE("a fault answers every change set of a call") {
  MemoryStorage memory;
  FaultyStorage faulty(memory);
  faulty.fail_nth(1);
  const std::array sets = {putting("1"), putting("2"), putting("3")};
  const auto results = faulty.commit(sets);
  REQUIRE(results.size() == 3);
  for (const auto& result : results) CHECK((!result && result.error().code() == errc::storage_failed));
}

TEST_CASE("only the nth call fails, whatever it is") {
  MemoryStorage memory;
  FaultyStorage faulty(memory);
  faulty.fail_nth(3, FaultyStorage::Fault::before, errc::storage_busy);
  CHECK(faulty.get({&item, 1}).has_value());
  CHECK(faulty.count({}).has_value());
  CHECK_FALSE(faulty.failed());
  const auto page = faulty.scan({});
  REQUIRE(!page);
  CHECK(page.error().code() == errc::storage_busy);
  CHECK(faulty.failed());
  CHECK(faulty.scan({}).has_value());
  CHECK(faulty.calls() == 4);
}

TEST_CASE("a healed storage lets every call through") {
  MemoryStorage memory;
  FaultyStorage faulty(memory);
  faulty.fail_nth(1);
  faulty.heal();
  CHECK(faulty.get({&item, 1}).has_value());
  CHECK_FALSE(faulty.failed());
  CHECK(faulty.calls() == 1);
}

TEST_CASE("waiting and waking are never failed") {
  MemoryStorage memory;
  FaultyStorage faulty(memory);
  faulty.fail_nth(1);
  faulty.wake();
  CHECK(faulty.wait_for_change({.seen = 0, .timeout = Duration(0)}).has_value());
  CHECK_FALSE(faulty.failed());
}
