#include "codecs/chat_codec.hpp"

#include <utility>

#include <boost/json/value.hpp>

#include "codecs/conversation.hpp"
#include "codecs/provider_error.hpp"
#include "codecs/reply_limits.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/text.hpp"
#include "codecs/wire_families.hpp"
#include "codecs/wire_headers.hpp"
#include "codecs/wire_url.hpp"
#include "json/read.hpp"

namespace openindex::codecs {
namespace {

constexpr Duration probe_timeout{15'000};

struct Family {
  std::string (*write_body)(const ChatEndpoint&, const ChatRequest&);
  Result<ChatReply> (*read_reply)(const boost::json::object&, std::string_view);
};

Family family_of(WireFamily family) {
  switch (family) {
    case WireFamily::openai_chat:
      return {openai_chat::write_body, openai_chat::read_reply};
    case WireFamily::openai_responses:
      return {openai_responses::write_body, openai_responses::read_reply};
    case WireFamily::anthropic_messages:
      return {anthropic_messages::write_body, anthropic_messages::read_reply};
    case WireFamily::ollama_chat:
      return {ollama_chat::write_body, ollama_chat::read_reply};
    case WireFamily::google_generate_content:
      return {google_generate_content::write_body, google_generate_content::read_reply};
    case WireFamily::cohere_chat:
      return {cohere_chat::write_body, cohere_chat::read_reply};
    case WireFamily::bedrock_converse:
      return {bedrock_converse::write_body, bedrock_converse::read_reply};
  }
  return {openai_chat::write_body, openai_chat::read_reply};
}

// Some servers answer 200 and then fail.
bool is_error(const boost::json::object& root) {
  const auto* error = member(root, "error");
  return error != nullptr && (error->is_object() || error->is_string());
}

}  // namespace

Result<HttpRequest> encode(const ChatEndpoint& endpoint, const ChatRequest& request, const std::string& request_id,
                           Time now) {
  if (endpoint.model.empty()) return Error(errc::invalid_argument, "No model is named");
  if (auto sound = check(request); !sound) return sound.error();
  auto url = chat_url(endpoint);
  if (!url) return url.error();
  HttpRequest http;
  http.method = "POST";
  http.url = std::move(*url);
  http.body = family_of(endpoint.family).write_body(endpoint, request);
  http.response_bytes_max = reply_bytes_max;
  if (auto headers = set_headers(http, endpoint, request_id, now); !headers) return headers.error();
  return http;
}

Result<ChatReply> decode(const ChatEndpoint& endpoint, const HttpResponse& response) {
  if (response.status < 200 || response.status >= 300) return provider_error(endpoint, response);
  const auto body = json::parse(response.body, reply_limits);
  if (!body) {
    const bool large = body.error().code() == errc::input_too_large;
    return malformed_reply(endpoint, response,
                           large ? "The provider's answer is too large" : "The provider's answer is no JSON");
  }
  const auto* root = body->if_object();
  if (root == nullptr) return malformed_reply(endpoint, response, "The provider's answer is no JSON object");
  if (is_error(*root)) return provider_error(endpoint, response);
  auto reply = family_of(endpoint.family).read_reply(*root, response.body);
  if (!reply) return malformed_reply(endpoint, response, reply.error().message(), reply.error().code());
  reply->model = scrubbed(reply->model, endpoint, 200);
  reply->request_id = request_id_of(endpoint, response);
  for (const auto* name : {"id", "responseId"}) {
    if (reply->request_id.empty()) reply->request_id = scrubbed(text_member(*root, name), endpoint, 100);
  }
  return reply;
}

Result<HttpRequest> encode_probe(const ChatEndpoint& endpoint, Time now) {
  auto url = probe_url(endpoint);
  if (!url) return url.error();
  HttpRequest http;
  http.url = std::move(*url);
  if (!lists_models(endpoint)) {
    const bool counts = endpoint.dialect == WireDialect::vertex;  // tokens, which costs none
    http.method = "POST";
    http.body = counts ? R"({"contents":[{"role":"user","parts":[{"text":"hello"}]}]})" : "{}";
  }
  http.timeout = probe_timeout;
  http.response_bytes_max = reply_bytes_max;
  if (auto headers = set_headers(http, endpoint, {}, now); !headers) return headers.error();
  return http;
}

}  // namespace openindex::codecs
