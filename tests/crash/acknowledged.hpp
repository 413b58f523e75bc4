// What processes that hammer were told, and whether the storage holds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include <openindex/storage/storage.hpp>

#include "crash/hammer.hpp"

namespace openindex::crash {

/// End the program: a promise was broken.
[[noreturn]] void broken(const std::string& promise);

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) broken(std::string(what) + ": " + result.error().describe());
  return *std::move(result);
}

/// What was acknowledged so far: the last step of each item and of each run.
struct Acknowledged {
  std::map<std::string, std::uint64_t> items;
  std::map<std::string, std::uint64_t> runs;
  std::size_t count = 0;

  void add(const Report& report);
};

/// Look for everything that was acknowledged, for halves of steps, and for more than can have been under way; verify
/// every audit chain. @returns how many items there are.
std::size_t compare(Storage& storage, const Acknowledged& acknowledged);

}  // namespace openindex::crash
