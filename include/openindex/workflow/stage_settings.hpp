// StageSettings: what may change about a stage while work goes on.
//
// A version of a workflow is immutable and says what a stage requires. Which providers serve the stage, what its runs
// may spend, how long they may last, and its switches are kept beside it, by workflow and stage, for all versions, and
// count at once for items and runs that are there already. `WorkflowEngine` keeps and audits them, the rules and every
// `Dispatcher` go by them. (architecture, sections 3 and 8)
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/api.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>
#include <openindex/core/result.hpp>
#include <openindex/workflow/workflow.hpp>

namespace openindex {
inline namespace v0 {

/// The settings of one stage; each default is what counts for a stage without any. JSON form (all members optional when
/// read, all written; every other member is refused with its place):
///
///     {"providers": ["prov_1", …], "turnsMax": 0, "tokensMax": 0, "callsMax": 0, "costMax": 0,
///      "deadlineMs": 0, "enabled": true,
///      "claimsByHand": true, "approvals": ["send_mail", …]}
struct OPENINDEX_API StageSettings {
  /// Who serves the stage, asked in this order. At most 50, each once.
  std::vector<ProviderId> providers = {};

  // What one run may use; 0: no bound. When the next step would need more, the run waits with `budget_exhausted` and
  // goes on when the bound is raised. A runner may have smaller bounds of its own, such as `ChatRunnerOptions`.
  std::uint32_t turns_max = 0;  ///< Answers of a model, up to 100,000.
  std::uint64_t tokens_max =
      0;                        ///< Input and output together, up to 10^12. The answer that reaches it is the last one.
  std::uint32_t calls_max = 0;  ///< Calls of the host's tools, up to 100,000.
  /// Money, in micro-units of the currency of `Dispatcher::Options::prices`, up to 10^15. As of tokens, the answer that
  /// reaches it is the last one.
  std::uint64_t cost_max = 0;

  /// How long a run may last from its creation, time spent waiting included: 1 second to 3,650 days; 0: for ever. Then
  /// the run fails with `deadline_passed`, whatever it does or waits for at that moment.
  Duration deadline{0};

  /// False: no run of the stage is started, and one that is under way stops at its next step (an answer on its way is
  /// journaled first). They wait with `stage_disabled` until it is true again. People and agents that work by hand are
  /// not concerned.
  bool enabled = true;

  /// False: while an item stands in the stage, and the stage is agent-required, no agent can claim it: it is left to
  /// the run. Whoever holds it keeps it, people work on as ever and may hand it to an agent.
  bool claims_by_hand = true;

  /// Tools of the host whose every call a person must approve, whatever the host says of them: the run waits with
  /// `needs_approval`. At most 50, each once, 1 to 64 bytes.
  std::vector<std::string> approvals = {};

  /// Read the JSON form, at most 64 KiB, and check it with `validate`.
  /// @par Errors invalid_json, input_too_large, invalid_argument: every problem with its JSON pointer
  static Result<StageSettings> from_json(std::string_view json);

  /// Write the JSON form: the same value always gives the same bytes. @pre validate() succeeds
  [[nodiscard]] std::string to_json() const;

  /// Check the bounds above. @par Errors invalid_argument: every problem with the JSON pointer it has in the JSON form
  [[nodiscard]] Result<void> validate() const;

  friend bool operator==(const StageSettings&, const StageSettings&) = default;
};

/// By key of the stage.
using StageSettingsMap = std::map<std::string, StageSettings, std::less<>>;

/// Write a definition as `Workflow::to_json` does, each of its stages with a member `settings`: the JSON form of its
/// settings, the defaults where the map has none. For those who look at both; `Workflow::from_json` refuses it, since a
/// version has no settings.
/// @pre `validate()` of all of them succeeds
OPENINDEX_API std::string merged_json(const Workflow& workflow, const StageSettingsMap& settings);

}  // namespace v0
}  // namespace openindex
