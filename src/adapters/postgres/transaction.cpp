#include "adapters/postgres/transaction.hpp"

#include <algorithm>
#include <utility>

#include "adapters/postgres/ledger.hpp"

namespace openindex::postgres {
namespace {

using storage::Entry;

Attempt failed(Connection& connection, const Bracket& bracket, Reply& reply) {
  Attempt attempt{reply.lost ? Outcome::cut_short : Outcome::failed, std::move(reply.error), false, {}};
  if (!reply.lost && connection.run(bracket.undo).error) connection.give_up();
  return attempt;
}

std::vector<Command> lock_commands(const Statements& statements, const Bracket& bracket, const Ledger& ledger) {
  const auto& lock = bracket.waits_for_locks ? statements.lock : statements.lock_free;
  auto commands = bracket.begin;
  for (const auto& [domain, records] : ledger.named()) {
    Array kinds(Type::text);
    Array keys(Type::text);
    for (const auto& [id, version] : records) {
      kinds.add(id.kind);
      keys.add(id.key);
    }
    Parameters parameters;
    parameters.text(domain).array(kinds).array(keys);
    commands.push_back({&lock, std::move(parameters)});
  }
  return commands;
}

std::vector<Command> write_commands(const Statements& statements, const Bracket& bracket, const Writes& writes) {
  std::vector<Command> commands;
  append_writes(commands, statements.insert, writes.inserts);
  append_writes(commands, statements.replace, writes.replaces);
  for (const auto* id : writes.erases) commands.push_back({&statements.erase, name_of(*id)});
  commands.push_back({&bracket.commit, {}});
  return commands;
}

void take_versions(Ledger& ledger, std::span<const Rows> answers) {
  for (const auto& rows : answers) {
    for (int row = 0; row < rows.count(); ++row) {
      const RecordId id{std::string(rows.text(row, 0)), std::string(rows.text(row, 1))};
      const auto version = rows.integer(row, 2);
      version == locked_version ? ledger.is_locked(id) : ledger.found(id, static_cast<std::uint64_t>(version));
    }
  }
}

}  // namespace

Attempt attempt(Connection& connection, const Statements& statements, const Bracket& bracket,
                std::span<const Entry> entries, const Entry* must_go_through) {
  Ledger ledger;
  for (const auto& entry : entries) ledger.add(*entry.changes);
  auto locked = connection.run(lock_commands(statements, bracket, ledger));
  if (locked.error) return failed(connection, bracket, locked);
  take_versions(ledger, std::span(locked.rows).subspan(bracket.begin.size()));

  bool any = false;
  for (const auto& entry : entries) {
    *entry.result = ledger.apply(*entry.changes);
    any = any || entry.result->has_value();
  }
  const bool declined = must_go_through != nullptr && !must_go_through->result->has_value();
  if (!any || declined) {
    if (connection.run(bracket.undo).error) connection.give_up();
    return {declined ? Outcome::declined : Outcome::answered, {}, false, {}};
  }
  auto commands = write_commands(statements, bracket, ledger.writes());
  const std::size_t commit_at = commands.size() - 1;
  commands.insert(commands.end(), bracket.after.begin(), bracket.after.end());
  auto written = connection.run(commands);
  const bool committed = written.rows.size() > commit_at && written.rows[commit_at].tag() == bracket.commit_tag;
  if (committed) {
    Attempt done{Outcome::answered, {}, true, {}};
    if (written.rows.size() > commit_at + 1) done.counted = written.rows[commit_at + 1].integer(0, 0);
    return done;
  }
  if (written.lost) return {Outcome::unknown, std::move(written.error), false, {}};
  if (!written.error) written.error = Error(errc::storage_failed, "The server has rolled a commit back.");
  return failed(connection, bracket, written);
}

}  // namespace openindex::postgres
