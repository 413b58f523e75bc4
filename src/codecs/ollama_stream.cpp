// Streams of Ollama's chat: answers with a little more text each, the last of which is done; calls come whole.

#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/stream_assembly.hpp"
#include "json/writer.hpp"

namespace openindex::codecs::ollama_chat {
namespace {

class Assembly final : public StreamAssembly {
 public:
  using StreamAssembly::StreamAssembly;

  Result<void> add(const boost::json::object& event, std::string_view data, std::string& text) override {
    if (done_) return {};
    const auto* message = object_member(event, "message");
    if (message != nullptr) {
      if (auto added = add_message(*message, json::member_text(data, "message"), text); !added) return added.error();
    }
    const auto* done = member(event, "done");
    done_ = done != nullptr && done->is_bool() && done->get_bool();
    if (!done_) return {};
    for (const auto& [name, to] : {std::pair{"model", &model_},
                                   {"done_reason", &done_reason_},
                                   {"prompt_eval_count", &input_},
                                   {"eval_count", &output_}}) {
      if (auto kept = replace(*to, json::member_text(data, name)); !kept) return kept.error();
    }
    return {};
  }

  [[nodiscard]] bool is_whole() const noexcept override { return done_; }

  [[nodiscard]] std::string body() const override {
    json::Writer writer;
    writer.begin_object().key("message").begin_object().key("role").string("assistant");
    writer.key("content").string(content_).member("thinking", thinking_);
    if (!calls_.empty()) writer.key("tool_calls").begin_array().raw(calls_).end_array();
    writer.end_object().key("done").boolean(true);
    for (const auto& [name, held] : {std::pair{"model", &model_},
                                     {"done_reason", &done_reason_},
                                     {"prompt_eval_count", &input_},
                                     {"eval_count", &output_}}) {
      if (!held->empty()) writer.key(name).raw(*held);
    }
    writer.end_object();
    return std::move(writer).str();
  }

 private:
  Result<void> add_message(const boost::json::object& message, std::string_view data, std::string& text) {
    const auto* content = member(message, "content");
    if (content != nullptr && !content->is_string()) return misshapen("message.content is no text");
    text += text_member(message, "content");
    if (auto kept = keep(content_, text_member(message, "content")); !kept) return kept.error();
    if (auto kept = keep(thinking_, text_member(message, "thinking")); !kept) return kept.error();
    const auto* calls = member(message, "tool_calls");
    if (calls == nullptr) return {};
    if (!calls->is_array()) return misshapen("message.tool_calls is no array");
    const auto written = json::elements_text(json::member_text(data, "tool_calls"));
    if (written.empty()) return {};
    if (!calls_.empty()) calls_ += ',';
    if (auto kept = keep_part(); !kept) return kept.error();
    return keep(calls_, written);
  }

  std::string content_, thinking_;
  std::string calls_, model_, done_reason_, input_, output_;  // JSON
  bool done_ = false;
};

}  // namespace

std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max) { return std::make_unique<Assembly>(bytes_max); }

}  // namespace openindex::codecs::ollama_chat
