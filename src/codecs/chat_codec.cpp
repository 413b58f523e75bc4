#include "codecs/chat_codec.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/value.hpp>

#include "codecs/conversation.hpp"
#include "codecs/provider_error.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/text.hpp"
#include "codecs/wire_families.hpp"
#include "codecs/wire_url.hpp"
#include "json/read.hpp"

namespace openindex::codecs {
namespace {

// More than any model's longest answer, and little enough that its parsed form fits in memory many times over.
constexpr std::size_t reply_bytes_max = 4u * 1024 * 1024;
constexpr Duration probe_timeout{15'000};

struct Family {
  std::string_view version_prefix;  // what a base URL may already end with, when the paths start with it
  std::string_view chat_path;
  std::string_view probe_path;
  std::string (*write_body)(const ChatEndpoint&, const ChatRequest&);
  Result<ChatReply> (*read_reply)(const boost::json::object&, std::string_view);
};

const Family& family_of(WireFamily family) {
  static constexpr Family openai{"", "/chat/completions", "/models", openai_chat::write_body, openai_chat::read_reply};
  static constexpr Family anthropic{"/v1", "/v1/messages", "/v1/models?limit=1", anthropic_messages::write_body,
                                    anthropic_messages::read_reply};
  static constexpr Family ollama{"/api", "/api/chat", "/api/tags", ollama_chat::write_body, ollama_chat::read_reply};
  static constexpr Family responses{"", "/responses", "/models", openai_responses::write_body,
                                    openai_responses::read_reply};
  switch (family) {
    case WireFamily::openai_chat:
      return openai;
    case WireFamily::openai_responses:
      return responses;
    case WireFamily::anthropic_messages:
      return anthropic;
    case WireFamily::ollama_chat:
      return ollama;
  }
  return openai;
}

Result<void> set_headers(HttpRequest& http, const ChatEndpoint& endpoint, const std::string& request_id) {
  http.headers = {{"Accept", "application/json"}};
  if (!http.body.empty()) http.headers.emplace_back("Content-Type", "application/json");
  if (!request_id.empty()) http.headers.emplace_back("X-Client-Request-Id", request_id);
  if (endpoint.family == WireFamily::anthropic_messages) {
    const std::string version = endpoint.version.empty() ? "2023-06-01" : endpoint.version;
    http.headers.emplace_back("anthropic-version", version);
    // The versions are dates, and those before 2026-10-21 document x-api-key; sending both is refused.
    if (!endpoint.api_key.empty() && version < "2026-10-21") http.headers.emplace_back("x-api-key", endpoint.api_key);
    if (!endpoint.api_key.empty() && version >= "2026-10-21")
      http.headers.emplace_back("Authorization", "Bearer " + endpoint.api_key);
  } else if (!endpoint.api_key.empty()) {
    http.headers.emplace_back("Authorization", "Bearer " + endpoint.api_key);
  }
  http.headers.insert(http.headers.end(), endpoint.headers.begin(), endpoint.headers.end());
  for (const auto& [name, value] : http.headers) {
    if (name.empty() || holds_control(name))
      return Error(errc::invalid_argument, "A header's name is empty or holds control characters");
    if (holds_control(value)) {
      return Error(errc::invalid_argument, "A header's value holds control characters").with("header", name);
    }
  }
  return {};
}

// Some servers answer 200 and then fail.
bool is_error(const boost::json::object& root) {
  const auto* error = member(root, "error");
  return error != nullptr && (error->is_object() || error->is_string());
}

}  // namespace

Result<HttpRequest> encode(const ChatEndpoint& endpoint, const ChatRequest& request, const std::string& request_id) {
  if (endpoint.model.empty()) return Error(errc::invalid_argument, "No model is named");
  if (auto sound = check(request); !sound) return sound.error();
  const Family& family = family_of(endpoint.family);
  auto url = url_for(endpoint, family.chat_path, family.version_prefix);
  if (!url) return url.error();
  HttpRequest http;
  http.method = "POST";
  http.url = std::move(*url);
  http.body = family.write_body(endpoint, request);
  http.response_bytes_max = reply_bytes_max;
  if (auto headers = set_headers(http, endpoint, request_id); !headers) return headers.error();
  return http;
}

Result<ChatReply> decode(const ChatEndpoint& endpoint, const HttpResponse& response) {
  if (response.status < 200 || response.status >= 300) return provider_error(endpoint, response);
  const auto body = json::parse(response.body, {.bytes_max = reply_bytes_max});
  if (!body) return malformed_reply(endpoint, response, "The provider's answer is no JSON");
  const auto* root = body->if_object();
  if (root == nullptr) return malformed_reply(endpoint, response, "The provider's answer is no JSON object");
  if (is_error(*root)) return provider_error(endpoint, response);
  auto reply = family_of(endpoint.family).read_reply(*root, response.body);
  if (!reply) return malformed_reply(endpoint, response, reply.error().message());
  reply->model = scrubbed(reply->model, endpoint, 200);
  reply->request_id = request_id_of(endpoint, response);
  if (reply->request_id.empty()) reply->request_id = scrubbed(text_member(*root, "id"), endpoint, 100);
  return reply;
}

Result<HttpRequest> encode_probe(const ChatEndpoint& endpoint) {
  const Family& family = family_of(endpoint.family);
  // Without a list of models to ask for, a question that says nothing: it is refused, but a bad key is refused
  // otherwise.
  const bool lists_models = endpoint.dialect != WireDialect::perplexity;
  auto url = url_for(endpoint, lists_models ? family.probe_path : family.chat_path, family.version_prefix);
  if (!url) return url.error();
  HttpRequest http;
  http.url = std::move(*url);
  if (!lists_models) {
    http.method = "POST";
    http.body = "{}";
  }
  http.timeout = probe_timeout;
  http.response_bytes_max = reply_bytes_max;
  if (auto headers = set_headers(http, endpoint, {}); !headers) return headers.error();
  return http;
}

}  // namespace openindex::codecs
