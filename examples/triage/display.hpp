// What the triage example shows on the screen; nothing in here matters to openindex.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include <openindex/openindex.hpp>

// Text of strangers and models must not steer the terminal.
inline std::string plain(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

// A bar with counts on a terminal, plain lines elsewhere.
class ProgressLine {
 public:
  explicit ProgressLine(std::size_t stages) : stages_(stages) {}

  void operator()(const openindex::RunUpdate& update) {
    constexpr const char* words[] = {"started", "turn", "tool", "waiting", "ended"};
    if (update.what == openindex::RunUpdate::What::ended) ++ended_;
    std::string line = update.run.item.str() + " " + update.run.stage + ": " + words[static_cast<int>(update.what)];
    if (!update.detail.empty()) line += " (" + std::string(update.detail) + ")";
    line = plain(line);
    if (isatty(STDOUT_FILENO) == 0) {
      std::printf("%s\n", line.c_str());
    } else {
      const std::size_t filled = stages_ == 0 ? 30 : 30 * std::min(ended_, stages_) / stages_;
      std::printf("\r\033[K[%s%s] %zu/%zu stages  %.70s", std::string(filled, '#').c_str(),
                  std::string(30 - filled, '.').c_str(), ended_, stages_, line.c_str());
    }
    std::fflush(stdout);
  }

 private:
  std::size_t stages_;
  std::size_t ended_ = 0;
};

inline void print_items(const std::vector<openindex::WorkItem>& items) {
  std::printf("\n%-7s %-10s %-9s %-12s %s\n", "ITEM", "STATUS", "SEVERITY", "COMPONENT", "TITLE");
  for (const auto& item : items) {
    const auto field = [&](const char* key) {
      const auto found = item.fields.find(key);
      return found == item.fields.end() ? std::string("-") : found->second.display();
    };
    std::printf("%-7s %-10s %-9s %-12s %s\n", item.key.str().c_str(), item.status.c_str(), field("severity").c_str(),
                plain(field("component")).c_str(), plain(item.title).c_str());
  }
}

inline void print_trail(const openindex::ItemKey& key, const std::vector<openindex::AuditEntry>& trail) {
  std::printf("\nAudit trail of %s:\n", key.str().c_str());
  for (const auto& entry : trail) {
    std::printf("  %3llu %s %-6s %-20s %s", static_cast<unsigned long long>(entry.number),
                openindex::to_rfc3339(entry.at).c_str(), entry.actor_kind.c_str(), entry.actor.c_str(),
                entry.type.c_str());
    for (const auto& change : entry.changes) {
      std::printf("  %s: '%s' -> '%s'", change.what.c_str(), plain(change.before).c_str(), plain(change.after).c_str());
    }
    std::printf("\n");
  }
}
