// Prompts, and the models they are associated with.
#include <algorithm>
#include <optional>
#include <utility>

#include <openindex/provider/integrations.hpp>
#include <openindex/provider_registry.hpp>

#include "core/utf8.hpp"
#include "provider/integration_draft.hpp"
#include "provider/key_form.hpp"
#include "provider/prompt_record.hpp"
#include "provider/provider_access.hpp"
#include "provider/provider_directory.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using providers::Made;
using providers::ModelRecord;
using providers::PromptBinding;
using providers::PromptRecord;
using providers::ProviderCommit;
using providers::ProviderDraft;
using Directory = ProviderRegistry::Directory;

constexpr std::size_t prompt_name_bytes_max = 200;
constexpr std::size_t text_bytes_max = 256u * 1024;
constexpr std::size_t bindings_max = 100;

bool is_prompt_name(std::string_view name) {
  return !name.empty() && name.size() <= prompt_name_bytes_max && is_utf8(name) && !has_control(name) && name != "." &&
         name != "..";
}

Error no_such_prompt(const std::string& name) {
  const std::string shown = is_prompt_name(name) ? name : std::string("(not a name)");
  return Error(errc::not_found, "No such prompt: " + shown).with("prompt", shown);
}

/// Read one, also one that was removed; nullopt: there was none.
Result<std::optional<PromptRecord>> load_prompt(Storage& storage, const std::string& name) {
  if (!is_prompt_name(name)) return std::optional<PromptRecord>();
  const RecordId id = providers::prompt_record(name);
  auto found = storage.get_bodies({&id, 1});
  if (!found) return found.error();
  if (!found->front()) return std::optional<PromptRecord>();
  auto record = providers::read_prompt(*found->front());
  if (!record) return record.error();
  return std::optional(std::move(*record));
}

Result<PromptRecord> find_prompt(Storage& storage, const std::string& name) {
  auto found = load_prompt(storage, name);
  if (!found) return found.error();
  if (!*found || (*found)->removed) return no_such_prompt(name);
  return std::move(**found);
}

Result<void> check_prompt(const std::string& name, const std::string& text, const std::string& description) {
  std::vector<Problem> problems;
  if (!is_prompt_name(name))
    problems.push_back({"/name", "must be 1 to 200 bytes of UTF-8 without control characters"});
  if (text.size() > text_bytes_max) {
    problems.push_back({"/template", "must have at most 262144 bytes"});
  } else if (!is_utf8(text) || text.find('\0') != std::string::npos) {
    problems.push_back({"/template", "must be UTF-8 without NUL"});
  }
  providers::check_description(description, problems);
  if (problems.empty()) return {};
  return Error(errc::invalid_argument, "The prompt is not valid").with_problems(std::move(problems));
}

/// Fill in which models prompts are associated with, by reading all models.
Result<void> add_models(Directory& directory, std::span<const PromptRecord> records, std::span<Prompt> prompts) {
  const auto integrations = directory.load_all();
  if (!integrations) return integrations.error();
  for (const auto& integration : *integrations) {
    const auto models = providers::load_models(directory.options.storage, integration);
    if (!models) return models.error();
    for (const ModelRecord& model : *models) {
      for (const PromptBinding& binding : model.prompts) {
        for (std::size_t i = 0; i < records.size(); ++i) {
          if (records[i].id == binding.id) prompts[i].integrations.push_back(integration.name + ":" + model.name);
        }
      }
    }
  }
  return {};
}

Result<std::vector<Prompt>> whole(Directory& directory, std::span<const PromptRecord> records) {
  std::vector<Prompt> out;
  for (const PromptRecord& record : records) out.push_back(providers::view_of(record));
  if (auto added = add_models(directory, records, out); !added) return added.error();
  return out;
}

Result<Prompt> whole(Directory& directory, const PromptRecord& record) {
  auto prompts = whole(directory, {&record, 1});
  if (!prompts) return prompts.error();
  return std::move(prompts->front());
}

/// Add a prompt as it shall be, and what the audit says of it.
void write(ProviderCommit& commit, const Actor& actor, PromptRecord& record, const AuditDraft& draft) {
  record.updated_at = commit.now();
  record.updated_by = actor.id();
  commit.append_audit(record.stream(), record.chain, {&draft, 1});
  commit.put(providers::write_prompt(record), record.version);
}

/// Make a record one of a new prompt; the chain of one that had the name before goes on.
void begin(PromptRecord& record, const std::string& name, const std::string& id, const Actor& actor, Time now,
           AuditDraft& draft) {
  PromptRecord fresh;
  fresh.name = name;
  fresh.id = id;
  fresh.version = record.version;
  fresh.chain = record.chain;
  fresh.created_at = now;
  fresh.created_by = actor.id();
  fresh.extra = std::move(record.extra);
  record = std::move(fresh);
  draft.changes.push_back({"name", "", name});
}

/// A prompt belongs to who wrote it first; administrators may change any.
Result<void> may_change(const Actor& actor, const PromptRecord& record) {
  if (record.created_by == actor.id()) return {};
  return providers::may_administer(actor);
}

/// What was saved, also when a model that it is associated with cannot be read.
Prompt shown(Directory& directory, const PromptRecord& record) {
  auto full = whole(directory, record);
  return full ? std::move(*full) : providers::view_of(record);
}

/// Leave out prompts that are there no more, or not the same.
Result<void> drop_gone(Storage& storage, std::vector<PromptBinding>& bindings) {
  std::vector<PromptBinding> left;
  for (PromptBinding& binding : bindings) {
    const auto record = load_prompt(storage, binding.name);
    if (!record) return record.error();
    if (*record && !(*record)->removed && (*record)->id == binding.id) left.push_back(std::move(binding));
  }
  bindings = std::move(left);
  return {};
}

/// What a save makes of a prompt; nothing is added to the commit when it changes nothing.
Result<PromptRecord> decide_save(ProviderCommit& commit, const Actor& actor, PromptRecord record, const Prompt& wanted,
                                 const std::string& new_id) {
  const bool is_new = record.version == 0 || record.removed;
  if (!is_new) {
    if (auto allowed = may_change(actor, record); !allowed) return allowed.error();
    if (record.text == wanted.text && record.description == wanted.description) return record;
  }
  AuditDraft draft{is_new ? "admin.ai_prompt_created" : "admin.ai_prompt_updated", {}, {}};
  if (is_new) begin(record, wanted.name, new_id, actor, commit.now(), draft);
  const auto set = [&](const char* what, std::string& held, const std::string& text) {
    if (held != text) draft.changes.push_back({what, providers::audit_text(held), providers::audit_text(text)});
    held = text;
  };
  set("template", record.text, wanted.text);
  set("description", record.description, wanted.description);
  ++record.revision;
  write(commit, actor, record, draft);
  return record;
}

}  // namespace

Result<Prompt> Integrations::save_prompt(const Actor& actor, const std::string& prompt, const std::string& text,
                                         const std::string& description, const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  if (auto sound = check_prompt(prompt, text, description); !sound) return sound.error();
  auto& directory = registry_.directory();
  const auto request = providers::call_request(directory, actor, call, "save prompt", prompt, text, description);
  if (!request) return request.error();
  const std::string new_id = mint_id(directory.options.random, "prompt");
  const Prompt wanted{.name = prompt, .text = text, .description = description};
  return providers::land_decision(directory, actor, *request, [&](ProviderCommit& commit) -> Result<Prompt> {
    auto known = load_prompt(directory.options.storage, prompt);
    if (!known) return known.error();
    const auto saved = decide_save(commit, actor, *known ? std::move(**known) : PromptRecord(), wanted, new_id);
    if (!saved) return saved.error();
    return shown(directory, *saved);
  });
}

Result<Prompt> Integrations::prompt(const std::string& prompt) {
  auto& directory = registry_.directory();
  const auto record = find_prompt(directory.options.storage, prompt);
  if (!record) return record.error();
  return whole(directory, *record);
}

Result<std::vector<Prompt>> Integrations::prompts() {
  auto& directory = registry_.directory();
  std::vector<PromptRecord> records;
  ScanRequest request;
  request.prefix = {"prompt"};
  do {
    auto page = directory.options.storage.scan(request);
    if (!page) return page.error();
    for (const Record& row : page->rows) {
      auto record = providers::read_prompt(row);
      if (!record) return record.error();
      if (!record->removed) records.push_back(std::move(*record));
    }
    request.after = std::move(page->next);
  } while (!request.after.empty());
  return whole(directory, records);
}

// Models keep its id, which no other prompt will have.
Result<void> Integrations::remove_prompt(const Actor& actor, const std::string& prompt, const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed;
  auto& directory = registry_.directory();
  const auto request = providers::call_request(directory, actor, call, "remove prompt", prompt);
  if (!request) return request.error();
  const auto removed =
      providers::land_decision(directory, actor, *request, [&](ProviderCommit& commit) -> Result<Made> {
        auto record = find_prompt(directory.options.storage, prompt);
        if (!record) return record.error();
        if (auto allowed = may_change(actor, *record); !allowed) return allowed.error();
        record->removed = true;
        record->text.clear();
        record->description.clear();
        write(commit, actor, *record, {"admin.ai_prompt_deleted", {{"name", prompt, ""}}, {}});
        return Made();
      });
  return providers::nothing(removed);
}

Result<void> Integrations::associate_prompt(const Actor& actor, const std::string& name, const std::string& model,
                                            const std::string& prompt, const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed;
  auto& directory = registry_.directory();
  Storage& storage = directory.options.storage;
  const auto request = providers::call_request(directory, actor, call, "associate prompt", name, model, prompt);
  if (!request) return request.error();
  const auto decide = [&](ProviderDraft& draft, Time now) -> Result<void> {
    auto held = providers::load_model_of(directory, draft.record, model);
    if (!held) return held.error();
    const auto wanted = find_prompt(storage, prompt);
    if (!wanted) return wanted.error();
    // What was associated under the name before may be gone.
    const auto same = [&](const PromptBinding& binding) { return binding.name == prompt; };
    const auto bound = std::find_if(held->prompts.begin(), held->prompts.end(), same);
    if (bound != held->prompts.end() && bound->id == wanted->id) return {};
    std::erase_if(held->prompts, same);
    if (held->prompts.size() >= bindings_max) {
      if (auto dropped = drop_gone(storage, held->prompts); !dropped) return dropped;
    }
    if (held->prompts.size() >= bindings_max) {
      return Error(errc::invalid_argument, "A model has at most 100 prompts").with("model", model);
    }
    const auto at = std::find_if(held->prompts.begin(), held->prompts.end(),
                                 [&](const PromptBinding& binding) { return binding.name > prompt; });
    held->prompts.insert(at, {prompt, wanted->id});
    held->updated_at = now;
    held->updated_by = actor.id();
    draft.concerns_runs = false;
    draft.puts.push_back(providers::write_model(*held));
    draft.note("admin.ai_provider_updated", {{"models." + model + ".prompts", "", prompt}});
    return {};
  };
  return providers::change_integration(directory, actor, *request, name, Access::UPDATE, decide);
}

Result<std::vector<Prompt>> Integrations::prompts_of(const std::string& name, const std::string& model) {
  auto& directory = registry_.directory();
  const auto provider = providers::load_integration(directory, name);
  if (!provider) return provider.error();
  const auto held = providers::load_model_of(directory, *provider, model);
  if (!held) return held.error();
  std::vector<PromptRecord> records;
  for (const PromptBinding& binding : held->prompts) {
    auto record = load_prompt(directory.options.storage, binding.name);
    if (!record) return record.error();
    if (*record && !(*record)->removed && (*record)->id == binding.id) records.push_back(std::move(**record));
  }
  return whole(directory, records);
}

}  // namespace v0
}  // namespace openindex
