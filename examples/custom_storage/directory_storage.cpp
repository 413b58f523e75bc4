#include "directory_storage.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>

namespace oi = openindex;

// The log is frames: size, checksum, changes. One call of commit writes one frame, which counts whole or not at all.
// A change is a record as it is from now on; version 0: erased.
namespace {

void add(std::string& bytes, std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(number >> shift));
}

void add(std::string& bytes, std::string_view text) {
  add(bytes, text.size());
  bytes += text;
}

void add(std::string& bytes, std::uint64_t version, const oi::Put& put) {
  add(bytes, version);
  for (const auto* text : {&put.id.kind, &put.id.key, &put.body}) add(bytes, *text);
  add(bytes, put.index.size());
  for (const auto& entry : put.index) {
    add(bytes, static_cast<std::uint64_t>(entry.index));
    for (const auto& value : entry.values) {
      const auto* text = std::get_if<std::string>(&value);
      text != nullptr ? add(bytes, *text) : add(bytes, static_cast<std::uint64_t>(std::get<std::int64_t>(value)));
    }
  }
}

/// Reads what the functions above wrote; a checksum has vouched for it.
struct Reader {
  std::string_view rest;

  std::string_view take(std::size_t size) {
    const auto taken = rest.substr(0, size);
    rest.remove_prefix(taken.size());
    return taken;
  }
  std::uint64_t number() {
    std::uint64_t number = 0;
    int shift = 0;
    for (const char byte : take(8)) number |= std::uint64_t{static_cast<unsigned char>(byte)} << shift, shift += 8;
    return number;
  }
  std::string text() { return std::string(take(number())); }
  oi::Record record() {
    oi::Record record;
    record.version = number();
    for (auto* text_of : {&record.id.kind, &record.id.key, &record.body}) *text_of = text();
    record.index.resize(number());
    for (auto& entry : record.index) {
      entry.index = static_cast<oi::Index>(number());
      for (const auto& field : oi::index_schema(entry.index).fields) {
        if (field.type == oi::IndexType::text) entry.values.emplace_back(text());
        if (field.type == oi::IndexType::integer) entry.values.emplace_back(static_cast<std::int64_t>(number()));
      }
    }
    return record;
  }
};

std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t sum = 14'695'981'039'346'656'037U;  // FNV-1a: enough to know a frame that was cut off
  for (const char byte : bytes) sum = (sum ^ static_cast<unsigned char>(byte)) * 1'099'511'628'211U;
  return sum;
}

oi::Error disk_error(const std::string& what) {
  const int cause = errno;
  const auto code = cause == ENOSPC || cause == EDQUOT ? oi::errc::storage_full : oi::errc::storage_failed;
  return oi::Error(code, "The directory storage could not " + what + ".").with("errno", std::to_string(cause));
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

class DirectoryStorage final : public oi::Storage {
 public:
  explicit DirectoryStorage(const std::filesystem::path& directory) : path_(directory) {}
  ~DirectoryStorage() override { close(log_), close(directory_); }

  oi::Result<void> open() {
    mkdir(path_.c_str(), 0700);
    directory_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_ < 0) return disk_error("open its directory");
    if (flock(directory_, LOCK_EX | LOCK_NB) != 0) return oi::errc::storage_busy;
    return read_log().and_then([&] { return begin_log(); });
  }

  std::vector<oi::Result<oi::CommitReceipt>> commit(std::span<const oi::ChangeSet> sets) override {
    const std::lock_guard lock(mutex_);
    std::vector<oi::Result<oi::CommitReceipt>> results;
    std::string changes;
    std::map<oi::RecordId, std::uint64_t> versions;
    for (const auto& set : sets) results.push_back(prepare(set, versions, changes));
    if (changes.empty()) return results;
    if (auto appended = append(changes); !appended) {
      for (auto& result : results) {
        if (result) result = appended.error();
      }
      return results;
    }
    apply(changes);
    ++sequence_;
    changed_.notify_all();
    return results;
  }

  oi::Result<std::vector<std::optional<oi::Record>>> get(std::span<const oi::RecordId> ids) override {
    const std::lock_guard lock(mutex_);
    if (is_broken_) return oi::errc::storage_failed;
    std::vector<std::optional<oi::Record>> records(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (const auto found = records_.find(ids[i]); found != records_.end()) records[i] = found->second;
    }
    return records;
  }

  oi::Result<oi::ScanPage> scan(const oi::ScanRequest& request) override {
    const auto range = oi::scan_range(request);
    if (!range) return range.error();
    const std::lock_guard lock(mutex_);
    if (is_broken_) return oi::errc::storage_failed;
    auto [first, last] = rows_of(request.index, *range);
    oi::ScanPage page;
    for (std::uint32_t examined = 1; first != last; ++examined) {
      const auto& [place, record] = request.descending ? *--last : *first++;
      if (oi::matches(request.where, place)) page.rows.push_back(*record);
      if (page.rows.size() < request.limit_count && examined < request.examine_count) continue;
      if (first != last) page.next = oi::write_cursor(request, place);
      break;
    }
    return page;
  }

  oi::Result<std::uint64_t> count(const oi::CountRequest& request) override {
    const auto range = oi::scan_range(request);
    if (!range) return range.error();
    const std::lock_guard lock(mutex_);
    if (is_broken_) return oi::errc::storage_failed;
    auto [row, last] = rows_of(request.index, *range);
    std::uint64_t counted = 0;
    for (; row != last && counted < request.limit_count; ++row)
      counted += oi::matches(request.where, row->first) ? 1 : 0;
    return counted;
  }

  oi::Result<oi::Changed> wait_for_change(const oi::WaitRequest& request) override {
    constexpr oi::Duration longest = std::chrono::hours(1);  // the clock overflows with much longer ones
    const auto timeout = std::clamp(request.timeout, oi::Duration::zero(), longest);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return sequence_ != request.seen; });
    return oi::Changed{sequence_};
  }

  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    ++sequence_;
    changed_.notify_all();
  }

 private:
  using Rows = std::map<oi::IndexPlace, const oi::Record*>;

  oi::Result<void> read_log() {
    std::error_code failed;
    const auto log_size = std::filesystem::file_size(path_ / "log", failed);
    if (failed == std::errc::no_such_file_or_directory) return {};
    std::string log(failed ? 0 : log_size, '\0');
    std::ifstream file(path_ / "log", std::ios::binary);
    if (!file.read(log.data(), static_cast<std::streamsize>(log.size()))) return disk_error("read its log");
    for (Reader reader{log}; !reader.rest.empty();) {
      const auto size = reader.number();
      const auto sum = reader.number();
      const bool is_last = size >= reader.rest.size();
      const auto changes = reader.take(size);
      const bool is_whole = changes.size() == size && checksum(changes) == sum;
      if (!is_whole && !is_last) return oi::Error(oi::errc::storage_corrupt, "The log is damaged.");
      if (is_whole) apply(changes);
    }
    return {};
  }

  /// Write a new log with the records there are, and let it take the old one's place in one step.
  oi::Result<void> begin_log() {
    std::string changes;
    for (const auto& [id, record] : records_) add(changes, record.version, {id, record.body, record.index});
    log_ = ::open((path_ / "new").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (log_ < 0) return disk_error("make a new log");
    if (auto written = append(changes); !written) return written;
    if (rename((path_ / "new").c_str(), (path_ / "log").c_str()) == 0 && fsync(directory_) == 0) return {};
    return disk_error("replace its log");
  }

  oi::Result<void> append(std::string_view changes) {
    std::string frame;
    add(frame, changes.size()), add(frame, checksum(changes));
    frame += changes;
    const bool is_written = write_all(log_, frame);
    const auto error = disk_error("write its log");
    if (!is_written && ftruncate(log_, static_cast<off_t>(log_size_)) == 0) return error;
    is_broken_ = !is_written || fsync(log_) != 0;
    if (is_broken_) return oi::errc::commit_unknown;
    log_size_ += frame.size();
    return {};
  }

  /// Add what a set changes. `versions` are those that earlier sets of the same call have led to.
  oi::Result<oi::CommitReceipt> prepare(const oi::ChangeSet& set, std::map<oi::RecordId, std::uint64_t>& versions,
                                        std::string& changes) const {
    if (is_broken_) return oi::errc::storage_failed;
    if (auto checked = oi::check_bounds(set); !checked) return checked.error();
    const auto version_of = [&](const oi::RecordId& id) {
      if (const auto found = versions.find(id); found != versions.end()) return found->second;
      const auto found = records_.find(id);
      return found == records_.end() ? 0 : found->second.version;
    };
    if (auto checked = oi::check_expectations(set, version_of); !checked) return checked.error();
    const auto write = [&](std::uint64_t version, const oi::Put& put) {
      add(changes, versions[put.id] = version, put);
      return version;
    };
    oi::CommitReceipt receipt;
    for (const auto& put : set.puts) receipt.versions.push_back(write(version_of(put.id) + 1, put));
    for (const auto& append : set.appends) write(1, append);
    for (const auto& id : set.erases) write(0, {id});
    return receipt;
  }

  void apply(std::string_view changes) {
    for (Reader reader{changes}; !reader.rest.empty();) {
      const auto record = reader.record();
      if (const auto old = records_.find(record.id); old != records_.end()) {
        for (const auto& [index, place] : oi::index_places(record.id, old->second.index)) indexes_[index].erase(place);
        records_.erase(old);
      }
      if (record.version == 0) continue;
      const auto& stored = records_[record.id] = record;
      for (const auto& [index, place] : oi::index_places(stored.id, stored.index)) indexes_[index][place] = &stored;
    }
  }

  std::pair<Rows::const_iterator, Rows::const_iterator> rows_of(oi::Index index, const oi::IndexRange& range) {
    const auto& rows = indexes_[index];
    return {rows.lower_bound(range.first), range.last ? rows.lower_bound(*range.last) : rows.end()};
  }

  const std::filesystem::path path_;
  int directory_ = -1;  // locked as long as this storage lives
  int log_ = -1;
  std::mutex mutex_;  // held while the disk is awaited, too
  std::condition_variable changed_;
  std::map<oi::RecordId, oi::Record> records_;
  std::map<oi::Index, Rows> indexes_;
  std::uint64_t log_size_ = 0;
  std::uint64_t sequence_ = 1;
  bool is_broken_ = false;  // how the log ends is known only when it is read again
};

}  // namespace

oi::Result<std::unique_ptr<oi::Storage>> open_directory_storage(const std::filesystem::path& directory) {
  auto storage = std::make_unique<DirectoryStorage>(directory);
  if (auto opened = storage->open(); !opened) return opened.error();
  return storage;
}
