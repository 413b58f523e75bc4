// The version of the library, written once: CMake reads it from here.
//
// Everything public lives in `namespace openindex`; the inline namespace `v0` only keeps two incompatible
// versions apart in one process. Never spell it in your own code.
#pragma once

#define OPENINDEX_VERSION_MAJOR 0
#define OPENINDEX_VERSION_MINOR 1
#define OPENINDEX_VERSION_PATCH 0

namespace openindex {
inline namespace v0 {}
}  // namespace openindex
