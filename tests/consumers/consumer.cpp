// What a program that has never seen our build does first. The package tests build it in three ways.
// [readme]
#include <iostream>

#include <openindex/openindex.hpp>

namespace oi = openindex;

int main() {
  oi::MemoryStorage storage;

  oi::ChangeSet note{.id = "first"};
  note.puts.push_back({.id = {"host.note", "hello"}, .body = R"({"text":"hi"})"});
  for (const auto& receipt : storage.commit({&note, 1})) {
    if (!receipt) return std::cerr << receipt.error().describe() << '\n', 1;
  }

  const auto page = storage.scan({.prefix = {"host.note"}});
  if (!page) return std::cerr << page.error().describe() << '\n', 1;
  for (const auto& record : page->rows) std::cout << record.id.key << ": " << record.body << '\n';
}
// [/readme]
