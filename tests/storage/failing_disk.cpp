#include "storage/failing_disk.hpp"

#include <sqlite3.h>

#include <atomic>
#include <mutex>

namespace openindex {
namespace {

std::atomic<int> write_code = SQLITE_OK;
std::atomic<int> sync_code = SQLITE_OK;

sqlite3_vfs* real = nullptr;
sqlite3_vfs failing;
const sqlite3_io_methods* real_methods = nullptr;
sqlite3_io_methods failing_methods;
std::once_flag methods_copied;

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const int code = write_code;
  return code != SQLITE_OK ? code : real_methods->xWrite(file, bytes, size, offset);
}

int sync(sqlite3_file* file, int flags) {
  const int code = sync_code;
  return code != SQLITE_OK ? code : real_methods->xSync(file, flags);
}

int open(sqlite3_vfs* /*vfs*/, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real->xOpen(real, name, file, flags, out_flags);
  if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
  std::call_once(methods_copied, [&] {
    real_methods = file->pMethods;
    failing_methods = *file->pMethods;
    failing_methods.xWrite = write;
    failing_methods.xSync = sync;
  });
  file->pMethods = &failing_methods;
  return code;
}

}  // namespace

FailingDisk::FailingDisk() {
  real = sqlite3_vfs_find(nullptr);
  failing = *real;
  failing.zName = "failing";
  failing.xOpen = open;
  failing.pNext = nullptr;
  sqlite3_vfs_register(&failing, 1);
}

FailingDisk::~FailingDisk() {
  fail_writes(SQLITE_OK);
  fail_syncs(SQLITE_OK);
  sqlite3_vfs_unregister(&failing);
}

void FailingDisk::fail_writes(int code) { write_code = code; }
void FailingDisk::fail_syncs(int code) { sync_code = code; }

}  // namespace openindex
