#include "workflow/pattern.hpp"

#include <cstdint>
#include <locale>
#include <new>
#include <string>

#include <fmt/format.h>

// A value comes from strangers: with the library's own bound an expression such as (a+)+b would keep a thread busy for
// seconds. Only the matcher of the traits below sees this number, so a host that uses Boost.Regex keeps its own.
#define BOOST_REGEX_MAX_STATE_COUNT 5000000
#include <boost/regex.hpp>

namespace openindex::workflow {
namespace {

// A type of our own, so that nothing instantiated here is shared with the rest of the program.
struct Traits : boost::regex_traits<wchar_t, boost::cpp_regex_traits<wchar_t>> {};
using Regex = boost::basic_regex<wchar_t, Traits>;

// Characters, so that `.` and `[äöü]` mean what their author sees.
std::wstring decode(std::string_view text) {
  static_assert(sizeof(wchar_t) == 4, "a wchar_t holds any character");
  std::wstring out;
  out.reserve(text.size());
  std::uint32_t character = 0;
  int tail = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      character = byte;
    } else if (byte < 0xC0) {
      character = (character << 6) | (byte & 0x3Fu);
      --tail;
    } else {
      tail = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
      character = byte & (0x3Fu >> tail);
    }
    if (tail == 0) out += static_cast<wchar_t>(character);
  }
  return out;
}

}  // namespace

struct Pattern::Expression {
  Regex regex;
};

Result<Pattern> Pattern::compile(std::string_view text) {
  try {
    auto expression = std::make_shared<Expression>();
    expression->regex.imbue(std::locale::classic());  // what fits must not depend on where the program runs
    expression->regex.assign(decode(text), boost::regex_constants::perl);
    return Pattern(std::move(expression));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const boost::regex_error& error) {
    const std::string_view what = error.what();  // a sentence, then what our own sentence has told already
    return Error(errc::invalid_argument, fmt::format("is no regular expression: {} (character {})",
                                                     what.substr(0, what.find('.')), error.position() + 1));
  } catch (const std::exception&) {
    return Error(errc::invalid_argument, "is no regular expression");
  }
}

PatternFit Pattern::fit(std::string_view text) const {
  using namespace boost::regex_constants;
  try {
    const bool whole = boost::regex_match(decode(text), expression_->regex, match_not_dot_newline | match_single_line);
    return whole ? PatternFit::fits : PatternFit::differs;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    return PatternFit::too_involved;
  }
}

}  // namespace openindex::workflow
