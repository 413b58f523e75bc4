#include "codecs/provider_error.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include "codecs/reply_limits.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/retry_after.hpp"
#include "codecs/text.hpp"
#include "core/utf8.hpp"
#include "json/read.hpp"

namespace openindex::codecs {
namespace {

constexpr std::size_t message_bytes_max = 300;
constexpr std::size_t slice_bytes_max = 120;
constexpr std::size_t name_bytes_max = 100;

// What the body says: its sentence, and every machine-readable word it has for the kind of error.
struct Told {
  std::string message;
  std::string kind;
};

void add_kind(Told& told, const boost::json::object& object, std::string_view name) {
  const auto* value = member(object, name);
  if (value == nullptr || value->is_structured()) return;
  if (!told.kind.empty()) told.kind += ' ';
  told.kind += value->is_string() ? std::string(text_member(object, name)) : boost::json::serialize(*value);
}

void read_error_object(Told& told, const boost::json::object& error) {
  told.message = text_member(error, "message");
  for (const auto* name : {"type", "code", "status"}) add_kind(told, error, name);
  if (const auto* details = object_member(error, "details")) add_kind(told, *details, "error_code");
  if (const auto* details = member(error, "details"); details != nullptr && details->is_array()) {
    for (const auto& detail : details->get_array()) {  // Google's
      if (detail.is_object()) add_kind(told, detail.get_object(), "reason");
    }
  }
  if (const auto* inner = object_member(error, "innererror")) add_kind(told, *inner, "code");
}

std::string read_detail(const boost::json::value& detail) {
  if (const auto* text = detail.if_string()) return std::string(text->data(), text->size());
  return boost::json::serialize(detail);
}

// Five shapes occur; see provider errors of the compatible servers.
Told read_told(const boost::json::object& root) {
  Told told;
  const auto* error = member(root, "error");
  if (error != nullptr && error->is_object()) {
    read_error_object(told, error->get_object());
  } else if (error != nullptr && error->is_string()) {
    told.message = text_member(root, "error");
    add_kind(told, root, "code");
  } else {
    told.message = text_member(root, "message");
    if (told.message.empty()) told.message = text_member(root, "Message");
    for (const auto* name : {"type", "code", "__type"}) add_kind(told, root, name);
    if (const auto* detail = member(root, "detail"); detail != nullptr && told.message.empty()) {
      told.message = read_detail(*detail);
    }
  }
  return told;
}

// AWS names the kind of error in a header, with an address behind it.
void read_header(Told& told, const HttpResponse& response) {
  std::string_view type = response.header("x-amzn-errortype");
  type = type.substr(0, type.find(':'));
  if (!type.empty()) told.kind.append(told.kind.empty() ? "" : " ").append(type);
}

bool says(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](auto word) { return text.find(word) != std::string_view::npos; });
}

// A quota that is none will not come back with time.
bool says_limit_zero(std::string_view text) {
  constexpr std::string_view words = "limit: 0";
  const auto at = text.find(words);
  if (at == std::string_view::npos) return false;
  const auto next = at + words.size();
  return next >= text.size() || ((text[next] < '0' || text[next] > '9') && text[next] != '.');
}

// Google answers 400 to a key that is wrong; AWS has names of its own, which a sentence may quote for other reasons.
bool is_about_key(std::string_view kind, std::string_view text) {
  return says(text, {"api_key_invalid", "api key not valid"}) || says(kind, {"expiredtoken", "unrecognizedclient"});
}

bool is_passing(int status, std::string_view text) {
  return status == 408 || status == 409 || status == 425 || status == 424 || status == 499 ||
         says(text, {"modelnotreadyexception"});
}

bool is_about_rate(int status, std::string_view text) { return status == 429 || says(text, {"servicequotaexceeded"}); }

bool is_about_credit(std::string_view text) {
  return says(text,
              {"insufficient_quota", "credit_balance_exhausted", "spend_limit", "usage_limit_exceeded", "billing_",
               "insufficient_credit", "credit balance is too low", "insufficient credit", "insufficient balance",
               "spend limit", "spending limit", "spend cap", "out of credits", "have any credits"}) ||
         says_limit_zero(text);
}

bool is_about_context(std::string_view text) {
  return says(text, {"context_length_exceeded", "exceed_context_size", "request_too_large", "context length",
                     "context window", "context size", "context limit", "prompt is too long", "input is too long",
                     "too many tokens", "maximum number of tokens"});
}

bool is_about_content(std::string_view text) {
  return says(text,
              {"content_filter", "content_policy", "responsible_ai", "invalid_prompt", "content management policy"});
}

errc classify(int status, std::string_view kind, std::string_view text) {
  const bool failed_itself = status >= 500;
  if (status == 402 || (status != 401 && !failed_itself && is_about_credit(text))) return errc::provider_out_of_credit;
  if (status == 401 || status == 403 || status == 498 || is_about_key(kind, text)) return errc::provider_unauthorized;
  if (is_passing(status, text)) return errc::provider_overloaded;
  if (is_about_rate(status, text)) return errc::provider_rate_limited;
  if (status == 413 || ((status <= 500) && is_about_context(text))) return errc::provider_context_too_long;
  if (!failed_itself && is_about_content(text)) return errc::provider_refused;
  if (status == 501 || status == 505) return errc::provider_rejected_request;
  if (failed_itself) return errc::provider_overloaded;
  if (status < 300) {  // an error inside a 200: some servers start to answer before they fail
    if (says(text, {"rate_limit", "rate limit", "resource_exhausted"})) return errc::provider_rate_limited;
    if (says(text, {"invalid_request", "not_found"})) return errc::provider_rejected_request;
    return errc::provider_overloaded;
  }
  return errc::provider_rejected_request;
}

std::string describe(const Told& told, const ChatEndpoint& endpoint, const HttpResponse& response) {
  if (!told.message.empty()) return scrubbed(told.message, endpoint, message_bytes_max);
  if (response.status >= 300 && response.status < 400)
    return "a redirect, which is not followed; is the endpoint right?";
  if (response.body.empty()) return "no body";
  return "no error of a known shape: " + scrubbed(response.body, endpoint, slice_bytes_max);
}

// A stream's error may stand in an array of its own.
const boost::json::object* error_root(const boost::json::value& body) {
  if (const auto* list = body.if_array()) return list->empty() ? nullptr : list->front().if_object();
  return body.if_object();
}

Error with_origin(Error error, const ChatEndpoint& endpoint, const HttpResponse& response) {
  error = std::move(error).with("status", std::to_string(response.status));
  if (const auto id = request_id_of(endpoint, response); !id.empty()) error = std::move(error).with("request_id", id);
  return error;
}

}  // namespace

std::string request_id_of(const ChatEndpoint& endpoint, const HttpResponse& response) {
  for (const auto* name : {"x-request-id", "request-id", "apim-request-id", "x-amzn-requestid"}) {
    if (const auto id = response.header(name); !id.empty()) return scrubbed(id, endpoint, name_bytes_max);
  }
  return {};
}

Error provider_error(const ChatEndpoint& endpoint, const HttpResponse& response) {
  Told told;
  std::optional<Duration> delay = retry_after(response);
  const auto body =
      json::parse(response.body, {.bytes_max = 1u << 20, .depth_max = 32, .values_max = reply_values_max});
  if (const auto* root = body ? error_root(*body) : nullptr) {
    told = read_told(*root);
    if (!delay) delay = retry_delay(*root);
  }
  read_header(told, response);
  const std::string words = lower_ascii(told.kind + ' ' + told.message.substr(0, message_bytes_max));
  Error error(classify(response.status, lower_ascii(told.kind), words),
              fmt::format("The provider answered HTTP {}: {}", response.status, describe(told, endpoint, response)));
  error = with_origin(std::move(error), endpoint, response);
  if (!told.kind.empty()) error = std::move(error).with("type", scrubbed(told.kind, endpoint, name_bytes_max));
  if (delay) error = std::move(error).with_retry_after(*delay);
  return error;
}

Error malformed_reply(const ChatEndpoint& endpoint, const HttpResponse& response, std::string_view what, errc code) {
  Error error(code, std::string(what));
  error = with_origin(std::move(error), endpoint, response);
  const auto type = response.header("content-type");
  if (!type.empty()) error = std::move(error).with("content_type", scrubbed(type, endpoint, name_bytes_max));
  return std::move(error).with("body", scrubbed(response.body, endpoint, slice_bytes_max));
}

}  // namespace openindex::codecs
