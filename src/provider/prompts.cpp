// Prompts, and the models they are associated with.
#include <algorithm>
#include <optional>
#include <utility>

#include <openindex/provider/integrations.hpp>
#include <openindex/provider_registry.hpp>

#include "core/utf8.hpp"
#include "engine/commit.hpp"
#include "provider/integration_draft.hpp"
#include "provider/key_form.hpp"
#include "provider/prompt_record.hpp"
#include "provider/provider_access.hpp"
#include "provider/provider_directory.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using providers::ModelRecord;
using providers::PromptBinding;
using providers::PromptRecord;
using providers::ProviderDraft;
using Directory = ProviderRegistry::Directory;

constexpr std::size_t prompt_name_bytes_max = 200;
constexpr std::size_t text_bytes_max = 256u * 1024;
constexpr std::size_t bindings_max = 100;
constexpr int prompt_attempts_max = 8;

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

/// Commit one change of a prompt. False: somebody else was first.
Result<bool> write(Directory& directory, const Actor& actor, PromptRecord& record, AuditDraft draft) {
  const Time now = directory.options.clock.now();
  ChangeSet changes;
  changes.id = mint_id(directory.options.random, "com");
  changes.expectations.push_back({providers::prompt_record(record.name), record.version});
  record.updated_at = now;
  record.updated_by = actor.id();
  const std::string stream = record.stream();
  const engine::AuditFrame frame{stream, {}, actor, now, changes.id.str(), {}, {}, 0};
  engine::append_audit(changes, record.chain, frame, {&draft, 1});
  changes.puts.push_back(providers::write_prompt(record));
  const auto done = engine::commit(directory.options.storage, changes);
  if (!done && done.error().code() != errc::conflict) return done.error();
  return done.has_value();
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

Error contention(const std::string& prompt) { return Error(errc::contention).with("prompt", prompt); }

}  // namespace

Result<Prompt> Integrations::save_prompt(const Actor& actor, const std::string& prompt, const std::string& text,
                                         const std::string& description) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  if (auto sound = check_prompt(prompt, text, description); !sound) return sound.error();
  auto& directory = registry_.directory();
  const std::string new_id = mint_id(directory.options.random, "prompt");
  for (int attempt = 0; attempt < prompt_attempts_max; ++attempt) {
    auto known = load_prompt(directory.options.storage, prompt);
    if (!known) return known.error();
    PromptRecord record = *known ? std::move(**known) : PromptRecord();
    const bool is_new = record.version == 0 || record.removed;
    if (!is_new) {
      if (auto allowed = may_change(actor, record); !allowed) return allowed.error();
    }
    if (!is_new && record.text == text && record.description == description) return shown(directory, record);
    AuditDraft draft{is_new ? "admin.ai_prompt_created" : "admin.ai_prompt_updated", {}, {}};
    if (is_new) begin(record, prompt, new_id, actor, directory.options.clock.now(), draft);
    if (record.text != text) {
      draft.changes.push_back({"template", providers::audit_text(record.text), providers::audit_text(text)});
    }
    if (record.description != description) {
      draft.changes.push_back(
          {"description", providers::audit_text(record.description), providers::audit_text(description)});
    }
    record.text = text;
    record.description = description;
    ++record.revision;
    const auto landed = write(directory, actor, record, std::move(draft));
    if (!landed) return landed.error();
    if (*landed) return shown(directory, record);
  }
  return contention(prompt);
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
Result<void> Integrations::remove_prompt(const Actor& actor, const std::string& prompt) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed;
  auto& directory = registry_.directory();
  for (int attempt = 0; attempt < prompt_attempts_max; ++attempt) {
    auto record = find_prompt(directory.options.storage, prompt);
    if (!record) return record.error();
    if (auto allowed = may_change(actor, *record); !allowed) return allowed.error();
    AuditDraft draft{"admin.ai_prompt_deleted", {{"name", prompt, ""}}, {}};
    record->removed = true;
    record->text.clear();
    record->description.clear();
    const auto landed = write(directory, actor, *record, std::move(draft));
    if (!landed) return landed.error();
    if (*landed) return {};
  }
  return contention(prompt);
}

Result<void> Integrations::associate_prompt(const Actor& actor, const std::string& name, const std::string& model,
                                            const std::string& prompt) {
  auto& directory = registry_.directory();
  Storage& storage = directory.options.storage;
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
  return providers::change_integration(directory, actor, name, Access::UPDATE, decide);
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
