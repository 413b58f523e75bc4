// The wires, each as two pure functions: the body of a request, the reading of a good answer.
//
// `write_body` takes a conversation that passed `check`. `read_reply` takes the parsed answer and its bytes, which
// `raw` is cut from; its errors are `provider_malformed_reply` with what was wrong, without anything the provider
// wrote.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "codecs/chat_codec.hpp"

namespace openindex::codecs {

namespace openai_chat {
std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request);
Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body);
}  // namespace openai_chat

namespace anthropic_messages {
std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request);
Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body);
}  // namespace anthropic_messages

namespace ollama_chat {
std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request);
Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body);
}  // namespace ollama_chat

namespace openai_responses {
std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request);
Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body);
}  // namespace openai_responses

namespace google_generate_content {
std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request);
Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body);
}  // namespace google_generate_content

namespace cohere_chat {
std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request);
Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body);
}  // namespace cohere_chat

namespace bedrock_converse {
std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request);
Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body);
}  // namespace bedrock_converse

}  // namespace openindex::codecs
