// The benchmarks: one line for each figure. Run them with tests/bench/run; docs/benchmarks.md says what they mean.
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/result.hpp>

#include "bench/disk.hpp"
#include "bench/figures.hpp"

namespace {

using namespace openindex::bench;

constexpr const char* usage = R"(usage: tests/bench/run [--filter NAME] [--json] [--dir FOLDER] [--seconds N]

  --filter NAME  only figures whose name contains NAME. Those that make a million items first are measured only then
  --json         one JSON object for each line: name, value, unit, baseline, ratio, min, max
  --seconds N    watch latencies for so long, instead of a few seconds
  --dir FOLDER   make database files here; by default in $TMPDIR or the current folder, whichever is on a disk

Each figure is measured in five rounds, each followed by a round of its baseline: the raw layer below. value and baseline
are medians, min and max the range of the value. ratio is value / baseline for rates and times alike; it is null, as
baseline is, where there is no layer below.
)";

struct Options {
  std::string filter = {};
  std::optional<std::filesystem::path> folder = {};
  std::optional<double> seconds = {};
  bool json = false;
  bool help = false;
};

/// A call that cannot be carried out as it was given.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

double read_seconds(const std::string& text) {
  double seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool whole = failed == std::errc() && end == text.data() + text.size();
  if (!whole || seconds < 0.1 || seconds > 600) throw UsageError("--seconds is a number from 0.1 to 600");
  return seconds;
}

Options read_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    const auto value = [&] {
      if (i + 1 == arguments.size() || arguments[i + 1].empty()) throw UsageError(name + " needs a value");
      return arguments[++i];
    };
    if (name == "--filter") {
      options.filter = value();
    } else if (name == "--dir") {
      options.folder = value();
    } else if (name == "--seconds") {
      options.seconds = read_seconds(value());
    } else if (name == "--json") {
      options.json = true;
    } else if (name == "--help" || name == "-h") {
      options.help = true;
    } else {
      throw UsageError("unknown argument: " + name);
    }
  }
  return options;
}

bool is_called_like(const Figure& figure, const std::string& filter) {
  const auto contains = [&](const std::string& name) { return name.find(filter) != std::string::npos; };
  return contains(figure.name) || filter.starts_with(figure.name + ".") ||
         std::any_of(figure.also.begin(), figure.also.end(), contains);
}

std::vector<Figure> choose_figures(const std::string& filter) {
  std::vector<Figure> chosen;
  std::string names;
  for (auto* room : {rules_figures, codec_figures, memory_figures, queue_figures, disk_figures, sqlite_figures,
                     life_figures, latency_figures, heartbeat_figures, checkpoint_figures, footprint_figures,
                     million_figures, postgres_figures, postgres_million_figures, claimers_figures, wake_figures}) {
    for (Figure& figure : room()) {
      names += "\n  " + figure.name;
      for (const auto& name : figure.also) names += "\n  " + name;
      const bool named = !filter.empty() || !figure.big;
      if (named && is_called_like(figure, filter)) chosen.push_back(std::move(figure));
    }
  }
  if (chosen.empty()) throw UsageError("no figure is called like " + filter + ". There are:" + names);
  return chosen;
}

std::filesystem::path choose_folder(const Options& options) {
  const auto folder = options.folder ? options.folder : default_folder();
  if (folder && is_on_disk(*folder)) return *folder;
  throw UsageError((folder ? folder->string() + " is not a folder" : "$TMPDIR and the current folder are not folders") +
                   " on a disk that can be written to: name one with --dir");
}

/// @returns whether all were measured.
bool run(const std::vector<Figure>& figures, const Options& options) {
  std::optional<TemporaryFolder> folder;
  for (const Figure& figure : figures) {
    if (figure.on_disk && !folder) {
      folder.emplace(choose_folder(options));
      std::fprintf(stderr, "-- database files in %s\n", folder->path().c_str());
    }
    const auto readings = measure(figure, {folder ? folder->path() : std::filesystem::path(), options.seconds});
    if (!readings) return false;
    for (const Reading& reading : *readings) std::puts((options.json ? to_json(reading) : to_text(reading)).c_str());
    std::fflush(stdout);
  }
  return true;
}

}  // namespace

int main(int count, char** values) try {
  const auto options = read_options({values + 1, values + count});
  if (options.help) {
    std::fputs(usage, stdout);
    return 0;
  }
  const auto figures = choose_figures(options.filter);
#ifndef NDEBUG
  std::fputs("-- this is no release build: these figures say nothing\n", stderr);
#endif
  // Between two rounds, so that the files are removed.
  std::signal(SIGINT, [](int) { ask_to_stop(); });
  std::signal(SIGTERM, [](int) { ask_to_stop(); });
  return run(figures, options) ? 0 : 130;
} catch (const UsageError& error) {
  std::fprintf(stderr, "%s\n\n%s", error.what(), usage);
  return 2;
} catch (const openindex::BadResult& error) {
  std::fprintf(stderr, "failed: %s\n", error.error().describe().c_str());
  return 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "failed: %s\n", error.what());
  return 1;
}
