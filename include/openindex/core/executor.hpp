// Executor: where the host lets callbacks of the library run.
//
// The host gives one (a post to its thread pool, its event loop); the library calls it from any thread, concurrently.
// It must run what it is given once, soon, on whatever thread, and should not block. `ThreadExecutor`
// (adapters/thread_executor.hpp) is a ready-made one with a thread of its own.
#pragma once

#include <functional>

#include <openindex/core/api.hpp>
#include <openindex/core/version.hpp>

namespace openindex {
inline namespace v0 {

using Executor = std::function<void(std::function<void()>)>;

/// Return an executor that runs everything at once, in the calling thread. For tests, and for callbacks that only set
/// a flag: whoever causes the callback waits for it.
OPENINDEX_API Executor inline_executor();

}  // namespace v0
}  // namespace openindex
