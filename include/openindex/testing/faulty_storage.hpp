// FaultyStorage: a Storage that fails when told to, in front of a real one.
//
// For fail-the-nth-call tests: `fail_nth(1)`, `fail_nth(2)`, … until the operation succeeds.
// Thread safety: all methods, from any threads. Lifetime: does not own the storage behind it, which must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include <openindex/storage/storage.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

class OPENINDEX_API FaultyStorage final : public Storage {
 public:
  explicit FaultyStorage(Storage& behind);
  ~FaultyStorage() override;

  enum class Fault : std::uint8_t {
    before,  ///< Fail without doing anything.
    after,   ///< Do it, then answer `commit_unknown` (commits) or the code (reads).
  };

  /// Fail the nth call from now (1: the next) of get, scan, count or commit, once.
  void fail_nth(std::uint64_t nth, Fault fault = Fault::before, errc code = errc::storage_failed);

  /// Do something in between: called before every commit that is let through, on the committing thread and outside any
  /// lock, such as to let somebody else commit first. Empty: nothing. Not while other threads commit.
  void before_commit(std::function<void()> meddle) { meddle_ = std::move(meddle); }

  /// Let every call through again.
  void heal();

  /// Return how many calls came in since the last `fail_nth` or `heal`.
  [[nodiscard]] std::uint64_t calls() const;

  /// Tell whether the planned failure has happened.
  [[nodiscard]] bool failed() const;

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override;
  Result<ScanPage> scan(const ScanRequest& request) override;
  Result<std::uint64_t> count(const CountRequest& request) override;
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override;
  Result<Changed> wait_for_change(const WaitRequest& request) override;
  void wake() noexcept override;

 private:
  struct Failure {
    Fault fault;
    errc code;
  };
  std::optional<Failure> next_call();  // counts a call and returns the failure it must have, if any
  template <class Call>
  auto read(Call call) -> decltype(call());

  Storage& behind_;
  mutable std::mutex mutex_;
  std::uint64_t calls_ = 0;
  std::uint64_t fail_at_ = 0;
  bool failed_ = false;
  Fault fault_ = Fault::before;
  errc code_ = errc::storage_failed;
  std::function<void()> meddle_;
};

}  // namespace testing
}  // namespace v0
}  // namespace openindex
