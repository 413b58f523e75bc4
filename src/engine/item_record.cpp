#include "engine/item_record.hpp"

#include <boost/json/object.hpp>

#include "json/stored.hpp"
#include "json/writer.hpp"
#include "work/field_json.hpp"

namespace openindex::engine {
namespace {

std::int64_t ms(Time time) { return time.time_since_epoch().count(); }

bool in_queue(const WorkItem& item) {
  return item.resolution == Resolution::unresolved && item.execution_target != ExecutionTarget::human;
}

std::string holder_of(const WorkItem& item) { return item.hold ? item.hold->agent.str() : std::string(); }

std::vector<IndexEntry> state_index(const LoadedItem& loaded) {
  const WorkItem& item = loaded.item;
  std::vector<IndexEntry> out;
  out.push_back(
      {Index::items,
       {item.domain, loaded.number, item.workflow.str(), item.status, item.stage, std::string(to_text(item.resolution)),
        std::string(to_text(item.execution_target)), holder_of(item)}});
  if (in_queue(item)) {
    out.push_back({Index::queue,
                   {holder_of(item), static_cast<std::int64_t>(item.priority), loaded.number, item.domain,
                    item.workflow.str(), item.stage}});
  }
  return out;
}

void write_field(json::Writer& out, const FieldValue& value) {
  if (const auto* text = value.text()) {
    out.string(*text);
  } else if (const auto* number = value.number()) {
    out.number(*number);
  } else if (const auto* date = value.date()) {
    out.begin_object().key("date").string(to_text(*date)).end_object();
  } else {
    out.null();
  }
}

void read_state(LoadedItem& loaded, json::Stored& in) {
  WorkItem& item = loaded.item;
  item.workflow = in.text("workflow");
  item.workflow_version = static_cast<std::uint32_t>(in.natural("version"));
  item.domain = in.text("domain");
  loaded.number = in.integer("number");
  item.status = in.text("status");
  item.resolution = parse_resolution(in.text("resolution")).value_or(Resolution::unresolved);
  item.priority = parse_priority(in.text("priority")).value_or(Priority::medium);
  item.execution_target = parse_execution_target(in.text("target")).value_or(ExecutionTarget::human);
  loaded.epoch = in.natural("epoch");
  const std::string holder = in.text("holder");
  const RunId hold_run = in.text("holdRun");
  if (!holder.empty()) item.hold = Hold{holder, loaded.epoch, {}, hold_run};
  item.run = in.text("run");
  loaded.run_count = static_cast<std::uint32_t>(in.natural("runs"));
  loaded.worker = in.text("worker");
  item.comment_count = static_cast<std::uint32_t>(in.natural("comments"));
  loaded.chain.count = in.natural("auditCount");
  loaded.chain.digest = in.text("auditHead");
  item.created_at = in.time("created");
  item.updated_at = in.time("updated");
  const Time resolved = in.time("resolved");
  if (resolved != Time()) item.resolved_at = resolved;
  loaded.extra = in.rest();
}

Result<void> read_content(LoadedItem& loaded, const Record& record) {
  auto in = json::Stored::read(record.body, "content " + record.id.key);
  if (!in) return in.error();
  auto text = std::make_shared<ItemText>();
  text->title = in->text("title");
  text->description = in->text("description");
  if (const auto* fields = in->member("fields"); fields != nullptr && fields->is_object()) {
    for (const auto& entry : fields->get_object()) {
      loaded.item.fields.emplace(std::string(entry.key().data(), entry.key().size()),
                                 work::read_field_value(entry.value()));
    }
  }
  text->extra = in->rest();
  loaded.text = std::move(text);
  loaded.text_version = record.version;
  return {};
}

Result<void> read_hold(LoadedItem& loaded, const Record& record) {
  auto in = json::Stored::read(record.body, "hold " + record.id.key);
  if (!in) return in.error();
  loaded.hold_version = record.version;
  loaded.hold_length = Duration(in->integer("length"));
  if (loaded.item.hold) loaded.item.hold->deadline = in->time("deadline");
  return {};
}

}  // namespace

RecordId state_record(const ItemKey& key) { return {"item", key.str()}; }
RecordId content_record(const ItemKey& key) { return {"content", key.str()}; }
RecordId hold_record(const ItemKey& key) { return {"hold", key.str()}; }

Put write_state(const LoadedItem& loaded) {
  const WorkItem& item = loaded.item;
  json::Writer out;
  out.begin_object().key("workflow").string(item.workflow.str());
  out.key("version").number(std::uint64_t{item.workflow_version});
  out.key("domain").string(item.domain).key("number").number(loaded.number).key("status").string(item.status);
  if (item.resolution != Resolution::unresolved) out.key("resolution").string(to_text(item.resolution));
  out.key("priority").string(to_text(item.priority)).key("target").string(to_text(item.execution_target));
  if (item.hold) out.key("holder").string(item.hold->agent.str()).member("holdRun", item.hold->run.str());
  out.member("epoch", loaded.epoch).member("run", item.run.str()).member("runs", std::uint64_t{loaded.run_count});
  out.member("worker", loaded.worker).member("comments", std::uint64_t{item.comment_count});
  out.key("auditCount").number(loaded.chain.count).key("auditHead").string(loaded.chain.digest);
  out.key("created").number(ms(item.created_at)).key("updated").number(ms(item.updated_at));
  if (item.resolved_at) out.key("resolved").number(ms(*item.resolved_at));
  out.rest(loaded.extra).end_object();
  return {state_record(item.key), std::move(out).str(), state_index(loaded)};
}

Put write_content(const LoadedItem& loaded) {
  json::Writer out;
  out.begin_object().key("title").string(loaded.text->title).member("description", loaded.text->description);
  out.key("fields").begin_object();
  for (const auto& [key, value] : loaded.item.fields) write_field(out.key(key), value);
  out.end_object().rest(loaded.text->extra).end_object();
  return {content_record(loaded.item.key), std::move(out).str(), {}};
}

Put write_hold(const LoadedItem& loaded) {
  Put put{hold_record(loaded.item.key), {}, {}};
  json::Writer out;
  out.begin_object().key("epoch").number(loaded.epoch);
  if (const auto& hold = loaded.item.hold) {
    out.key("deadline").number(ms(hold->deadline)).key("length").number(std::int64_t{loaded.hold_length.count()});
    put.index.push_back(
        {Index::due,
         {std::string(hold->run.empty() ? "hold" : "run_hold"), ms(hold->deadline), loaded.item.key.str()}});
  }
  put.body = std::move(out.end_object()).str();
  return put;
}

Result<LoadedItemPtr> read_item(const ItemKey& key, std::span<const std::optional<Record>> records,
                                const FindWorkflow& find) {
  const auto& state = records[0];
  const auto& content = records[1];
  if (!state) return Error(errc::not_found).with("item", key.str());
  if (!content) return Error(errc::storage_corrupt, "An item has lost its content").with("item", key.str());
  auto loaded = std::make_shared<LoadedItem>();
  loaded->item.key = key;
  loaded->item.version = state->version;
  auto in = json::Stored::read(state->body, "item " + key.str());
  if (!in) return in.error();
  read_state(*loaded, *in);
  if (auto read = read_content(*loaded, *content); !read) return read.error();
  if (records[2]) {
    if (auto read = read_hold(*loaded, *records[2]); !read) return read.error();
  }
  auto workflow = find(loaded->item.workflow, loaded->item.workflow_version);
  if (!workflow) return workflow.error();
  loaded->workflow = std::move(*workflow);
  const auto status = loaded->workflow->find_status(loaded->item.status);
  if (!status) return Error(errc::storage_corrupt, "An item has a status its workflow lacks").with("item", key.str());
  loaded->status = *status;
  loaded->item.stage = loaded->workflow->status(*status).stage;
  return LoadedItemPtr(std::move(loaded));
}

}  // namespace openindex::engine
