#include <openindex/testing/faulty_storage.hpp>

#include <utility>

namespace openindex {
inline namespace v0 {
namespace testing {

FaultyStorage::FaultyStorage(Storage& behind) : behind_(behind) {}
FaultyStorage::~FaultyStorage() = default;

void FaultyStorage::fail_nth(std::uint64_t nth, Fault fault, errc code) {
  const std::lock_guard lock(mutex_);
  calls_ = 0;
  fail_at_ = nth;
  failed_ = false;
  fault_ = fault;
  code_ = code;
}

void FaultyStorage::heal() { fail_nth(0); }

std::uint64_t FaultyStorage::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

bool FaultyStorage::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

std::optional<FaultyStorage::Failure> FaultyStorage::next_call() {
  const std::lock_guard lock(mutex_);
  if (++calls_ != fail_at_) return std::nullopt;
  failed_ = true;
  return Failure{fault_, code_};
}

template <class Call>
auto FaultyStorage::read(Call call) -> decltype(call()) {
  const auto failure = next_call();
  if (failure && failure->fault == Fault::before) return failure->code;
  auto answer = call();
  if (failure) return failure->code;
  return answer;
}

Result<std::vector<std::optional<Record>>> FaultyStorage::get(std::span<const RecordId> ids) {
  return read([&] { return behind_.get(ids); });
}

Result<ScanPage> FaultyStorage::scan(const ScanRequest& request) {
  return read([&] { return behind_.scan(request); });
}

Result<std::uint64_t> FaultyStorage::count(const CountRequest& request) {
  return read([&] { return behind_.count(request); });
}

std::vector<Result<CommitReceipt>> FaultyStorage::commit(std::span<const ChangeSet> changes) {
  const auto failure = next_call();
  if (meddle_ && (!failure || failure->fault == Fault::after)) meddle_();
  if (!failure) return behind_.commit(changes);
  if (failure->fault == Fault::before) return std::vector<Result<CommitReceipt>>(changes.size(), failure->code);
  const auto answers = behind_.commit(changes);
  return std::vector<Result<CommitReceipt>>(answers.size(), errc::commit_unknown);
}

Result<Changed> FaultyStorage::wait_for_change(const WaitRequest& request) { return behind_.wait_for_change(request); }

void FaultyStorage::wake() noexcept { behind_.wake(); }

}  // namespace testing
}  // namespace v0
}  // namespace openindex
