// The domains and who may do what in them. Records are cached for a second, and at once anew after a change of ours.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <openindex/access/actor.hpp>
#include <openindex/access/domain.hpp>
#include <openindex/workflow_engine.hpp>

#include "engine/answers.hpp"
#include "engine/audit_chain.hpp"

namespace openindex::engine {

class DomainBook {
 public:
  /// One that does not keep reads every record anew.
  explicit DomainBook(const WorkflowEngine::Options& options, bool keeps = true) : options_(options), keeps_(keeps) {}

  using DomainPtr = std::shared_ptr<const Domain>;  ///< Null: nobody has created it.

  Result<DomainPtr> find(const std::string& key);
  Result<std::vector<Domain>> all();

  /// Refuse an actor who is less than `needed` in the domain.
  /// @par Errors not_found (the actor has no role there), not_permitted (a smaller one), storage
  Result<void> require(const Actor& actor, const std::string& domain, Role needed);

  /// The same of a domain that was read just now. @par Errors not_found, not_permitted
  static Result<void> check_role(const Domain& domain, const Actor& actor, Role needed);

  /// Tell whether the actor may read there.
  Result<bool> sees(const Actor& actor, const std::string& domain);

  /// What was answered to a request before, if it is remembered. @par Errors idempotency_conflict, storage
  Result<std::optional<Domain>> recall(const Request& request);

  Result<Domain> create(const Actor& actor, const NewDomain& domain, const CommitId& commit_id,
                        const std::optional<Request>& request);

  /// Changes a domain and says what it did. No change: nothing is written but the answer to a request.
  using Edit = std::function<Result<std::vector<AuditDraft>>(Domain&)>;
  Result<Domain> edit(const std::string& key, const Actor& actor, const Edit& edit, const CommitId& commit_id,
                      const std::optional<Request>& request);

 private:
  struct Kept {
    DomainPtr domain;
    Duration read_at{0};
  };
  void forget(const std::string& key);
  Result<void> remember_answer(ChangeSet& changes, const std::optional<Request>& request, Record answer) const;

  const WorkflowEngine::Options& options_;
  const bool keeps_;
  std::mutex mutex_;
  std::map<std::string, Kept, std::less<>> kept_;
};

/// The domain that an item's key begins with.
std::string domain_of(const ItemKey& key);

/// The key of a user's personal domain, and whether a key may be one: `ME` and 14 hexadecimal digits.
std::string personal_key(std::string_view user);
bool is_personal_key(std::string_view key);

/// The domain that a workflow is in.
const std::string& domain_of(const Workflow& workflow);

}  // namespace openindex::engine
