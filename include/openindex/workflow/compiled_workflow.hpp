// CompiledWorkflow: one version of a definition, with everything looked up that the rules need.
//
// Made once per version and shared; `decide` reads it and never searches text where a number will do.
//
// Thread safety: immutable after `compile`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <openindex/workflow/workflow.hpp>

namespace openindex {
inline namespace v0 {

using StatusIndex = std::uint16_t;  ///< Position in `Workflow::statuses`.
using StageIndex = std::uint16_t;   ///< Position in `Workflow::stages`.
using GateIndex = std::uint16_t;    ///< Position in `Workflow::gates`.
using FieldIndex = std::uint16_t;   ///< Position in `Workflow::fields`.

/// How a text stands to the pattern of a field.
enum class PatternFit : std::uint8_t {
  fits,         ///< The whole text matches, or the field has no pattern.
  differs,      ///< It does not match.
  too_involved  ///< Matching was given up: it would take too many steps or too much memory.
};

class OPENINDEX_API CompiledWorkflow {
 public:
  /// Check and compile. @par Errors invalid_definition
  static Result<std::shared_ptr<const CompiledWorkflow>> compile(Workflow workflow, std::uint32_t version);

  [[nodiscard]] const Workflow& definition() const noexcept { return workflow_; }
  [[nodiscard]] std::uint32_t version() const noexcept { return version_; }
  [[nodiscard]] StatusIndex initial() const noexcept { return initial_; }

  [[nodiscard]] std::optional<StatusIndex> find_status(std::string_view key) const;
  [[nodiscard]] std::optional<StageIndex> find_stage(std::string_view key) const;
  [[nodiscard]] std::optional<GateIndex> find_gate(std::string_view key) const;
  [[nodiscard]] std::optional<FieldIndex> find_field(std::string_view key) const;

  [[nodiscard]] const Status& status(StatusIndex index) const { return workflow_.statuses[index]; }
  [[nodiscard]] const Stage& stage(StageIndex index) const { return workflow_.stages[index]; }
  [[nodiscard]] const StageGate& gate(GateIndex index) const { return workflow_.gates[index]; }
  [[nodiscard]] StageIndex stage_of(StatusIndex status) const { return stage_of_[status]; }
  [[nodiscard]] StatusIndex target_of(GateIndex gate) const { return target_of_[gate]; }

  /// Statuses that one transition leads to, in the order of the definition.
  [[nodiscard]] std::span<const StatusIndex> exits(StatusIndex from) const { return exits_[from]; }
  [[nodiscard]] bool joined(StatusIndex from, StatusIndex to) const;

  /// Gates out of a stage, in the order of the definition.
  [[nodiscard]] std::span<const GateIndex> gates_from(StageIndex stage) const { return gates_from_[stage]; }
  /// The gate between two stages, if the boundary is gated.
  [[nodiscard]] std::optional<GateIndex> gate_between(StageIndex from, StageIndex to) const;

  /// Match a text against the pattern of a field, which was compiled with the workflow. Gives up after some tenths of a
  /// second at the worst. @pre valid UTF-8
  [[nodiscard]] PatternFit fit_pattern(FieldIndex field, std::string_view text) const;

 private:
  struct Lookup;

  CompiledWorkflow() = default;
  void index();

  Workflow workflow_;
  std::uint32_t version_ = 0;
  StatusIndex initial_ = 0;
  std::vector<StageIndex> stage_of_;
  std::vector<StatusIndex> target_of_;
  std::vector<std::vector<StatusIndex>> exits_;
  std::vector<std::vector<GateIndex>> gates_from_;
  std::shared_ptr<const Lookup> lookup_;
};

}  // namespace v0
}  // namespace openindex
