#include "provider/model_record.hpp"

#include "json/object_reader.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"
#include "provider/stored_parts.hpp"

namespace openindex::providers {
namespace {

std::int64_t since_epoch(Time time) { return time.time_since_epoch().count(); }

}  // namespace

RecordId model_record(const ProviderId& provider, std::string_view model) {
  return {"provider_model", provider.str() + "/" + std::string(model)};
}

RecordId ModelRecord::id() const { return model_record(provider, name); }

// No slash of a name may be taken for the one behind it.
std::string ModelRecord::secret_scope() const { return "models/" + json::escape_pointer(name) + "/"; }

Put write_model(const ModelRecord& record) {
  json::Writer out;
  out.begin_object().key("provider").string(record.provider.str()).key("name").string(record.name);
  out.key("enabled").boolean(record.enabled).member("description", record.description);
  write_config(out, record.config, record.secrets);
  write_tags(out, record.tags);
  write_limit(out, record.limit);
  if (!record.prompts.empty()) {
    out.key("prompts").begin_array();
    for (const PromptBinding& prompt : record.prompts) {
      out.begin_object().key("name").string(prompt.name).key("id").string(prompt.id).end_object();
    }
    out.end_array();
  }
  out.key("createdAt").number(since_epoch(record.created_at)).key("updatedAt").number(since_epoch(record.updated_at));
  out.member("createdBy", record.created_by).member("updatedBy", record.updated_by);
  out.rest(record.extra).end_object();
  return {record.id(), std::move(out).str(), {}};
}

Result<ModelRecord> read_model(const Record& record) {
  const std::string what = "model " + record.id.key;
  auto in = json::Stored::read(record.body, what);
  if (!in) return in.error();
  ModelRecord out;
  out.version = record.version;
  out.provider = in->text("provider");
  out.name = in->text("name");
  if (record.id != out.id()) {
    return Error(errc::storage_corrupt, "A stored model does not have the name it is stored under").with("what", what);
  }
  out.enabled = in->boolean("enabled");
  out.description = in->text("description");
  if (auto read = read_config(*in, what, out.config, out.secrets); !read) return read.error();
  out.tags = read_tags(*in);
  out.limit = read_limit(*in);
  for (json::Stored& prompt : in->objects("prompts")) out.prompts.push_back({prompt.text("name"), prompt.text("id")});
  out.created_at = in->time("createdAt");
  out.updated_at = in->time("updatedAt");
  out.created_by = in->text("createdBy");
  out.updated_by = in->text("updatedBy");
  out.extra = in->rest();
  return out;
}

Result<std::optional<ModelRecord>> load_model(Storage& storage, const ProviderId& provider, const std::string& model) {
  const RecordId name = model_record(provider, model);
  auto found = storage.get_bodies({&name, 1});
  if (!found) return found.error();
  if (!found->front()) return std::optional<ModelRecord>();
  auto read = read_model(*found->front());
  if (!read) return read.error();
  return std::optional(std::move(*read));
}

Result<std::vector<ModelRecord>> load_models(Storage& storage, const ProviderRecord& provider) {
  std::vector<ModelRecord> out;
  if (provider.models == 0) return out;
  ScanRequest request{.prefix = {"provider_model"}, .from = provider.id.str() + "/", .below = provider.id.str() + "0"};
  do {
    auto page = storage.scan(request);
    if (!page) return page.error();
    for (const Record& row : page->rows) {
      auto record = read_model(row);
      if (!record) return record.error();
      out.push_back(std::move(*record));
    }
    request.after = std::move(page->next);
  } while (!request.after.empty());
  return out;
}

IntegrationModel view_of(const ModelRecord& record, const std::string& integration) {
  IntegrationModel out{.integration_name = integration,
                       .api = record.name,
                       .description = record.description,
                       .enabled = record.enabled,
                       .configuration = record.config,
                       .tags = record.tags,
                       .limit = record.limit,
                       .create_time = record.created_at,
                       .update_time = record.updated_at,
                       .created_by = record.created_by,
                       .updated_by = record.updated_by};
  for (const auto& [key, secret] : record.secrets) out.configuration.insert_or_assign(key, std::string(secret_mask));
  return out;
}

}  // namespace openindex::providers
