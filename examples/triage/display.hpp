// How the triage example reads files and shows things on the screen.
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <openindex/openindex.hpp>

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Text of strangers and models must not steer the terminal: no controls, of which U+0080 to U+009F take two bytes.
inline std::string plain(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (c < 0x20 || c == 0x7f) text[i] = ' ';
    if (c == 0xc2 && next >= 0x80 && next < 0xa0) text.replace(i, 2, " ");
  }
  return text;
}

// The first `columns` columns of a line: cut between characters, and as if each took one column.
inline std::string cut(std::string text, std::size_t columns) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (begins && columns-- == 0) break;
  }
  text.resize(at);
  return text;
}

inline std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// How many stages agents have still to do.
inline std::size_t stages_ahead(const std::vector<openindex::WorkItem>& items) {
  std::size_t count = 0;
  for (const auto& item : items) {
    count += item.stage == "intake" || item.stage == "triage" ? 2 : item.stage == "plan" ? 1 : 0;
  }
  return count;
}

// A bar with counts on a terminal, plain lines elsewhere.
class ProgressLine {
 public:
  explicit ProgressLine(const std::vector<openindex::WorkItem>& items) : stages_(stages_ahead(items)) {}

  void operator()(const openindex::RunUpdate& update) {
    constexpr const char* words[] = {"started", "turn", "tool", "waiting", "ended"};
    if (update.what == openindex::RunUpdate::What::ended) ++ended_;
    std::string line = update.run.item.str() + " " + update.run.stage + ": " + words[static_cast<int>(update.what)];
    if (!update.detail.empty()) line += " (" + std::string(update.detail) + ")";
    if (isatty(STDOUT_FILENO) == 0) {
      std::printf("%s\n", plain(line).c_str());
    } else {
      const std::size_t filled = stages_ == 0 ? 30 : 30 * std::min(ended_, stages_) / stages_;
      line = "[" + std::string(filled, '#') + std::string(30 - filled, '.') + "] " + std::to_string(ended_) + "/" +
             std::to_string(stages_) + " stages  " + line;
      // The last column stays free: some terminals wrap when it is written.
      std::printf("\r\033[K%s", cut(plain(line), terminal_width() - 1).c_str());
    }
    std::fflush(stdout);
  }

 private:
  std::size_t stages_;
  std::size_t ended_ = 0;
};

inline void print_start(std::size_t open, std::size_t queued, const openindex::Provider& provider) {
  std::printf("%zu bugs are open, %zu of them wait in the queue.\n", open, queued);
  std::printf("The provider is %s (type %s, model %s).\n", provider.name.c_str(), provider.type.c_str(),
              provider.config.at("model").c_str());
}

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

inline void print_explanation(const openindex::ItemKey& key, const openindex::Explanation& why) {
  std::printf("%s: %s\n", key.str().c_str(), plain(why.summary).c_str());
  if (!why.next.empty()) std::printf("        to do: %s\n", plain(why.next.front()).c_str());
}

// No run that is still open, or one that only a person can move.
inline bool waits_for_person(const openindex::Explanation& why) {
  using openindex::RunReason;
  return why.run_state >= openindex::RunState::succeeded || why.run_reason == RunReason::needs_person ||
         why.run_reason == RunReason::crash_loop;
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
