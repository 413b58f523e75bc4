#include "engine/audit_chain.hpp"

#include <array>
#include <charconv>

#include "engine/digest.hpp"
#include "engine/index_values.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {
namespace {

constexpr std::array<std::string_view, 4> kinds = {"system", "person", "agent", "run"};

std::string write_entry(const ChainHead& head, const AuditFrame& frame, std::string_view at, const AuditDraft& draft) {
  json::Writer out;
  out.begin_object().key("number").number(head.count + 1).key("type").string(draft.type).key("at").string(at);
  out.member("actor", frame.actor.id());
  out.member("actorKind", kinds[static_cast<std::size_t>(frame.actor.kind())]);
  out.member("stage", frame.stage).member("run", frame.actor.run_id().str()).member("step", frame.step);
  out.member("epoch", frame.epoch);
  if (!draft.changes.empty()) {
    out.key("changes").begin_array();
    for (const AuditChange& change : draft.changes) {
      out.begin_object().member("what", change.what).member("before", change.before).member("after", change.after);
      out.end_object();
    }
    out.end_array();
  }
  out.member("note", draft.note).member("previous", head.digest).member("commit", frame.commit).end_object();
  return std::move(out).str();
}

std::string text_of(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::vector<AuditChange> read_changes(const boost::json::value* changes) {
  std::vector<AuditChange> out;
  if (changes == nullptr || !changes->is_array()) return out;
  for (const auto& value : changes->get_array()) {
    if (const auto* change = value.if_object()) {
      out.push_back({text_of(*change, "what"), text_of(*change, "before"), text_of(*change, "after")});
    }
  }
  return out;
}

}  // namespace

void append_audit(ChangeSet& changes, ChainHead& head, const AuditFrame& frame, std::span<const AuditDraft> drafts) {
  const std::string at = to_rfc3339(frame.at);
  for (const AuditDraft& draft : drafts) {
    std::string body = write_entry(head, frame, at, draft);
    head.digest = audit_digest(body);
    Put& put = changes.appends.emplace_back(Put{audit_record(frame.stream, ++head.count), std::move(body), {}});
    put.index.push_back({Index::audit, index_values(frame.at.time_since_epoch().count(), frame.domain, draft.type,
                                                    frame.actor.id(), frame.stream)});
  }
}

RecordId audit_record(std::string_view stream, std::uint64_t number) {
  char digits[20];
  const auto count = static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, number).ptr - digits);
  RecordId id{"audit", {}};
  id.key.reserve(stream.size() + 1 + 8);
  id.key.append(stream).push_back('/');
  if (count < 8) id.key.append(8 - count, '0');  // so that key order is the order of the numbers
  id.key.append(digits, count);
  return id;
}

Result<AuditEntry> read_audit(std::uint64_t number, std::string_view body) {
  auto in = json::Stored::read(body, "audit entry " + std::to_string(number));
  if (!in) return in.error();
  AuditEntry entry;
  entry.number = in->natural("number");
  entry.type = in->text("type");
  const auto at = parse_rfc3339(in->text("at"));
  if (entry.number != number || entry.type.empty() || !at) {
    return Error(errc::storage_corrupt, "A stored audit entry is not what its key says")
        .with("what", "audit entry " + std::to_string(number));
  }
  entry.at = *at;
  entry.actor = in->text("actor");
  entry.actor_kind = in->text("actorKind");
  entry.stage = in->text("stage");
  entry.run = in->text("run");
  entry.step = in->text("step");
  entry.epoch = in->natural("epoch");
  entry.changes = read_changes(in->member("changes"));
  entry.note = in->text("note");
  entry.previous = in->text("previous");
  return entry;
}

Result<AuditEntry> read_audit(const Record& record) {
  const std::string_view key = record.id.key;
  const auto slash = key.rfind('/');
  std::uint64_t number = 0;
  if (slash != std::string_view::npos) std::from_chars(key.data() + slash + 1, key.data() + key.size(), number);
  auto entry = read_audit(number, record.body);
  if (!entry || audit_record(key.substr(0, slash), number) != record.id) {
    return Error(errc::storage_corrupt, "A stored audit entry is not what its key says").with("what", key);
  }
  entry->stream = key.substr(0, slash);
  return entry;
}

std::string audit_digest(std::string_view body) { return sha256_hex(body); }

std::string commit_of(std::string_view body) {
  auto in = json::Stored::read(body, "appended record");
  return in ? in->text("commit") : std::string();
}

}  // namespace openindex::engine
