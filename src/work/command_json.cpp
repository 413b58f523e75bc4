#include "work/command_json.hpp"

#include "json/writer.hpp"

namespace openindex::work {
namespace {

std::int64_t ms(Duration duration) { return duration.count(); }
std::int64_t ms(Time time) { return time.time_since_epoch().count(); }

class CommandWriter {
 public:
  void operator()(const Claim& claim) {
    start("claim").key("toStatus").string(claim.to_status).key("hold").number(ms(claim.hold));
  }
  void operator()(const Release& release) { start("release").key("note").string(release.note); }
  void operator()(const Heartbeat& beat) { start("heartbeat").key("hold").number(ms(beat.hold)); }
  void operator()(const SetFields& set) {
    start("setFields").key("values").begin_object();
    for (const auto& [key, value] : set.values) {
      out_.key(key);
      if (const auto* number = value.number()) {
        out_.number(*number);
      } else if (value.empty()) {
        out_.null();
      } else {
        out_.string((value.date() != nullptr ? "date " : "text ") + value.display());
      }
    }
    out_.end_object();
  }
  void operator()(const AddComment& comment) {
    start("comment").key("body").string(comment.body).key("external").boolean(comment.external);
  }
  void operator()(const ChangeStatus& change) { start("transition").key("toStatus").string(change.to_status); }
  void operator()(const Progress& progress) {
    start("progress").key("gate").string(progress.gate).key("acceptText").boolean(progress.accept_text);
    texts("checked", progress.checked);
  }
  void operator()(const Complete& complete) { start("complete").key("toStatus").string(complete.to_status); }
  void operator()(const Done& done) { start("done").key("toStatus").string(done.to_status); }
  void operator()(const Reacknowledge& again) {
    start("reacknowledge").key("gate").string(again.gate).key("acceptText").boolean(again.accept_text);
    texts("checked", again.checked);
  }
  void operator()(const TakeOver& take) {
    start("takeOver").key("agent").string(take.agent.str()).key("hold").number(ms(take.hold));
    out_.key("reason").string(take.reason);
  }
  void operator()(const Reopen& reopen) {
    start("reopen").key("toStatus").string(reopen.to_status).key("reason").string(reopen.reason);
  }
  void operator()(const UpdateItem& update) {
    start("update");
    text("title", update.title);
    text("description", update.description);
    if (update.priority) out_.key("priority").string(to_text(*update.priority));
    if (update.execution_target) out_.key("executionTarget").string(to_text(*update.execution_target));
    text("ownerUserId", update.owner);
    text("assigneeUserId", update.assignee);
    if (update.categories) texts("categories", *update.categories);
    if (update.schedule) {
      out_.key("schedule").begin_array().string(to_text(update.schedule->granularity));
      out_.number(ms(update.schedule->start)).number(ms(update.schedule->end)).end_array();
    }
    text("objectiveState", update.objective_state);
  }
  void operator()(const AddDependency& add) { start("addDependency").key("on").string(add.on.str()); }
  void operator()(const RemoveDependency& remove) { start("removeDependency").key("on").string(remove.on.str()); }
  void operator()(const AddAttachment& add) {
    start("attach").key("name").string(add.attachment.name).key("mediaType").string(add.attachment.media_type);
    out_.key("size").number(add.attachment.size_bytes).key("uri").string(add.attachment.uri);
  }
  void operator()(const RemoveAttachment& remove) {
    start("detach").key("number").number(std::uint64_t{remove.number});
  }

  void operator()(const DeleteItem& deletion) { start("delete").key("reason").string(deletion.reason); }
  void operator()(const CancelRun& cancel) {
    start("cancelRun").key("run").string(cancel.run.str()).key("reason").string(cancel.reason);
  }
  void operator()(const ResumeRun& resume) {
    start("resumeRun").key("run").string(resume.run.str()).key("answer").string(resume.answer);
    out_.key("provider").string(resume.provider.str());
    if (resume.step != 0) out_.key("step").number(std::uint64_t{resume.step});
    if (resume.approved) out_.key("approved").boolean(*resume.approved);
  }
  void operator()(const StartRun& start_run) { start("startRun").key("provider").string(start_run.provider.str()); }
  void operator()(const Migrate& migrate) {
    start("migrate").key("version").number(std::uint64_t{migrate.version}).key("statuses").begin_object();
    for (const auto& [old_key, new_key] : migrate.mapping.statuses) out_.key(old_key).string(new_key);
    out_.end_object().key("dropUnknownFields").boolean(migrate.mapping.drop_unknown_fields);
  }

  std::string finish() { return std::move(out_.end_object()).str(); }

 private:
  json::Writer& start(std::string_view name) { return out_.begin_object().key("command").string(name); }
  void text(std::string_view name, const std::optional<std::string>& value) {
    if (value) out_.key(name).string(*value);
  }
  void texts(std::string_view name, const std::vector<std::string>& values) {
    out_.key(name).begin_array();
    for (const std::string& value : values) out_.string(value);
    out_.end_array();
  }

  json::Writer out_;
};

}  // namespace

std::string to_json(const Command& command) {
  CommandWriter writer;
  std::visit(writer, command);
  return writer.finish();
}

}  // namespace openindex::work
