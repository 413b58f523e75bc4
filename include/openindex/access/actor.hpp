// Actor: who does it. The first argument of every call that changes something.
//
// An actor comes from a credential that the host (later: the HTTP layer) has checked, never from a request body. There
// are four kinds: the host itself (`system`), a person, an agent that works through the queue, and one run of the
// dispatcher (`run`), which may touch its own item and nothing else. (openindex.md 1.4; architecture section 6.)
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <openindex/core/ids.hpp>

namespace openindex {
inline namespace v0 {

enum class ActorKind : std::uint8_t { system, person, agent, run };

/// What a person's credential is good for. (openindex.md 1.4: scopes of personal access tokens)
enum class Scope : std::uint8_t {
  read_write,  ///< Work: items, queues, and what the person was granted by name.
  admin,       ///< The same, and the settings of the instance, its providers among them.
};

class Actor {
 public:
  /// The host program itself: setting up workflows, providers, importing items.
  static Actor system(std::string name) { return Actor(ActorKind::system, std::move(name)); }

  /// Somebody with hands: may approve gates that are for people. `scope`: of the credential they came with; a host that
  /// knows no scopes lets in whom it trusts with everything.
  static Actor person(std::string user_id, Scope scope = Scope::admin) {
    Actor actor(ActorKind::person, std::move(user_id));
    actor.scope_ = scope;
    return actor;
  }

  /// An agent deployment that claims items from the queue. An empty id is refused with `agent_id_required`.
  /// `on_behalf_of`: the user whose role in a domain limits it; empty: the host's own agent.
  static Actor agent(AgentId agent, std::string on_behalf_of = {}) {
    Actor actor(ActorKind::agent, agent.str());
    actor.on_behalf_of_ = std::move(on_behalf_of);
    return actor;
  }

  /// One run of one item at one epoch; anything outside its item is refused with `outside_run`.
  static Actor run(RunId run, ItemKey item, AgentId agent, std::uint64_t epoch) {
    Actor actor(ActorKind::run, agent.str());
    actor.run_ = std::move(run);
    actor.item_ = std::move(item);
    actor.epoch_ = epoch;
    return actor;
  }

  [[nodiscard]] ActorKind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& id() const noexcept { return id_; }       ///< Name, user id or agent id.
  [[nodiscard]] const RunId& run_id() const noexcept { return run_; }        ///< Empty unless a run.
  [[nodiscard]] const ItemKey& run_item() const noexcept { return item_; }   ///< Empty unless a run.
  [[nodiscard]] std::uint64_t run_epoch() const noexcept { return epoch_; }  ///< 0 unless a run.
  [[nodiscard]] const std::string& on_behalf_of() const noexcept { return on_behalf_of_; }  ///< Agents only.
  [[nodiscard]] Scope scope() const noexcept {
    return scope_;
  }  ///< Of people; `admin` for the host, else `read_write`.
  [[nodiscard]] bool is_agent() const noexcept { return kind_ == ActorKind::agent || kind_ == ActorKind::run; }

 private:
  Actor(ActorKind kind, std::string id)
      : kind_(kind), scope_(kind == ActorKind::system ? Scope::admin : Scope::read_write), id_(std::move(id)) {}

  ActorKind kind_;
  Scope scope_;
  std::string id_;
  std::string on_behalf_of_;
  RunId run_;
  ItemKey item_;
  std::uint64_t epoch_ = 0;
};

}  // namespace v0
}  // namespace openindex
