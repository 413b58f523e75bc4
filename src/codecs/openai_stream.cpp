// Streams of OpenAI chat: deltas of one message, tool calls in fragments that an index holds together.

#include <cstdint>
#include <map>

#include <boost/json/serialize.hpp>

#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/stream_assembly.hpp"
#include "codecs/text.hpp"

namespace openindex::codecs::openai_chat {
namespace {

struct StreamedCall {
  std::string id, name, arguments;
};

class Assembly final : public StreamAssembly {
 public:
  using StreamAssembly::StreamAssembly;

  Result<void> add(const boost::json::object& event, std::string_view data, std::string& text) override {
    for (const auto& [name, to] : {std::pair{"id", &id_}, {"model", &model_}, {"usage", &usage_}}) {
      if (member(event, name) == nullptr) continue;
      if (auto kept = replace(*to, json::member_text(data, name)); !kept) return kept.error();
    }
    const auto* choices = member(event, "choices");
    if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) return {};
    const auto* choice = choices->get_array().front().if_object();
    if (choice == nullptr) return misshapen("a choice of the stream is no object");
    if (const auto reason = text_member(*choice, "finish_reason"); !reason.empty()) {
      if (auto kept = replace(finish_reason_, reason); !kept) return kept.error();
    }
    const auto* delta = object_member(*choice, "delta");
    return delta == nullptr ? Result<void>() : add_delta(*delta, text);
  }

  [[nodiscard]] bool is_whole() const noexcept override { return !finish_reason_.empty(); }

  [[nodiscard]] std::string body() const override {
    json::Writer writer;
    writer.begin_object();
    for (const auto& [name, held] : {std::pair{"id", &id_}, {"model", &model_}, {"usage", &usage_}}) {
      if (!held->empty()) writer.key(name).raw(*held);
    }
    writer.key("choices").begin_array().begin_object().key("message").begin_object().key("role").string("assistant");
    writer.key("content");
    if (content_.empty() && !calls_.empty()) {
      writer.null();
    } else {
      writer.string(content_);
    }
    writer.member("refusal", refusal_);
    write_calls(writer);
    writer.end_object().key("finish_reason").string(finish_reason_).end_object().end_array().end_object();
    return std::move(writer).str();
  }

 private:
  Result<void> add_delta(const boost::json::object& delta, std::string& text) {
    const auto* content = member(delta, "content");
    if (content != nullptr && content->is_array()) {  // Mistral's chunks
      for (const auto& chunk : content->get_array()) {
        if (!chunk.is_object() || text_member(chunk.get_object(), "type") != "text") continue;
        if (auto kept = say(content_, text_member(chunk.get_object(), "text"), text); !kept) return kept.error();
      }
    } else if (auto kept = say(content_, text_member(delta, "content"), text); !kept) {
      return kept.error();
    }
    if (auto kept = say(refusal_, text_member(delta, "refusal"), text); !kept) return kept.error();
    const auto* calls = member(delta, "tool_calls");
    if (calls == nullptr) return {};
    if (!calls->is_array()) return misshapen("the tool calls of the stream are no array");
    for (const auto& entry : calls->get_array()) {
      if (!entry.is_object()) return misshapen("a tool call of the stream is no object");
      if (auto added = add_call(entry.get_object()); !added) return added.error();
    }
    return {};
  }

  Result<void> say(std::string& to, std::string_view piece, std::string& text) {
    text += piece;
    return keep(to, piece);
  }

  // Some servers leave the index out: an id begins a call then, and what has none belongs to the last one.
  std::uint64_t index_of(const boost::json::object& call) const {
    if (member(call, "index") != nullptr) return count_member(call, "index");
    const std::uint64_t next = calls_.empty() ? 0 : calls_.rbegin()->first + 1;
    return text_member(call, "id").empty() && next > 0 ? next - 1 : next;
  }

  Result<void> add_call(const boost::json::object& entry) {
    const auto [slot, is_new] = calls_.try_emplace(index_of(entry));
    if (is_new) {
      if (auto kept = keep_part(); !kept) return kept.error();
    }
    StreamedCall& call = slot->second;
    if (auto kept = replace(call.id, text_member(entry, "id")); !kept) return kept.error();
    const auto* function = object_member(entry, "function");
    if (function == nullptr) return {};
    if (auto kept = replace(call.name, text_member(*function, "name")); !kept) return kept.error();
    if (const auto* arguments = object_member(*function, "arguments")) {
      return keep(call.arguments, boost::json::serialize(*arguments));
    }
    return keep(call.arguments, text_member(*function, "arguments"));
  }

  void write_calls(json::Writer& writer) const {
    if (calls_.empty()) return;
    writer.key("tool_calls").begin_array();
    for (const auto& [index, call] : calls_) {
      writer.begin_object().key("id").string(call.id).key("type").string("function").key("function").begin_object();
      writer.key("name").string(call.name).key("arguments").string(call.arguments).end_object().end_object();
    }
    writer.end_array();
  }

  std::string id_, model_, usage_;  // JSON
  std::string content_, refusal_, finish_reason_;
  std::map<std::uint64_t, StreamedCall> calls_;
};

}  // namespace

std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max) { return std::make_unique<Assembly>(bytes_max); }

}  // namespace openindex::codecs::openai_chat

namespace openindex::codecs::openai_responses {
namespace {

// The last event holds the whole answer, as it would have come in one piece.
class Assembly final : public StreamAssembly {
 public:
  using StreamAssembly::StreamAssembly;

  Result<void> add(const boost::json::object& event, std::string_view data, std::string& text) override {
    const auto type = text_member(event, "type");
    if (type == "response.output_text.delta" || type == "response.refusal.delta") text += text_member(event, "delta");
    if (type != "response.completed" && type != "response.incomplete" && type != "response.failed") return {};
    if (object_member(event, "response") == nullptr) return misshapen("the end of the stream has no response");
    return replace(response_, json::member_text(data, "response"));
  }

  [[nodiscard]] bool is_whole() const noexcept override { return !response_.empty(); }
  [[nodiscard]] std::string body() const override { return response_; }

 private:
  std::string response_;
};

}  // namespace

std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max) { return std::make_unique<Assembly>(bytes_max); }

}  // namespace openindex::codecs::openai_responses
