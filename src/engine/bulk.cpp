#include "engine/bulk.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/commit.hpp"
#include "engine/pending_changes.hpp"

namespace openindex::engine {
namespace {

// What an element alone is to blame for; anything else fails the call.
bool is_refusal(errc code) { return code < errc::conflict; }

std::string text_of(const Error& refused) { return fmt::format("{} ({})", refused.message(), name(refused.code())); }

Error refuse(const std::vector<Result<LoadedItemPtr>>& answer) {
  std::vector<Problem> problems;
  const Error* first = nullptr;
  for (std::size_t i = 0; i < answer.size(); ++i) {
    if (answer[i]) continue;
    const Error& refused = answer[i].error();
    if (first == nullptr) first = &refused;
    problems.push_back({fmt::format("/{}", i), text_of(refused)});
    for (const Problem& problem : refused.problems()) {
      problems.push_back({fmt::format("/{}{}", i, problem.pointer), problem.text});
    }
  }
  return Error(errc::bulk_refused).with_problems(std::move(problems)).caused_by(*first);
}

}  // namespace

Result<std::vector<Result<LoadedItemPtr>>> apply_all(EngineCore& core, std::size_t count, const BulkElement& element,
                                                     const BulkOptions& options, const BulkFinish& finish) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    PendingChanges pending(core.options.storage);
    CommitIds one_id(core.ids.mint());
    ItemDoor door({pending, core.options.clock, core.shelf, core.domains, core.numbers, one_id, core.stops});
    std::vector<Result<LoadedItemPtr>> answer;
    answer.reserve(count);
    bool refused = false;
    for (std::size_t i = 0; i < count; ++i) {
      answer.push_back(element(door, i));
      if (answer.back()) continue;
      if (!is_refusal(answer.back().error().code())) return answer.back().error();
      refused = true;
    }
    if (options.dry_run || (refused && !options.partial)) return answer;
    if (finish && !refused) {
      auto last = finish(answer);
      if (!last) return last.error();
      if (auto added = commit(pending, *last); !added) return added.error();
    }
    if (pending.empty()) return answer;
    auto done = core.door.feed().commit(pending.whole());
    if (done) return answer;
    if (done.error().code() != errc::conflict) return done.error();
  }
  return Error(errc::contention);
}

Result<BulkAnswer> answer_all(EngineCore& core, std::size_t count, const BulkElement& element,
                              const BulkOptions& options) {
  if (count > bulk_count_max) {
    return Error(errc::invalid_argument, fmt::format("A call takes at most {} elements", bulk_count_max))
        .with("count", std::to_string(count));
  }
  auto all = apply_all(core, count, element, options);
  if (!all) return all.error();
  const bool refused = std::any_of(all->begin(), all->end(), [](const auto& one) { return !one; });
  if (refused && !options.partial) return refuse(*all);
  BulkAnswer answer;
  answer.reserve(count);
  for (const auto& one : *all) answer.push_back(one ? Result<WorkItem>((*one)->whole()) : one.error());
  return answer;
}

}  // namespace openindex::engine
