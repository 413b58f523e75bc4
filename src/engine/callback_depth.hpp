// How deep a thread is inside callbacks of the host. Who ends a subscription there must not wait: the call it would
// wait for may be its own, or may be waiting for this one.
#pragma once

#include <openindex/core/api.hpp>
#include <openindex/core/version.hpp>

namespace openindex::engine {

/// Exported, so that a program which links parts of the inside beside the shared library still has one count a thread.
OPENINDEX_API int& callback_depth() noexcept;

}  // namespace openindex::engine
