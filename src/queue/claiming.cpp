#include "queue/claiming.hpp"

#include <utility>

#include <fmt/format.h>

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"
#include "queue/free_items.hpp"
#include "work/command_json.hpp"

namespace openindex {
inline namespace v0 {
namespace {

// So many fresh windows whose every candidate was lost to others: the caller had better come back later.
constexpr int fills_max = 16;

}  // namespace

AgentQueue::Claiming::Claiming(WorkflowEngine& engine, Window& window, const Actor& actor, const QueueFilter& filter,
                               const Claim& claim, std::size_t count, std::string idempotency_key)
    : engine_(engine),
      window_(window),
      actor_(actor),
      filter_(filter),
      claim_(claim),
      count_(count),
      idempotency_key_(std::move(idempotency_key)) {}

Result<std::vector<WorkItem>> AgentQueue::Claiming::run() {
  if (auto sound = engine::check_idempotency_key(idempotency_key_); !sound) return sound.error();
  if (auto recalled = recall(); !recalled) return recalled.error();
  if (!claimed_.empty()) return std::move(claimed_);
  for (int fills = 0; fills < fills_max && claimed_.size() < count_;) {
    const auto before = claimed_.size();
    auto candidates = choose(fills);
    auto claimed = candidates ? claim_all(*candidates) : Result<void>(candidates.error());
    // What was claimed is the caller's; the next call will meet the error again.
    if (!claimed && claimed_.empty()) return claimed.error();
    if (!claimed || candidates->empty()) break;
    // A window that others have emptied or that fits nobody is looked through once, not again and again.
    if (unfit_ && claimed_.empty() && fills > 1) break;
    if (claimed_.size() > before) fills = 0;
  }
  if (claimed_.empty() && unfit_) return *unfit_;
  return std::move(claimed_);
}

engine::Request AgentQueue::Claiming::request(std::size_t slot) const {
  const std::string what =
      fmt::format("claim {} next\n{}\n{}", count_, Window::name(actor_, filter_), work::to_json(claim_));
  auto request = engine::request_of(actor_, fmt::format("{}\n{}", idempotency_key_, slot), {}, what);
  request.key = idempotency_key_;
  return request;
}

// What an earlier call under the same key was given.
Result<void> AgentQueue::Claiming::recall() {
  if (idempotency_key_.empty()) return {};
  for (std::size_t slot = count_; slot-- > 0;) {
    auto known = engine_.core().door.recall(request(slot));
    if (!known) return known.error();
    if (*known) {
      claimed_.push_back((*known)->whole());
    } else {
      slots_.push_back(slot);
    }
  }
  return {};
}

Result<AgentQueue::Claiming::Candidates> AgentQueue::Claiming::choose(int& fills) {
  Candidates chosen;
  while (chosen.size() < count_ - claimed_.size()) {
    auto candidate = window_.next(actor_, filter_, fills);
    if (!candidate) return candidate.error();
    if (!*candidate || fills >= fills_max) break;
    auto member = queue::may_claim(engine_.core(), actor_, engine::domain_of((*candidate)->key()));
    if (!member) return member.error();
    if (*member) chosen.push_back(std::move(**candidate));
  }
  return chosen;
}

Result<void> AgentQueue::Claiming::claim_all(const Candidates& candidates) {
  std::vector<engine::Change> changes;
  std::vector<std::size_t> slots;
  for (const auto& candidate : candidates) {
    engine::Change change{.key = candidate.key(), .actor = actor_};
    change.decide = [this](const engine::LoadedItem& item, Time now) -> Result<Decision> {
      auto free = queue::takeable(engine_.core(), item, filter_, now);
      if (!free) return free.error();
      if (!*free) return errc::already_claimed;  // held by this agent, too: it has that one already
      return decide(item.snapshot(), claim_, actor_, now);
    };
    if (!idempotency_key_.empty()) {
      slots.push_back(slots_.back());
      slots_.pop_back();
      change.request = request(slots.back());
    }
    changes.push_back(std::move(change));
  }
  auto outcomes = engine_.core().door.apply(changes);
  std::optional<Error> failure;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i]) {
      claimed_.push_back(outcomes[i]->item->whole());
      continue;
    }
    if (!slots.empty()) slots_.push_back(slots[i]);
    const Error& error = outcomes[i].error();
    switch (error.code()) {
      case errc::already_claimed:
      case errc::contention:
        window_.lost(actor_, filter_, candidates[i].key());
        break;
      case errc::already_resolved:
      case errc::not_for_agents:
      case errc::stage_for_runs:
      case errc::dependencies_unresolved:
      case errc::not_found:
        break;  // it changed since it was seen
      case errc::status_transition_not_allowed:
      case errc::gate_required:
        unfit_ = error;
        break;
      default:
        failure = error;
    }
  }
  return failure ? Result<void>(*failure) : Result<void>();
}

}  // namespace v0
}  // namespace openindex
