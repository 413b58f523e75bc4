#include "provider/provider_directory.hpp"
#include "provider/definition_record.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "provider/key_form.hpp"
#include "provider/model_choice.hpp"
#include "provider/provider_config.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using providers::ProviderRecord;

Error not_found(const ProviderId& id) { return Error(errc::not_found).with("provider", id.str()); }

// A host's vault may throw, and its words may name the value: neither goes further than here.
template <class Call>
Result<std::string> guarded(Call&& call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (...) {
    return Error(errc::host_callback_failed, "The secret store threw an exception");
  }
}

Result<std::string> read_env(std::string_view variable, const ProviderKey& row,
                             const std::vector<std::string>& allowed_env) {
  const std::string name(variable);
  if (!providers::is_allowed_env(variable, allowed_env)) {
    return Error(errc::secret_unreadable, "The host does not allow configurations to name environment variable " + name)
        .with("variable", name);
  }
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): reads, and we never set one
  if (value == nullptr || *value == '\0') {
    return Error(errc::secret_unreadable, "Environment variable " + name + " is not set").with("variable", name);
  }
  if (const auto wrong = providers::value_problem(row.form, value); !wrong.empty()) {
    return Error(errc::invalid_argument, "Environment variable " + name + " " + std::string(wrong))
        .with("variable", name);
  }
  return std::string(value);
}

Result<std::string> read_file(std::string_view path, const ProviderKey& row, SecretFiles* files) {
  if (files == nullptr) {
    return Error(errc::secret_unreadable, "The host does not allow configurations to name files").with("path", path);
  }
  auto value = files->read(path);
  if (!value) return value;
  if (const auto wrong = providers::value_problem(row.form, *value); !wrong.empty()) {
    return Error(errc::invalid_argument, "File " + std::string(path) + " " + std::string(wrong)).with("path", path);
  }
  return value;
}

// What becomes of a key's value in a request.
struct Destination {
  std::string_view key;
  std::string codecs::ChatEndpoint::*member;
  std::string_view header;
};

constexpr Destination destinations[] = {
    {"endpoint", &codecs::ChatEndpoint::base_url, {}},   {"model", &codecs::ChatEndpoint::model, {}},
    {"api_key", &codecs::ChatEndpoint::api_key, {}},     {"version", &codecs::ChatEndpoint::version, {}},
    {"region", &codecs::ChatEndpoint::region, {}},       {"environment", &codecs::ChatEndpoint::region, {}},
    {"projectName", &codecs::ChatEndpoint::project, {}}, {"publisher", &codecs::ChatEndpoint::publisher, {}},
    {"user", &codecs::ChatEndpoint::access_key, {}},     {"completionsPath", &codecs::ChatEndpoint::chat_path, {}},
    {"organizationId", nullptr, "OpenAI-Organization"},  {"betaVersion", nullptr, "anthropic-beta"},
};

void place(codecs::ChatEndpoint& endpoint, std::string_view key, std::string value) {
  if (value.empty()) return;
  for (const Destination& destination : destinations) {
    if (destination.key != key) continue;
    if (destination.member != nullptr) {
      endpoint.*destination.member = std::move(value);
    } else {
      endpoint.headers.emplace_back(destination.header, std::move(value));
    }
    return;
  }
}

// What was saved without all keys, or by an older version that asked for fewer.
Result<void> check_complete(const ProviderType& type, const ProviderRecord& record) {
  providers::SetKeys set(record.config.begin(), record.config.end());
  for (const auto& [key, secret] : record.secrets) set.emplace(key, std::string());
  std::vector<Problem> problems;
  providers::check_presence(type, set, Validation::defaults, problems);
  if (problems.empty()) return {};
  return Error(errc::invalid_argument, "The provider's configuration is not complete")
      .with("provider", record.id.str())
      .with_problems(std::move(problems));
}

// `name` in a namespace of Hugging Face is `namespace/name` to everybody else.
void add_namespace(codecs::ChatEndpoint& endpoint, const ProviderRecord& record) {
  const auto held = record.config.find("namespace");
  if (held == record.config.end() || endpoint.model.find('/') != std::string::npos || endpoint.model.empty()) return;
  endpoint.model = held->second + "/" + endpoint.model;
}

}  // namespace

ProviderRegistry::Directory::Directory(Options given) : options(std::move(given)) {}

Result<ProviderRecord> ProviderRegistry::Directory::load(const ProviderId& id) {
  if (id.empty()) return not_found(id);
  const RecordId name = providers::provider_record(id);
  auto found = options.storage.get_bodies({&name, 1});
  if (!found) return found.error();
  if (!found->front()) {
    grants_.forget(id);  // whoever removed it, in whichever process
    return not_found(id);
  }
  return providers::read_provider(*found->front());
}

Result<ProviderRecord> ProviderRegistry::Directory::load_named(const std::string& name) {
  std::vector<Problem> problems;
  providers::check_name(name, problems);
  if (!problems.empty()) return errc::not_found;
  constexpr int attempts_max = 8;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const auto owner = owner_of(name);
    if (!owner) return owner.error();
    if (!*owner) return Error(errc::not_found).with("name", name);
    auto record = load(**owner);
    if (record && record->name == name) return record;
    if (!record && record.error().code() != errc::not_found) return record.error();
    // Renamed or removed between the two reads: who has the name now?
  }
  return Error(errc::contention).with("name", name);
}

Result<std::vector<ProviderRecord>> ProviderRegistry::Directory::load_all() {
  std::vector<ProviderRecord> out;
  ScanRequest request;
  request.prefix = {"provider"};
  do {
    auto page = options.storage.scan(request);
    if (!page) return page.error();
    for (const Record& row : page->rows) {
      auto record = providers::read_provider(row);
      if (!record) return record.error();
      out.push_back(std::move(*record));
    }
    request.after = std::move(page->next);
  } while (!request.after.empty());
  std::sort(out.begin(), out.end(), [](const auto& one, const auto& other) { return one.name < other.name; });
  return out;
}

Result<providers::TypePtr> ProviderRegistry::Directory::find_type(std::string_view name) {
  if (auto known = providers::catalog_type(name)) return known;
  auto registered = providers::load_definition(options.storage, name);
  if (!registered) return registered.error();
  return *registered ? providers::custom_type(std::move((*registered)->definition)) : providers::TypePtr();
}

Result<std::optional<ProviderId>> ProviderRegistry::Directory::owner_of(const std::string& name) {
  const RecordId record = providers::name_record(name);
  auto found = options.storage.get_bodies({&record, 1});
  if (!found) return found.error();
  if (!found->front()) return std::optional<ProviderId>();
  auto id = providers::read_name(*found->front());
  if (!id) return id.error();
  return std::optional<ProviderId>(std::move(*id));
}

Result<std::string> ProviderRegistry::Directory::seal(const SecretName& name, std::string_view value) {
  return guarded([&] { return options.secrets.seal(name, value); });
}

Result<std::string> ProviderRegistry::Directory::open(const SecretName& name, std::string_view handle) {
  return guarded([&] { return options.secrets.open(name, handle); });
}

// What a host's vault answers is checked as what somebody gives is: it goes into headers and addresses.
Result<std::string> ProviderRegistry::Directory::open(const ProviderRecord& record, const ProviderKey& row) {
  const std::string& handle = record.secrets.find(row.name)->second.handle;
  auto value = open(SecretName{record.id.str(), row.name}, handle);
  if (!value) return value;
  const auto wrong = value->empty() ? "is empty" : providers::value_problem(row.form, *value);
  if (wrong.empty()) return value;
  return Error(errc::invalid_argument,
               fmt::format("What the secret store keeps for {} of provider {} {}", row.name, record.name, wrong));
}

Result<bool> ProviderRegistry::Directory::reseal(const SecretName& name, std::string& handle) {
  const auto current = guarded([&] { return Result<std::string>(options.secrets.is_current(handle) ? "yes" : ""); });
  if (!current) return current.error();
  if (!current->empty()) return false;
  const auto value = open(name, handle);
  if (!value) return value.error();
  auto sealed = seal(name, *value);
  if (!sealed) return sealed.error();
  handle = std::move(*sealed);
  return true;
}

bool ProviderRegistry::Directory::is_sealed(const ProviderRecord& record, const providers::SealedSecrets& secrets,
                                            const std::string& scope, const std::string& key, std::string_view value) {
  const auto sealed = secrets.find(key);
  // The fingerprint spares a vault most calls; being short, it does not decide.
  if (sealed == secrets.end() || sealed->second.info.fingerprint != providers::fingerprint(record, value)) return false;
  const std::string& handle = sealed->second.handle;
  const std::string full_key = scope + key;
  const auto opened = open(SecretName{record.id.str(), full_key}, handle);
  return opened && *opened == value;
}

// The value of one key, wherever it is kept; empty when it is not set and has no fallback.
Result<std::string> ProviderRegistry::Directory::value_of(const ProviderRecord& record, const ProviderKey& row) {
  if (record.secrets.contains(row.name)) return open(record, row);
  const auto held = record.config.find(row.name);
  if (held == record.config.end()) return std::string(row.fallback);
  if (const auto variable = providers::env_reference(held->second)) {
    return read_env(*variable, row, options.allowed_env);
  }
  if (const auto path = providers::file_reference(held->second)) return read_file(*path, row, options.files);
  return held->second;
}

Result<ProviderRegistry::Directory::Settings> ProviderRegistry::Directory::settings(const ProviderRecord& record,
                                                                                    const ProviderType& type) {
  const auto of_provider = [&](const Error& error) { return error.with("provider", record.id.str()); };
  if (auto complete = check_complete(type, record); !complete) return complete.error();
  Settings settings;
  for (const ProviderKey& row : type.keys) {
    auto value = value_of(record, row);
    if (!value) return of_provider(value.error().with("key", row.name));
    settings.values.set(row.name, std::move(*value));
  }
  if (auto authorized = authorize(settings, record, type); !authorized) return of_provider(authorized.error());
  return settings;
}

Result<ProviderRegistry::Directory::Endpoint> ProviderRegistry::Directory::resolve(const ProviderRecord& record) {
  const ProviderType* type = find_provider_type(record.type);
  if (type == nullptr || !type->family) {
    return Error(errc::invalid_argument, "A provider of this type does not chat")
        .with("provider", record.id.str())
        .with("type", record.type);
  }
  auto settings = this->settings(record, *type);
  if (!settings) return settings.error();
  Endpoint endpoint;
  endpoint.family = *type->family;
  endpoint.dialect = type->dialect;
  std::string key_header;  // carries the key in place of Authorization
  for (const ProviderKey& row : type->keys) {
    std::string value(settings->values[row.name]);
    if (row.form == KeyForm::header_name) {
      key_header = std::move(value);
    } else {
      place(endpoint, row.name, std::move(value));
    }
  }
  if (!key_header.empty()) endpoint.headers.emplace_back(key_header, std::exchange(endpoint.api_key, {}));
  endpoint.is_granted = settings->grant.has_value();
  if (endpoint.is_granted) {
    endpoint.api_key = std::move(settings->grant->secret);
    endpoint.access_key = std::move(settings->grant->access_key);
    endpoint.session_token = std::move(settings->grant->session_token);
  }
  endpoint.login = std::move(settings->login);
  if (endpoint.model.empty()) {
    auto model = providers::registered_model(options.storage, record);
    if (!model) return model.error();
    endpoint.model = std::move(*model);
  }
  endpoint.model_name = endpoint.model;
  endpoint.type = record.type;
  add_namespace(endpoint, record);
  return endpoint;
}

Result<ProviderRegistry::Directory::Endpoint> ProviderRegistry::Directory::endpoint(const ProviderId& id) {
  auto record = load(id);
  if (!record) return record.error();
  if (!record->enabled) {
    return Error(errc::provider_disabled, "The provider is disabled").with("provider", id.str());
  }
  auto endpoint = resolve(*record);
  if (!endpoint) return endpoint;
  if (endpoint->model.empty()) return providers::no_model(*record);
  if (auto allowed = providers::may_ask(options.storage, *record, endpoint->model_name, options.clock.now());
      !allowed) {
    return allowed.error();
  }
  return endpoint;
}

}  // namespace v0
}  // namespace openindex
