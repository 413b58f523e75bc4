#include "provider/prompt_record.hpp"

#include <set>

#include "json/object_reader.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::providers {

// Streams of audit entries are called after the key, and a slash divides them from the entries' numbers.
RecordId prompt_record(const std::string& name) { return {"prompt", json::escape_pointer(name)}; }

Put write_prompt(const PromptRecord& record) {
  const auto ms = [](Time time) { return std::int64_t{time.time_since_epoch().count()}; };
  json::Writer out;
  out.begin_object().key("name").string(record.name).key("id").string(record.id).key("text").string(record.text);
  out.member("description", record.description).key("revision").number(std::uint64_t{record.revision});
  out.member("removed", record.removed);
  out.key("auditCount").number(record.chain.count).key("auditHead").string(record.chain.digest);
  out.key("createdAt").number(ms(record.created_at)).key("updatedAt").number(ms(record.updated_at));
  out.member("createdBy", record.created_by).member("updatedBy", record.updated_by);
  out.rest(record.extra).end_object();
  return {prompt_record(record.name), std::move(out).str(), {}};
}

Result<PromptRecord> read_prompt(const Record& record) {
  auto in = json::Stored::read(record.body, "prompt " + record.id.key);
  if (!in) return in.error();
  PromptRecord out;
  out.name = in->text("name");
  out.version = record.version;
  out.id = in->text("id");
  out.text = in->text("text");
  out.description = in->text("description");
  out.revision = static_cast<std::uint32_t>(in->natural("revision"));
  out.removed = in->boolean("removed");
  out.chain = {in->natural("auditCount"), in->text("auditHead")};
  out.created_at = in->time("createdAt");
  out.updated_at = in->time("updatedAt");
  out.created_by = in->text("createdBy");
  out.updated_by = in->text("updatedBy");
  out.extra = in->rest();
  return out;
}

std::vector<std::string> variables_of(std::string_view text) {
  constexpr std::size_t name_bytes_max = 100;
  constexpr std::size_t names_max = 1000;
  std::vector<std::string> out;
  std::set<std::string_view> seen;
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at)) {
    at += 2;
    const std::string_view rest = text.substr(at, name_bytes_max + 1);
    const std::size_t end = rest.find_first_of("}${ \n");
    if (end == std::string_view::npos || rest[end] != '}' || end == 0) continue;
    if (out.size() < names_max && seen.insert(rest.substr(0, end)).second) out.emplace_back(rest.substr(0, end));
  }
  return out;
}

Prompt view_of(const PromptRecord& record) {
  return {.name = record.name,
          .text = record.text,
          .description = record.description,
          .variables = variables_of(record.text),
          .version = record.revision,
          .create_time = record.created_at,
          .update_time = record.updated_at,
          .created_by = record.created_by,
          .updated_by = record.updated_by};
}

}  // namespace openindex::providers
