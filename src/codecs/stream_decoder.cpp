#include "codecs/stream_decoder.hpp"

#include <array>
#include <utility>

#include <boost/json/value.hpp>

#include "codecs/event_framing.hpp"
#include "codecs/provider_error.hpp"
#include "codecs/reply_limits.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/stream_assembly.hpp"
#include "json/read.hpp"

namespace openindex::codecs {
namespace {

constexpr std::size_t error_bytes_max = 1u << 20;

std::unique_ptr<EventFraming> framing_of(WireFamily family) {
  if (family == WireFamily::ollama_chat) return line_framing(reply_bytes_max);
  if (family == WireFamily::bedrock_converse) return aws_framing(reply_bytes_max);
  return sse_framing(reply_bytes_max);
}

std::unique_ptr<StreamAssembly> assembly_of(WireFamily family) {
  switch (family) {
    case WireFamily::openai_chat:
      return openai_chat::assembly(reply_bytes_max);
    case WireFamily::openai_responses:
      return openai_responses::assembly(reply_bytes_max);
    case WireFamily::anthropic_messages:
      return anthropic_messages::assembly(reply_bytes_max);
    case WireFamily::ollama_chat:
      return ollama_chat::assembly(reply_bytes_max);
    case WireFamily::google_generate_content:
      return google_generate_content::assembly(reply_bytes_max);
    case WireFamily::cohere_chat:
      return cohere_chat::assembly(reply_bytes_max);
    case WireFamily::bedrock_converse:
      return bedrock_converse::assembly(reply_bytes_max);
  }
  return openai_chat::assembly(reply_bytes_max);
}

// What AWS would have answered, had it failed before it began.
int status_of(std::string_view exception) {
  constexpr std::array<std::pair<std::string_view, int>, 6> statuses = {{{"throttlingException", 429},
                                                                         {"validationException", 400},
                                                                         {"accessDeniedException", 403},
                                                                         {"modelStreamErrorException", 424},
                                                                         {"modelTimeoutException", 408},
                                                                         {"serviceUnavailableException", 503}}};
  for (const auto& [name, status] : statuses) {
    if (name == exception) return status;
  }
  return 500;
}

bool is_error_event(const boost::json::object& event) {
  const auto* error = member(event, "error");
  return text_member(event, "type") == "error" || (error != nullptr && (error->is_object() || error->is_string()));
}

}  // namespace

StreamDecoder::StreamDecoder(ChatEndpoint endpoint, HttpResponse head)
    : endpoint_(std::move(endpoint)),
      head_(std::move(head)),
      framing_(framing_of(endpoint_.family)),
      assembly_(assembly_of(endpoint_.family)) {
  head_.body.clear();
}

StreamDecoder::~StreamDecoder() = default;
StreamDecoder::StreamDecoder(StreamDecoder&&) noexcept = default;
StreamDecoder& StreamDecoder::operator=(StreamDecoder&&) noexcept = default;

Error StreamDecoder::fail(Error error) {
  const bool ours = error.code() == errc::provider_malformed_reply;
  failure_ = ours ? malformed_reply(endpoint_, head_, error.message()) : std::move(error);
  return *failure_;
}

Error StreamDecoder::refused(std::string body, int status) {
  HttpResponse response = head_;
  response.status = status;
  response.body = std::move(body);
  return provider_error(endpoint_, response);
}

Result<void> StreamDecoder::take(const StreamEvent& event, std::string& text) {
  if (!event.exception.empty()) {
    head_.headers.emplace_back("x-amzn-errortype", event.exception);
    return refused(std::string(event.data), status_of(event.exception));
  }
  done_ = done_ || event.data == "[DONE]";
  if (done_) return {};
  const auto parsed = json::parse(event.data, reply_limits);
  if (!parsed) {
    const bool large = parsed.error().code() == errc::input_too_large;
    return misshapen(large ? "an event of the stream is too large" : "an event of the stream is no JSON");
  }
  const auto* list = parsed->if_array();  // an error of Google's may stand in an array, and nothing else
  const auto* first = list != nullptr && list->size() == 1 ? list->front().if_object() : nullptr;
  if (first != nullptr && is_error_event(*first)) return refused(std::string(event.data), head_.status);
  const auto* root = parsed->if_object();
  if (root == nullptr) return misshapen("an event of the stream is no JSON object");
  if (is_error_event(*root)) return refused(std::string(event.data), head_.status);
  return assembly_->add(*root, event.data, text);
}

Result<std::string> StreamDecoder::decode_event(std::string_view chunk) {
  if (failure_) return *failure_;
  if (head_.status < 200 || head_.status >= 300) {
    head_.body += chunk.substr(0, error_bytes_max - head_.body.size());
    return std::string();
  }
  std::string text;
  auto fed = framing_->feed(chunk, [&](const StreamEvent& event) { return take(event, text); });
  if (!fed) return fail(fed.error());
  return text;
}

Result<ChatReply> StreamDecoder::finish() {
  if (failure_) return *failure_;
  if (head_.status < 200 || head_.status >= 300) return decode(endpoint_, head_);
  std::string text;
  if (auto ended = framing_->end([&](const StreamEvent& event) { return take(event, text); }); !ended) {
    return fail(ended.error());
  }
  if (!assembly_->is_whole()) return fail(misshapen("the stream ended before the answer did"));
  head_.body = assembly_->body();
  return decode(endpoint_, head_);
}

}  // namespace openindex::codecs
