#include "storage/forgetful_disk.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace openindex {
namespace {

using Kind = DiskStep::Kind;

constexpr std::size_t sector_bytes = 512;

std::mutex mutex;
bool keeps_journal = false;
std::vector<DiskStep> journal;

/// An open file: its name, and SQLite's own functions for it, which differ between databases and logs.
struct Open {
  std::string name = {};
  const sqlite3_io_methods* methods = nullptr;
  bool syncs_folder = false;  ///< As SQLite does with the first sync of a log or a journal.
};
std::unordered_map<sqlite3_file*, Open> files;
std::map<const sqlite3_io_methods*, sqlite3_io_methods> replacements;

sqlite3_vfs* real = nullptr;
sqlite3_vfs forgetful;

std::string name_of(const char* path) { return std::filesystem::path(path).filename().string(); }

/// In the order in which they happened: whoever holds the mutex does it and writes it down.
void add(sqlite3_file* file, DiskStep step) {
  if (!keeps_journal) return;
  step.file = files.at(file).name;
  journal.push_back(std::move(step));
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const std::lock_guard lock(mutex);
  const int code = files.at(file).methods->xWrite(file, bytes, size, offset);
  if (code == SQLITE_OK) {
    add(file, {Kind::write, {}, offset, {static_cast<const char*>(bytes), static_cast<std::size_t>(size)}});
  }
  return code;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  const std::lock_guard lock(mutex);
  const int code = files.at(file).methods->xTruncate(file, size);
  if (code == SQLITE_OK) add(file, {Kind::truncate, {}, size, {}});
  return code;
}

int sync(sqlite3_file* file, int /*flags*/) {
  const std::lock_guard lock(mutex);
  add(file, {Kind::sync, {}, 0, {}});
  if (std::exchange(files.at(file).syncs_folder, false)) add(file, {Kind::sync_folder, {}, 0, {}});
  return SQLITE_OK;
}

int close(sqlite3_file* file) {
  const std::lock_guard lock(mutex);
  const auto* methods = files.at(file).methods;
  files.erase(file);
  return methods->xClose(file);
}

const sqlite3_io_methods* replacement(const sqlite3_io_methods* methods) {
  auto& mine = replacements[methods];
  if (mine.xClose != nullptr) return &mine;
  mine = *methods;
  mine.xWrite = write;
  mine.xTruncate = truncate;
  mine.xSync = sync;
  mine.xClose = close;
  return &mine;
}

int open(sqlite3_vfs* /*vfs*/, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real->xOpen(real, name, file, flags, out_flags);
  if (code != SQLITE_OK || name == nullptr) return code;
  const std::lock_guard lock(mutex);
  const bool is_log = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  files[file] = {name_of(name), file->pMethods, is_log && (flags & SQLITE_OPEN_CREATE) != 0};
  file->pMethods = replacement(file->pMethods);
  if ((flags & SQLITE_OPEN_CREATE) != 0) add(file, {Kind::create, {}, 0, {}});
  return code;
}

int remove(sqlite3_vfs* /*vfs*/, const char* name, int sync_folder) {
  const std::lock_guard lock(mutex);
  const int code = real->xDelete(real, name, 0);
  if (code == SQLITE_OK && keeps_journal) {
    journal.push_back({sync_folder != 0 ? Kind::remove_durably : Kind::remove, name_of(name), 0, {}});
  }
  return code;
}

void put(std::string& content, std::int64_t offset, std::string_view bytes) {
  const auto at = static_cast<std::size_t>(offset);
  content.resize(std::max(content.size(), at + bytes.size()));
  std::copy(bytes.begin(), bytes.end(), content.begin() + offset);
}

void put_sectors(std::string& content, const DiskStep& step, const std::function<bool()>& survives) {
  auto offset = static_cast<std::size_t>(step.offset);
  for (std::string_view rest = step.bytes; !rest.empty();) {
    const auto size = std::min(rest.size(), sector_bytes - offset % sector_bytes);
    if (survives()) put(content, static_cast<std::int64_t>(offset), rest.substr(0, size));
    rest.remove_prefix(size);
    offset += size;
  }
}

void carry_out(std::string& content, const DiskStep& step, const std::function<bool()>& survives) {
  if (step.kind == Kind::write) {
    put_sectors(content, step, survives);
  } else if (survives()) {
    content.resize(static_cast<std::size_t>(step.offset));
  }
}

}  // namespace

ForgetfulDisk::ForgetfulDisk() {
  real = sqlite3_vfs_find(nullptr);
  forgetful = *real;
  forgetful.zName = "forgetful";
  forgetful.xOpen = open;
  forgetful.xDelete = remove;
  forgetful.pNext = nullptr;
  keeps_journal = true;
  sqlite3_vfs_register(&forgetful, 1);
}

ForgetfulDisk::~ForgetfulDisk() {
  (void)take_journal();
  sqlite3_vfs_unregister(&forgetful);
}

void ForgetfulDisk::note(std::int64_t number) {
  const std::lock_guard lock(mutex);
  if (keeps_journal) journal.push_back({Kind::note, {}, number, {}});
}

std::vector<DiskStep> ForgetfulDisk::take_journal() {
  const std::lock_guard lock(mutex);
  keeps_journal = false;
  return std::exchange(journal, {});
}

void Platter::apply(const DiskStep& step) {
  if (step.kind == Kind::note) return;
  auto& file = files_[step.file];
  switch (step.kind) {
    case Kind::create:
      if (file.is_removed) file.pending.push_back({Kind::truncate, {}, 0, {}});
      file.is_removed = false;
      break;
    case Kind::sync:
      for (const auto& pending : file.pending) carry_out(file.synced, pending, [] { return true; });
      file.pending.clear();
      file.is_synced = true;
      break;
    case Kind::sync_folder:
      std::erase_if(files_, [](const auto& one) { return one.second.is_removed; });
      break;
    case Kind::remove:
      file.is_removed = true;
      break;
    case Kind::remove_durably:
      files_.erase(step.file);
      break;
    default:
      file.pending.push_back(step);
  }
}

std::map<std::string, std::string> Platter::cut(const std::function<bool()>& survives) const {
  std::map<std::string, std::string> left;
  for (const auto& [name, file] : files_) {
    if (file.is_removed && survives()) continue;
    if (!file.is_synced && !survives()) continue;
    auto content = file.synced;
    for (const auto& pending : file.pending) carry_out(content, pending, survives);
    left[name] = std::move(content);
  }
  return left;
}

}  // namespace openindex
