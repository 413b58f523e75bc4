#include "adapters/postgres/ledger.hpp"

#include "adapters/postgres/failure.hpp"

namespace openindex::postgres {
namespace {

template <class Visit>
void visit_names(const ChangeSet& changes, Visit visit) {
  for (const auto& expectation : changes.expectations) visit(expectation.id);
  for (const auto& put : changes.puts) visit(put.id);
  for (const auto& append : changes.appends) visit(append.id);
  for (const auto& id : changes.erases) visit(id);
}

}  // namespace

void Names::add(const ChangeSet& changes) {
  visit_names(changes, [&](const RecordId& id) { add(id); });
}

const RecordId* Names::met_by(const ChangeSet& changes) const {
  const RecordId* met = nullptr;
  if (ids_.empty()) return met;
  visit_names(changes, [&](const RecordId& id) { met = met == nullptr && ids_.contains(id) ? &id : met; });
  return met;
}

void Ledger::add(const ChangeSet& changes) {
  visit_names(changes, [&](const RecordId& id) { stored_[std::string(domain_of(id.key))].emplace(id, 0); });
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
  if (const auto* id = locked_.met_by(changes)) {
    locked_.add(changes);
    return locked(*id);
  }
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
