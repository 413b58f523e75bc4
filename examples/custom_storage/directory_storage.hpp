// A storage backend by somebody who has nothing but the public headers of openindex.
//
// A directory holds a log of what was committed. The records and their indexes are in memory, made anew when the
// directory is opened. For some hundred thousand records, and one process at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <openindex/openindex.hpp>

/// Open a directory, or make it. A commit that a crash cut off is dropped: nobody was told that it had happened.
/// @par Errors storage_busy (it is open already), storage_corrupt, storage_failed, storage_full
openindex::Result<std::unique_ptr<openindex::Storage>> open_directory_storage(const std::filesystem::path& directory);
