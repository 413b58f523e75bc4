#include "engine/callback_depth.hpp"

namespace openindex::engine {

int& callback_depth() noexcept {
  thread_local int depth = 0;
  return depth;
}

}  // namespace openindex::engine
