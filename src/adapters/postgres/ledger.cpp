#include "adapters/postgres/ledger.hpp"

namespace openindex::postgres {

void Ledger::add(const ChangeSet& changes) {
  const auto name = [&](const RecordId& id) { stored_[std::string(domain_of(id.key))].emplace(id, 0); };
  for (const auto& expectation : changes.expectations) name(expectation.id);
  for (const auto& put : changes.puts) name(put.id);
  for (const auto& append : changes.appends) name(append.id);
  for (const auto& id : changes.erases) name(id);
}

void Ledger::found(const RecordId& id, std::uint64_t version) { stored_[std::string(domain_of(id.key))][id] = version; }

std::uint64_t Ledger::stored(const RecordId& id) const { return stored_.at(std::string(domain_of(id.key))).at(id); }

Ledger::State& Ledger::state(const RecordId& id) {
  const auto [place, is_new] = states_[std::string(domain_of(id.key))].try_emplace(id);
  if (is_new) place->second.version = stored(id);
  return place->second;
}

Result<void> Ledger::expect(const RecordId& id, std::uint64_t version) {
  const auto found = state(id).version;
  if (found == version) return {};
  return Error(errc::conflict)
      .with("kind", id.kind)
      .with("key", id.key)
      .with("expected", std::to_string(version))
      .with("found", std::to_string(found));
}

Result<CommitReceipt> Ledger::apply(const ChangeSet& changes) {
  for (const auto& expectation : changes.expectations) {
    if (auto met = expect(expectation.id, expectation.version); !met) return met.error();
  }
  for (const auto& append : changes.appends) {
    if (auto met = expect(append.id, 0); !met) return met.error();
  }
  for (const auto& expectation : changes.expectations) {
    if (expectation.version == 0) state(expectation.id).expected_absent = true;
  }
  CommitReceipt receipt;
  receipt.versions.reserve(changes.puts.size());
  const auto write = [&](const RecordId& id, const Put* put) {
    auto& now = state(id);
    now.put = put;
    now.version = put != nullptr ? now.version + 1 : 0;
    now.written = true;
    return now.version;
  };
  for (const auto& put : changes.puts) receipt.versions.push_back(write(put.id, &put));
  for (const auto& append : changes.appends) write(append.id, &append);
  for (const auto& id : changes.erases) write(id, nullptr);
  return receipt;
}

Writes Ledger::writes() const {
  Writes writes;
  for (const auto& [domain, states] : states_) {
    for (const auto& [id, state] : states) {
      const bool was_there = stored(id) > 0;
      if (state.put != nullptr) {
        (was_there ? writes.replaces : writes.inserts).push_back({&id, state.put, state.version});
      } else if (was_there && state.written) {
        writes.erases.push_back(&id);
      } else if (!was_there && state.expected_absent) {
        writes.inserts.push_back({&id, nullptr, 0});
        writes.erases.push_back(&id);
      }
    }
  }
  return writes;
}

}  // namespace openindex::postgres
