// Secrets in a vault of your own: the library keeps handles, and no value is anywhere in its database.
//
// `Vault` stands in for a server such as your company's, with versions, leases and rules of who may read what.
// `VaultSecrets` is what a host writes: one `SecretStore`. The provider is played by a script on loopback.
// Ends with 0 when everything was as it says.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>

#include <openindex/adapters/curl_http_client.hpp>
#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/openindex.hpp>
#include <openindex/testing/scripted_provider.hpp>

namespace oi = openindex;

namespace {

class Vault {
 public:
  std::map<std::string, std::string> rules;  ///< Under which paths a role may read and write.

  std::string lease(const std::string& role) {
    const std::lock_guard lock(mutex_);
    const std::string token = "lease-" + std::to_string(++leases_given_);
    leases_[token] = {role, 3};  // a real one lasts for a time, this one for three calls
    return token;
  }
  /// Put another version of a secret there; 0: not with this lease.
  std::size_t write(const std::string& token, const std::string& path, std::string_view value) {
    const std::lock_guard lock(mutex_);
    return may_use(token, path) ? (versions_[path].emplace_back(value), versions_[path].size()) : 0;
  }
  std::optional<std::string> read(const std::string& token, const std::string& path, std::size_t version) {
    const std::lock_guard lock(mutex_);
    const auto found = may_use(token, path) ? versions_.find(path) : versions_.end();
    if (found == versions_.end() || version == 0 || version > found->second.size()) return std::nullopt;
    return found->second[version - 1];
  }

 private:
  bool may_use(const std::string& token, const std::string& path) {
    const auto held = leases_.find(token);
    if (held == leases_.end() || held->second.calls_left-- == 0) return false;
    const auto rule = rules.find(held->second.role);
    return rule != rules.end() && path.starts_with(rule->second);
  }
  struct Lease {
    std::string role;
    int calls_left = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Lease> leases_;
  std::map<std::string, std::vector<std::string>> versions_;
  int leases_given_ = 0;
};

// A handle is `mount:version`. The path comes from the name, so a handle that is moved to another provider or key opens
// nothing. Former versions stay: another process may be using one, and a save that has sealed may still fail.
class VaultSecrets final : public oi::SecretStore {
 public:
  VaultSecrets(Vault& vault, std::string role, std::string mount)
      : vault_(vault), role_(std::move(role)), mount_(std::move(mount)) {}

  oi::Result<std::string> seal(const oi::SecretName& name, std::string_view value) override {
    const std::size_t version = vault_.write(lease(), path(mount_, name), value);
    if (version == 0) return oi::Error(oi::errc::secret_unreadable, "The vault does not take secrets from us");
    return mount_ + ":" + std::to_string(version);
  }
  oi::Result<std::string> open(const oi::SecretName& name, std::string_view handle) override {
    const auto colon = handle.find(':');
    if (colon == std::string_view::npos) return oi::errc::secret_unreadable;
    const std::size_t version = std::strtoull(std::string(handle.substr(colon + 1)).c_str(), nullptr, 10);
    auto value = vault_.read(lease(), path(std::string(handle.substr(0, colon)), name), version);
    if (!value) return oi::Error(oi::errc::secret_unreadable, "The vault does not give us this secret");
    return std::move(*value);
  }
  [[nodiscard]] bool is_current(std::string_view handle) const override { return handle.starts_with(mount_ + ":"); }

 private:
  static std::string path(const std::string& mount, const oi::SecretName& name) {
    return mount + "/openindex/" + std::string(name.provider) + "/" + std::string(name.key);
  }
  /// Calls come from any thread. A real one is kept until shortly before it ends.
  std::string lease() { return vault_.lease(role_); }

  Vault& vault_;
  const std::string role_, mount_;
};

// Whether a text is anywhere in the files of the database.
bool is_stored(const std::string& text) {
  for (const auto& file : std::filesystem::directory_iterator(".")) {
    if (!file.path().filename().string().starts_with("host_vault.db")) continue;
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (bytes.find(text) != std::string::npos) return true;
  }
  return false;
}

bool say(const char* what, bool is_so) { return std::printf("%s: %s\n", what, is_so ? "yes" : "NO"), is_so; }

}  // namespace

int main() {
  const auto server = oi::testing::ScriptedProvider::start({.script = R"({"rules": []})", .required_key = "sk-first"});
  const auto moved = oi::testing::ScriptedProvider::start({.script = R"({"rules": []})", .required_key = "sk-second"});
  auto storage = oi::SqliteStorage::open({.path = "host_vault.db"});
  if (!server || !moved || !storage) return std::fputs("host_vault: cannot start\n", stderr), 1;

  Vault vault;
  vault.rules = {{"openindex", "kv"}, {"reports", "kv1/reports/"}};
  VaultSecrets secrets{vault, "openindex", "kv1"}, next{vault, "openindex", "kv2"}, others{vault, "reports", "kv1"};
  oi::CurlHttpClient http{{.egress = oi::Egress::public_and_loopback()}};
  oi::ProviderRegistry providers{{.storage = **storage, .secrets = secrets, .http = http}};
  oi::ProviderRegistry in_next{{.storage = **storage, .secrets = next, .http = http}};
  oi::ProviderRegistry of_others{{.storage = **storage, .secrets = others, .http = http}};
  const auto host = oi::Actor::system("host_vault");
  const auto works = [&host](oi::ProviderRegistry& registry, const oi::ProviderId& id) {
    const auto test = registry.test(host, id);
    return test && test->ok();
  };

  const oi::ProviderConfig config{{"endpoint", server->url()}, {"api_key", "sk-first"}, {"model", "scripted"}};
  const auto saved = providers.save(host, {.name = "claude", .type = "anthropic", .config = config});
  if (!saved) return std::fprintf(stderr, "host_vault: %s\n", saved.error().describe().c_str()), 1;
  bool all = say("the provider works with the key in the vault", works(providers, saved->id));
  all &= say("the key is not in the database, its name is", !is_stored("sk-first") && is_stored("api_key"));
  all &= say("another role of the vault cannot use it", !works(of_others, saved->id));

  const oi::ProviderConfig changed{{"endpoint", moved->url()}, {"api_key", "sk-second"}};
  all &=
      say("the key is replaced", providers.update(host, saved->id, {.config = changed}) && works(providers, saved->id));
  const auto resealed = in_next.reseal(host);  // is_current tells what is not where it belongs
  all &= say("the secrets have moved to another mount", resealed && resealed->secrets == 1 && resealed->broken.empty());
  all &= say("and the provider goes on", works(in_next, saved->id) && !is_stored("sk-second"));
  return all ? 0 : 1;
}
