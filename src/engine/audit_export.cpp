// Writing audit entries for others to read: JSON for programs, CSV for spreadsheets.
#include <openindex/workflow_engine.hpp>

#include "engine/reading.hpp"
#include "json/writer.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using engine::tell_sink;

constexpr std::string_view csv_header =
    "stream,number,at,type,actor,actorKind,stage,run,step,epoch,changes,note,previous\r\n";

void write_changes(json::Writer& out, const std::vector<AuditChange>& changes) {
  out.begin_array();
  for (const AuditChange& change : changes) {
    out.begin_object().key("what").string(change.what).key("before").string(change.before);
    out.key("after").string(change.after).end_object();
  }
  out.end_array();
}

void append_json(std::string& text, const AuditEntry& entry) {
  json::Writer out;
  out.begin_object().key("stream").string(entry.stream).key("number").number(entry.number);
  out.key("at").string(to_rfc3339(entry.at)).key("type").string(entry.type);
  out.key("actor").string(entry.actor).key("actorKind").string(entry.actor_kind);
  out.member("stage", entry.stage).member("run", entry.run.str()).member("step", entry.step);
  out.member("epoch", entry.epoch);
  if (!entry.changes.empty()) write_changes(out.key("changes"), entry.changes);
  out.member("note", entry.note).member("previous", entry.previous).end_object();
  text += out.str();
}

void append_cell(std::string& text, std::string_view cell, char behind = ',') {
  constexpr std::string_view formula_starts = "=+-@\t\r\n";
  const bool formula = !cell.empty() && formula_starts.find(cell.front()) != std::string_view::npos;
  const bool quoted = cell.find_first_of(",\"\r\n") != std::string_view::npos;
  if (quoted) text += '"';
  if (formula) text += '\'';
  for (const char c : cell) text.append(c == '"' ? 2 : 1, c);
  if (quoted) text += '"';
  text += behind;
}

void append_csv(std::string& text, const AuditEntry& entry) {
  append_cell(text, entry.stream);
  append_cell(text, std::to_string(entry.number));
  append_cell(text, to_rfc3339(entry.at));
  for (const std::string* cell :
       {&entry.type, &entry.actor, &entry.actor_kind, &entry.stage, &entry.run.str(), &entry.step}) {
    append_cell(text, *cell);
  }
  append_cell(text, std::to_string(entry.epoch));
  json::Writer changes;
  if (!entry.changes.empty()) write_changes(changes, entry.changes);
  append_cell(text, changes.str());
  append_cell(text, entry.note);
  append_cell(text, entry.previous, '\r');
  text += '\n';
}

}  // namespace

Result<void> WorkflowEngine::export_audit(const Actor& actor, const AuditFilter& filter, AuditFormat format,
                                          const AuditSink& sink) {
  if (!sink) return Error(errc::invalid_argument, "An export needs a sink");
  const bool csv = format == AuditFormat::csv;
  std::string text(csv ? csv_header : "[");
  bool first = true;
  AuditFilter rest = filter;
  do {
    auto page = audit_entries(actor, rest);
    if (!page) return page.error();
    for (const AuditEntry& entry : page->entries) {
      if (csv) {
        append_csv(text, entry);
      } else {
        append_json(text.append(first ? "\n" : ",\n"), entry);
      }
      first = false;
    }
    rest.after = std::move(page->next);
    if (rest.after.empty() && !csv) text += first ? "]\n" : "\n]\n";
    if (text.empty()) continue;
    if (auto told = tell_sink(sink, text); !told) return told;
    text.clear();
  } while (!rest.after.empty());
  return {};
}

}  // namespace v0
}  // namespace openindex
