// A codec per wire family: pure functions from a conversation to a request, and from an answer to a reply.
#pragma once

#include <string>

#include <openindex/agent/chat.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>
#include <openindex/http/http_message.hpp>

namespace openindex::codecs {

/// Where a conversation goes: the resolved configuration of one provider.
struct ChatEndpoint {
  WireFamily family = WireFamily::openai_chat;
  std::string base_url;  ///< Includes the version prefix where the family's table says so; one trailing slash is cut.
  std::string api_key;   ///< Secret; may be empty for ollama and compatible servers.
  std::string model;
  HttpHeaders headers;  ///< Extra headers of the type, such as OpenAI-Organization.
  std::string version;  ///< anthropic-version; empty: 2023-06-01.
  WireDialect dialect = WireDialect::plain;
  bool stream = false;        ///< Ask for answers in pieces, which a StreamDecoder reads.
  std::string chat_path;      ///< In place of the family's own path of conversations; empty: that one.
  std::string region;         ///< Of AWS or Google.
  std::string project;        ///< Of Google.
  std::string publisher;      ///< Of models at Google; empty: Google itself.
  std::string access_key;     ///< Of AWS; `api_key` is its secret then. Empty: `api_key` is a bearer token.
  std::string session_token;  ///< Of AWS, with temporary credentials; secret.
};

/// Build the HTTP request for the next turn. `request_id` is sent as X-Client-Request-Id. `now` is the time of requests
/// that are signed, which is what an AWS access key does; the others do without.
/// @par Errors invalid_argument
Result<HttpRequest> encode(const ChatEndpoint& endpoint, const ChatRequest& request, const std::string& request_id,
                           Time now = {});

/// Read the answer.
/// @par Errors the provider_* codes, classified, with retry_after when the answer tells; message bounded and scrubbed
/// of the endpoint's key.
Result<ChatReply> decode(const ChatEndpoint& endpoint, const HttpResponse& response);

/// Build the cheap authenticated request that tells whether a provider works; spends no tokens.
Result<HttpRequest> encode_probe(const ChatEndpoint& endpoint, Time now = {});

}  // namespace openindex::codecs
