// The engine in a transaction of the host.
#include <cassert>
#include <utility>

#include "engine/core.hpp"

namespace openindex {
inline namespace v0 {
namespace {

/// Stands where a transaction could not be had, and says why.
class Refusal final : public Storage {
 public:
  explicit Refusal(Error error) : error_(std::move(error)) {}

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId>) override { return error_; }
  Result<ScanPage> scan(const ScanRequest&) override { return error_; }
  Result<std::uint64_t> count(const CountRequest&) override { return error_; }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    return std::vector<Result<CommitReceipt>>(changes.size(), error_);
  }
  Result<Changed> wait_for_change(const WaitRequest&) override { return error_; }
  void wake() noexcept override {}

 private:
  const Error error_;
};

}  // namespace

WorkflowEngine::WorkflowEngine(std::unique_ptr<EngineCore> core) noexcept : core_(std::move(core)) {}

WorkflowEngine WorkflowEngine::refusing(const Error& error) {
  auto refusal = std::make_unique<Refusal>(error);
  const Options options{*refusal, core_->options.clock, core_->options.random};
  return WorkflowEngine(std::make_unique<EngineCore>(options, std::move(refusal)));
}

WorkflowEngine WorkflowEngine::with(Enlistment& transaction) {
  if (&transaction.enlisted_in() != &core_->options.storage) {
    return refusing(Error(errc::invalid_argument, "The transaction is in another storage than the engine's"));
  }
  return WorkflowEngine(std::make_unique<EngineCore>(*core_, transaction));
}

WorkflowEngine WorkflowEngine::with(const Result<std::unique_ptr<Enlistment>>& transaction) {
  if (!transaction) return refusing(transaction.error());
  assert(*transaction && "there is nothing to work in");
  return with(**transaction);
}

}  // namespace v0
}  // namespace openindex
