// How a prompt is stored: a record by its name. Which models it is associated with stands in theirs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <openindex/core/result.hpp>
#include <openindex/provider/integration.hpp>
#include <openindex/storage/storage.hpp>

#include "engine/audit_chain.hpp"

namespace openindex::providers {

RecordId prompt_record(const std::string& name);

struct PromptRecord {
  std::string name;
  std::string id;             ///< Another one for each prompt that ever had the name.
  bool removed = false;       ///< The record stays, and with it the chain of its audit.
  std::uint64_t version = 0;  ///< Of the record; 0: not stored yet.
  std::string text;
  std::string description;
  std::uint32_t revision = 0;
  engine::ChainHead chain;
  Time created_at{};
  Time updated_at{};
  std::string created_by;
  std::string updated_by;
  std::string extra;

  [[nodiscard]] std::string stream() const { return "prompt." + prompt_record(name).key; }
};

Put write_prompt(const PromptRecord& record);
/// @par Errors storage_corrupt
Result<PromptRecord> read_prompt(const Record& record);

/// The names of `${name}` in a text, each once.
std::vector<std::string> variables_of(std::string_view text);

/// What readers get, but for the models.
Prompt view_of(const PromptRecord& record);

}  // namespace openindex::providers
