// What was used of the tokens of models, day by day.
//
// Each use is a record of its own, appended in the commit of the turn that it belongs to: counted once, whatever dies
// when, and no two turns conflict. From time to time the uses of a provider are folded into totals by day.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/result.hpp>
#include <openindex/provider/integration.hpp>
#include <openindex/storage/storage.hpp>

namespace openindex::providers {

/// The beginning of a period that a moment lies in, and of the one after it.
Time period_start(TokenLimit::Period period, Time at);
Time next_period(TokenLimit::Period period, Time at);

class TokenBook {
 public:
  explicit TokenBook(Storage& storage) : storage_(storage) {}

  /// The record of one use, for the commit of what used it. `key`: told apart from all other uses of this provider.
  static Put entry(const ProviderId& provider, std::string_view key, const TokenUse& use, const CommitId& commit);

  /// Return use by day and model from a moment on, the latest day first. @par Errors storage
  Result<std::vector<TokenUse>> since(const ProviderId& provider, Time from);

  /// Return what each model has used since the beginning. @par Errors storage
  Result<std::map<std::string, std::uint64_t>> totals(const ProviderId& provider);

  /// Put the uses of a provider into the totals, and drop days more than 400 days before now. Somebody else may be
  /// doing the same: then nothing more is changed. @par Errors storage
  Result<void> fold(const ProviderId& provider, const CommitId& commit, Time now);

  /// Remove everything of a provider that is gone; what a failure leaves behind is in nobody's way.
  void forget(const ProviderId& provider, const CommitId& commit);

 private:
  using Sums = std::map<RecordId, TokenUse>;

  Result<bool> fold_some(const ProviderId& provider, const CommitId& commit, Time now);
  Result<void> add_stored(Sums& sums, ChangeSet& changes);
  Result<void> drop_old(const ProviderId& provider, Time now, const Sums& written, ChangeSet& changes);
  Result<std::vector<Record>> rows(const char* kind, const ProviderId& provider, const std::string& from);

  Storage& storage_;
};

}  // namespace openindex::providers
