#include "provider/call_answer.hpp"

#include <utility>

#include <boost/json/serialize.hpp>

#include "json/stored.hpp"
#include "json/writer.hpp"
#include "provider/prompt_record.hpp"
#include "provider/provider_directory.hpp"

namespace openindex::providers {
namespace {

void drop_handles(SealedSecrets& secrets) {
  for (auto& [key, secret] : secrets) {
    secret.handle.clear();
    secret.extra.clear();
  }
}

void write_stages(json::Writer& out, const ProviderUse& use) {
  out.key("stages").begin_array();
  for (const ProviderUse::InStage& stage : use.stages) {
    out.begin_object().key("workflow").string(stage.workflow.str()).key("stage").string(stage.stage);
    out.key("items").number(stage.items).member("otherProviders", stage.other_providers).end_object();
  }
  out.end_array();
}

ProviderUse read_stages(json::Stored& in) {
  ProviderUse use;
  for (json::Stored& stage : in.objects("stages")) {
    use.stages.push_back({.workflow = WorkflowId(stage.text("workflow")),
                          .stage = stage.text("stage"),
                          .items = stage.natural("items"),
                          .other_providers = stage.boolean("otherProviders")});
  }
  return use;
}

Result<json::Stored> stored_answer(const Record& record) { return json::Stored::read(record.body, "idempotency key"); }

/// A record that stands in the answer, under the name and version that it had.
Record record_in(json::Stored& in, const Record& answer) {
  const auto* body = in.member("record");
  return {answer.id, answer.version, body == nullptr ? std::string() : boost::json::serialize(*body), {}};
}

}  // namespace

Result<CallRequest> keyed_request(ProviderRegistry::Directory& directory, const Actor& actor, const std::string& key,
                                  const std::string& what) {
  if (auto sound = engine::check_idempotency_key(key); !sound) return sound.error();
  const auto digest = directory.request_key.digest(directory, what);
  if (!digest) return digest.error();
  return engine::request_of(actor, key, *digest);
}

Record answer_of(const Made&) { return {{"made", ""}, 0, "{}", {}}; }
Result<void> read_answer(const Record&, Made&) { return {}; }

Record answer_of(const ProviderAnswer& answer) {
  ProviderRecord record = answer.record;
  drop_handles(record.secrets);
  record.salt.clear();
  json::Writer out;
  out.begin_object().key("record").raw(write_provider(record).body);
  if (answer.left_without) {
    out.key("disabled").boolean(true);
    write_stages(out, *answer.left_without);
  }
  return {provider_record(record.id), record.version, std::move(out.end_object()).str(), {}};
}

Result<void> read_answer(const Record& record, ProviderAnswer& answer) {
  auto in = stored_answer(record);
  if (!in) return in.error();
  auto provider = read_provider(record_in(*in, record));
  if (!provider) return provider.error();
  answer.record = std::move(*provider);
  if (in->boolean("disabled")) answer.left_without = read_stages(*in);
  return {};
}

Record answer_of(const ModelAnswer& answer) {
  ModelRecord record = answer.record;
  drop_handles(record.secrets);
  json::Writer out;
  out.begin_object().key("integration").string(answer.integration);
  out.key("record").raw(write_model(record).body).end_object();
  return {record.id(), record.version, std::move(out).str(), {}};
}

Result<void> read_answer(const Record& record, ModelAnswer& answer) {
  auto in = stored_answer(record);
  if (!in) return in.error();
  auto model = read_model(record_in(*in, record));
  if (!model) return model.error();
  answer.record = std::move(*model);
  answer.integration = in->text("integration");
  return {};
}

Record answer_of(const ProviderUse& answer) {
  json::Writer out;
  out.begin_object();
  write_stages(out, answer);
  return {{"provider_use", ""}, 0, std::move(out.end_object()).str(), {}};
}

Result<void> read_answer(const Record& record, ProviderUse& answer) {
  auto in = stored_answer(record);
  if (!in) return in.error();
  answer = read_stages(*in);
  return {};
}

Record answer_of(const Prompt& answer) {
  const auto ms = [](Time time) { return std::int64_t{time.time_since_epoch().count()}; };
  json::Writer out;
  out.begin_object().key("name").string(answer.name).key("text").string(answer.text);
  out.member("description", answer.description).key("version").number(std::uint64_t{answer.version});
  out.key("integrations").begin_array();
  for (const std::string& one : answer.integrations) out.string(one);
  out.end_array().key("createdAt").number(ms(answer.create_time)).key("updatedAt").number(ms(answer.update_time));
  out.member("createdBy", answer.created_by).member("updatedBy", answer.updated_by).end_object();
  return {{"prompt", ""}, 0, std::move(out).str(), {}};
}

Result<void> read_answer(const Record& record, Prompt& answer) {
  auto in = stored_answer(record);
  if (!in) return in.error();
  answer = {.name = in->text("name"), .text = in->text("text"), .description = in->text("description")};
  answer.variables = variables_of(answer.text);
  answer.integrations = in->texts("integrations");
  answer.version = static_cast<std::uint32_t>(in->natural("version"));
  answer.create_time = in->time("createdAt");
  answer.update_time = in->time("updatedAt");
  answer.created_by = in->text("createdBy");
  answer.updated_by = in->text("updatedBy");
  return {};
}

Provider view_of(const ProviderAnswer& answer) {
  Provider view = view_of(answer.record);
  view.left_without = answer.left_without;
  return view;
}

}  // namespace openindex::providers
