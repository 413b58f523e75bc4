// One row of the verdict table for each command: an example that makes sense, and the method that is named after it.
//
// The table goes through the alternatives of `Command`: one without an example and a method here does not compile.
#pragma once

#include <openindex/workflow_engine.hpp>

#include "verdicts/stage_set.hpp"

namespace openindex::verdicts {

template <class Alternative>
struct For {};

struct Example {
  const StageSet& set;

  Claim operator()(For<Claim>) const { return {}; }
  Release operator()(For<Release>) const { return {}; }
  Heartbeat operator()(For<Heartbeat>) const { return {}; }
  SetFields operator()(For<SetFields>) const { return {{{"note", "wet"}}}; }
  AddComment operator()(For<AddComment>) const { return {"seen"}; }
  ChangeStatus operator()(For<ChangeStatus>) const { return {"stuck"}; }
  Progress operator()(For<Progress>) const { return {"finish"}; }
  Complete operator()(For<Complete>) const { return {}; }
  Done operator()(For<Done>) const { return {}; }
  Reacknowledge operator()(For<Reacknowledge>) const { return {"finish"}; }
  TakeOver operator()(For<TakeOver>) const { return {"agent-gamma"}; }
  Reopen operator()(For<Reopen>) const { return {}; }
  UpdateItem operator()(For<UpdateItem>) const { return {.title = "Wet cellar"}; }
  AddDependency operator()(For<AddDependency>) const { return {set.open_item}; }
  RemoveDependency operator()(For<RemoveDependency>) const { return {set.closed_item}; }
  AddAttachment operator()(For<AddAttachment>) const { return {{.name = "photo", .uri = "file:photo"}}; }
  RemoveAttachment operator()(For<RemoveAttachment>) const { return {1}; }
  Migrate operator()(For<Migrate>) const { return {}; }
  DeleteItem operator()(For<DeleteItem>) const { return {}; }
  CancelRun operator()(For<CancelRun>) const { return {}; }
  ResumeRun operator()(For<ResumeRun>) const { return {}; }
  StartRun operator()(For<StartRun>) const { return {}; }
};

/// The method of `WorkflowEngine` that is named after the command.
struct NamedMethod {
  WorkflowEngine& engine;
  const Actor& actor;
  const ItemKey& key;
  const CallOptions& call;
  using Answer = Result<WorkItem>;

  Answer operator()(const Claim& given) { return engine.claim(actor, key, given, call); }
  Answer operator()(const Release& given) { return engine.release(actor, key, given, call); }
  Answer operator()(const Heartbeat& given) { return engine.heartbeat(actor, key, given, call); }
  Answer operator()(const SetFields& given) { return engine.set_fields(actor, key, given.values, call); }
  Answer operator()(const AddComment& given) { return engine.comment(actor, key, given.body, call); }
  Answer operator()(const ChangeStatus& given) { return engine.transition(actor, key, given.to_status, call); }
  Answer operator()(const Progress& given) { return engine.progress(actor, key, given, call); }
  Answer operator()(const Complete& given) { return engine.complete(actor, key, given, call); }
  Answer operator()(const Done& given) { return engine.done(actor, key, given, call); }
  Answer operator()(const Reacknowledge& given) { return engine.reacknowledge(actor, key, given, call); }
  Answer operator()(const TakeOver& given) { return engine.take_over(actor, key, given, call); }
  Answer operator()(const Reopen& given) { return engine.reopen(actor, key, given, call); }
  Answer operator()(const UpdateItem& given) { return engine.update(actor, key, given, call); }
  Answer operator()(const AddDependency& given) { return engine.add_dependency(actor, key, given.on, call); }
  Answer operator()(const RemoveDependency& given) { return engine.remove_dependency(actor, key, given.on, call); }
  Answer operator()(const AddAttachment& given) { return engine.attach(actor, key, given.attachment, call); }
  Answer operator()(const RemoveAttachment& given) { return engine.detach(actor, key, given.number, call); }
  Answer operator()(const Migrate& given) { return engine.migrate(actor, key, given, call); }
  Answer operator()(const DeleteItem& given) { return engine.delete_item(actor, key, given, call); }
  Answer operator()(const CancelRun& given) { return engine.cancel_run(actor, key, given, call); }
  Answer operator()(const ResumeRun& given) { return engine.resume_run(actor, key, given, call); }
  Answer operator()(const StartRun& given) { return engine.start_run(actor, key, given, call); }
};

/// What an `AgentSession` can do by itself; nothing: it has no call for that.
struct SessionMethod {
  AgentSession& session;
  using Answer = std::optional<Result<void>>;

  static Answer none() { return std::nullopt; }
  template <class T>
  static Answer finished(const Result<T>& result) {
    return result ? Result<void>() : Result<void>(result.error());
  }

  Answer operator()(const Claim&) { return none(); }
  Answer operator()(const Release&) { return finished(std::move(session).release()); }
  Answer operator()(const Heartbeat&) { return session.heartbeat(); }
  Answer operator()(const SetFields& given) { return session.set_fields(given.values); }
  Answer operator()(const AddComment& given) { return session.comment(given.body); }
  Answer operator()(const ChangeStatus& given) { return session.transition(given.to_status); }
  Answer operator()(const Progress& given) { return session.progress(given.gate, given); }
  Answer operator()(const Complete& given) { return finished(std::move(session).complete(given)); }
  Answer operator()(const Done&) { return none(); }
  Answer operator()(const Reacknowledge&) { return none(); }
  Answer operator()(const TakeOver&) { return none(); }
  Answer operator()(const Reopen&) { return none(); }
  Answer operator()(const UpdateItem&) { return none(); }
  Answer operator()(const AddDependency&) { return none(); }
  Answer operator()(const RemoveDependency&) { return none(); }
  Answer operator()(const AddAttachment&) { return none(); }
  Answer operator()(const RemoveAttachment&) { return none(); }
  Answer operator()(const Migrate&) { return none(); }
  Answer operator()(const DeleteItem&) { return none(); }
  Answer operator()(const CancelRun&) { return none(); }
  Answer operator()(const ResumeRun&) { return none(); }
  Answer operator()(const StartRun&) { return none(); }
};

}  // namespace openindex::verdicts
