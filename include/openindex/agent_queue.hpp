// AgentQueue: the work that agents may take, and the work they have taken. (openindex.md 3.1, 3.4)
//
// `available` holds unresolved items whose execution target is `agent` or `either` and that nobody holds; an item whose
// holder's deadline has passed counts as free, be the holder an agent or a run. Those that stand in a stage which is
// left to its runs (`StageSettings::claims_by_hand`) are not in it. `mine` holds what the asking agent has.
//
// Thread safety: all methods, from any threads. Lifetime: the engine, and the heartbeats, must outlive it.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <openindex/agent/agent_session.hpp>
#include <openindex/agent/heartbeats.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>
#include <openindex/work/call_options.hpp>
#include <openindex/work/work_item.hpp>

namespace openindex {
inline namespace v0 {

class WorkflowEngine;

/// Which items; empty members match everything.
struct QueueFilter {
  std::string domain = {};
  WorkflowId workflow = {};
  std::string stage = {};
  std::optional<Priority> priority = {};
  std::string search = {};  ///< As `ItemFilter::search`.

  friend auto operator<=>(const QueueFilter&, const QueueFilter&) = default;
};

struct QueuePage {
  std::vector<WorkItem> items = {};  ///< Most urgent first, then oldest.
  std::string next = {};             ///< Give it as `after`; empty when there is no more.
};

class OPENINDEX_API AgentQueue {
 public:
  /// Its sessions are not beaten: each write of theirs extends their hold, and `AgentSession::heartbeat`.
  explicit AgentQueue(WorkflowEngine& engine);
  /// The holds of its sessions are kept by `beats`.
  AgentQueue(WorkflowEngine& engine, Heartbeats& beats);
  ~AgentQueue();
  AgentQueue(const AgentQueue&) = delete;
  AgentQueue& operator=(const AgentQueue&) = delete;

  /// List what can be claimed by who has the role for it: what nobody holds, and what is held past its deadline.
  /// `limit_count`: 1 to 1000. A page may be short and not the last one. While others claim and release, what stays
  /// available throughout is listed once.
  /// @par Errors invalid_argument, outside_run, storage
  Result<QueuePage> available(const Actor& actor, const QueueFilter& filter = {}, std::uint32_t limit_count = 100,
                              const std::string& after = {});

  /// Sleep until an item that matches may be available; true then, false when the time is up or a stop was requested.
  ///
  /// True is a hint: another may be faster, so claim and wait again. Told at once of what this engine commits; of other
  /// engines and processes as soon as the storage says so (`Storage::wait_for_change`); of holds that run out when they
  /// do. Nothing is looked up while nothing happens, and of all who wait on one AgentQueue one sleeps in the storage.
  ///
  /// `timeout` counts in the engine's `Clock::steady()`; 0 looks once. A manual clock wakes nobody: after moving it,
  /// call `Storage::wake()`.
  /// @par Errors outside_run, storage
  Result<bool> wait_available(const Actor& actor, const QueueFilter& filter, Duration timeout,
                              const std::stop_token& stop = {});

  /// List all that this agent holds, most urgent first. @par Errors agent_id_required, storage
  Result<std::vector<WorkItem>> mine(const Actor& actor);

  /// The same a page at a time, and only what matches; pages as those of `available`.
  /// @par Errors agent_id_required, invalid_argument, storage
  Result<QueuePage> mine(const Actor& actor, const QueueFilter& filter, std::uint32_t limit_count = 100,
                         const std::string& after = {});

  /// Claim one item. @par Errors those of `decide`, not_found, idempotency_conflict, storage
  Result<AgentSession> claim(const Actor& actor, const ItemKey& key, const Claim& claim = {},
                             const CallOptions& call = {});

  /// Claim the most urgent item there is; nullopt when there is none.
  ///
  /// Callers of one queue are served from a shared window of candidates, each handed out once; the window is at most a
  /// second old, so a new urgent item may wait that long behind it. Queues that lose items to each other, in several
  /// processes or in one, leave part of the items to each other while they do; then an urgent one may wait for three
  /// seconds more before another than the quickest takes it. Called again with the same idempotency key, it gives the
  /// item it gave before; that there was none is not remembered. `call.fence` is of no use here.
  /// @par Errors agent_id_required, status_transition_not_allowed and gate_required (`claim.to_status` fits no
  /// candidate), storage
  Result<std::optional<AgentSession>> claim_next(const Actor& actor, const QueueFilter& filter = {},
                                                 const Claim& claim = {}, const CallOptions& call = {});

  /// Claim up to `count` items (1 to 1000) in as few durable writes as possible, most urgent first; fewer when there
  /// are no more. Called again with the same idempotency key, it gives those that it had claimed.
  /// @par Errors as above, invalid_argument (count)
  Result<std::vector<AgentSession>> claim_next(const Actor& actor, std::uint32_t count, const QueueFilter& filter = {},
                                               const Claim& claim = {}, const CallOptions& call = {});

 private:
  class Window;
  class WaitingRoom;
  class Claiming;
  AgentSession begin(const Actor& actor, WorkItem item, Duration hold);

  WorkflowEngine& engine_;
  Heartbeats* beats_ = nullptr;
  std::unique_ptr<Window> window_;
  std::shared_ptr<WaitingRoom> room_;
};

}  // namespace v0
}  // namespace openindex
