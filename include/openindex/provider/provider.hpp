// Provider: an AI backend that executes agent-required stages. (seed: assistant providers; openindex.md 2.6)
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/api.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/error.hpp>
#include <openindex/core/ids.hpp>
#include <openindex/core/result.hpp>

namespace openindex {
inline namespace v0 {

/// Configuration by key, values as text: `api_key`, `endpoint`, `model`, and what the type's catalog row names.
using ProviderConfig = std::map<std::string, std::string, std::less<>>;

/// What is known of a secret that is set. The value itself never comes back.
struct SecretInfo {
  std::string fingerprint = {};  ///< First 8 hex digits of a keyed digest: equal secrets of one provider look equal.
  Time set_at{};
};

/// How much of a configuration must be there when a provider is written. A value that is malformed is refused in any
/// case. (conductor-integrations.md 5.2)
enum class Validation : std::uint8_t {
  strict,    ///< Every key that the type requires, also one that has a default, or that another one makes needless.
  defaults,  ///< As strict, but what has a default may be left out.
  lenient,   ///< Anything may be left out, and keys that the type does not have are kept, sealed: their names may be
             ///< misspelt. What is missing is told when the provider is tested or used.
};

/// What somebody may do with one provider. (conductor-integrations.md 5.5)
enum class Access : std::uint8_t {
  READ,     ///< Kept for hosts that ask `Provider::grants`: reads carry no actor.
  CREATE,   ///< Register models below it.
  UPDATE,   ///< Change it and its models, tags, prompts and limits.
  DELETE,   ///< Remove it, or models below it.
  EXECUTE,  ///< Try it out.
};

OPENINDEX_API std::string_view to_text(Access value) noexcept;
OPENINDEX_API std::optional<Access> parse_access(std::string_view text) noexcept;

using AccessSet = std::set<Access>;

/// Everything, as the person gets who creates a provider.
OPENINDEX_API AccessSet full_access();

/// Who may do what, by user id. While it is empty, as for what the host creates, every person of scope `admin` may do
/// everything; once there are grants, they alone decide, and who holds `admin` may change them.
using Grants = std::map<std::string, AccessSet, std::less<>>;

/// A label, as Conductor's tags are. Both together are its identity.
struct ProviderTag {
  std::string key = {};    ///< 1 to 200 bytes, no control characters.
  std::string value = {};  ///< Up to 200 bytes, likewise.

  friend bool operator==(const ProviderTag&, const ProviderTag&) = default;
  friend auto operator<=>(const ProviderTag&, const ProviderTag&) = default;
};

/// How many tokens may be used in one period, which begins at midnight UTC; weeks begin on Monday.
struct TokenLimit {
  enum class Period : std::uint8_t { day, week, month };
  std::uint64_t tokens_max = 0;  ///< Input and output together, up to 10^15; 0: no limit.
  Period period = Period::day;

  friend bool operator==(const TokenLimit&, const TokenLimit&) = default;
};

/// Which stages of which workflows a provider serves, by their settings.
struct ProviderUse {
  struct InStage {
    WorkflowId workflow = {};
    std::string stage = {};
    std::uint64_t items = 0;       ///< Open work that agents hold there or could take, up to 100,000; what waits for
                                   ///< other work or for people is not in it.
    bool other_providers = false;  ///< Its settings name others, too.
  };
  std::vector<InStage> stages = {};  ///< By workflow and stage.
};

struct Provider {
  ProviderId id = {};
  std::string name = {};  ///< Unique.
  std::string type = {};  ///< Of the catalog, or registered (`Integrations`); fixed after creation.
  bool enabled = true;
  ProviderConfig config = {};  ///< Without secrets; a reference `env:NAME` is none, and is shown for a secret key too.
  std::map<std::string, SecretInfo, std::less<>> secrets = {};  ///< By configuration key.
  Time created_at{};
  Time updated_at{};
  std::uint64_t version = 0;
  std::string description = {};
  std::string category = {};  ///< That of the type, unless another one was given.
  std::vector<ProviderTag> tags = {};
  std::optional<TokenLimit> token_limit = {};  ///< Of all its models together.
  std::uint64_t models_count = 0;              ///< How many are registered: see `Integrations`.
  std::string created_by = {};                 ///< Who, by name or user id; empty: not known.
  std::string updated_by = {};
  Grants grants = {};
  std::optional<ProviderUse> left_without = {};  ///< Only in the answer to an update that disables it: whom it served.
};

struct OPENINDEX_API NewProvider {
  std::string name = {};  ///< 1 to 100 bytes, no control characters, no colon or slash.
  std::string type = {};
  ProviderConfig config = {};  ///< An empty value sets nothing.
  bool enabled = true;
  std::string description = {};  ///< Up to 4,000 bytes; no control characters but line breaks and tabs.
  std::string category = {};     ///< Empty: that of the type. Else one of `provider_categories`.

  /// The provider that the environment names, called by its type; nullopt when it names none. The first that is set:
  /// OPENAI_API_KEY or OPENAI_BASE_URL (any compatible server, key optional; OPENAI_MODEL), ANTHROPIC_API_KEY
  /// (ANTHROPIC_MODEL), OLLAMA_HOST (as Ollama reads it: scheme, host and port may be missing, 0.0.0.0 is this machine;
  /// OLLAMA_MODEL). For set-up code and programs that people start by hand. Not to be called while another thread
  /// changes the environment.
  /// @par Errors invalid_argument: OPENAI_BASE_URL or OLLAMA_HOST is no address; the variable is named
  static Result<std::optional<NewProvider>> from_environment();
};

/// What to change; absent members stay as they are.
struct ProviderUpdate {
  std::optional<std::string> name = {};
  std::optional<bool> enabled = {};
  std::optional<std::string> type = {};  ///< Only to be refused with `provider_type_fixed` when it differs.
  ProviderConfig config = {};            ///< Keys to set; an empty value removes a key.
  std::optional<std::string> description = {};
  std::optional<std::string> category = {};  ///< Empty: that of the type.
};

/// What `ProviderRegistry::reseal` did.
struct Resealed {
  std::uint64_t secrets = 0;  ///< Sealed anew.
  /// Of secrets that cannot be opened, context `provider` and `key`; and of providers that others kept changing
  /// (`contention`, context `provider`): call again.
  std::vector<Error> broken = {};
};

/// What a test found out. It spends no tokens.
struct ProviderTest {
  bool reachable = false;      ///< A server answered.
  bool authenticated = false;  ///< It accepted the credential. False without a `code`: that was not tried.
  bool configured = false;     ///< Everything needed for a call is there, the model included where the probe can tell.
  Duration latency{0};         ///< Of the whole test, a token for the credential included.
  std::optional<errc> code = {};  ///< Why not, when something is false.
  std::string message = {};       ///< One sentence for a person, with what to do.
  ProviderConfig found = {};      ///< Keys that are not set, and that the server told of: Pinecone's `projectName`.

  [[nodiscard]] bool ok() const noexcept { return reachable && authenticated && configured; }
};

}  // namespace v0
}  // namespace openindex
