#include <openindex/core/executor.hpp>

namespace openindex {
inline namespace v0 {

Executor inline_executor() {
  return [](const std::function<void()>& run) { run(); };
}

}  // namespace v0
}  // namespace openindex
