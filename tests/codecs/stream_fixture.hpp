// The same answer on every wire: as it is streamed, and as it comes in one piece.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/codec_fixture.hpp"

namespace openindex::test {

// One answer, as a family streams it and as it sends it in one piece.
struct Streamed {
  WireFamily family;
  std::string stream;
  std::string whole;
};

inline std::uint32_t crc32_of(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

inline std::string big_endian(std::size_t value, int width) {
  std::string out;
  for (int i = width - 1; i >= 0; --i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
  return out;
}

inline std::string aws_header(std::string_view name, std::string_view value) {
  return big_endian(name.size(), 1) + std::string(name) + '\x07' + big_endian(value.size(), 2) + std::string(value);
}

inline std::string aws_frame(const std::string& headers, const std::string& payload) {
  std::string frame = big_endian(16 + headers.size() + payload.size(), 4) + big_endian(headers.size(), 4);
  frame += big_endian(crc32_of(frame), 4) + headers + payload;
  return frame + big_endian(crc32_of(frame), 4);
}

inline std::string aws_event(std::string_view type, const std::string& payload) {
  return aws_frame(aws_header(":message-type", "event") + aws_header(":event-type", type) +
                       aws_header(":content-type", "application/json"),
                   payload);
}

inline std::string sse(std::initializer_list<std::string_view> events) {
  std::string out;
  for (const auto event : events) out += "data: " + std::string(event) + "\n\n";
  return out;
}

inline const std::string responses_whole =
    R"({"id":"r","model":"m","status":"completed","output":[{"type":"reasoning","id":"rs","summary":[ ],"encrypted_content":"e"},)"
    R"({"type":"message","content":[{"type":"output_text","text":"Héllo"}]},)"
    R"({"type":"function_call","call_id":"a","name":"f","arguments":"{\"x\": 1}"}],"usage":{"input_tokens":9,"output_tokens":2}})";

inline std::vector<Streamed> streams() {
  return {
      {WireFamily::openai_chat,
       ": a comment\r\n\r\n" +
           sse({R"({"id":"c","model":"m","choices":[]})",
                R"({"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"obfuscation":"x"})",
                R"({"id":"c","choices":[{"delta":{"content":"Hé"}}]})",
                R"({"id":"c","choices":[{"delta":{"content":"llo"}}]})",
                R"({"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]})",
                R"({"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}]}}]})",
                R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]}}]})",
                R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":" 1}"}},{"index":1,"function":{"arguments":"}"}}]}}]})",
                R"({"choices":[{"delta":{},"finish_reason":"tool_calls"}]})",
                R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}})", "[DONE]"}),
       R"({"id":"c","model":"m","choices":[{"message":{"role":"assistant","content":"Héllo","tool_calls":[
         {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"}},
         {"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"tool_calls"}],
         "usage":{"prompt_tokens":9,"completion_tokens":2}})"},
      {WireFamily::openai_responses,
       "event: response.created\ndata: "
       "{\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\"}}\n\n"
       "event: response.output_text.delta\r\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hé\"}\r\n\r\n"
       "event: response.output_text.delta\rdata: {\"type\":\"response.output_text.delta\",\"delta\":\"llo\"}\r\r"
       "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":" +
           responses_whole + "}\n\n",
       responses_whole},
      {WireFamily::anthropic_messages,
       sse({R"({"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":9,"cache_read_input_tokens":4,"output_tokens":1}}})",
            R"({"type":"ping"})",
            R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})",
            R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"h"}})",
            R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"m"}})",
            R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln/"}})",
            R"({"type":"content_block_stop","index":0})",
            R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})",
            R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hé"}})",
            R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"llo"}})",
            R"({"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}})",
            R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}})",
            R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}})",
            R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"1}"}})",
            R"({"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"b","name":"g","input":{}}})",
            R"({"type":"something_new"})",
            R"({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":2}})",
            R"({"type":"message_stop"})"}),
       R"({"id":"m1","type":"message","role":"assistant","model":"m","content":[
         {"type":"thinking","thinking":"hm","signature":"c2ln/"},{"type":"text","text":"Héllo"},
         {"type":"tool_use","id":"a","name":"f","input":{"x":1}},{"type":"tool_use","id":"b","name":"g","input":{}}],
         "stop_reason":"tool_use","usage":{"input_tokens":9,"cache_read_input_tokens":4,"output_tokens":2}})"},
      {WireFamily::ollama_chat,
       R"({"model":"m","message":{"role":"assistant","content":"Hé","thinking":"h"},"done":false})"
       "\n"
       R"({"model":"m","message":{"role":"assistant","content":"llo","thinking":"m"},"done":false})"
       "\n\n"
       R"({"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"x": 1}}}]},"done":false})"
       "\n"
       R"({"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"g","arguments":{}}}]},"done":false})"
       "\n"
       R"({"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":2})"
       "\n",
       R"({"model":"m","message":{"role":"assistant","content":"Héllo","thinking":"hm","tool_calls":[
         {"function":{"name":"f","arguments":{"x": 1}}},{"function":{"name":"g","arguments":{}}}]},
         "done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":2})"},
      {WireFamily::google_generate_content,
       sse({R"({"candidates":[{"content":{"role":"model","parts":[{"text":"h","thought":true}]}}],"modelVersion":"m","responseId":"i"})",
            R"({"candidates":[{"content":{"role":"model","parts":[{"thought":true,"text":"m"},{"text":"Hé"}]}}],"usageMetadata":{"promptTokenCount":9}})",
            R"({"candidates":[{"content":{"role":"model","parts":[{"text":"llo"}]}}]})",
            R"({"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":{"x": 1}},"thoughtSignature":"c2ln\/"},{"functionCall":{"name":"g"}}]}}]})",
            R"({"candidates":[{"content":{"role":"model","parts":[{"text":"","thoughtSignature":"dG9v"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":2}})"}),
       R"({"candidates":[{"content":{"role":"model","parts":[{"thought":true,"text":"hm"},{"text":"Héllo"},
         {"functionCall":{"name":"f","args":{"x": 1}},"thoughtSignature":"c2ln\/"},{"functionCall":{"name":"g"}},
         {"text":"","thoughtSignature":"dG9v"}]},"finishReason":"STOP"}],
         "usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":2},"modelVersion":"m","responseId":"i"})"},
      {WireFamily::cohere_chat,
       sse({R"({"type":"message-start","id":"c","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}})",
            R"({"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}})",
            R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hé"}}}})",
            R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"llo"}}}})",
            R"({"type":"content-end","index":0})",
            R"({"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will "}}})",
            R"({"type":"tool-plan-delta","delta":{"message":{"tool_plan":"look"}}})",
            R"({"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"a","type":"function","function":{"name":"f","arguments":""}}}}})",
            R"({"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"x\":"}}}}})",
            R"({"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":" 1}"}}}}})",
            R"({"type":"tool-call-end","index":0})",
            R"({"type":"citation-start","index":0,"delta":{"message":{"citations":{}}}})",
            R"({"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":9,"output_tokens":2}}}})"}),
       R"({"id":"c","finish_reason":"TOOL_CALL","message":{"role":"assistant","tool_plan":"I will look",
         "content":[{"type":"text","text":"Héllo"}],
         "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"}}]},
         "usage":{"tokens":{"input_tokens":9,"output_tokens":2}}})"},
      {WireFamily::bedrock_converse,
       aws_event("messageStart", R"({"role":"assistant"})") +
           aws_event("contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}})") +
           aws_event("contentBlockDelta",
                     R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}})") +
           aws_event("contentBlockStop", R"({"contentBlockIndex":0})") +
           aws_event("contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"text":"Hé"}})") +
           aws_event("contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"text":"llo"}})") +
           aws_event("contentBlockStart",
                     R"({"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"a","name":"f"}}})") +
           aws_event("contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"x\":"}}})") +
           aws_event("contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":" 1}"}}})") +
           aws_event("messageStop", R"({"stopReason":"tool_use"})") +
           aws_event("metadata", R"({"usage":{"inputTokens":9,"outputTokens":2},"metrics":{"latencyMs":1}})"),
       R"({"output":{"message":{"role":"assistant","content":[
         {"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln"}}},{"text":"Héllo"},
         {"toolUse":{"toolUseId":"a","name":"f","input":{"x": 1}}}]}},"stopReason":"tool_use",
         "usage":{"inputTokens":9,"outputTokens":2}})"},
  };
}

}  // namespace openindex::test
