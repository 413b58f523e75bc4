// Changes of providers on their way into storage: what is decided is gathered in one change set, sealed, audited and
// committed, and decided again when somebody else was first.
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openindex/access/actor.hpp>

#include "provider/call_answer.hpp"
#include "provider/provider_change.hpp"
#include "provider/provider_directory.hpp"
#include "provider/provider_record.hpp"

namespace openindex::providers {

/// One provider that is being changed, before it is written.
struct ProviderDraft {
  ProviderRecord record;          ///< As it shall be; its version is that of the stored one, 0: it is new.
  std::vector<AuditDraft> audit;  ///< Empty: it need not be written.
  bool was_enabled = false;
  bool concerns_runs = true;     ///< False: nothing that a run could wait for, so that dispatchers need not look.
  std::string former_name = {};  ///< As it is stored; empty: it is new.
  std::vector<Put> puts = {};    ///< What is written beside it: its models.
  std::vector<RecordId> erases = {};

  /// Start changing what is stored.
  static ProviderDraft of(ProviderRecord stored);

  /// @param type a literal: entries refer to it until they are written
  void note(std::string_view type, std::vector<AuditChange> changes) {
    if (!changes.empty()) audit.push_back({type, std::move(changes), {}});
  }
};

/// Ids of something that is created, the same for all attempts: one whose answer was lost cannot lead to a second one.
struct NewIds {
  ProviderId id;
  std::string salt;
};
NewIds mint_ids(RandomSource& random);

/// What a decision knows beside a provider of this type. `name`: the one that is asked for. @par Errors storage
Result<Surroundings> look_around(ProviderRegistry::Directory& directory, const Actor& actor, const std::string& type,
                                 const std::optional<std::string>& name);

/// Draft a new provider, its secrets sealed. The name is looked for in storage only.
/// @par Errors those of decide_create, of the secret store, storage
Result<ProviderDraft> draft_creation(ProviderRegistry::Directory& directory, const Actor& actor,
                                     const NewProvider& wanted, const NewIds& ids);

/// Draft a change, its secrets sealed. @par Errors not_permitted, those of decide_update, of the secret store, storage
Result<ProviderDraft> draft_update(ProviderRegistry::Directory& directory, const Actor& actor,
                                   const ProviderRecord& current, const ProviderUpdate& update);

/// Return whom a provider serves that the draft disables; nullopt: it does not. @par Errors storage
Result<std::optional<ProviderUse>> left_without(Storage& storage, const ProviderDraft& draft);

/// Seal given values of a record's secrets: `keys` of them. `scope`: what stands before the key in the secret's name.
/// @par Errors those of the secret store
Result<void> seal(ProviderRegistry::Directory& directory, const ProviderId& provider, const std::string& scope,
                  SealedSecrets& secrets, const std::vector<std::string>& keys, const ProviderConfig& given);

/// A change set of providers, and of what is kept beside them.
class ProviderCommit {
 public:
  ProviderCommit(ProviderRegistry::Directory& directory, const Actor& actor);

  /// Add a provider as drafted; its record has the version that it will have. Nothing, when it need not be written.
  void write(ProviderDraft& draft);

  /// Add the removal of one.
  void erase(ProviderDraft& draft);

  /// Add entries to the audit of a stream, whose head moves on.
  void append_audit(std::string_view stream, engine::ChainHead& head, std::span<const AuditDraft> drafts);

  [[nodiscard]] bool is_empty() const {
    return changes_.puts.empty() && changes_.erases.empty() && changes_.appends.empty();
  }
  [[nodiscard]] Time now() const { return now_; }
  [[nodiscard]] const CommitId& id() const { return changes_.id; }

  /// Append a record that is nobody's but this commit's.
  void append(Put record) { changes_.appends.push_back(std::move(record)); }

  /// Put a record that is no provider's; `version`: that it has, 0: none.
  void put(Put record, std::uint64_t version);

  /// Find what a request was answered before; nullopt: it was not. @par Errors idempotency_conflict, storage
  template <class Answer>
  Result<std::optional<Answer>> recall(const engine::Request& request) {
    const auto found = find_answer(request);
    if (!found) return found.error();
    if (!*found) return std::optional<Answer>();
    std::optional<Answer> answer(std::in_place);
    if (auto read = read_answer(**found, *answer); !read) return read.error();
    return answer;
  }

  /// Remember the answer with what is committed. @pre it was looked for
  void remember(const engine::Request& request, const Record& answer);

  /// Tell whether the same may be decided again after `commit_unknown`: the answer that is remembered then says whether
  /// it happened. What appends something is found out about by that.
  [[nodiscard]] bool may_repeat() const { return remembers_ && changes_.appends.empty(); }

  /// Commit. False: somebody else was first, or nothing was written; decide again. @par Errors storage
  Result<bool> land();

 private:
  void tell_dispatchers();
  Result<std::optional<Record>> find_answer(const engine::Request& request);

  ProviderRegistry::Directory& directory_;
  const Actor& actor_;
  Time now_;
  ChangeSet changes_;
  bool told_ = false;
  bool remembers_ = false;
  engine::KnownRecord known_;
};

/// Decide and commit until it lands. `decide(commit)` answers what the call shall answer, and is asked again when
/// somebody was first. @par Errors those of decide, contention, storage
template <std::invocable<ProviderCommit&> Decide>
auto land_decision(ProviderRegistry::Directory& directory, const Actor& actor, Decide&& decide)
    -> std::invoke_result_t<Decide, ProviderCommit&> {
  constexpr int attempts_max = 8;
  std::optional<Error> unknown;  // an earlier attempt may have landed, so that nothing else can be said
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    ProviderCommit commit(directory, actor);
    auto answer = decide(commit);
    if (!answer && unknown) return *unknown;
    if (!answer || commit.is_empty()) return answer;
    const auto landed = commit.land();
    if (landed && *landed) return answer;
    if (landed) continue;
    if (landed.error().code() != errc::commit_unknown || !commit.may_repeat()) return landed.error();
    unknown = landed.error();
  }
  return unknown ? *unknown : Error(errc::contention);
}

/// The same for a call that may carry an idempotency key: what it was answered before is answered again, and what it is
/// answered now is remembered in the same commit, also when nothing else is written.
/// @par Errors idempotency_conflict, and as above
template <std::invocable<ProviderCommit&> Decide>
auto land_decision(ProviderRegistry::Directory& directory, const Actor& actor, const CallRequest& request,
                   Decide&& decide) -> std::invoke_result_t<Decide, ProviderCommit&> {
  using Answered = std::invoke_result_t<Decide, ProviderCommit&>;
  return land_decision(directory, actor, [&](ProviderCommit& commit) -> Answered {
    if (request) {
      auto known = commit.recall<typename Answered::value_type>(*request);
      if (!known) return known.error();
      if (*known) return std::move(**known);
    }
    auto answer = decide(commit);
    if (answer && request) commit.remember(*request, answer_of(*answer));
    return answer;
  });
}

}  // namespace openindex::providers
