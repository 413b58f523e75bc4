#include "workflow/status_graph.hpp"

#include <algorithm>
#include <utility>

namespace openindex::workflow {

template <class List>
StatusGraph::Positions StatusGraph::positions(const List& list) {
  Positions out;
  for (std::size_t i = 0; i < list.size(); ++i) complete_ &= out.emplace(list[i].key, i).second;
  return out;
}

std::optional<std::size_t> StatusGraph::find(const Positions& positions, std::string_view key) {
  const auto found = positions.find(key);
  if (found != positions.end()) return found->second;
  complete_ = false;
  return std::nullopt;
}

StatusGraph::StatusGraph(const Workflow& workflow) : workflow_(workflow) {
  statuses_ = positions(workflow.statuses);
  stages_ = positions(workflow.stages);
  initial_ = find(statuses_, workflow.initial_status);
  for (const Status& status : workflow.statuses) stage_of_.push_back(find(stages_, status.stage));
  add_gates();
  add_moves();
}

void StatusGraph::add_gates() {
  for (std::size_t i = 0; i < workflow_.gates.size(); ++i) {
    const StageGate& gate = workflow_.gates[i];
    const auto from = find(stages_, gate.from_stage);
    const auto to = find(stages_, gate.to_stage);
    target_of_.push_back(find(statuses_, gate.to_status));
    if (from && to) gates_.emplace(*from * workflow_.stages.size() + *to, i);
  }
}

void StatusGraph::add_moves() {
  moves_.resize(workflow_.statuses.size());
  for (std::size_t i = 0; i < workflow_.transitions.size(); ++i) {
    const auto from = find(statuses_, workflow_.transitions[i].from);
    const auto to = find(statuses_, workflow_.transitions[i].to);
    if (!from || !to || from == to || workflow_.statuses[*from].resolution) continue;
    const auto gate = gate_between(stage_of_[*from], stage_of_[*to]);
    if (gate && target_of_[*gate] != to) {
      blocked_.push_back(i);
    } else {
      moves_[*from].push_back({*to, gate});
    }
  }
}

std::optional<std::size_t> StatusGraph::gate_between(std::optional<std::size_t> from,
                                                     std::optional<std::size_t> to) const {
  if (!from || !to) return std::nullopt;
  const auto found = gates_.find(*from * workflow_.stages.size() + *to);
  return found == gates_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<bool> StatusGraph::flood(std::vector<std::size_t> open,
                                     const std::vector<std::vector<std::size_t>>& next) const {
  std::vector<bool> wet(moves_.size());
  for (const std::size_t status : open) wet[status] = true;
  while (!open.empty()) {
    const std::size_t at = open.back();
    open.pop_back();
    for (const std::size_t to : next[at]) {
      if (wet[to]) continue;
      wet[to] = true;
      open.push_back(to);
    }
  }
  return wet;
}

std::vector<bool> StatusGraph::reached() const {
  std::vector<std::vector<std::size_t>> next(moves_.size());
  for (std::size_t from = 0; from < moves_.size(); ++from) {
    for (const Move& move : moves_[from]) next[from].push_back(move.to);
  }
  return initial_ ? flood({*initial_}, next) : std::vector<bool>(moves_.size());
}

std::vector<bool> StatusGraph::finishing() const {
  std::vector<std::vector<std::size_t>> back(moves_.size());
  std::vector<std::size_t> terminal;
  for (std::size_t from = 0; from < moves_.size(); ++from) {
    if (workflow_.statuses[from].resolution) terminal.push_back(from);
    for (const Move& move : moves_[from]) back[move.to].push_back(from);
  }
  return flood(std::move(terminal), back);
}

// Tarjan's algorithm with a stack of our own: a chain of any length must not end the program.
std::vector<std::vector<std::size_t>> StatusGraph::loops() const {
  constexpr std::size_t unseen = 0;
  const std::size_t count = moves_.size();
  std::vector<std::size_t> order(count, unseen), low(count), next(count);
  std::vector<bool> waiting(count);
  std::vector<std::size_t> path, pending;
  std::vector<std::vector<std::size_t>> out;
  std::size_t seen = 0;
  const auto enter = [&](std::size_t status) {
    order[status] = low[status] = ++seen;
    waiting[status] = true;
    path.push_back(status);
    pending.push_back(status);
  };
  const auto leave = [&](std::size_t status) {
    path.pop_back();
    if (!path.empty()) low[path.back()] = std::min(low[path.back()], low[status]);
    if (low[status] != order[status]) return;
    const auto first = std::find(pending.rbegin(), pending.rend(), status).base() - 1;
    for (auto member = first; member != pending.end(); ++member) waiting[*member] = false;
    if (pending.end() - first > 1) {
      out.emplace_back(first, pending.end());
      std::sort(out.back().begin(), out.back().end());
    }
    pending.erase(first, pending.end());
  };
  for (std::size_t start = 0; start < count; ++start) {
    if (order[start] == unseen) enter(start);
    while (!path.empty()) {
      const std::size_t at = path.back();
      if (next[at] == moves_[at].size()) {
        leave(at);
        continue;
      }
      const std::size_t to = moves_[at][next[at]++].to;
      if (order[to] == unseen) {
        enter(to);
      } else if (waiting[to]) {
        low[at] = std::min(low[at], order[to]);
      }
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace openindex::workflow
