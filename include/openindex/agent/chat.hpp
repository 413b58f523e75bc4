// Chat: one conversation with a model, in a form that no provider's wire leaks into.
//
// `ChatRunner` builds it, a codec per wire family (src/codecs) turns it into HTTP and back. An assistant turn keeps the
// provider's own JSON (`raw`) and is replayed byte for byte to the same family, since a rebuilt turn loses signatures
// and reasoning items; another family gets it rebuilt from text and calls. `raw` is empty where a replay would be
// refused: calls were cut off, or have arguments that are no JSON object. Then every family gets the turn rebuilt.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/api.hpp>
#include <openindex/core/clock.hpp>

namespace openindex {
inline namespace v0 {

/// The wire a provider speaks (provider-wire-apis.md, section 1).
enum class WireFamily : std::uint8_t {
  openai_chat,
  anthropic_messages,
  ollama_chat,
  openai_responses,
  google_generate_content,
  cohere_chat,
  bedrock_converse,
};
OPENINDEX_API std::string_view to_text(WireFamily value) noexcept;
OPENINDEX_API std::optional<WireFamily> parse_wire_family(std::string_view text) noexcept;

/// What one provider does otherwise than the rest of its family.
enum class WireDialect : std::uint8_t {
  plain,
  perplexity,  ///< Responses that refuse members they do not know, and list no models.
  mistral,     ///< OpenAI chat with a closed schema and ids of nine letters and digits.
  azure,       ///< OpenAI's wires under /openai/v1, with the key in `api-key`.
  vertex,      ///< generateContent below a project and a location, with a bearer token.
};

/// Describe a tool to the model.
struct ToolSpec {
  std::string name = {};  ///< 1 to 64 of `a-zA-Z0-9_-`.
  std::string description = {};
  std::string schema = {};  ///< JSON Schema of the arguments, an object.
};

/// A call that the model asks for. `arguments` is what the model wrote and may be no JSON at all.
struct ToolUse {
  std::string id = {};  ///< The provider's, or one of ours (`call_0`, …) where the wire has none.
  std::string name = {};
  std::string arguments = {};
};

/// What came of a call.
struct ToolOutcome {
  std::string id = {};
  std::string name = {};
  std::string text = {};
  bool is_error = false;
};

struct ChatTurn {
  enum class Role : std::uint8_t { user, assistant, tool };
  Role role = Role::user;
  std::string text = {};                   ///< user, assistant
  std::vector<ToolUse> calls = {};         ///< assistant
  std::vector<ToolOutcome> outcomes = {};  ///< tool: one for each call of the turn before, in order
  std::string raw = {};                    ///< assistant: the provider's own message, JSON; or empty: rebuild it
  WireFamily raw_family = WireFamily::openai_chat;
};

struct ChatRequest {
  std::string system = {};
  std::vector<ChatTurn> turns = {};
  std::vector<ToolSpec> tools = {};
  std::uint32_t output_tokens_max = 4096;
};

/// Tokens as the provider counted them; `input` includes cached ones on every wire. 0 where it does not say.
struct Usage {
  std::uint64_t input = 0;
  std::uint64_t output = 0;
  std::uint64_t cached = 0;

  friend bool operator==(const Usage&, const Usage&) = default;
};

struct ChatReply {
  /// Why the turn ended. Decided by what is there: `tool_calls` whenever there are calls to make.
  enum class Stop : std::uint8_t {
    finished,
    tool_calls,
    length,   ///< Cut off; calls of such a turn may be cut too and are left out.
    refused,  ///< By the model or a filter; `text` says what it said, calls are left out.
    other,    ///< Paused for a reason of the provider's: send the conversation with this turn at its end to go on.
  };
  ChatTurn turn = {};  ///< role assistant
  Stop stop = Stop::finished;
  Usage usage = {};
  std::string model = {};
  std::string request_id = {};  ///< The provider's, for its support desk; may be empty.
};

}  // namespace v0
}  // namespace openindex
