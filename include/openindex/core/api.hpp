// The one macro that decides what a shared build exports. Everything else in the library is hidden.
#pragma once

#if defined(_WIN32)
#define OPENINDEX_API
#else
#define OPENINDEX_API __attribute__((visibility("default")))
#endif
