// Who works on an item, and until when.
#include "core/utf8.hpp"
#include "work/actor_rules.hpp"
#include "work/exit_rules.hpp"
#include "work/judge.hpp"

namespace openindex::work {

Result<std::optional<StatusIndex>> Judge::claim_status(const Claim& claim) const {
  if (claim.to_status.empty()) {
    if (workflow_.status(snapshot_.status).in_progress) return std::optional<StatusIndex>();
    // Not into an earlier stage: to take work up is no verdict on what was done so far.
    const StageIndex stage = workflow_.stage_of(snapshot_.status);
    for (const StatusIndex to : workflow_.exits(snapshot_.status)) {
      const bool onward = workflow_.status(to).in_progress && workflow_.stage_of(to) >= stage;
      if (onward && is_plain_move(snapshot_, to)) return std::optional(to);
    }
    return std::optional<StatusIndex>();
  }
  const auto to = status_named(claim.to_status, Moves::onward);
  if (!to) return to.error();
  if (*to == snapshot_.status) return std::optional<StatusIndex>();
  if (auto legal = check_move(snapshot_, *to, Moves::onward); !legal) return legal.error();
  if (workflow_.status(*to).resolution) {
    return Error(errc::status_transition_not_allowed, "A claim cannot lead to a terminal status")
        .with("from", item_.status)
        .with("to", claim.to_status)
        .with_allowed(open_moves(snapshot_, Moves::onward));
  }
  return std::optional(*to);
}

Result<Decision> Judge::operator()(const Claim& claim) {
  if (!actor_.is_agent()) return Error(errc::agent_id_required).with("actor", actor_.id());
  if (actor_.id().empty()) return errc::agent_id_required;
  const auto until = deadline(claim.hold);
  if (!until) return until.error();
  // A run, and whoever names an epoch, goes on under a hold and does not begin one.
  if (actor_.kind() == ActorKind::run || fence_ != 0) {
    if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed.error();
  }
  if (auto open = check_open(item_); !open) return open.error();
  const bool mine = holds(item_.hold, actor_);
  if (is_held(item_.hold, now_) && !mine) return held_by(errc::already_claimed, *item_.hold);
  if (item_.execution_target == ExecutionTarget::human && !mine) return not_for_agents(item_);
  if (!snapshot_.claims_by_hand && workflow_.stage(workflow_.stage_of(snapshot_.status)).agent_required && !mine) {
    return Error(errc::stage_for_runs).with("stage", item_.stage);
  }
  if (!item_.blocked_by.empty() && !mine) return unresolved_dependencies(item_);
  const auto to = claim_status(claim);
  if (!to) return to.error();

  Decision decision;
  // A run acts under the epoch it was started with: a new one would be nobody's, and the run be told that it lost.
  if (mine && (is_held(item_.hold, now_) || actor_.kind() == ActorKind::run)) {
    decision.hold = {HoldChange::Kind::extend, *until};
  } else {
    decision.hold = {HoldChange::Kind::take, *until, item_.hold.has_value()};
    decision.audit.reserve(3);
    if (item_.hold) {
      decision.audit.push_back({"agent.hold_expired",
                                {{"holder", item_.hold->agent.str(), ""}},
                                "deadline " + to_rfc3339(item_.hold->deadline)});
    }
    decision.audit.push_back({"agent.claimed", {{"holder", "", actor_.id()}}, {}});
    decision.worked = true;
  }
  if (*to) move(decision, **to);
  return decision;
}

Result<Decision> Judge::operator()(const Release& release) {
  if (!actor_.is_agent()) return Error(errc::agent_id_required).with("actor", actor_.id());
  if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed.error();
  if (release.note.size() > 2000 || !is_utf8(release.note)) {
    return Error(errc::invalid_argument, "A release note is UTF-8 of at most 2000 bytes");
  }
  Decision decision;
  decision.hold.kind = HoldChange::Kind::clear;
  decision.audit.push_back({"agent.released", {{"holder", actor_.id(), ""}}, release.note});
  return decision;
}

Result<Decision> Judge::operator()(const Heartbeat& beat) {
  if (!actor_.is_agent()) return Error(errc::agent_id_required).with("actor", actor_.id());
  if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed.error();
  const auto until = deadline(beat.hold);
  if (!until) return until.error();
  Decision decision;
  decision.hold = {HoldChange::Kind::extend, *until};
  return decision;
}

Result<Decision> Judge::operator()(const TakeOver& take) {
  if (auto allowed = check_privileged("take over an item"); !allowed) return allowed.error();
  if (auto open = check_open(item_); !open) return open.error();
  if (take.reason.size() > 2000 || !is_utf8(take.reason)) {
    return Error(errc::invalid_argument, "A reason is UTF-8 of at most 2000 bytes");
  }
  Decision decision;
  const std::string before = item_.hold ? item_.hold->agent.str() : "";
  if (take.agent.empty()) {
    if (!item_.hold) return decision;
    decision.hold = {HoldChange::Kind::clear};
  } else {
    if (auto named = check_actor_id(Actor::agent(take.agent)); !named) return named.error();
    if (item_.execution_target == ExecutionTarget::human) return not_for_agents(item_);
    const auto until = deadline(take.hold);
    if (!until) return until.error();
    decision.hold = {HoldChange::Kind::take, *until, true, take.agent};
  }
  decision.audit.push_back({"agent.taken_over", {{"holder", before, take.agent.str()}}, take.reason});
  return decision;
}

}  // namespace openindex::work
