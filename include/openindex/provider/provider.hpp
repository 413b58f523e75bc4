// Provider: an AI backend that executes agent-required stages. (seed: assistant providers; openindex.md 2.6)
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
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

struct Provider {
  ProviderId id = {};
  std::string name = {};  ///< Unique.
  std::string type = {};  ///< Of the catalog; fixed after creation.
  bool enabled = true;
  ProviderConfig config = {};  ///< Without secrets; a reference `env:NAME` is none, and is shown for a secret key too.
  std::map<std::string, SecretInfo, std::less<>> secrets = {};  ///< By configuration key.
  Time created_at{};
  Time updated_at{};
  std::uint64_t version = 0;
};

struct OPENINDEX_API NewProvider {
  std::string name = {};  ///< 1 to 100 bytes, no control characters, no colon or slash.
  std::string type = {};
  ProviderConfig config = {};  ///< An empty value sets nothing.
  bool enabled = true;

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
};

/// What `ProviderRegistry::reseal` did.
struct Resealed {
  std::uint64_t secrets = 0;       ///< Sealed anew.
  std::vector<Error> broken = {};  ///< Of secrets that cannot be opened; context `provider` and `key` name them.
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
