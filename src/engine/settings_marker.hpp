// One record whose version rises whenever providers or stage settings change, so that dispatchers notice with one read
// that runs which wait for a provider should be looked at again. Written without expectation: it never conflicts.
#pragma once

#include <openindex/storage/change_set.hpp>

namespace openindex::engine {

inline RecordId settings_marker() { return {"marker", "settings"}; }
inline Put touch_settings() { return {settings_marker(), "{}", {}}; }

}  // namespace openindex::engine
