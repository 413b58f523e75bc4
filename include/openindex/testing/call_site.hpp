// CallSite: the line of the test on which a step was written, so that a failure can name it.
//
// Taken by default arguments; nobody writes one. (std::source_location is not there yet with every compiler we
// support.)
#pragma once

#include <openindex/core/version.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

struct CallSite {
  const char* file = "";
  int line = 0;

  /// As a default argument: the place of the call whose argument it is.
  static constexpr CallSite here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    return {file, line};
  }
};

}  // namespace testing
}  // namespace v0
}  // namespace openindex
