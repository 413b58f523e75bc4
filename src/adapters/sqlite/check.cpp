#include "adapters/sqlite/check.hpp"

#include <string>
#include <utility>
#include <vector>

#include "adapters/sqlite/connection.hpp"
#include "engine/every_chain.hpp"

namespace openindex::sqlite {
namespace {

using Problems = std::vector<Problem>;

void tell(Problems& problems, std::string text) {
  problems.push_back({"/sqlite/" + std::to_string(problems.size()), std::move(text)});
}

/// On a connection of its own: it reads for long, and those that are lent out are waited for.
Result<void> check_file(const SqliteOptions& options, Problems& problems) {
  auto connection = Connection::open_another(options);
  if (!connection) return connection.error();
  const auto statement = (*connection)->prepare("PRAGMA integrity_check(100)");
  if (!statement) return statement.error();
  Query query(**statement);
  for (;;) {
    const auto row = query.next();
    if (!row) return row.error();
    if (!*row) return {};
    if (query.text(0) != "ok") tell(problems, std::string(query.text(0)));
  }
}

Result<void> check_chains(Storage& storage, Problems& problems) {
  auto found = engine::check_every_chain(storage);
  if (!found) return found.error();
  for (Problem& broken : found->problems) {
    problems.push_back({"/audit" + broken.pointer, std::move(broken.text)});
  }
  return {};
}

}  // namespace

Result<void> check(const SqliteOptions& options, Storage& storage) {
  Problems problems;
  // Damage may be so bad that it ends the search for more.
  for (const auto& checked : {check_file(options, problems), check_chains(storage, problems)}) {
    if (checked) continue;
    if (checked.error().code() != errc::storage_corrupt) return checked.error();
    tell(problems,
         std::string(checked.error().message()) + " (" + std::string(checked.error().context("sqlite")) + ")");
  }
  if (problems.empty()) return {};
  return Error(errc::storage_corrupt).with("path", options.path.string()).with_problems(std::move(problems));
}

}  // namespace openindex::sqlite
