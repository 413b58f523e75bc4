// A figure: one number that says how fast something is, beside the raw layer below it, measured in the same run.
//
// A later figure is one more entry in the list of its room (figures.hpp); the harness does not change.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <openindex/core/result.hpp>

namespace openindex::bench {

/// Where figures that need a disk may make files, and how long the ones that watch for a while do so.
struct Place {
  std::filesystem::path folder = {};
  std::optional<double> seconds = {};
};

/// One round each: prepare what is not measured, do the work, return the value in the figure's unit.
struct Rounds {
  std::function<double()> value = {};
  std::function<double()> baseline = {};  ///< Empty: there is no layer below that could be measured.
};

struct Measured {
  double value = 0;  ///< Medians of the rounds.
  double min = 0;
  double max = 0;
  std::optional<double> baseline = {};

  /// Value divided by baseline, for rates and times alike; nullopt without a baseline.
  [[nodiscard]] std::optional<double> ratio() const;
};

/// One line of the report.
struct Reading {
  std::string name = {};
  std::string unit = {};
  Measured measured = {};
};

struct Figure {
  std::string name = {};               ///< `room.what`, with `.t<n>` for n threads.
  std::vector<std::string> also = {};  ///< What else it reads: a filter finds it by these names, too.
  std::string unit = {};               ///< `ns` for a time, `per second` for a rate.
  bool on_disk = false;
  bool big = false;  ///< Makes a million items first, so it is measured only when a filter names it.
  std::function<Rounds(const Place&)> prepare = {};  ///< What all rounds share is made here.

  /// In place of `prepare`: measures by itself, for figures that are several numbers.
  std::function<std::vector<Reading>(const Place&)> read = {};
};

/// Measure five rounds, each followed by one of the baseline, so that both meet the same machine.
/// @returns nullopt when the program was asked to stop.
std::optional<Measured> measure(const Rounds& rounds);

/// Measure a figure, in rounds or as it does by itself. @returns as above
std::optional<std::vector<Reading>> measure(const Figure& figure, const Place& place);

/// Write a line for people, or a JSON object on one line.
std::string to_text(const Reading& reading);
std::string to_json(const Reading& reading);

/// How many rounds there are.
inline constexpr std::size_t round_count = 5;

/// Tell figures to end early; safe in a signal handler.
void ask_to_stop() noexcept;
[[nodiscard]] bool asked_to_stop() noexcept;

/// Shorter rounds say more about the scheduler than about the work.
inline constexpr std::chrono::duration<double> round_length = std::chrono::milliseconds(400);

/// Adds up the time of the parts of a round that count.
class Stopwatch {
 public:
  void start() { started_ = Clock::now(); }
  void stop() { total_ += Clock::now() - started_; }
  /// Tell whether the part under way has filled the round.
  [[nodiscard]] bool full() const { return total_ + (Clock::now() - started_) >= round_length; }
  [[nodiscard]] bool wants_more() const { return total_ < round_length; }
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(total_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point started_{};
  Clock::duration total_{0};
};

/// Go on only if the call succeeded; throws `BadResult`.
template <class T>
void require(const Result<T>& result) {
  if (!result) throw BadResult(result.error());
}

/// Make the compiler believe that somebody reads the value.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

}  // namespace openindex::bench
