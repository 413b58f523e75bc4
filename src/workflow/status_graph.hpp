// The moves that a definition leaves possible, as a graph of its statuses. Made from any definition, right or wrong:
// what names something unknown is left out.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <openindex/workflow/workflow.hpp>

namespace openindex::workflow {

// Positions in the lists of the definition; of two entries with one key, the first counts.
class StatusGraph {
 public:
  struct Move {
    std::size_t to;
    std::optional<std::size_t> gate;  // that must be progressed to make it
  };

  // @pre the definition outlives the graph
  explicit StatusGraph(const Workflow& workflow);

  // Every key that the graph is made of is unique and known where it is named.
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] std::optional<std::size_t> initial() const { return initial_; }
  [[nodiscard]] std::optional<std::size_t> stage_of(std::size_t status) const { return stage_of_[status]; }
  [[nodiscard]] std::span<const Move> moves(std::size_t status) const { return moves_[status]; }

  // Transitions that nobody can make: they cross a gated boundary to another status than the gate's.
  [[nodiscard]] const std::vector<std::size_t>& blocked() const { return blocked_; }

  // Tell for each status whether an item can come there from the initial one.
  [[nodiscard]] std::vector<bool> reached() const;

  // Tell for each status whether a terminal one can be reached from there.
  [[nodiscard]] std::vector<bool> finishing() const;

  // Sets of at least two statuses that all lead to each other; each in the order of the definition.
  [[nodiscard]] std::vector<std::vector<std::size_t>> loops() const;

 private:
  using Positions = std::unordered_map<std::string_view, std::size_t>;

  template <class List>
  Positions positions(const List& list);
  std::optional<std::size_t> find(const Positions& positions, std::string_view key);
  void add_gates();
  void add_moves();
  [[nodiscard]] std::optional<std::size_t> gate_between(std::optional<std::size_t> from,
                                                        std::optional<std::size_t> to) const;
  [[nodiscard]] std::vector<bool> flood(std::vector<std::size_t> open,
                                        const std::vector<std::vector<std::size_t>>& next) const;

  const Workflow& workflow_;
  bool complete_ = true;
  Positions statuses_, stages_;
  std::optional<std::size_t> initial_;
  std::vector<std::optional<std::size_t>> stage_of_;
  std::unordered_map<std::size_t, std::size_t> gates_;  // by boundary: from stage * number of stages + to stage
  std::vector<std::optional<std::size_t>> target_of_;   // by gate
  std::vector<std::vector<Move>> moves_;
  std::vector<std::size_t> blocked_;
};

}  // namespace openindex::workflow
