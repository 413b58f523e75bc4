// What may not be stored: names, bodies and entries out of their bounds, and a record that is written twice at once.
#include <string>
#include <vector>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

Result<void> names_have_bounds(const StorageUnderTest& tested) {
  Trial trial(tested);
  for (const std::string kind : {"", "Upper", "digit1", "da-sh", "sp ace"}) {
    trial.refuse("kind", errc::invalid_argument, putting({{{kind, "a"}, "{}", {}}}));
  }
  trial.refuse("a long kind", errc::invalid_argument, putting({{{std::string(41, 'k'), "a"}, "{}", {}}}));
  trial.refuse("an empty key", errc::invalid_argument, putting({{named(""), "{}", {}}}));
  trial.refuse("a long key", errc::invalid_argument, putting({{named(std::string(401, 'k')), "{}", {}}}));
  trial.refuse("a long body", errc::invalid_argument,
               putting({{named("a"), std::string((std::size_t{4} << 20) + 1, 'x'), {}}}));
  const auto error =
      trial.refuse("an error names the record", errc::invalid_argument, putting({{{"Bad", "a"}, "", {}}}));
  trial.equal("kind", error.context("kind"), std::string_view("Bad"));
  trial.equal("key", error.context("key"), std::string_view("a"));
  return trial.verdict();
}

Result<void> index_entries_fit_their_index(const StorageUnderTest& tested) {
  Trial trial(tested);
  const auto refuse = [&](std::string_view fact, std::vector<IndexEntry> entries) {
    trial.refuse(fact, errc::invalid_argument, putting({{named("a"), "{}", std::move(entries)}}));
  };
  refuse("a value for each field", {{Index::due, {"hold", 1}}});
  refuse("no more values than fields", {{Index::due, {"hold", 1, "a", "b"}}});
  refuse("a number where a number belongs", {{Index::due, {"hold", "1", "a"}}});
  refuse("text where text belongs", {{Index::due, {"hold", 1, 1}}});
  refuse("no long text", {in_due("hold", 1, std::string(501, 's'))});
  refuse("no entry for the key index", {{Index::key, {"host.contract", "a"}}});
  refuse("one entry for an index", {in_due("hold", 1, "a"), in_due("hold", 2, "a")});
  trial.that("nothing was written", !trial.exists(named("a")));
  return trial.verdict();
}

Result<void> a_set_writes_a_record_once(const StorageUnderTest& tested) {
  Trial trial(tested);
  const Put put{named("a"), "{}", {}};
  trial.refuse("two puts", errc::invalid_argument, putting({put, put}));
  auto both = putting({put});
  both.appends = {put};
  trial.refuse("a put and an append", errc::invalid_argument, both);
  both.puts.clear();
  both.appends = {put, put};
  trial.refuse("two appends", errc::invalid_argument, both);
  both = putting({put});
  both.erases = {put.id};
  trial.refuse("a put and an erase", errc::invalid_argument, both);
  trial.that("nothing was written", !trial.exists(named("a")));
  return trial.verdict();
}

}  // namespace

std::vector<ContractCase> bound_cases() {
  return {
      {"kinds, keys and bodies have bounds", names_have_bounds},
      {"index entries fit their index", index_entries_fit_their_index},
      {"a change set writes a record once", a_set_writes_a_record_once},
  };
}

}  // namespace openindex::contract
