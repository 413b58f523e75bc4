#include "json/read.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/stream_parser.hpp>

#include "json/object_reader.hpp"

namespace openindex::json {
namespace {

// Watches a parse for a member that appears twice in one object, which Boost.JSON would silently overwrite.
class DuplicateWatch {
 public:
  using error_code = boost::json::error_code;
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return open(true); }
  bool on_object_end(std::size_t, error_code&) { return close(); }
  bool on_array_begin(error_code&) { return open(false); }
  bool on_array_end(std::size_t, error_code&) { return close(); }
  bool on_key_part(boost::json::string_view part, std::size_t, error_code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(boost::json::string_view part, std::size_t, error_code&) {
    key_.append(part.data(), part.size());
    Level& level = levels_.back();
    level.member = key_;
    if (!level.members.insert(std::move(key_)).second) duplicates.push_back({pointer(), "is given twice"});
    key_.clear();
    return true;
  }
  bool on_string_part(boost::json::string_view, std::size_t, error_code&) { return true; }
  bool on_string(boost::json::string_view, std::size_t, error_code&) { return leaf(); }
  bool on_number_part(boost::json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, boost::json::string_view, error_code&) { return leaf(); }
  bool on_uint64(std::uint64_t, boost::json::string_view, error_code&) { return leaf(); }
  bool on_double(double, boost::json::string_view, error_code&) { return leaf(); }
  bool on_bool(bool, error_code&) { return leaf(); }
  bool on_null(error_code&) { return leaf(); }
  bool on_comment_part(boost::json::string_view, error_code&) { return true; }
  bool on_comment(boost::json::string_view, error_code&) { return true; }

  std::vector<Problem> duplicates;

 private:
  struct Level {
    bool object = false;
    std::size_t element = 0;
    std::string member;
    std::set<std::string> members;
  };

  bool open(bool object) {
    levels_.push_back({object, 0, {}, {}});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return leaf();
  }
  bool leaf() {
    if (!levels_.empty()) ++levels_.back().element;
    return true;
  }
  std::string pointer() const {
    std::string text;
    for (const Level& level : levels_) {
      text += '/';
      text += level.object ? escape_pointer(level.member) : std::to_string(level.element);
    }
    return text;
  }

  std::vector<Level> levels_;
  std::string key_;
};

std::vector<Problem> find_duplicates(std::string_view text, const boost::json::parse_options& options) {
  boost::json::basic_parser<DuplicateWatch> parser(options);
  boost::json::error_code ignored;  // the text parsed before: it parses again
  parser.write_some(false, text.data(), text.size(), ignored);
  return std::move(parser.handler().duplicates);
}

Error not_json(std::string_view text, std::size_t parsed, const std::string& why) {
  const std::string_view before = text.substr(0, parsed);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n');
  const auto column = 1 + (line_start == std::string_view::npos ? parsed : parsed - line_start - 1);
  return Error(errc::invalid_json)
      .with("line", std::to_string(line))
      .with("column", std::to_string(column))
      .with_problems({{"", fmt::format("line {}, column {}: {}", line, column, why)}});
}

// Tell whether there may be more values than that, counting what stands before or between them outside of texts. Names
// count, too: they take as much.
bool may_hold_more(std::string_view text, std::size_t values) {
  if (text.size() <= values) return false;
  std::size_t seen = 1;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == ',' || c == ':' || c == '[' || c == '{') ++seen;
    if (c != '"') continue;
    at = text.find_first_of("\"\\", at + 1);
    while (at < text.size() && text[at] == '\\') at = text.find_first_of("\"\\", at + 2);
    if (at >= text.size()) break;
  }
  return seen > values;
}

}  // namespace

Result<boost::json::value> parse(std::string_view text, const Limits& limits, boost::json::storage_ptr memory) {
  if (text.size() > limits.bytes_max) {
    return Error(errc::input_too_large)
        .with("bytes", std::to_string(text.size()))
        .with("bytes_max", std::to_string(limits.bytes_max))
        .with_problems({{"", fmt::format("is {} bytes long; at most {}", text.size(), limits.bytes_max)}});
  }
  if (may_hold_more(text, limits.values_max)) {
    return Error(errc::input_too_large)
        .with("values_max", std::to_string(limits.values_max))
        .with_problems({{"", fmt::format("holds more than {} values and names", limits.values_max)}});
  }
  boost::json::parse_options options;
  options.max_depth = limits.depth_max;
  boost::json::stream_parser parser({}, options);
  parser.reset(std::move(memory));
  boost::json::error_code failed;
  const std::size_t parsed = parser.write_some(text.data(), text.size(), failed);
  if (!failed && parsed < text.size() && text.find_first_not_of(" \t\r\n", parsed) != std::string_view::npos) {
    return not_json(text, parsed, "text after the end of the JSON value");
  }
  if (!failed) parser.finish(failed);
  if (failed) return not_json(text, parsed, failed.message());
  if (limits.refuse_duplicates) {
    if (auto duplicates = find_duplicates(text, options); !duplicates.empty()) {
      return Error(errc::invalid_json, "The JSON text gives a member twice").with_problems(std::move(duplicates));
    }
  }
  return parser.release();
}

}  // namespace openindex::json
