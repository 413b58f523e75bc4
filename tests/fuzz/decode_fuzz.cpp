// Bytes that claim to be a provider's answer, one program for each wire family (FUZZED_FAMILY): nothing that a server
// sends may crash a decoder, keep it busy, or make it take a reply that cannot go back to the server.
//
// The first byte says how the rest is read: as an answer in one piece or as a stream, in chunks of what length, and
// with what status.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <openindex/core/error.hpp>

#include "codecs/chat_codec.hpp"
#include "codecs/stream_decoder.hpp"
#include "json/read.hpp"

namespace {

using namespace openindex;

constexpr auto family = WireFamily::FUZZED_FAMILY;

void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

codecs::ChatEndpoint endpoint(bool stream) {
  codecs::ChatEndpoint made;
  made.family = family;
  made.base_url = "https://api.example.com";
  made.api_key = "key-0123456789abcdef";
  made.model = "m-1";
  made.region = "eu-central-1";
  made.stream = stream;
  return made;
}

HttpResponse head(int status, bool stream) {
  HttpResponse response;
  response.status = status;
  response.headers = {{"Content-Type", stream ? "text/event-stream" : "application/json"}};
  return response;
}

Result<ChatReply> read_stream(std::string_view bytes, int status, std::size_t chunk) {
  codecs::StreamDecoder decoder(endpoint(true), head(status, true));
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    if (!decoder.decode_event(bytes.substr(at, chunk))) break;
  }
  return decoder.finish();
}

// What one call of the decoder makes of it must not depend on where the network cuts.
void compare(const Result<ChatReply>& one, const Result<ChatReply>& other) {
  demand(one.has_value() == other.has_value(), "where a stream is cut decides whether it is an answer");
  if (!one) return demand(one.error().code() == other.error().code(), "where a stream is cut decides its error");
  demand(one->turn.text == other->turn.text, "where a stream is cut decides its text");
  demand(one->turn.raw == other->turn.raw, "where a stream is cut decides what is replayed");
  demand(one->stop == other->stop && one->usage == other->usage, "where a stream is cut decides its end");
  demand(std::equal(one->turn.calls.begin(), one->turn.calls.end(), other->turn.calls.begin(), other->turn.calls.end(),
                    [](const ToolUse& a, const ToolUse& b) {
                      return a.id == b.id && a.name == b.name && a.arguments == b.arguments;
                    }),
         "where a stream is cut decides its calls");
}

// A reply is taken so that the conversation goes on: with it, the next request can be written, and is JSON.
void go_on(const ChatReply& reply) {
  if (reply.stop == ChatReply::Stop::refused) return;
  ChatRequest request;
  request.turns.push_back({.role = ChatTurn::Role::user, .text = "go on"});
  request.turns.push_back(reply.turn);
  if (!reply.turn.calls.empty()) {
    ChatTurn outcomes{.role = ChatTurn::Role::tool};
    for (const ToolUse& call : reply.turn.calls) outcomes.outcomes.push_back({call.id, call.name, "done", false});
    request.turns.push_back(std::move(outcomes));
  } else {
    request.turns.push_back({.role = ChatTurn::Role::user, .text = "and?"});
  }
  const auto next = codecs::encode(endpoint(false), request, "id");
  if (!next) std::fprintf(stderr, "%s\n", next.error().describe().c_str());
  demand(next.has_value(), "a reply was taken that cannot go back");
  // What is replayed stands deeper in the request than it stood in the reply.
  demand(json::parse(next->body, {.depth_max = 80}).has_value(), "a request is no JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr int statuses[] = {200, 200, 200, 400, 401, 429, 500, 529};
  const bool stream = (data[0] & 1) != 0;
  const std::size_t chunk = std::size_t{1} << (data[0] >> 1 & 3) * 2;
  const int status = statuses[data[0] >> 3 & 7];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (stream) {
    const auto cut = read_stream(bytes, status, chunk);
    compare(cut, read_stream(bytes, status, std::max<std::size_t>(bytes.size(), 1)));
    if (cut) go_on(*cut);
    return 0;
  }
  HttpResponse response = head(status, false);
  response.body = bytes;
  if (const auto reply = codecs::decode(endpoint(false), response)) go_on(*reply);
  return 0;
}
