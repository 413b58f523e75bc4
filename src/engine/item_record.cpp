#include "engine/item_record.hpp"

#include <charconv>

#include <boost/json/object.hpp>

#include "engine/domain_book.hpp"
#include "engine/index_values.hpp"
#include "engine/text_search.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"
#include "work/field_json.hpp"

namespace openindex::engine {
namespace {

std::int64_t ms(Time time) { return time.time_since_epoch().count(); }

// Free work that waits for other work or for people is no offer; held work stays its holder's.
bool in_queue(const WorkItem& item) {
  if (item.resolution != Resolution::unresolved) return false;
  return item.hold || (item.execution_target != ExecutionTarget::human && item.blocked_by.empty());
}

std::string holder_of(const WorkItem& item) { return item.hold ? item.hold->agent.str() : std::string(); }

std::vector<IndexEntry> state_index(const LoadedItem& loaded) {
  const WorkItem& item = loaded.item;
  std::vector<IndexEntry> out;
  out.reserve(3);
  out.push_back({Index::items, place_among_items(loaded)});
  if (!item.parent.empty()) out.push_back({Index::tree, index_values(item.parent.str(), loaded.number, loaded.sub)});
  if (item.resolved_at) out.push_back({Index::due, index_values("resolved", ms(*item.resolved_at), item.key.str())});
  if (in_queue(item)) {
    out.push_back({Index::queue, index_values(holder_of(item), static_cast<std::int64_t>(item.priority), loaded.number,
                                              item.domain, item.workflow.str(), item.stage)});
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

std::vector<ItemKey> keys_of(std::vector<std::string> texts) {
  std::vector<ItemKey> out;
  for (std::string& text : texts) out.emplace_back(std::move(text));
  return out;
}

template <class Texts>
void write_texts(json::Writer& out, std::string_view name, const Texts& texts) {
  if (texts.empty()) return;
  out.key(name).begin_array();
  for (const auto& text : texts) {
    if constexpr (requires { text.str(); }) {
      out.string(text.str());
    } else {
      out.string(text);
    }
  }
  out.end_array();
}

void read_schedule(Schedule& schedule, json::Stored& in) {
  schedule.granularity = parse_schedule_granularity(in.text("schedule")).value_or(ScheduleGranularity::none);
  schedule.start = in.time("scheduleStart");
  schedule.end = in.time("scheduleEnd");
}

void write_schedule(json::Writer& out, const Schedule& schedule) {
  if (schedule.granularity == ScheduleGranularity::none) return;
  out.key("schedule").string(to_text(schedule.granularity)).key("scheduleStart").number(ms(schedule.start));
  if (schedule.granularity == ScheduleGranularity::datetime) out.key("scheduleEnd").number(ms(schedule.end));
}

Attachment read_attachment(json::Stored in) {
  Attachment file;
  file.number = static_cast<std::uint32_t>(in.natural("number"));
  file.name = in.text("name");
  file.media_type = in.text("mediaType");
  file.size_bytes = in.natural("size");
  file.uri = in.text("uri");
  file.added_by = in.text("addedBy");
  file.added_at = in.time("addedAt");
  return file;
}

void write_attachment(json::Writer& out, const Attachment& file) {
  out.begin_object().key("number").number(std::uint64_t{file.number}).key("name").string(file.name);
  out.member("mediaType", file.media_type).member("size", file.size_bytes).key("uri").string(file.uri);
  out.member("addedBy", file.added_by).key("addedAt").number(ms(file.added_at)).end_object();
}

GateAcknowledgement read_acknowledgement(json::Stored in) {
  GateAcknowledgement passed;
  passed.gate = in.text("gate");
  passed.by = in.text("by");
  passed.by_agent = in.boolean("byAgent");
  passed.at = in.time("at");
  passed.checked = in.texts("checked");
  passed.covered = in.texts("covered");
  passed.digest = in.text("digest");
  passed.changed = in.texts("changed");
  passed.changed_by = in.text("changedBy");
  return passed;
}

Result<void> read_gates(LoadedItem& loaded, const Record& record) {
  auto in = json::Stored::read(record.body, "gates " + record.id.key);
  if (!in) return in.error();
  for (json::Stored& passed : in->objects("gates"))
    loaded.item.gates.push_back(read_acknowledgement(std::move(passed)));
  return {};
}

void read_state(LoadedItem& loaded, json::Stored& in) {
  WorkItem& item = loaded.item;
  item.kind = parse_work_kind(in.text("kind")).value_or(WorkKind::task);
  item.parent = in.text("parent");
  loaded.sub = in.integer("sub");
  item.owner = in.text("owner");
  item.assignee = in.text("assignee");
  read_schedule(item.schedule, in);
  item.blocked_by = keys_of(in.texts("blockedBy"));
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
  loaded.workers = in.texts("workers");
  if (const std::string only = in.text("worker"); !only.empty()) loaded.workers.push_back(only);
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
  loaded.item.categories = in->texts("categories");
  loaded.item.objective_state = in->text("objectiveState");
  loaded.item.depends_on = keys_of(in->texts("dependsOn"));
  for (json::Stored& file : in->objects("attachments")) {
    loaded.item.attachments.push_back(read_attachment(std::move(file)));
  }
  loaded.attachment_count = static_cast<std::uint32_t>(in->natural("attachmentCount"));
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

std::vector<IndexValue> place_among_items(const LoadedItem& loaded) {
  const WorkItem& item = loaded.item;
  return index_values(item.domain, loaded.number, loaded.sub, item.workflow.str(), item.status, item.stage,
                      to_text(item.resolution), to_text(item.execution_target), holder_of(item), to_text(item.kind),
                      static_cast<std::int64_t>(item.priority), item.parent.str(), item.owner, item.assignee,
                      to_text(item.schedule.granularity), item.resolved_at ? ms(*item.resolved_at) : 0);
}

std::optional<std::vector<IndexValue>> place_of_key(const ItemKey& key) {
  std::int64_t number = 0, sub = 0;
  const std::string domain = domain_of(key);
  if (domain.size() == key.str().size()) return std::nullopt;
  const char* const end = key.str().data() + key.str().size();
  auto read = std::from_chars(key.str().data() + domain.size() + 1, end, number);
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == '.') read = std::from_chars(read.ptr + 1, end, sub);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return index_values(domain, number, sub);
}

RecordId state_record(const ItemKey& key) { return {"item", key.str()}; }
RecordId content_record(const ItemKey& key) { return {"content", key.str()}; }
RecordId hold_record(const ItemKey& key) { return {"hold", key.str()}; }
RecordId gates_record(const ItemKey& key) { return {"gates", key.str()}; }

Put write_state(const LoadedItem& loaded) {
  const WorkItem& item = loaded.item;
  json::Writer out;
  out.begin_object().key("workflow").string(item.workflow.str());
  out.key("version").number(std::uint64_t{item.workflow_version});
  out.key("domain").string(item.domain).key("number").number(loaded.number).key("status").string(item.status);
  if (item.kind != WorkKind::task) out.key("kind").string(to_text(item.kind));
  out.member("sub", static_cast<std::uint64_t>(loaded.sub)).member("parent", item.parent.str());
  out.member("owner", item.owner).member("assignee", item.assignee);
  write_schedule(out, item.schedule);
  write_texts(out, "blockedBy", item.blocked_by);
  if (item.resolution != Resolution::unresolved) out.key("resolution").string(to_text(item.resolution));
  out.key("priority").string(to_text(item.priority)).key("target").string(to_text(item.execution_target));
  if (item.hold) out.key("holder").string(item.hold->agent.str()).member("holdRun", item.hold->run.str());
  out.member("epoch", loaded.epoch).member("run", item.run.str()).member("runs", std::uint64_t{loaded.run_count});
  write_texts(out, "workers", loaded.workers);
  out.member("comments", std::uint64_t{item.comment_count});
  out.key("auditCount").number(loaded.chain.count).key("auditHead").string(loaded.chain.digest);
  out.key("created").number(ms(item.created_at)).key("updated").number(ms(item.updated_at));
  if (item.resolved_at) out.key("resolved").number(ms(*item.resolved_at));
  out.rest(loaded.extra).end_object();
  return {state_record(item.key), std::move(out).str(), state_index(loaded)};
}

IndexEntry text_entry(std::string_view title, std::string_view description, std::vector<IndexValue> place) {
  TextBits bits{};
  add_bits(bits, title);
  add_bits(bits, description);
  place.insert(place.end(), bits.begin(), bits.end());
  return {Index::text, std::move(place)};
}

Put write_content(const LoadedItem& loaded) {
  json::Writer out;
  out.begin_object().key("title").string(loaded.text->title).member("description", loaded.text->description);
  out.key("fields").begin_object();
  for (const auto& [key, value] : loaded.item.fields) write_field(out.key(key), value);
  out.end_object();
  write_texts(out, "categories", loaded.item.categories);
  out.member("objectiveState", loaded.item.objective_state);
  write_texts(out, "dependsOn", loaded.item.depends_on);
  if (!loaded.item.attachments.empty()) {
    out.key("attachments").begin_array();
    for (const Attachment& file : loaded.item.attachments) write_attachment(out, file);
    out.end_array();
  }
  out.member("attachmentCount", std::uint64_t{loaded.attachment_count});
  out.rest(loaded.text->extra).end_object();
  auto place = index_values(loaded.item.domain, loaded.number, loaded.sub);
  return {content_record(loaded.item.key),
          std::move(out).str(),
          {text_entry(loaded.text->title, loaded.text->description, std::move(place))}};
}

Put write_hold(const LoadedItem& loaded) {
  Put put{hold_record(loaded.item.key), {}, {}};
  json::Writer out;
  out.begin_object().key("epoch").number(loaded.epoch);
  if (const auto& hold = loaded.item.hold) {
    out.key("deadline").number(ms(hold->deadline)).key("length").number(std::int64_t{loaded.hold_length.count()});
    const std::string_view topic = hold->run.empty() ? "hold" : "run_hold";
    put.index.push_back({Index::due, index_values(topic, ms(hold->deadline), loaded.item.key.str())});
  }
  put.body = std::move(out.end_object()).str();
  return put;
}

Put write_gates(const LoadedItem& loaded) {
  json::Writer out;
  out.begin_object().key("gates").begin_array();
  for (const GateAcknowledgement& passed : loaded.item.gates) {
    out.begin_object().key("gate").string(passed.gate).key("by").string(passed.by).member("byAgent", passed.by_agent);
    out.key("at").number(ms(passed.at)).key("digest").string(passed.digest);
    write_texts(out, "checked", passed.checked);
    write_texts(out, "covered", passed.covered);
    write_texts(out, "changed", passed.changed);
    out.member("changedBy", passed.changed_by).end_object();
  }
  return {gates_record(loaded.item.key), std::move(out.end_array().end_object()).str(), {}};
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
  if (records[3]) {
    if (auto read = read_gates(*loaded, *records[3]); !read) return read.error();
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
