// A conversation as a provider reads it, whatever its wire: who speaks, what is called, what is answered.
//
// As strict as the strictest provider; errors are invalid_argument with the sentence for the client.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <openindex/agent/chat.hpp>
#include <openindex/core/result.hpp>

namespace openindex::scripted {

struct Message {
  std::string role;  ///< system, developer, user, assistant or tool
  std::string text;
  std::vector<std::string> calls;    ///< ids; names where the wire has no ids
  std::vector<std::string> results;  ///< as calls
  bool results_first = true;
};

/// Read `messages` of OpenAI chat, Cohere, Ollama and Anthropic.
Result<std::vector<Message>> read_messages(WireFamily family, const boost::json::object& root);

/// Read `input` of OpenAI Responses; items of one side that stand together are one message.
Result<std::vector<Message>> read_response_items(const boost::json::object& root);

/// Read `contents` of Google's generateContent. @param model decides whether calls need their signatures
Result<std::vector<Message>> read_google_contents(const boost::json::object& root, std::string_view model);

/// Read `messages` of Bedrock's Converse.
Result<std::vector<Message>> read_converse_messages(const boost::json::object& root);

Error wrong(std::string what);

/// Return a member's text, empty when it is missing or no string.
std::string string_of(const boost::json::object& from, std::string_view name);

/// Return a member that is an object, or null.
const boost::json::object* object_of(const boost::json::object& from, std::string_view name);

/// Return a member that is an array with elements. @par Errors invalid_argument
Result<const boost::json::array*> list_of(const boost::json::object& from, std::string_view name);

/// Append the text of a string, or of blocks with `text`, or of results with `content` of the same kind.
void collect_text(const boost::json::value& from, std::string& out);

}  // namespace openindex::scripted
