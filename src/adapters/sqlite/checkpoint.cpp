#include "adapters/sqlite/checkpoint.hpp"

#include <algorithm>
#include <chrono>

namespace openindex::sqlite {
namespace {

constexpr std::chrono::milliseconds pause_max{1'000};

}  // namespace

Checkpoint::Checkpoint(Connection& writer, Connection& own, ReadPool& readers, const CheckpointLimits& limits)
    : writer_(writer), own_(own), readers_(readers), limits_(limits), due_at_pages_(limits.soon) {
  sqlite3_wal_hook(writer_.raw(), &Checkpoint::on_commit, this);
}

Checkpoint::~Checkpoint() { sqlite3_wal_hook(writer_.raw(), nullptr, nullptr); }

int Checkpoint::on_commit(void* context, sqlite3* /*database*/, const char* /*name*/, int log_pages) {
  auto& self = *static_cast<Checkpoint*>(context);
  self.log_pages_ = log_pages;
  if (log_pages < self.limits_.soon) self.due_at_pages_ = self.limits_.soon;  // the log has started over
  return SQLITE_OK;
}

Checkpoint::Need Checkpoint::need() const {
  const int pages = log_pages_;
  if (pages < due_at_pages_) return Need::none;
  return pages < limits_.now ? Need::soon : Need::now;
}

/// Tell whether all of the log is in the database now. PASSIVE waits for nobody, so readers never notice.
bool Checkpoint::copy_pages() {
  int in_log = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(own_.raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied);
  if (code == SQLITE_OK) log_pages_ = in_log;
  return code == SQLITE_OK && in_log == copied;
}

void Checkpoint::run(Need need) {
  const std::unique_lock alone(running_, std::try_to_lock);
  if (!alone) return;
  if (needs_writer(need)) {
    run_under_write_lock(need);
  } else {
    copy_pages();
  }
  due_at_pages_ = std::max(limits_.soon, log_pages_ + limits_.retry);
}

void Checkpoint::run_under_write_lock(Need need) {
  // When there is time, another process that is writing is not waited for.
  writer_.wait_when_busy(need == Need::now);
  const auto locked = writer_.execute("BEGIN IMMEDIATE");
  writer_.wait_when_busy(true);
  if (!locked) return;
  copy_pages();
  if (need == Need::now) {
    // The next commit can start the log over only if nobody reads from it. Readers that come after this read from the
    // database itself. One that takes long is not waited for: the log grows a little more, and this is tried again.
    const ReadPool::Pause pause(readers_, pause_max);
    if (pause.holds()) copy_pages();
  }
  (void)writer_.roll_back();
}

}  // namespace openindex::sqlite
