// ScriptedProvider: a real HTTP server on a loopback port that plays an AI provider from a script.
//
// It answers every wire family, in one piece or streamed as the request asks for, and their probes, counts and logs
// requests, delays, fails, drops connections. For tests of agents and workflows without a model and without cost; the
// examples use it when no key is set. Target: openindex::testing.
//
// The script is JSON: `{"rules": [...], "delay_ms": 0}`. The first rule that matches a request answers it:
//
//   {"when": {"turn": 0,               // assistant turns already in the conversation; absent: any
//             "text_contains": "…",    // anywhere in the system part or the first user message; string or array (all)
//             "last_contains": "…",    // in the last message or tool results
//             "tool_offered": "…",     // a tool of this name is offered; string or array (all)
//             "times": 1},             // the rule serves this many requests, then never again; absent: no end
//    "reply": {"text": "…", "tool_calls": [{"name": "…", "arguments": {…}}]},   // or
//    "status": 429, "headers": {"Retry-After": "1"}, "body": "…",               // or
//    "raw": "any bytes sent as a 200 JSON body", "content_type": "text/html",   // or
//    "drop": "before" | "half",        // close without an answer, or in the middle of the body (of an answer above)
//    "delay_ms": 50}
//
// `arguments` may be a string: then it is sent as written (to play a model that writes broken JSON). A status without
// `body` sends an error as the family words it. A request that no rule matches is answered 500 with an error that says
// so. Requests that a provider would refuse are answered 400: a tool call without its result or a result without its
// call, arguments in the wrong form, a missing model or `anthropic-version`, roles that do not alternate where they
// must, a call of Gemini 3 without its signature. The probes list one model, `scripted`. Usage counts four bytes as a
// token, so it is the same on every run. Signatures of AWS are not looked at.
//
// Each request appends one JSON line to the log, durable before the answer is sent:
// {"at": rfc3339, "family", "request_id" (X-Client-Request-Id), "turn", "rule": n | null, "model", "answer": status |
// "drop"}.
//
// Thread safety: all methods, from any threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <openindex/core/result.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

struct ScriptedProviderOptions {
  std::string script = {};         ///< JSON text as above.
  std::filesystem::path log = {};  ///< Appended to, created when missing; empty: no log.
  std::string required_key = {};   ///< When set: requests without this key get the family's 401 (AWS: 403).
};

class OPENINDEX_API ScriptedProvider {
 public:
  /// Serve from threads of this process until destroyed.
  /// @par Errors invalid_json, invalid_definition (a script that is none, with the place), storage_read_only (a log
  /// that cannot be written), http_unreachable (no port)
  static Result<ScriptedProvider> start(ScriptedProviderOptions options);

  /// Serve from a process of its own that dies with this one, however this one dies.
  /// @pre called before the program starts threads (it forks), by the thread that lives longest: its end counts as
  /// death.
  static Result<ScriptedProvider> start_process(ScriptedProviderOptions options);

  ScriptedProvider(ScriptedProvider&&) noexcept;
  ScriptedProvider& operator=(ScriptedProvider&&) noexcept;
  ~ScriptedProvider();

  /// Return the base to give a provider as `endpoint`: `http://127.0.0.1:PORT` (OpenAI, both wires: add `/v1`).
  [[nodiscard]] const std::string& url() const noexcept;

  /// Return how many chat requests came in. Of a process of its own: 0; read its log.
  [[nodiscard]] std::size_t request_count() const noexcept;

 private:
  class Server;
  explicit ScriptedProvider(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace testing
}  // namespace v0
}  // namespace openindex
