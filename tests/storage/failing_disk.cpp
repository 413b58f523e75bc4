#include "storage/failing_disk.hpp"

#include <sqlite3.h>

#include <atomic>
#include <map>
#include <mutex>
#include <utility>

namespace openindex {
namespace {

std::atomic<int> write_code = SQLITE_OK;
std::atomic<int> sync_code = SQLITE_OK;

sqlite3_vfs* real = nullptr;
sqlite3_vfs failing;
std::atomic<int (*)(sqlite3_file*, const void*, int, sqlite3_int64)> real_write = nullptr;

std::mutex mutex;
std::map<std::pair<const sqlite3_io_methods*, bool>, sqlite3_io_methods> replacements;

FailingDisk::Fault fault;
std::atomic<int> calls_before_fault = 0;  // 0: none will fail, or it has
std::atomic<bool> has_come = false;

using Call = FailingDisk::Fault::Call;

bool fails_now(Call call) {
  if (fault.call != call || calls_before_fault == 0 || --calls_before_fault > 0) return false;
  has_come = true;
  return true;
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  if (!fails_now(Call::write)) return real_write.load()(file, bytes, size, offset);
  if (fault.is_short) (void)real_write.load()(file, bytes, size / 2, offset);
  return fault.code;
}

int sync(sqlite3_file* /*file*/, int /*flags*/) { return fails_now(Call::sync) ? fault.code : SQLITE_OK; }

int write_log(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const int code = write_code;
  return code != SQLITE_OK ? code : write(file, bytes, size, offset);
}

int sync_log(sqlite3_file* file, int flags) {
  const int code = sync_code;
  return code != SQLITE_OK ? code : sync(file, flags);
}

/// Closing and locking differ between databases and logs; writing is the same for all.
const sqlite3_io_methods* replacement(const sqlite3_io_methods* methods, bool is_log) {
  const std::lock_guard lock(mutex);
  real_write = methods->xWrite;
  auto& mine = replacements[{methods, is_log}];
  if (mine.xClose != nullptr) return &mine;
  mine = *methods;
  mine.xWrite = is_log ? write_log : write;
  mine.xSync = is_log ? sync_log : sync;
  return &mine;
}

int open(sqlite3_vfs* /*vfs*/, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real->xOpen(real, name, file, flags, out_flags);
  if (code != SQLITE_OK || name == nullptr) return code;
  file->pMethods = replacement(file->pMethods, (flags & SQLITE_OPEN_WAL) != 0);
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
  calls_before_fault = 0;
  sqlite3_vfs_unregister(&failing);
}

void FailingDisk::fail_writes(int code) { write_code = code; }
void FailingDisk::fail_syncs(int code) { sync_code = code; }

void FailingDisk::fail_once(const Fault& next) {
  fault = next;
  has_come = false;
  calls_before_fault = next.number;
}

bool FailingDisk::has_failed() const { return has_come; }

}  // namespace openindex
