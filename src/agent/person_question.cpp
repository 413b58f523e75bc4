#include "agent/person_question.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "agent/plain_text.hpp"
#include "codecs/text.hpp"
#include "json/writer.hpp"

namespace openindex::agent {
namespace {

constexpr std::uint64_t question_bytes_max = 4'000;
constexpr std::uint64_t option_bytes_max = 200;
constexpr std::uint64_t options_max = 10;

std::string plain(const boost::json::value& text) {
  return without_controls(std::string_view(text.get_string().data(), text.get_string().size()));
}

}  // namespace

ToolSpec ask_person_tool() {
  json::Writer writer;
  writer.begin_object().key("type").string("object").key("additionalProperties").boolean(false);
  writer.key("properties").begin_object();
  writer.key("question").begin_object().key("type").string("string").key("minLength").number(std::uint64_t{1});
  writer.key("maxLength").number(question_bytes_max).end_object();
  writer.key("options").begin_object().key("type").string("array").key("maxItems").number(options_max);
  writer.key("description").string("Answers to choose from, if there are such");
  writer.key("items").begin_object().key("type").string("string").key("maxLength").number(option_bytes_max);
  writer.end_object().end_object().end_object();
  writer.key("required").begin_array().string("question").end_array().end_object();
  return {std::string(ask_person),
          "Ask a person who is responsible for the work item, when you cannot go on without a decision or a fact that "
          "only people have. The work stops until they answer, which may take days; ask everything at once.",
          std::move(writer).str()};
}

AskPerson to_question(const boost::json::object& arguments) {
  AskPerson ask;
  ask.question = plain(arguments.at("question"));
  if (const auto* options = arguments.if_contains("options")) {
    for (const auto& option : options->get_array()) ask.options.push_back(plain(option));
  }
  ask.detail = "the agent asks a person";  // the audit keeps this for good, and what was asked in the journal only
  return ask;
}

std::string person_answer(std::string_view by, std::string_view answer) {
  json::Writer writer;
  writer.begin_object();
  if (answer.empty()) {
    writer.key("note").string("The person who was asked let the work go on without an answer: decide yourself.");
  } else {
    codecs::write_text(writer.key("answer"), answer);
  }
  codecs::write_text(writer.key("from"), by);
  return std::move(writer.end_object()).str();
}

std::string person_refusal(std::string_view by, std::string_view answer) {
  json::Writer writer;
  writer.begin_object().key("error").begin_object().key("code").string(name(errc::not_permitted));
  writer.key("message").string("A person did not approve of this call: it was not made");
  codecs::write_text(writer.key("from"), by);
  if (!answer.empty()) codecs::write_text(writer.key("answer"), answer);
  return std::move(writer.end_object().end_object()).str();
}

}  // namespace openindex::agent
