#include "adapters/sqlite/changes.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "adapters/sqlite/rows.hpp"

namespace openindex::sqlite {
namespace {

Error conflict(const RecordId& id, std::uint64_t expected, std::uint64_t found) {
  return Error(errc::conflict)
      .with("kind", id.kind)
      .with("key", id.key)
      .with("expected", std::to_string(expected))
      .with("found", std::to_string(found));
}

/// Look up what the puts replace: with that, most expectations are checked already.
Result<std::vector<Target>> find_targets(Connection& connection, const ChangeSet& changes) {
  std::vector<Target> targets;
  targets.reserve(changes.puts.size());
  for (const auto& put : changes.puts) {
    const auto target = find_target(connection, put);
    if (!target) return target.error();
    targets.push_back(*target);
  }
  return targets;
}

Result<std::uint64_t> version_of(Connection& connection, const RecordId& id, std::span<const Put> puts,
                                 std::span<const Target> targets) {
  constexpr std::size_t compared_max = 8;  // looking up is cheaper than comparing with many
  for (std::size_t i = 0; i < std::min(puts.size(), compared_max); ++i) {
    if (puts[i].id == id) return targets[i].version;
  }
  return read_version(connection, id);
}

Result<void> check_expectations(Connection& connection, const ChangeSet& changes, std::span<const Target> targets) {
  for (const auto& [id, expected] : changes.expectations) {
    const auto found = version_of(connection, id, changes.puts, targets);
    if (!found) return found.error();
    if (*found != expected) return conflict(id, expected, *found);
  }
  return {};
}

/// Written before the puts: only here can it turn out that there is a conflict, and what is to be undone is known to be
/// new.
Result<void> write_appends(Connection& connection, std::span<const Put> appends) {
  for (std::size_t i = 0; i < appends.size(); ++i) {
    const auto written = append_record(connection, appends[i]);
    if (!written) return written.error();
    if (*written) continue;
    for (const auto& append : appends.first(i)) {
      if (auto undone = erase_record(connection, append.id); !undone) return undone;
    }
    const auto found = read_version(connection, appends[i].id);
    return found ? conflict(appends[i].id, 0, *found) : found.error();
  }
  return {};
}

}  // namespace

Result<CommitReceipt> apply_changes(Connection& connection, const ChangeSet& changes) {
  const auto targets = find_targets(connection, changes);
  if (!targets) return targets.error();
  if (auto met = check_expectations(connection, changes, *targets); !met) return met.error();
  if (auto written = write_appends(connection, changes.appends); !written) return written.error();
  CommitReceipt receipt;
  receipt.versions.reserve(changes.puts.size());
  for (std::size_t i = 0; i < changes.puts.size(); ++i) {
    const auto version = write_record(connection, changes.puts[i], (*targets)[i]);
    if (!version) return version.error();
    receipt.versions.push_back(*version);
  }
  for (const auto& id : changes.erases) {
    if (auto erased = erase_record(connection, id); !erased) return erased.error();
  }
  return receipt;
}

}  // namespace openindex::sqlite
