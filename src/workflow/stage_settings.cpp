#include <openindex/workflow/stage_settings.hpp>

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "json/object_reader.hpp"
#include "json/read.hpp"
#include "workflow/stage_settings_members.hpp"

namespace openindex {
inline namespace v0 {
namespace {

// What is written must be read back exactly, by those too whose numbers are doubles.
constexpr std::uint64_t whole_max = std::uint64_t{1} << 53;

// An absent member leaves the default.
template <class T>
void read_member(json::ObjectReader& in, std::string_view name, T& member) {
  if (in.member(name) == nullptr) return;
  if constexpr (std::is_same_v<T, bool>) {
    member = in.boolean(name);
  } else if constexpr (std::is_same_v<T, Duration>) {
    member = Duration(in.whole(name, whole_max).value_or(0));
  } else if constexpr (std::is_unsigned_v<T>) {
    const auto greatest = std::min<std::uint64_t>(whole_max, std::numeric_limits<T>::max());
    member = static_cast<T>(in.whole(name, greatest).value_or(0));
  } else {
    for (std::string& id : in.texts(name)) member.emplace_back(std::move(id));
  }
}

using workflow::text_of;

template <class T>
void write_value(json::Writer& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::is_same_v<T, Duration>) {
    out.number(std::int64_t{value.count()});
  } else if constexpr (std::is_unsigned_v<T>) {
    out.number(std::uint64_t{value});
  } else {
    out.begin_array();
    for (const auto& entry : value) out.string(text_of(entry));
    out.end_array();
  }
}

// A list of names, each once.
template <class Name>
void check_names(const char* list, const std::vector<Name>& names, std::size_t bytes_max,
                 std::vector<Problem>& problems) {
  constexpr std::size_t names_max = 50;
  if (names.size() > names_max) problems.push_back({list, fmt::format("has more than {} entries", names_max)});
  for (auto name = names.begin(); name != names.end(); ++name) {
    const std::string& text = text_of(*name);
    const auto pointer = fmt::format("{}/{}", list, name - names.begin());
    if (text.empty() || text.size() > bytes_max || !is_utf8(text)) {
      problems.push_back({pointer, fmt::format("must be 1 to {} bytes of UTF-8", bytes_max)});
    } else if (std::find(names.begin(), name, *name) != name) {
      problems.push_back({pointer, fmt::format("'{}' is given twice", text)});
    }
  }
}

std::vector<Problem> problems_of(const StageSettings& settings) {
  constexpr std::uint64_t count_max = 100'000;
  constexpr std::uint64_t tokens_max = 1'000'000'000'000;
  constexpr std::uint64_t cost_max = 1'000'000'000'000'000;
  constexpr Duration deadline_min = std::chrono::seconds(1);
  constexpr Duration deadline_max = std::chrono::days(3650);
  std::vector<Problem> problems;
  check_names("/providers", settings.providers, 200, problems);
  check_names("/approvals", settings.approvals, 64, problems);
  const auto at_most = [&](const char* pointer, std::uint64_t value, std::uint64_t greatest) {
    if (value > greatest) problems.push_back({pointer, fmt::format("must be 0 (no bound) to {}", greatest)});
  };
  at_most("/turnsMax", settings.turns_max, count_max);
  at_most("/tokensMax", settings.tokens_max, tokens_max);
  at_most("/callsMax", settings.calls_max, count_max);
  at_most("/costMax", settings.cost_max, cost_max);
  const bool fits = settings.deadline >= deadline_min && settings.deadline <= deadline_max;
  if (settings.deadline != Duration(0) && !fits) {
    problems.push_back(
        {"/deadlineMs", fmt::format("must be 0 (none), or {} to {}", deadline_min.count(), deadline_max.count())});
  }
  return problems;
}

Error refusal(std::vector<Problem> problems) {
  return Error(errc::invalid_argument, "The settings of a stage cannot be like this")
      .with_problems(std::move(problems));
}

}  // namespace

Result<void> StageSettings::validate() const {
  auto problems = problems_of(*this);
  if (problems.empty()) return {};
  return refusal(std::move(problems));
}

Result<StageSettings> StageSettings::from_json(std::string_view json) {
  auto parsed = json::parse(json, {.bytes_max = 64u * 1024, .depth_max = 8, .refuse_duplicates = true});
  if (!parsed) return parsed.error();
  std::vector<Problem> problems;
  StageSettings settings;
  json::ObjectReader in(*parsed, "", problems);
  workflow::each_member([&](std::string_view name, auto member) { read_member(in, name, settings.*member); });
  in.refuse_unknown();
  // What was misread has its default by now, which is no second problem.
  for (Problem& problem : problems_of(settings)) problems.push_back(std::move(problem));
  if (!problems.empty()) return refusal(std::move(problems));
  return settings;
}

std::string StageSettings::to_json() const {
  json::Writer out;
  out.begin_object();
  workflow::write_members(out, *this);
  out.end_object();
  return std::move(out).str();
}

}  // namespace v0

namespace workflow {

void write_members(json::Writer& out, const StageSettings& settings) {
  each_member([&](std::string_view name, auto member) { write_value(out.key(name), settings.*member); });
}

}  // namespace workflow
}  // namespace openindex
