// What the tests of power cuts share: a storage that checkpoints often, and a database from what a cut has left.
#pragma once

#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "adapters/sqlite/tuning.hpp"
#include "storage/database_file.hpp"

namespace openindex {

struct PowerCutMode {
  SqliteOptions::Synchronous synchronous = SqliteOptions::Synchronous::full;
  bool concurrent_checkpoints = false;
};

inline std::unique_ptr<SqliteStorage> open_with(const DatabaseFile& file, const PowerCutMode& mode) {
  sqlite::Tuning tuning;
  tuning.checkpoints = {.piece = 10, .soon = 20, .now = 40, .retry = 5, .concurrent = mode.concurrent_checkpoints};
  auto storage = sqlite::TunedStorage::open({.path = file.path(), .synchronous = mode.synchronous}, tuning);
  REQUIRE_MESSAGE(storage.has_value(), (storage ? std::string() : storage.error().describe()));
  CHECK((*storage)->status().value().concurrent_checkpoints == mode.concurrent_checkpoints);
  return std::move(*storage);
}

inline void write_files(const DatabaseFile& file, const std::map<std::string, std::string>& left) {
  for (const auto& [name, content] : left) {
    std::ofstream(file.folder() / name, std::ios::binary)
        .write(content.data(), static_cast<std::streamsize>(content.size()));
  }
}

inline void check_integrity(const DatabaseFile& file) {
  CHECK(PlainConnection(file).column("PRAGMA integrity_check") == std::vector<std::string>{"ok"});
}

}  // namespace openindex
