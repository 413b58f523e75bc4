// What people say to runs: end, go on, begin anew.
#include <algorithm>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "work/exit_rules.hpp"
#include "work/judge.hpp"

namespace openindex::work {
namespace {

constexpr std::size_t reason_bytes_max = 2000;
constexpr std::size_t answer_bytes_max = 16'384;

}  // namespace

Result<void> Judge::check_run(const RunId& named) const {
  if (!item_.run.empty() && (named.empty() || named == item_.run)) return {};
  return Error(errc::run_not_active).with("run", named.str()).with("item", item_.key.str());
}

Result<void> Judge::check_provider(const ProviderId& named) const {
  if (named.empty()) return {};
  const auto known = snapshot_.providers;
  if (std::find(known.begin(), known.end(), named) != known.end()) return {};
  std::vector<std::string> allowed;
  allowed.reserve(known.size());
  for (const ProviderId& provider : known) allowed.push_back(provider.str());
  return Error(errc::invalid_argument, fmt::format("The provider does not serve the stage '{}'", item_.stage))
      .with("provider", named.str())
      .with_allowed(std::move(allowed));
}

Result<Decision> Judge::operator()(const CancelRun& cancel) {
  if (auto allowed = check_privileged("cancel a run"); !allowed) return allowed.error();
  if (auto found = check_run(cancel.run); !found) return found.error();
  if (cancel.reason.size() > reason_bytes_max || !is_utf8(cancel.reason)) {
    return Error(errc::invalid_argument, "A reason is UTF-8 of at most 2000 bytes");
  }
  Decision decision;
  decision.run_ends = RunState::cancelled;
  decision.run_stopped = cancel.reason;
  if (item_.hold && item_.hold->run == item_.run) decision.hold = {HoldChange::Kind::clear};
  return decision;
}

Result<Decision> Judge::operator()(const ResumeRun& resume) {
  if (auto allowed = check_privileged("resume a run"); !allowed) return allowed.error();
  if (auto found = check_run(resume.run); !found) return found.error();
  if (resume.answer.size() > answer_bytes_max || !is_utf8(resume.answer)) {
    return Error(errc::invalid_argument, "An answer is UTF-8 of at most 16384 bytes");
  }
  if (auto known = check_provider(resume.provider); !known) return known.error();
  if (snapshot_.run == nullptr || snapshot_.run->state != RunState::waiting) {
    const RunState state = snapshot_.run == nullptr ? RunState::queued : snapshot_.run->state;
    return Error(errc::run_not_waiting).with("run", item_.run.str()).with("state", std::string(to_text(state)));
  }
  if (resume.step != 0 && resume.step != snapshot_.run->steps)
    return Error(errc::run_moved_on).with("run", item_.run.str());
  if (resume.approved && resume.step == 0) {
    return Error(errc::invalid_argument, "An approval names the step that it is about").with("run", item_.run.str());
  }
  if (resume.approved.has_value() != (snapshot_.run->reason == RunReason::needs_approval)) {
    return Error(errc::invalid_argument, resume.approved ? "The run does not ask for an approval"
                                                         : "The run asks whether a call is approved: say so")
        .with("run", item_.run.str());
  }
  Decision decision;
  decision.run_resumes = RunResumption{resume.approved, resume.answer, resume.provider};
  return decision;
}

Result<Decision> Judge::operator()(const StartRun& start) {
  if (auto allowed = check_privileged("start a run"); !allowed) return allowed.error();
  if (auto open = check_open(item_); !open) return open.error();
  if (!workflow_.stage(workflow_.stage_of(snapshot_.status)).agent_required) {
    return Error(errc::invalid_argument, fmt::format("The stage '{}' is not one that agents must do", item_.stage))
        .with("item", item_.key.str());
  }
  if (!item_.run.empty()) return Error(errc::run_in_the_way).with("run", item_.run.str());
  if (auto known = check_provider(start.provider); !known) return known.error();
  Decision decision;
  decision.run_starts = start.provider;
  return decision;
}

}  // namespace openindex::work
