// Streams of Anthropic messages: blocks that start, grow by deltas and stop, each by its index.

#include <cstdint>
#include <map>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "codecs/conversation.hpp"
#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/stream_assembly.hpp"
#include "json/read.hpp"

namespace openindex::codecs::anthropic_messages {
namespace {

struct Block {
  std::string start;  // JSON
  std::string text, thinking, signature, input;
};

class Assembly final : public StreamAssembly {
 public:
  using StreamAssembly::StreamAssembly;

  Result<void> add(const boost::json::object& event, std::string_view data, std::string& text) override {
    const auto type = text_member(event, "type");
    if (type == "message_start") return add_start(event, data);
    if (type == "content_block_start") return add_block(event, data, text);
    if (type == "content_block_delta") return add_delta(event, text);
    if (type == "message_delta") return add_end(event, data);
    stopped_ = stopped_ || type == "message_stop";
    return {};  // `ping`, and what does not exist yet
  }

  [[nodiscard]] bool is_whole() const noexcept override { return stopped_; }

  [[nodiscard]] std::string body() const override {
    json::Writer writer;
    writer.begin_object();
    for (const auto& [name, held] : {std::pair{"id", &id_},
                                     {"model", &model_},
                                     {"stop_reason", &stop_reason_},
                                     {"stop_details", &stop_details_}}) {
      if (!held->empty()) writer.key(name).raw(*held);
    }
    writer.key("content").begin_array();
    for (const auto& [index, block] : blocks_) write_block(writer, block);
    writer.end_array().key("usage").begin_object();
    for (const auto& [name, count] : usage_) writer.key(name).number(count);
    writer.end_object().end_object();
    return std::move(writer).str();
  }

 private:
  Result<void> add_start(const boost::json::object& event, std::string_view data) {
    const auto* message = object_member(event, "message");
    if (message == nullptr) return misshapen("the start of the stream has no message");
    const auto held = json::member_text(data, "message");
    if (auto kept = replace(id_, json::member_text(held, "id")); !kept) return kept.error();
    if (auto kept = replace(model_, json::member_text(held, "model")); !kept) return kept.error();
    read_usage(*message);
    return {};
  }

  // Later counts are totals, not differences; a count that is left out stays.
  void read_usage(const boost::json::object& holder) {
    const auto* counts = object_member(holder, "usage");
    if (counts == nullptr) return;
    for (const auto* name :
         {"input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"}) {
      if (member(*counts, name) != nullptr) usage_[name] = count_member(*counts, name);
    }
  }

  Result<void> add_block(const boost::json::object& event, std::string_view data, std::string& text) {
    const auto* start = object_member(event, "content_block");
    if (start == nullptr) return misshapen("a block of the stream starts with nothing");
    if (auto kept = keep_part(); !kept) return kept.error();
    Block& block = blocks_[count_member(event, "index")];
    if (text_member(*start, "type") == "text") text += text_member(*start, "text");
    return replace(block.start, json::member_text(data, "content_block"));
  }

  Result<void> add_delta(const boost::json::object& event, std::string& text) {
    const auto found = blocks_.find(count_member(event, "index"));
    const auto* delta = object_member(event, "delta");
    if (found == blocks_.end() || delta == nullptr) return misshapen("a delta of the stream belongs to no block");
    Block& block = found->second;
    text += text_member(*delta, "text");
    for (const auto& [name, to] : {std::pair{"text", &block.text},
                                   {"thinking", &block.thinking},
                                   {"signature", &block.signature},
                                   {"partial_json", &block.input}}) {
      if (auto kept = keep(*to, text_member(*delta, name)); !kept) return kept.error();
    }
    return {};
  }

  Result<void> add_end(const boost::json::object& event, std::string_view data) {
    read_usage(event);
    if (object_member(event, "delta") == nullptr) return {};
    const auto delta = json::member_text(data, "delta");
    if (auto kept = replace(stop_reason_, json::member_text(delta, "stop_reason")); !kept) return kept.error();
    return replace(stop_details_, json::member_text(delta, "stop_details"));
  }

  static void grow(boost::json::object& block, std::string_view name, std::string_view more) {
    if (!more.empty()) block[name] = std::string(text_member(block, name)) + std::string(more);
  }

  // Input that was cut off is no JSON and stands as text, where a reader finds that it is none.
  static void write_block(json::Writer& writer, const Block& block) {
    auto parsed = json::parse(block.start);
    if (!parsed || !parsed->is_object()) return;
    boost::json::object& out = parsed->get_object();
    grow(out, "text", block.text);
    grow(out, "thinking", block.thinking);
    grow(out, "signature", block.signature);
    const bool object = is_json_object(block.input);
    if (!block.input.empty() && !object) out["input"] = block.input;
    if (object) out.erase("input");
    std::string written = boost::json::serialize(out);
    if (object) written.insert(written.size() - 1, (out.empty() ? "" : ",") + ("\"input\":" + block.input));
    writer.raw(written);
  }

  std::string id_, model_, stop_reason_, stop_details_;  // JSON
  std::map<std::string, std::uint64_t> usage_;
  std::map<std::uint64_t, Block> blocks_;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max) { return std::make_unique<Assembly>(bytes_max); }

}  // namespace openindex::codecs::anthropic_messages
