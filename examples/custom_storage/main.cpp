// A storage backend of one's own, and the proof that it is one: the storage contract, crashes included, then cut-off
// logs and kill -9.
//
// custom_storage [rows]: how many rows the cases about large tables write, by default 20,000.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <openindex/testing/storage_contract.hpp>
#include <string>

#include "directory_storage.hpp"

namespace oi = openindex;
namespace fs = std::filesystem;

namespace {

const fs::path scratch = "custom_storage_scratch";

/// A directory storage that knows its directory, and takes it away at the end.
class ScratchStorage final : public oi::Storage {
 public:
  explicit ScratchStorage(fs::path directory)
      : directory_(std::move(directory)), storage_(open_directory_storage(directory_).value()) {}
  ~ScratchStorage() override {
    storage_.reset();
    fs::remove_all(directory_);
  }
  [[nodiscard]] const fs::path& directory() const { return directory_; }

  oi::Result<std::vector<std::optional<oi::Record>>> get(std::span<const oi::RecordId> ids) override {
    return storage_->get(ids);
  }
  oi::Result<oi::ScanPage> scan(const oi::ScanRequest& request) override { return storage_->scan(request); }
  oi::Result<std::uint64_t> count(const oi::CountRequest& request) override { return storage_->count(request); }
  std::vector<oi::Result<oi::CommitReceipt>> commit(std::span<const oi::ChangeSet> sets) override {
    return storage_->commit(sets);
  }
  oi::Result<oi::Changed> wait_for_change(const oi::WaitRequest& request) override {
    return storage_->wait_for_change(request);
  }
  void wake() noexcept override { storage_->wake(); }

 private:
  fs::path directory_;
  std::unique_ptr<oi::Storage> storage_;
};

fs::path new_directory() {
  static int number = 0;
  return scratch / std::to_string(++number);
}

/// What kill -9 leaves is what the files say while the storage still lives.
std::unique_ptr<oi::Storage> crash_and_reopen(std::unique_ptr<oi::Storage> dying) {
  const auto left = new_directory();
  fs::copy(dynamic_cast<ScratchStorage&>(*dying).directory(), left, fs::copy_options::recursive);
  dying.reset();
  return std::make_unique<ScratchStorage>(left);
}

/// Put the storage through every case, a line for each; how many it failed.
int run_contract(std::uint32_t rows_count) {
  const oi::testing::StorageUnderTest tested{.make = [] { return std::make_unique<ScratchStorage>(new_directory()); },
                                             .crash_and_reopen = crash_and_reopen,
                                             .rows_count = rows_count};
  int failures = 0;
  for (const auto& one : oi::testing::storage_contract(tested)) {
    const auto held = one.run(tested);
    std::printf("%s  %s\n", held ? "holds " : "BROKEN", one.name.c_str());
    if (!held) std::printf("%s\n", held.error().describe().c_str());
    failures += held ? 0 : 1;
  }
  return failures;
}

oi::RecordId named(const std::string& key) { return {"host.example", key}; }

/// Read a counter; 0 when it is not there.
std::uint64_t value_of(oi::Storage& storage, const std::string& key) {
  const auto id = named(key);
  const auto record = storage.get({&id, 1}).value().front();
  return record ? std::stoull(record->body) : 0;
}

/// Commit a change set of two counters and an append; whether it was acknowledged.
bool count_to(oi::Storage& storage, std::uint64_t number) {
  oi::ChangeSet changes;
  changes.id = "commit_" + std::to_string(number);
  changes.puts = {{named("one"), std::to_string(number)}, {named("two"), std::to_string(number)}};
  changes.appends = {{named("audit/" + std::to_string(number)), std::string(number % 5'000, 'x')}};
  return storage.commit({&changes, 1}).front().has_value();
}

/// Tell whether both counters and the appends say the same, whatever it is.
bool is_whole(oi::Storage& storage) {
  const auto audited = storage.count({.prefix = {"host.example"}, .from = "audit/", .below = "audit0"}).value();
  return value_of(storage, "one") == audited && value_of(storage, "two") == audited;
}

/// Cut the log off at every byte of its last commit: it is there whole, or not at all. How often that was wrong.
int run_cuts() {
  const auto directory = new_directory();
  const auto storage = open_directory_storage(directory).value();
  int failures = count_to(*storage, 1) ? 0 : 1;
  const auto before = fs::file_size(directory / "log");
  failures += count_to(*storage, 2) ? 0 : 1;
  const auto after = fs::file_size(directory / "log");
  for (auto size = before; size <= after; ++size) {
    const auto cut = new_directory();
    fs::copy(directory, cut);
    fs::resize_file(cut / "log", size);
    const auto opened = open_directory_storage(cut).value();
    failures += is_whole(*opened) && value_of(*opened, "one") == (size < after ? 1 : 2) ? 0 : 1;
  }
  std::printf("%s  a log cut off at each of %ju bytes has its last commit whole or not at all\n",
              failures == 0 ? "holds " : "BROKEN", static_cast<std::uintmax_t>(after - before));
  return failures;
}

/// Count up for ever, and tell of each commit when it is acknowledged.
[[noreturn]] void count_until_killed(const fs::path& directory, int tell) {
  const auto storage = open_directory_storage(directory).value();
  for (auto number = value_of(*storage, "one") + 1;; ++number) {
    if (!count_to(*storage, number)) _exit(1);
    if (write(tell, &number, sizeof number) != sizeof number) _exit(1);
  }
}

/// Kill a process that counts after it has told of some commits; the last one it told of.
std::uint64_t kill_while_counting(const fs::path& directory, int commits) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) std::abort();
  const auto child = fork();
  if (child == 0) count_until_killed(directory, ends[1]);
  close(ends[1]);
  std::uint64_t told = 0;
  for (int i = 0; i < commits; ++i) {
    if (read(ends[0], &told, sizeof told) != sizeof told) std::abort();
  }
  kill(child, SIGKILL);
  for (std::uint64_t late = 0; read(ends[0], &late, sizeof late) == sizeof late;) told = late;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return told;
}

/// Nothing that was told of is missing, and nothing is half there; how often that was wrong.
int run_kills(int kills) {
  const fs::path directory = "custom_storage_kept";
  int failures = 0;
  std::uint64_t found = 0;
  for (int i = 0; i < kills; ++i) {
    const auto told = kill_while_counting(directory, 1 + i * 7 % 20);
    const auto storage = open_directory_storage(directory).value();
    found = value_of(*storage, "one");
    failures += found >= told && is_whole(*storage) ? 0 : 1;
  }
  std::printf("%s  kill -9, %d times: all of %llu commits are there, and each is whole\n",
              failures == 0 ? "holds " : "BROKEN", kills, static_cast<unsigned long long>(found));
  return failures;
}

}  // namespace

int main(int count, char** arguments) {
  fs::remove_all(scratch);
  fs::create_directory(scratch);
  const auto rows_count = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 20'000;
  const int failures = run_contract(static_cast<std::uint32_t>(rows_count)) + run_cuts() + run_kills(20);
  fs::remove_all(scratch);
  return failures == 0 ? 0 : 1;
}
