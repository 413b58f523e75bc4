#include "adapters/sqlite/changes.hpp"

#include <string>

#include "adapters/sqlite/rows.hpp"

namespace openindex::sqlite {
namespace {

Result<void> expect_version(Connection& connection, const RecordId& id, std::uint64_t expected) {
  const auto found = read_version(connection, id);
  if (!found) return found.error();
  if (*found == expected) return {};
  return Error(errc::conflict)
      .with("kind", id.kind)
      .with("key", id.key)
      .with("expected", std::to_string(expected))
      .with("found", std::to_string(*found));
}

Result<void> check_expectations(Connection& connection, const ChangeSet& changes) {
  for (const auto& expectation : changes.expectations) {
    if (auto met = expect_version(connection, expectation.id, expectation.version); !met) return met;
  }
  for (const auto& append : changes.appends) {
    if (auto met = expect_version(connection, append.id, 0); !met) return met;
  }
  return {};
}

}  // namespace

Result<CommitReceipt> apply_changes(Connection& connection, const ChangeSet& changes) {
  if (auto met = check_expectations(connection, changes); !met) return met.error();
  CommitReceipt receipt;
  receipt.versions.reserve(changes.puts.size());
  for (const auto& put : changes.puts) {
    const auto version = write_record(connection, put);
    if (!version) return version.error();
    receipt.versions.push_back(*version);
  }
  for (const auto& append : changes.appends) {
    if (auto inserted = insert_record(connection, append); !inserted) return inserted.error();
  }
  for (const auto& id : changes.erases) {
    if (auto erased = erase_record(connection, id); !erased) return erased.error();
  }
  return receipt;
}

}  // namespace openindex::sqlite
