// What a decoder takes in memory beside its input: under 64 MB for any bytes up to 16 MB. Each input is read in a child
// process, whose peak is the kernel's own count.
#include <doctest/doctest.h>

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "codecs/reply_limits.hpp"
#include "codecs/stream_decoder.hpp"
#include "codecs/stream_fixture.hpp"

using namespace openindex;
using namespace openindex::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool measurable = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
constexpr bool measurable = false;  // a sanitizer keeps memory of its own
#else
constexpr bool measurable = true;
#endif
#else
constexpr bool measurable = true;
#endif

constexpr std::size_t mega = 1u << 20;
constexpr std::size_t input_bytes_max = 16 * mega;
constexpr std::size_t parsed_bytes_max = 4 * mega;  // of what is parsed at all
constexpr std::size_t values_read = codecs::reply_values_max;
constexpr long kib_max = 64 * 1024;

long status_kib(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stol(line.substr(name.size() + 1));
  }
  return -1;
}

// How far the memory of a process rises that does nothing but this; -1 when it cannot be told.
long rise_kib(const std::function<void()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) return -1;
  ::malloc_trim(0);  // what is free already must not be taken without being seen
  const pid_t child = ::fork();
  if (child == 0) {
    const long before = status_kib("VmRSS:");
    work();
    const long risen = before < 0 ? -1 : status_kib("VmHWM:") - before;
    const bool told = ::write(ends[1], &risen, sizeof risen) == static_cast<ssize_t>(sizeof risen);
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  long risen = -1;
  if (::read(ends[0], &risen, sizeof risen) != static_cast<ssize_t>(sizeof risen)) risen = -1;
  ::close(ends[0]);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) return -1;
  return risen;
}

std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string out;
  out.reserve(bytes);
  while (out.size() + piece.size() <= bytes) out += piece;
  return out;
}

// A list of as many zeros as fit.
std::string zeros(std::size_t bytes) { return "[0" + repeated(",0", bytes - 3) + "]"; }

std::string nested(std::size_t bytes) { return repeated("[", bytes / 2) + repeated("]", bytes / 2); }

std::string members(std::size_t bytes) {
  std::string out = R"({"a":0)";
  for (int i = 0; out.size() + 16 < bytes; ++i) out += ",\"" + std::to_string(i) + "\":0";
  return out + "}";
}

std::string quoted(std::string_view text) { return boost::json::serialize(boost::json::string(text)); }

std::string call(WireFamily family, int number, const std::string& arguments) {
  const std::string id = "\"c" + std::to_string(number) + "\"";
  switch (family) {
    case WireFamily::openai_chat:
    case WireFamily::cohere_chat:
      return "{\"id\":" + id + R"(,"function":{"name":"f","arguments":)" + quoted(arguments) + "}}";
    case WireFamily::openai_responses:
      return R"({"type":"function_call","call_id":)" + id + R"(,"name":"f","arguments":)" + quoted(arguments) + "}";
    case WireFamily::anthropic_messages:
      return R"({"type":"tool_use","id":)" + id + R"(,"name":"f","input":)" + arguments + "}";
    case WireFamily::ollama_chat:
      return R"({"function":{"name":"f","arguments":)" + arguments + "}}";
    case WireFamily::google_generate_content:
      return R"({"functionCall":{"name":"f","args":)" + arguments + "}}";
    case WireFamily::bedrock_converse:
      return R"({"toolUse":{"toolUseId":)" + id + R"(,"name":"f","input":)" + arguments + "}}";
  }
  return {};
}

std::string calls(WireFamily family, std::size_t bytes) {
  std::string out;
  for (int i = 0; out.size() + 150 < bytes; ++i) out += (i == 0 ? "" : ",") + call(family, i, "{}");
  return out;
}

// `text` is the inside of a JSON string, `calls` that of an array, `rest` a value under a name that nobody knows.
std::string whole(WireFamily family, const std::string& text, const std::string& calls, const std::string& rest = "0") {
  const std::string more = calls.empty() ? "" : "," + calls;
  switch (family) {
    case WireFamily::openai_chat:
      return R"({"choices":[{"message":{"content":")" + text + R"(","tool_calls":[)" + calls + R"(]}}],"x":)" + rest +
             "}";
    case WireFamily::openai_responses:
      return R"({"output":[{"type":"message","content":[{"type":"output_text","text":")" + text + "\"}]}" + more +
             R"(],"x":)" + rest + "}";
    case WireFamily::anthropic_messages:
      return R"({"content":[{"type":"text","text":")" + text + "\"}" + more + R"(],"x":)" + rest + "}";
    case WireFamily::ollama_chat:
      return R"({"message":{"content":")" + text + R"(","tool_calls":[)" + calls + R"(]},"done":true,"x":)" + rest +
             "}";
    case WireFamily::google_generate_content:
      return R"({"candidates":[{"content":{"parts":[{"text":")" + text + "\"}" + more + R"(]}}],"x":)" + rest + "}";
    case WireFamily::cohere_chat:
      return R"({"message":{"content":")" + text + R"(","tool_calls":[)" + calls + R"(]},"x":)" + rest + "}";
    case WireFamily::bedrock_converse:
      return R"({"output":{"message":{"content":[{"text":")" + text + "\"}" + more + R"(]}},"x":)" + rest + "}";
  }
  return {};
}

std::string event(WireFamily family, std::string_view bedrock_type, const std::string& data) {
  if (family == WireFamily::bedrock_converse) return aws_event(bedrock_type, data);
  return family == WireFamily::ollama_chat ? data + "\n" : "data: " + data + "\n\n";
}

std::string text_event(WireFamily family, const std::string& text) {
  switch (family) {
    case WireFamily::openai_chat:
      return event(family, "", R"({"choices":[{"delta":{"content":")" + text + "\"}}]}");
    case WireFamily::openai_responses:
      return event(family, "", R"({"type":"response.output_text.delta","delta":")" + text + "\"}");
    case WireFamily::anthropic_messages:
      return event(family, "", R"({"type":"content_block_delta","index":0,"delta":{"text":")" + text + "\"}}");
    case WireFamily::ollama_chat:
      return event(family, "", R"({"message":{"content":")" + text + "\"}}");
    case WireFamily::google_generate_content:
      return event(family, "", R"({"candidates":[{"content":{"parts":[{"text":")" + text + "\"}]}}]}");
    case WireFamily::cohere_chat:
      return event(family, "",
                   R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":")" + text + "\"}}}}");
    case WireFamily::bedrock_converse:
      return event(family, "contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":")" + text + "\"}}");
  }
  return {};
}

std::string call_event(WireFamily family, int number) {
  const std::string index = std::to_string(number + 1);
  switch (family) {
    case WireFamily::openai_chat:
      return event(family, "",
                   R"({"choices":[{"delta":{"tool_calls":[{"index":)" + index + R"(,"id":"c)" + index +
                       R"(","function":{"name":"f"}}]}}]})");
    case WireFamily::openai_responses:
      return event(family, "", R"({"type":"response.output_item.added","item":)" + call(family, number, "{}") + "}");
    case WireFamily::anthropic_messages:
      return event(family, "",
                   R"({"type":"content_block_start","index":)" + index + R"(,"content_block":)" +
                       call(family, number, "{}") + "}");
    case WireFamily::ollama_chat:
      return event(family, "", R"({"message":{"tool_calls":[)" + call(family, number, "{}") + "]}}");
    case WireFamily::google_generate_content:
      return event(family, "", R"({"candidates":[{"content":{"parts":[)" + call(family, number, "{}") + "]}}]}");
    case WireFamily::cohere_chat:
      return event(family, "",
                   R"({"type":"tool-call-start","index":)" + index + R"(,"delta":{"message":{"tool_calls":)" +
                       call(family, number, "") + "}}}");
    case WireFamily::bedrock_converse:
      return event(
          family, "contentBlockStart",
          R"({"contentBlockIndex":)" + index + R"(,"start":{"toolUse":{"toolUseId":"c)" + index + R"(","name":"f"}}})");
  }
  return {};
}

std::string first_event(WireFamily family) {
  if (family != WireFamily::anthropic_messages) return {};
  return event(family, "", R"({"type":"message_start","message":{"id":"m"}})") +
         event(family, "", R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
}

std::string last_event(WireFamily family) {
  switch (family) {
    case WireFamily::openai_chat:
      return event(family, "", R"({"choices":[{"delta":{},"finish_reason":"stop"}]})");
    case WireFamily::openai_responses:
      return event(family, "", R"({"type":"response.completed","response":)" + whole(family, "x", "") + "}");
    case WireFamily::anthropic_messages:
      return event(family, "", R"({"type":"message_stop"})");
    case WireFamily::ollama_chat:
      return event(family, "", R"({"done":true})");
    case WireFamily::google_generate_content:
      return event(family, "", R"({"candidates":[{"finishReason":"STOP"}]})");
    case WireFamily::cohere_chat:
      return event(family, "", R"({"type":"message-end","delta":{"finish_reason":"COMPLETE"}})");
    case WireFamily::bedrock_converse:
      return event(family, "messageStop", R"({"stopReason":"end_turn"})");
  }
  return {};
}

struct Input {
  std::string name;
  std::string bytes;
  int status = 200;
};

void check_whole(WireFamily family, const Input& input) {
  CAPTURE(input.name);
  CAPTURE(std::string(to_text(family)));
  REQUIRE(input.bytes.size() <= input_bytes_max + 1000);
  const auto where = endpoint(family);
  const auto response = answer(input.status, input.bytes);
  const long risen = rise_kib([&] { (void)codecs::decode(where, response); });
  CHECK(risen >= 0);
  CHECK(risen < kib_max);
}

void check_stream(WireFamily family, const Input& input, std::size_t chunk) {
  CAPTURE(input.name);
  CAPTURE(chunk);
  CAPTURE(std::string(to_text(family)));
  REQUIRE(input.bytes.size() <= input_bytes_max + 1000);
  auto where = endpoint(family);
  where.stream = true;
  const std::string_view bytes = input.bytes;
  const long risen = rise_kib([&] {
    codecs::StreamDecoder decoder(where, answer(input.status, ""));
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      if (!decoder.decode_event(bytes.substr(at, chunk))) break;
    }
    (void)decoder.finish();
  });
  CHECK(risen >= 0);
  CHECK(risen < kib_max);
}

bool can_measure() {
  if (!measurable) MESSAGE("memory: skipped under a sanitizer, which takes memory of its own");
  return measurable;
}

}  // namespace

TEST_CASE("memory: what a child process takes is seen") {
  if (!can_measure()) return;
  CHECK(rise_kib([] {}) < 4 * 1024);
  const long risen = rise_kib([] { std::string(40 * mega, 'x').back() = 'y'; });
  CHECK(risen > 39 * 1024);
  CHECK(risen < 48 * 1024);
}

TEST_CASE("memory: an answer in one piece is read in 64 MB") {
  if (!can_measure()) return;
  const std::size_t room = parsed_bytes_max - 1000;
  const std::string control = repeated("\\u0001", room);
  for (const auto family : families) {
    for (const Input& input :
         {Input{"long text", whole(family, std::string(room, 'x'), "")},
          Input{"text of controls", whole(family, control, "")},
          Input{"many calls", whole(family, "x", calls(family, room))},
          Input{"many values", whole(family, "x", "", zeros(room))},
          Input{"values, as many as are read", whole(family, "x", "", zeros(2 * (values_read - 20)))},
          Input{"calls, as many as are read", whole(family, "x", calls(family, 5 * values_read))},
          Input{"values in arguments, as many as are read",
                whole(family, "x", call(family, 0, "{\"x\":" + zeros(2 * (values_read - 40)) + "}"))},
          Input{"many members", whole(family, "x", "", members(room))},
          Input{"empty objects", whole(family, "x", "", "[{}" + repeated(",{}", room - 10) + "]")},
          Input{"many values in arguments", whole(family, "x", call(family, 0, "{\"x\":" + zeros(room) + "}"))},
          Input{"deep in arguments", whole(family, "x", call(family, 0, nested(room)))}}) {
      check_whole(family, input);
    }
  }
}

TEST_CASE("memory: what is no answer is refused in 64 MB") {
  if (!can_measure()) return;
  for (const Input& input :
       {Input{"nested", nested(input_bytes_max)}, Input{"nested, not too long", nested(parsed_bytes_max)},
        Input{"values", zeros(input_bytes_max)}, Input{"values, not too long", zeros(parsed_bytes_max)},
        Input{"one text", "\"" + std::string(input_bytes_max, 'x') + "\""},
        Input{"no JSON", std::string(input_bytes_max, '\x01')},
        Input{"an error of values", "{\"error\":" + zeros(mega - 20) + "}", 429},
        Input{"a long error", R"({"error":{"message":")" + std::string(mega - 50, 'x') + "\"}}", 500},
        Input{"a longer error", R"({"error":{"message":")" + std::string(input_bytes_max - 50, 'x') + "\"}}", 500},
        Input{"an error within", R"({"error":{"message":")" + std::string(parsed_bytes_max - 50, 'x') + "\"}}"}}) {
    for (const auto family : families) {
      check_whole(family, input);
      check_stream(family, input, 64 * 1024);
    }
  }
}

TEST_CASE("memory: a stream is read in 64 MB") {
  if (!can_measure()) return;
  for (const auto family : families) {
    const std::string first = first_event(family), last = last_event(family);
    const auto filled = [&](std::size_t bytes, const std::function<std::string(int)>& next) {
      std::string out = first;
      for (int i = 0;; ++i) {
        const std::string piece = next(i);
        if (out.size() + piece.size() + last.size() > bytes) return out + last;
        out += piece;
      }
    };
    const auto filled_with = [&](std::size_t bytes, const std::string& piece) {
      return first + repeated(piece, bytes - first.size() - last.size()) + last;
    };
    const std::string kilo = text_event(family, std::string(1000, 'x'));
    const std::string controls = text_event(family, repeated("\\u0001", 6000));
    const std::string values = event(family, "x", R"({"x":)" + zeros(parsed_bytes_max - 1000) + "}");
    const std::string fewer_values = event(family, "x", R"({"x":)" + zeros(2 * (values_read - 10)) + "}");
    for (const Input& input :
         {Input{"text, little by little", filled_with(input_bytes_max, text_event(family, "x"))},
          Input{"text, as much as is kept", filled_with(3 * mega, kilo)},
          Input{"too much text", filled_with(input_bytes_max, kilo)},
          Input{"text of controls", filled_with(input_bytes_max, controls)},
          Input{"calls, as many as are kept", filled(3 * mega, [&](int i) { return call_event(family, i); })},
          Input{"too many calls", filled(6 * mega, [&](int i) { return call_event(family, i); })},
          Input{"an event of values", first + values + last},
          Input{"events of values", filled_with(input_bytes_max, fewer_values)}}) {
      check_stream(family, input, 64 * 1024);
      if (input.bytes.size() < 4 * mega || input.name == "text of controls")
        check_stream(family, input, input.bytes.size());
    }
  }
}
