// Streams of Cohere's chat: blocks of content, a plan, and calls, each of which starts, grows and ends.

#include <cstdint>
#include <map>

#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/stream_assembly.hpp"
#include "json/writer.hpp"

namespace openindex::codecs::cohere_chat {
namespace {

struct Block {
  std::string type, text;
};

struct StreamedCall {
  std::string id, name, arguments;
};

// A block starts as an object, and old servers send calls in an array of one.
const boost::json::object* only_object(const boost::json::object& holder, std::string_view name) {
  const auto* held = member(holder, name);
  if (held == nullptr) return nullptr;
  if (held->is_array()) return held->get_array().empty() ? nullptr : held->get_array().front().if_object();
  return held->if_object();
}

class Assembly final : public StreamAssembly {
 public:
  using StreamAssembly::StreamAssembly;

  Result<void> add(const boost::json::object& event, std::string_view data, std::string& text) override {
    const auto type = text_member(event, "type");
    if (type == "message-start" && member(event, "id") != nullptr) return replace(id_, json::member_text(data, "id"));
    if (type == "message-end") return add_end(event, data);
    const auto* delta = object_member(event, "delta");
    const auto* message = delta == nullptr ? nullptr : object_member(*delta, "message");
    if (message == nullptr) return {};
    const std::uint64_t index = count_member(event, "index");
    if (type == "content-start" || type == "content-delta") return add_content(*message, index, text);
    if (type == "tool-plan-delta") return add_plan(text_member(*message, "tool_plan"), text);
    if (type == "tool-call-start" || type == "tool-call-delta") return add_call(*message, index);
    return {};
  }

  [[nodiscard]] bool is_whole() const noexcept override { return !finish_reason_.empty(); }

  [[nodiscard]] std::string body() const override {
    json::Writer writer;
    writer.begin_object();
    for (const auto& [name, held] : {std::pair{"id", &id_}, {"finish_reason", &finish_reason_}, {"usage", &usage_}}) {
      if (!held->empty()) writer.key(name).raw(*held);
    }
    writer.key("message").begin_object().key("role").string("assistant").member("tool_plan", plan_);
    write_content(writer);
    write_calls(writer);
    writer.end_object().end_object();
    return std::move(writer).str();
  }

 private:
  // A plan is the text of a turn that has no other: see `read_reply`.
  Result<void> add_plan(std::string_view plan, std::string& text) {
    if (!has_text_) text += plan;
    return keep(plan_, plan);
  }

  Result<void> add_content(const boost::json::object& message, std::uint64_t index, std::string& text) {
    const auto* content = only_object(message, "content");
    if (content == nullptr) return {};
    const auto [slot, is_new] = blocks_.try_emplace(index);
    if (is_new) {
      if (auto kept = keep_part(); !kept) return kept.error();
    }
    Block& block = slot->second;
    if (auto kept = replace(block.type, text_member(*content, "type")); !kept) return kept.error();
    const auto said = text_member(*content, "text");
    has_text_ = has_text_ || !said.empty();
    text += said;
    if (auto kept = keep(block.text, said); !kept) return kept.error();
    const auto thinking = text_member(*content, "thinking");
    if (!thinking.empty()) block.type = "thinking";
    return keep(block.text, thinking);
  }

  Result<void> add_call(const boost::json::object& message, std::uint64_t index) {
    const auto* entry = only_object(message, "tool_calls");
    if (entry == nullptr) return {};
    const auto [slot, is_new] = calls_.try_emplace(index);
    if (is_new) {
      if (auto kept = keep_part(); !kept) return kept.error();
    }
    StreamedCall& call = slot->second;
    if (auto kept = replace(call.id, text_member(*entry, "id")); !kept) return kept.error();
    const auto* function = object_member(*entry, "function");
    if (function == nullptr) return {};
    if (auto kept = replace(call.name, text_member(*function, "name")); !kept) return kept.error();
    return keep(call.arguments, text_member(*function, "arguments"));
  }

  Result<void> add_end(const boost::json::object& event, std::string_view data) {
    if (object_member(event, "delta") == nullptr) return misshapen("the end of the stream says nothing");
    const auto delta = json::member_text(data, "delta");
    if (auto kept = replace(usage_, json::member_text(delta, "usage")); !kept) return kept.error();
    return replace(finish_reason_, json::member_text(delta, "finish_reason"));
  }

  void write_content(json::Writer& writer) const {
    if (blocks_.empty()) return;
    writer.key("content").begin_array();
    for (const auto& [index, block] : blocks_) {
      const std::string_view type = block.type.empty() ? "text" : std::string_view(block.type);
      writer.begin_object().key("type").string(type);
      writer.key(type == "thinking" ? "thinking" : "text").string(block.text).end_object();
    }
    writer.end_array();
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

  std::string id_, finish_reason_, usage_;  // JSON
  std::string plan_;
  bool has_text_ = false;
  std::map<std::uint64_t, Block> blocks_;
  std::map<std::uint64_t, StreamedCall> calls_;
};

}  // namespace

std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max) { return std::make_unique<Assembly>(bytes_max); }

}  // namespace openindex::codecs::cohere_chat
