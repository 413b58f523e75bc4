#include "codecs/wire_headers.hpp"

#include "codecs/aws_signature.hpp"
#include "codecs/wire_url.hpp"

namespace openindex::codecs {
namespace {

// The versions are dates, and those before 2026-10-21 document x-api-key; sending both is refused.
void set_anthropic(HttpHeaders& headers, const ChatEndpoint& endpoint) {
  const std::string version = endpoint.version.empty() ? "2023-06-01" : endpoint.version;
  headers.emplace_back("anthropic-version", version);
  if (endpoint.api_key.empty()) return;
  if (version < "2026-10-21") {
    headers.emplace_back("x-api-key", endpoint.api_key);
  } else {
    headers.emplace_back("Authorization", "Bearer " + endpoint.api_key);
  }
}

void set_credential(HttpHeaders& headers, const ChatEndpoint& endpoint) {
  if (endpoint.family == WireFamily::anthropic_messages) return set_anthropic(headers, endpoint);
  if (endpoint.api_key.empty()) return;
  if (endpoint.dialect == WireDialect::azure) {
    headers.emplace_back("api-key", endpoint.api_key);
  } else if (endpoint.family == WireFamily::google_generate_content && endpoint.dialect != WireDialect::vertex) {
    headers.emplace_back("x-goog-api-key", endpoint.api_key);  // in the URL it would land in logs
  } else {
    headers.emplace_back("Authorization", "Bearer " + endpoint.api_key);
  }
}

// Signed is what stands there by now. The client writes the host itself.
Result<void> set_signature(HttpRequest& http, const ChatEndpoint& endpoint, Time now) {
  if (endpoint.region.empty()) return Error(errc::invalid_argument, "An AWS access key needs its region");
  if (now == Time{}) return Error(errc::invalid_argument, "A request cannot be signed without the time");
  sign(http, {endpoint.access_key, endpoint.api_key, endpoint.session_token}, {endpoint.region, "bedrock"}, now);
  std::erase_if(http.headers, [](const auto& header) { return header.first == "Host"; });
  return {};
}

std::string_view accepted(const ChatEndpoint& endpoint) {
  if (!endpoint.stream) return "application/json";
  if (endpoint.family == WireFamily::ollama_chat) return "application/x-ndjson";
  if (endpoint.family == WireFamily::bedrock_converse) return "application/vnd.amazon.eventstream";
  return "text/event-stream";
}

Result<void> check_headers(const HttpHeaders& headers) {
  for (const auto& [name, value] : headers) {
    if (name.empty() || holds_control(name))
      return Error(errc::invalid_argument, "A header's name is empty or holds control characters");
    if (holds_control(value)) {
      return Error(errc::invalid_argument, "A header's value holds control characters").with("header", name);
    }
  }
  return {};
}

}  // namespace

Result<void> set_headers(HttpRequest& http, const ChatEndpoint& endpoint, const std::string& request_id, Time now) {
  http.headers.clear();
  if (!http.body.empty()) http.headers.emplace_back("Content-Type", "application/json");
  if (endpoint.family == WireFamily::bedrock_converse && !endpoint.access_key.empty()) {
    if (auto is_signed = set_signature(http, endpoint, now); !is_signed) return is_signed.error();
  } else {
    set_credential(http.headers, endpoint);
  }
  http.headers.emplace_back("Accept", std::string(accepted(endpoint)));
  if (!request_id.empty()) http.headers.emplace_back("X-Client-Request-Id", request_id);
  http.headers.insert(http.headers.end(), endpoint.headers.begin(), endpoint.headers.end());
  return check_headers(http.headers);
}

}  // namespace openindex::codecs
