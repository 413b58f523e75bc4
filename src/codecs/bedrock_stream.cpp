// Streams of Bedrock's Converse: blocks by index, of which only tool uses have a start.

#include <cstdint>
#include <map>

#include "codecs/conversation.hpp"
#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/stream_assembly.hpp"
#include "json/writer.hpp"

namespace openindex::codecs::bedrock_converse {
namespace {

struct Block {
  enum class Kind : std::uint8_t { text, tool, reasoning };
  Kind kind = Kind::text;
  std::string text, input, signature, redacted;
  std::string id, name;
};

class Assembly final : public StreamAssembly {
 public:
  using StreamAssembly::StreamAssembly;

  Result<void> add(const boost::json::object& event, std::string_view data, std::string& text) override {
    if (const auto* start = object_member(event, "contentBlockStart")) return add_start(*start);
    if (const auto* delta = object_member(event, "contentBlockDelta")) return add_delta(*delta, text);
    if (object_member(event, "messageStop") != nullptr) {
      return replace(stop_reason_, json::member_text(json::member_text(data, "messageStop"), "stopReason"));
    }
    if (object_member(event, "metadata") != nullptr) {
      return replace(usage_, json::member_text(json::member_text(data, "metadata"), "usage"));
    }
    return {};
  }

  [[nodiscard]] bool is_whole() const noexcept override { return !stop_reason_.empty(); }

  [[nodiscard]] std::string body() const override {
    json::Writer writer;
    writer.begin_object().key("output").begin_object().key("message").begin_object();
    writer.key("role").string("assistant").key("content").begin_array();
    for (const auto& [index, block] : blocks_) write_block(writer, block);
    writer.end_array().end_object().end_object().key("stopReason").raw(stop_reason_);
    if (!usage_.empty()) writer.key("usage").raw(usage_);
    writer.end_object();
    return std::move(writer).str();
  }

 private:
  Result<Block*> block_at(const boost::json::object& event) {
    const auto [slot, is_new] = blocks_.try_emplace(count_member(event, "contentBlockIndex"));
    if (is_new) {
      if (auto kept = keep_part(); !kept) return kept.error();
    }
    return &slot->second;
  }

  Result<void> add_start(const boost::json::object& event) {
    const auto* start = object_member(event, "start");
    const auto* use = start == nullptr ? nullptr : object_member(*start, "toolUse");
    if (use == nullptr) return {};
    auto block = block_at(event);
    if (!block) return block.error();
    (*block)->kind = Block::Kind::tool;
    if (auto kept = replace((*block)->id, text_member(*use, "toolUseId")); !kept) return kept.error();
    return replace((*block)->name, text_member(*use, "name"));
  }

  Result<void> add_delta(const boost::json::object& event, std::string& text) {
    const auto* delta = object_member(event, "delta");
    if (delta == nullptr) return misshapen("a delta of the stream is none");
    auto block = block_at(event);
    if (!block) return block.error();
    text += text_member(*delta, "text");
    if (const auto* use = object_member(*delta, "toolUse")) return keep((*block)->input, text_member(*use, "input"));
    if (const auto* reasoning = object_member(*delta, "reasoningContent")) return add_reasoning(**block, *reasoning);
    return keep((*block)->text, text_member(*delta, "text"));
  }

  Result<void> add_reasoning(Block& block, const boost::json::object& reasoning) {
    block.kind = Block::Kind::reasoning;
    for (const auto& [name, to] :
         {std::pair{"text", &block.text}, {"signature", &block.signature}, {"redactedContent", &block.redacted}}) {
      if (auto kept = keep(*to, text_member(reasoning, name)); !kept) return kept.error();
    }
    return {};
  }

  static void write_block(json::Writer& writer, const Block& block) {
    writer.begin_object();
    if (block.kind == Block::Kind::tool) {
      write_tool(writer.key("toolUse"), block);
    } else if (block.kind == Block::Kind::text) {
      writer.key("text").string(block.text);
    } else if (!block.redacted.empty()) {
      writer.key("reasoningContent").begin_object().key("redactedContent").string(block.redacted).end_object();
    } else {
      writer.key("reasoningContent").begin_object().key("reasoningText").begin_object();
      writer.key("text").string(block.text).member("signature", block.signature).end_object().end_object();
    }
    writer.end_object();
  }

  // Input that was cut off is no JSON and stands as text, where a reader finds that it is none.
  static void write_tool(json::Writer& writer, const Block& block) {
    writer.begin_object().key("toolUseId").string(block.id).key("name").string(block.name).key("input");
    if (block.input.empty()) {
      writer.raw("{}");
    } else if (is_json_object(block.input)) {
      writer.raw(block.input);
    } else {
      writer.string(block.input);
    }
    writer.end_object();
  }

  std::string stop_reason_, usage_;  // JSON
  std::map<std::uint64_t, Block> blocks_;
};

}  // namespace

std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max) { return std::make_unique<Assembly>(bytes_max); }

}  // namespace openindex::codecs::bedrock_converse
