// The script of a ScriptedProvider: rules, read and matched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/agent/chat.hpp>
#include <openindex/core/result.hpp>
#include <openindex/http/http_message.hpp>

namespace openindex::scripted {

/// What a rule may look at in a request, and how it wants its answer.
struct SeenRequest {
  std::string model;
  bool stream = false;
  bool stream_usage = false;  ///< OpenAI chat: the stream shall end with the usage.
  std::size_t turn = 0;       ///< Assistant turns in the conversation.
  std::string first_text;     ///< The system part and the first user message.
  std::string last_text;      ///< All that came after the last assistant turn.
  std::vector<std::string> tools;
};

struct ScriptedCall {
  std::string name;
  std::string arguments;
  bool is_text = false;  ///< The script gave a string: to be sent as written.
};

enum class Drop : std::uint8_t { none, before, half };

struct ScriptedRule {
  std::optional<std::uint32_t> turn;
  std::vector<std::string> text_contains;
  std::vector<std::string> last_contains;
  std::vector<std::string> tools_offered;
  std::optional<std::uint32_t> times;

  int status = 200;
  HttpHeaders headers;
  std::optional<std::string> body;  ///< Sent as written; absent: the family's reply, or its error for the status.
  std::string content_type = "application/json";
  std::string text;
  std::vector<ScriptedCall> calls;
  Drop drop = Drop::none;
  Duration delay{0};
};

class ProviderScript {
 public:
  /// @par Errors invalid_json, invalid_definition with every mistake and its place
  static Result<ProviderScript> parse(std::string_view text);

  /// Find the rule that answers a request and count its use; nullopt when none does.
  std::optional<std::size_t> take(const SeenRequest& request);

  [[nodiscard]] const ScriptedRule& rule(std::size_t index) const { return rules_[index]; }

 private:
  std::vector<ScriptedRule> rules_;
  std::vector<std::uint32_t> used_;
};

}  // namespace openindex::scripted
