#include "agent/journal.hpp"

#include <array>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "agent/plain_text.hpp"
#include "codecs/text.hpp"
#include "core/utf8.hpp"
#include "json/object_reader.hpp"
#include "json/read.hpp"
#include "json/writer.hpp"

namespace openindex::agent {
namespace {

using codecs::write_text;
using Need = json::ObjectReader::Need;
using Stop = ChatReply::Stop;

template <class T>
struct Spelling {
  T value;
  std::string_view text;
};

constexpr std::array<Spelling<Stop>, 5> stops = {{{Stop::finished, "finished"},
                                                  {Stop::tool_calls, "tool_calls"},
                                                  {Stop::length, "length"},
                                                  {Stop::refused, "refused"},
                                                  {Stop::other, "other"}}};

template <const auto& table, class T>
std::string_view spell(T value) {
  for (const auto& entry : table) {
    if (entry.value == value) return entry.text;
  }
  return {};
}

template <const auto& table>
auto parse(std::string_view text) -> std::optional<decltype(table[0].value)> {
  for (const auto& entry : table) {
    if (entry.text == text) return entry.value;
  }
  return std::nullopt;
}

void write_call(json::Writer& writer, const ToolUse& call) {
  write_text(writer.begin_object().key("id"), call.id);
  write_text(writer.key("name"), call.name);
  write_text(writer.key("arguments"), call.arguments);
  writer.end_object();
}

ToolUse read_call(const boost::json::value& value, const std::string& pointer, std::vector<Problem>& problems) {
  json::ObjectReader reader(value, pointer, problems);
  return {reader.text("id"), reader.text("name"), reader.text("arguments")};
}

ToolUse read_member_call(json::ObjectReader& reader, std::vector<Problem>& problems) {
  if (const auto* call = reader.member("call")) return read_call(*call, "/call", problems);
  reader.problem("call", "is required");
  return {};
}

Usage read_usage(json::ObjectReader& reader, std::vector<Problem>& problems) {
  Usage usage;
  if (const auto* member = reader.member("usage")) {
    json::ObjectReader counts(*member, "/usage", problems);
    const auto count = [&](std::string_view name) {
      return static_cast<std::uint64_t>(std::max(0.0, counts.number(name).value_or(0)));
    };
    usage = {count("input"), count("output"), count("cached")};
  }
  return usage;
}

// Reads one body: `read` takes the reader and the list of problems.
template <class Read>
auto read_body(std::string_view body, Read read)
    -> Result<std::invoke_result_t<Read, json::ObjectReader&, std::vector<Problem>&>> {
  constexpr std::size_t bytes_max = 256u * 1024 * 1024;  // our own writing: a guard against nonsense only
  auto parsed = json::parse(body, {.bytes_max = bytes_max});
  if (!parsed) return Error(errc::storage_corrupt, "A step of the journal is no JSON").caused_by(parsed.error());
  std::vector<Problem> problems;
  json::ObjectReader reader(*parsed, "", problems);
  auto value = read(reader, problems);
  if (problems.empty()) return value;
  return Error(errc::storage_corrupt, "A step of the journal has the wrong shape").with_problems(std::move(problems));
}

// Of 4 MiB that a record may have: what comes of a call repeats the call.
constexpr std::size_t turn_bytes_max = 3u * 1024 * 1024;
constexpr std::size_t calls_kept_max = 200;

std::size_t largest_size(const ChatReply& reply) {
  std::size_t bytes = reply.turn.text.size() + reply.turn.raw.size() + reply.model.size() + reply.request_id.size();
  for (const ToolUse& call : reply.turn.calls) bytes += call.id.size() + call.name.size() + call.arguments.size() + 64;
  return 6 * bytes;  // a character may be written as six
}

bool fits(const ChatReply& reply) {
  if (reply.turn.calls.size() > calls_kept_max) return false;
  return largest_size(reply) <= turn_bytes_max || turn_body(reply, {}).size() <= turn_bytes_max;
}

ChatReply cut_off(const ChatReply& reply) {
  constexpr std::size_t named_max = 50;
  ChatReply cut;
  cut.turn.role = ChatTurn::Role::assistant;
  cut.turn.raw_family = reply.turn.raw_family;
  cut.turn.text = cut_utf8(codecs::to_utf8(cut_utf8(reply.turn.text, 65'536)), 65'536);
  const auto& calls = reply.turn.calls;
  cut.turn.text += fmt::format("\n[cut: {} bytes of text, {} calls", reply.turn.text.size(), calls.size());
  for (std::size_t i = 0; i < calls.size() && i < named_max; ++i) {
    cut.turn.text += fmt::format("; {} {} ({} bytes)", shortened(codecs::to_utf8(calls[i].name), 64),
                                 shortened(codecs::to_utf8(calls[i].arguments), 200), calls[i].arguments.size());
  }
  cut.turn.text += "]";
  cut.stop = reply.stop == Stop::refused ? Stop::refused : Stop::length;
  cut.usage = reply.usage;
  cut.model = shortened(codecs::to_utf8(reply.model), 200);
  cut.request_id = shortened(codecs::to_utf8(reply.request_id), 200);
  return cut;
}

}  // namespace

ChatReply fit_for_journal(ChatReply reply) {
  if (fits(reply)) return reply;
  reply.turn.raw.clear();
  return fits(reply) ? reply : cut_off(reply);
}

std::string context_body(std::string_view system, std::string_view user) {
  json::Writer writer;
  write_text(writer.begin_object().key("system"), system);
  write_text(writer.key("user"), user);
  writer.end_object();
  return std::move(writer).str();
}

std::string turn_body(const ChatReply& reply, std::string_view provider_id) {
  json::Writer writer;
  write_text(writer.begin_object().key("text"), reply.turn.text);
  writer.key("calls").begin_array();
  for (const ToolUse& call : reply.turn.calls) write_call(writer, call);
  writer.end_array();
  write_text(writer.key("raw"), reply.turn.raw);
  writer.key("family").string(to_text(reply.turn.raw_family)).key("stop").string(spell<stops>(reply.stop));
  writer.key("usage").begin_object().key("input").number(reply.usage.input).key("output").number(reply.usage.output);
  writer.key("cached").number(reply.usage.cached).end_object();
  write_text(writer.key("provider"), provider_id);
  write_text(writer.key("model"), reply.model);
  write_text(writer.key("requestId"), reply.request_id);
  writer.end_object();
  return std::move(writer).str();
}

std::string intent_body(const ToolUse& call) {
  json::Writer writer;
  write_call(writer.begin_object().key("call"), call);
  writer.end_object();
  return std::move(writer).str();
}

std::string tool_body(const ToolUse& call, const ToolOutcome& outcome) {
  json::Writer writer;
  write_call(writer.begin_object().key("call"), call);
  write_text(writer.key("text"), outcome.text);
  writer.key("error").boolean(outcome.is_error).end_object();
  return std::move(writer).str();
}

std::string note_body(std::string_view text) {
  json::Writer writer;
  write_text(writer.begin_object().key("text"), text);
  writer.end_object();
  return std::move(writer).str();
}

Result<std::pair<std::string, std::string>> read_context(std::string_view body) {
  return read_body(body, [](json::ObjectReader& reader, std::vector<Problem>&) {
    return std::pair(reader.text("system", Need::required), reader.text("user", Need::required));
  });
}

Result<ChatReply> read_turn(std::string_view body) {
  return read_body(body, [](json::ObjectReader& reader, std::vector<Problem>& problems) {
    ChatReply reply;
    reply.turn.role = ChatTurn::Role::assistant;
    reply.turn.text = reader.text("text");
    reader.each("calls", [&](const boost::json::value& call, const std::string& pointer) {
      reply.turn.calls.push_back(read_call(call, pointer, problems));
    });
    reply.turn.raw = reader.text("raw");
    reply.turn.raw_family = reader.choice("family", &parse_wire_family, "the wire families").value_or(WireFamily{});
    reply.stop = reader.choice("stop", &parse<stops>, "the reasons to stop").value_or(Stop::other);
    reply.usage = read_usage(reader, problems);
    reply.model = reader.text("model");
    reply.request_id = reader.text("requestId");
    return reply;
  });
}

Result<ToolUse> read_intent(std::string_view body) { return read_body(body, read_member_call); }

Result<std::pair<ToolUse, ToolOutcome>> read_tool(std::string_view body) {
  return read_body(body, [](json::ObjectReader& reader, std::vector<Problem>& problems) {
    ToolUse call = read_member_call(reader, problems);
    ToolOutcome outcome{call.id, call.name, reader.text("text"), reader.boolean("error")};
    return std::pair(std::move(call), std::move(outcome));
  });
}

Result<Resumed> read_resumed(std::string_view body) {
  return read_body(body, [](json::ObjectReader& reader, std::vector<Problem>&) {
    Resumed resumed{reader.text("by"), reader.text("answer"), reader.text("reason"), std::nullopt};
    if (reader.member("approved") != nullptr) resumed.approved = reader.boolean("approved");
    return resumed;
  });
}

Result<std::string> read_note(std::string_view body) {
  return read_body(body, [](json::ObjectReader& reader, std::vector<Problem>&) { return reader.text("text"); });
}

}  // namespace openindex::agent
