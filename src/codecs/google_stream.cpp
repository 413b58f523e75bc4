// Streams of Google's generateContent: each event is a whole response with a few more parts.
//
// Text comes in many parts that would have been one; what stands beside it, such as a thought signature, ends the
// run, and every other part is kept as it was written.

#include <optional>

#include <boost/json/value.hpp>

#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/stream_assembly.hpp"
#include "json/writer.hpp"

namespace openindex::codecs::google_generate_content {
namespace {

bool is_thought(const boost::json::object& part) {
  const auto* thought = member(part, "thought");
  return thought != nullptr && *thought == boost::json::value(true);
}

// Text and nothing but text, thought or said.
bool is_plain_text(const boost::json::object& part) {
  const auto* text = member(part, "text");
  return text != nullptr && text->is_string() && part.size() == (member(part, "thought") == nullptr ? 1U : 2U);
}

std::string written_text(std::string_view text, bool thought) {
  json::Writer writer;
  writer.begin_object().member("thought", thought).key("text").string(text).end_object();
  return std::move(writer).str();
}

class Assembly final : public StreamAssembly {
 public:
  using StreamAssembly::StreamAssembly;

  Result<void> add(const boost::json::object& event, std::string_view data, std::string& text) override {
    for (const auto& [name, to] : {std::pair{"promptFeedback", &feedback_},
                                   {"usageMetadata", &usage_},
                                   {"modelVersion", &model_},
                                   {"responseId", &id_}}) {
      if (member(event, name) == nullptr) continue;
      if (auto kept = replace(*to, json::member_text(data, name)); !kept) return kept.error();
    }
    const auto* candidates = member(event, "candidates");
    if (candidates == nullptr || !candidates->is_array() || candidates->get_array().empty()) return {};
    const auto* candidate = candidates->get_array().front().if_object();
    if (candidate == nullptr) return misshapen("a candidate of the stream is no object");
    return add_candidate(*candidate, json::first_element_text(json::member_text(data, "candidates")), text);
  }

  [[nodiscard]] bool is_whole() const noexcept override { return !finish_reason_.empty() || !feedback_.empty(); }

  [[nodiscard]] std::string body() const override {
    json::Writer writer;
    writer.begin_object();
    if (seen_) write_candidate(writer);
    for (const auto& [name, held] : {std::pair{"promptFeedback", &feedback_},
                                     {"usageMetadata", &usage_},
                                     {"modelVersion", &model_},
                                     {"responseId", &id_}}) {
      if (!held->empty()) writer.key(name).raw(*held);
    }
    writer.end_object();
    return std::move(writer).str();
  }

 private:
  Result<void> add_candidate(const boost::json::object& candidate, std::string_view data, std::string& text) {
    seen_ = true;
    for (const auto& [name, to] : {std::pair{"finishReason", &finish_reason_}, {"finishMessage", &finish_message_}}) {
      if (member(candidate, name) == nullptr) continue;
      if (auto kept = replace(*to, json::member_text(data, name)); !kept) return kept.error();
    }
    const auto* content = object_member(candidate, "content");
    const auto* parts = content == nullptr ? nullptr : member(*content, "parts");
    if (parts == nullptr) return {};
    if (!parts->is_array()) return misshapen("the parts of the stream are no array");
    std::string_view rest = json::member_text(json::member_text(data, "content"), "parts");
    for (const auto& entry : parts->get_array()) {
      const auto written = json::take_element(rest);
      if (!entry.is_object()) return misshapen("a part of the stream is no object");
      if (auto added = add_part(entry.get_object(), written, text); !added) return added.error();
    }
    return {};
  }

  Result<void> add_part(const boost::json::object& part, std::string_view written, std::string& text) {
    const bool thought = is_thought(part);
    if (!thought) text += text_member(part, "text");
    if (is_plain_text(part)) {
      if (!run_.empty() && run_is_thought_ != thought) end_run();
      run_is_thought_ = thought;
      return keep(run_, text_member(part, "text"));
    }
    end_run();
    if (!parts_.empty()) parts_ += ',';
    if (auto kept = keep_part(); !kept) return kept.error();
    return keep(parts_, written);
  }

  void end_run() {
    if (run_.empty()) return;
    if (!parts_.empty()) parts_ += ',';
    parts_ += written_text(run_, run_is_thought_);  // counted when it came
    run_.clear();
  }

  void write_candidate(json::Writer& writer) const {
    writer.key("candidates").begin_array().begin_object();
    writer.key("content").begin_object().key("role").string("model").key("parts").begin_array();
    if (!parts_.empty()) writer.raw(parts_);
    if (!run_.empty()) writer.raw(written_text(run_, run_is_thought_));
    writer.end_array().end_object();
    for (const auto& [name, held] : {std::pair{"finishReason", &finish_reason_}, {"finishMessage", &finish_message_}}) {
      if (!held->empty()) writer.key(name).raw(*held);
    }
    writer.end_object().end_array();
  }

  std::string parts_;  // JSON, with commas between them
  std::string run_;    // text that may go on
  bool run_is_thought_ = false;
  bool seen_ = false;
  std::string feedback_, usage_, model_, id_, finish_reason_, finish_message_;  // JSON
};

}  // namespace

std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max) { return std::make_unique<Assembly>(bytes_max); }

}  // namespace openindex::codecs::google_generate_content
