// An item as the engine works with it: what readers see, and what only the books need.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <openindex/work/rules.hpp>
#include <openindex/work/work_item.hpp>
#include <openindex/workflow/compiled_workflow.hpp>

#include "engine/audit_chain.hpp"

namespace openindex::engine {

using CompiledWorkflowPtr = std::shared_ptr<const CompiledWorkflow>;

/// The large texts, shared between versions of the item that did not change them.
struct ItemText {
  std::string title;
  std::string description;
  std::string extra;  ///< Members of the stored record that this version does not know, `,"name":value…`.
};

struct LoadedItem {
  WorkItem item;  ///< Without title and description.
  std::shared_ptr<const ItemText> text;
  CompiledWorkflowPtr workflow;
  StatusIndex status = 0;
  std::int64_t number = 0;
  std::int64_t sub = 0;                ///< Of a sub-task: its number below its task.
  std::vector<std::string> workers;    ///< Ids of those who worked on it: the last 50.
  std::uint32_t attachment_count = 0;  ///< Ever added.
  std::uint64_t epoch = 0;             ///< The last one given out, also when nobody holds the item now.
  Duration hold_length{0};
  std::uint32_t run_count = 0;
  ChainHead chain;
  std::uint64_t text_version = 0;  ///< Versions of the stored records; that of the state is `item.version`.
  std::uint64_t hold_version = 0;
  std::string extra;

  [[nodiscard]] ItemSnapshot snapshot() const {
    return {*workflow, item, status, workers, text->title, text->description};
  }

  /// What readers get: with title and description.
  [[nodiscard]] WorkItem whole() const {
    WorkItem out = item;
    out.title = text->title;
    out.description = text->description;
    return out;
  }
};

using LoadedItemPtr = std::shared_ptr<const LoadedItem>;

}  // namespace openindex::engine
