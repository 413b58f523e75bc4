#include "adapters/sqlite/checkpoint.hpp"

#include <algorithm>
#include <utility>

namespace openindex::sqlite {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// How often it is copied and synced, at most, before the log is to start over. Each time less is left to be done.
constexpr int rounds_max = 4;

/// How long readers are waited for that were there before. A log that is longer than it should be is worth more of it.
constexpr std::chrono::microseconds patience_per_page{2};
constexpr std::chrono::microseconds patience_per_page_too_many{250};
constexpr std::chrono::microseconds patience_max{1'000'000};
constexpr int waits_max = 3;

}  // namespace

Checkpoint::Checkpoint(Connection& writer, const CheckpointConnections& own, ReadPool& readers,
                       const CheckpointLimits& limits)
    : writer_(writer), own_(own), readers_(readers), limits_(limits) {
  log_.start_over_at = limits_.soon;
  sqlite3_wal_hook(writer_.raw(), &Checkpoint::on_commit, this);
}

Checkpoint::~Checkpoint() {
  sqlite3_wal_hook(writer_.raw(), nullptr, nullptr);
  beside_.wait();
}

int Checkpoint::on_commit(void* context, sqlite3* /*database*/, const char* /*name*/, int log_pages) {
  auto& self = *static_cast<Checkpoint*>(context);
  const std::lock_guard lock(self.mutex_);
  self.set_length(log_pages);
  return SQLITE_OK;
}

/// A log that is shorter than before has started over, and so all of the one before was in the database and synced.
void Checkpoint::set_length(int pages) {
  const bool started_over = pages < log_.pages || pages < log_.copied;
  if (started_over) log_ = {.start_over_at = limits_.soon, .starts = log_.starts + 1};
  log_.pages = pages;
  log_.pages_added = 0;
}

void Checkpoint::add(int pages) {
  const std::lock_guard lock(mutex_);
  log_.pages_added += pages;
}

Checkpoint::Task Checkpoint::choose(bool commits_wait) const {
  const std::lock_guard lock(mutex_);
  const bool at_work = beside_.is_working();
  const int length = log_.length();
  const int piece = commits_wait ? limits_.piece : limits_.piece / 2;
  const bool copies = log_.uncopied() >= piece && length >= log_.copy_at && !(at_work && limits_.concurrent);
  if (!is_due(commits_wait)) return copies ? Task::copy : Task::none;

  // A disk that syncs more slowly than commits write is waited for, in the end.
  const int slack = (commits_wait ? limits_.now : limits_.soon) / 8;
  if (log_.due_since > 0 && length >= log_.due_since + slack) return Task::start_over;
  if (at_work) return copies ? Task::copy : Task::none;
  const int little = limits_.piece / 4;
  if (log_.rounds >= rounds_max || (log_.uncopied() <= little && log_.unsynced <= little)) return Task::start_over;
  return Task::copy_and_sync;
}

/// Tell whether the log is so long that it is to start over.
bool Checkpoint::is_due(bool commits_wait) const {
  return log_.length() >= std::max(log_.start_over_at, commits_wait ? limits_.now : 0);
}

bool Checkpoint::before_commit(bool commits_wait) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_due(commits_wait)) {
      log_.due_since = log_.rounds = 0;
    } else if (log_.due_since == 0) {
      log_.due_since = log_.length();
    }
  }
  if (choose(commits_wait) == Task::none) return false;
  if (!limits_.concurrent) (void)bound();  // without it, the copy is synced as well
  return true;
}

void Checkpoint::after_commit() {
  if (!limits_.concurrent) (void)own_.bounding.roll_back();
}

/// From now on a checkpoint goes no further than this: SQLite copies nothing that a reader must not see.
bool Checkpoint::bound() {
  return own_.bounding.begin() && own_.bounding.read_integer("SELECT 1 FROM sqlite_master LIMIT 1");
}

void Checkpoint::run(Task task, const Lock& lock) {
  if (task == Task::copy_and_sync) {
    const std::lock_guard locked(mutex_);
    ++log_.rounds;
  }
  if (limits_.concurrent && task != Task::start_over) {
    beside_.start([this, task] { copy_beside_commits(task); });
    return;
  }
  if (limits_.concurrent) beside_.wait();
  run_under_lock(task, lock);
  if (task == Task::copy_and_sync) beside_.start([this] { sync(); });
}

void Checkpoint::run_under_lock(Task task, const Lock& lock) {
  const auto before = log();
  if (!lock(before.uncopied() >= 2 * limits_.piece || before.length() >= limits_.now)) return;
  if (task == Task::start_over) {
    after_commit();
    start_over();
  } else {
    (void)copy_under_lock();
  }
  (void)writer_.roll_back();
}

/// While nobody commits, what SQLite says of the log's length is so. Tell whether all of it is in the database.
bool Checkpoint::copy_under_lock() {
  const auto copied = copy();
  const std::lock_guard lock(mutex_);
  if (copied.in_log >= 0) set_length(copied.in_log);
  note(copied);
  return copied.in_log >= 0 && copied.in_log == copied.copied;
}

/// While its bound holds, no process can start the log over: what the WAL-reset bug needs does not happen meanwhile,
/// whatever the library.
void Checkpoint::copy_beside_commits(Task task) {
  const auto starts = log().starts;
  if (bound()) {
    const auto copied = copy();
    const std::lock_guard lock(mutex_);
    if (starts == log_.starts) note(copied);
  }
  (void)own_.bounding.roll_back();
  if (task == Task::copy_and_sync) sync();
}

/// Copy as much as the bound and the readers allow. PASSIVE waits for nobody, so readers never notice.
Checkpoint::Copied Checkpoint::copy() const {
  Copied result;
  const int code =
      sqlite3_wal_checkpoint_v2(own_.copying.raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &result.in_log, &result.copied);
  return code == SQLITE_OK ? result : Copied();
}

void Checkpoint::note(const Copied& result) {
  const bool helped = result.copied > log_.copied;
  log_.copy_at = helped ? 0 : log_.length() + limits_.piece / 4;
  if (!helped) return;
  log_.unsynced += result.copied - log_.copied;
  log_.copied = result.copied;
  if (std::exchange(log_.held_up, false)) log_.start_over_at = limits_.soon;
}

void Checkpoint::sync() {
  const int unsynced = log().unsynced;
  sqlite3_file* file = nullptr;
  sqlite3_file_control(own_.syncing.raw(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (file == nullptr || file->pMethods == nullptr) return;
  if (file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) != SQLITE_OK) return;
  const std::lock_guard lock(mutex_);
  log_.unsynced = std::max(0, log_.unsynced - unsynced);
}

/// Those who begin to read when all is copied read from the database itself, and are in nobody's way. Those who were
/// there before are waited for, a moment. Those that take longer only delay: the log grows, and this is tried again.
void Checkpoint::start_over() {
  const int length = log().length();
  const auto patience = std::min(
      patience_max, patience_per_page * length + patience_per_page_too_many * std::max(0, length - limits_.now));
  bool all = copy_under_lock();
  if (length < limits_.most) {
    all = all || copy_behind_readers(patience);
    if (all) (void)readers_.wait_for_earlier(patience);
  } else {
    const ReadPool::Pause pause(readers_, patience_max);
    all = all || copy_under_lock();
  }

  const std::lock_guard lock(mutex_);
  if (all) log_.unsynced = 0;
  // Whoever was in the way before and has not moved since takes long.
  const bool takes_long = std::exchange(log_.held_up, !all) && !all;
  log_.start_over_at = log_.length() + std::max(limits_.retry, takes_long ? log_.length() / 4 : 0);
  if (length < limits_.most) log_.start_over_at = std::min(log_.start_over_at, limits_.most);
  log_.due_since = log_.rounds = 0;
}

/// Tell whether all was copied. More than once: those who began meanwhile may still keep pages from being copied.
bool Checkpoint::copy_behind_readers(std::chrono::microseconds patience) {
  const auto until = SteadyClock::now() + patience;
  const auto rest = [&] { return std::chrono::duration_cast<std::chrono::microseconds>(until - SteadyClock::now()); };
  bool all = false;
  for (int i = 0; !all && i < waits_max && readers_.wait_for_earlier(rest()); ++i) all = copy_under_lock();
  return all;
}

Checkpoint::Log Checkpoint::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

}  // namespace openindex::sqlite
