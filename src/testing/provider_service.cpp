#include "testing/provider_service.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/json/serialize.hpp>

#include <openindex/core/clock.hpp>

#include "core/utf8.hpp"
#include "json/writer.hpp"

namespace openindex::scripted {
namespace {

// What a test asks for: a list of models, or at Vertex how many tokens a word has.
struct Probe {
  WireFamily family;
  std::string_view method = "GET";
};

std::optional<Probe> probe_of(std::string_view path, const ServedRequest& request) {
  if (path == "/api/tags") return Probe{WireFamily::ollama_chat};
  if (path == "/v1beta/models") return Probe{WireFamily::google_generate_content};
  if (path == "/foundation-models") return Probe{WireFamily::bedrock_converse};
  if (path.ends_with(":countTokens")) return Probe{WireFamily::google_generate_content, "POST"};
  if (path != "/v1/models" && path != "/models") return std::nullopt;
  return Probe{request.header("anthropic-version").empty() ? WireFamily::openai_chat : WireFamily::anthropic_messages};
}

ServedReply json_reply(int status, std::string body) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

ServedReply error_reply(WireFamily family, int status, std::string_view message) {
  auto reply = json_reply(status, write_error(family, status, message));
  for (auto& header : error_headers(family, status)) reply.headers.push_back(std::move(header));
  return reply;
}

ServedReply wrong_key(WireFamily family) {
  return error_reply(family, family == WireFamily::bedrock_converse ? 403 : 401, "the key is missing or wrong");
}

std::string_view request_id_header(WireFamily family) {
  if (family == WireFamily::anthropic_messages) return "request-id";
  return family == WireFamily::bedrock_converse ? "x-amzn-requestid" : "x-request-id";
}

}  // namespace

Result<std::unique_ptr<ProviderService>> ProviderService::open(const testing::ScriptedProviderOptions& options) {
  auto script = ProviderScript::parse(options.script);
  if (!script) return script.error();
  Descriptor log;
  if (!options.log.empty()) {
    log = Descriptor(::open(options.log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    if (!log) {
      return Error(errc::storage_read_only, "The log of the scripted provider cannot be written to")
          .with("path", options.log.string())
          .with("reason", std::strerror(errno));
    }
  }
  return std::make_unique<ProviderService>(std::move(*script), options.required_key, std::move(log));
}

ServedReply ProviderService::answer(const ServedRequest& request) {
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (const auto route = chat_route(path)) {
    return request.method == "POST" ? chat(*route, request) : error_reply(route->family, 405, "use POST");
  }
  if (const auto probe = probe_of(path, request); probe && request.method == probe->method) {
    if (!holds_key(probe->family, request)) return wrong_key(probe->family);
    return json_reply(200, probe->method == "POST" ? R"({"totalTokens":1})" : write_models(probe->family));
  }
  return json_reply(404, R"({"error":{"message":"no such route","type":"invalid_request_error","code":"not_found"}})");
}

bool ProviderService::holds_key(WireFamily family, const ServedRequest& request) const {
  if (required_key_.empty() || request.header("authorization") == "Bearer " + required_key_) return true;
  if (family == WireFamily::google_generate_content) return request.header("x-goog-api-key") == required_key_;
  return family == WireFamily::anthropic_messages && request.header("x-api-key") == required_key_;
}

ServedReply ProviderService::chat(const ChatRoute& route, const ServedRequest& request) {
  const std::size_t number = ++chat_count_;
  Decision decision = decide(route, request, number);
  decision.reply.headers.emplace_back(request_id_header(route.family), fmt::format("req_{}", number));
  if (!log(route.family, request, decision)) return error_reply(route.family, 500, "the log cannot be written");
  return std::move(decision.reply);
}

ProviderService::Decision ProviderService::decide(const ChatRoute& route, const ServedRequest& request,
                                                  std::size_t number) {
  const WireFamily family = route.family;
  if (!holds_key(family, request)) return {wrong_key(family), {}, 0, {}};
  if (family == WireFamily::anthropic_messages && request.header("anthropic-version").empty()) {
    return {error_reply(family, 400, "anthropic-version: header is required"), {}, 0, {}};
  }
  const auto seen = read_request(route, request.body);
  if (!seen) return {error_reply(family, 400, seen.error().message()), {}, 0, {}};
  Decision decision{{}, seen->model, seen->turn, script_.take(*seen)};
  if (!decision.rule) {
    decision.reply = error_reply(family, 500,
                                 fmt::format("no rule of the script matches: turn {}, tools {}, last text {}",
                                             seen->turn, seen->tools, cut_utf8(seen->last_text, 200)));
    return decision;
  }
  const ScriptedRule& rule = script_.rule(*decision.rule);
  ServedReply& reply = decision.reply;
  const bool good = !rule.body && rule.status == 200;
  if (!rule.body && !good) reply = error_reply(family, rule.status, fmt::format("scripted status {}", rule.status));
  if (rule.body) reply.body = *rule.body;
  if (good) {
    const ScriptedAnswer answer{rule, *seen, request.body.size(), number};
    reply.body = seen->stream ? write_stream(family, answer) : boost::json::serialize(write_reply(family, answer));
  }
  if (rule.body || good) {
    reply.headers.emplace_back("Content-Type",
                               good && seen->stream ? std::string(stream_type(family)) : rule.content_type);
  }
  reply.status = rule.status;
  reply.headers.insert(reply.headers.end(), rule.headers.begin(), rule.headers.end());
  reply.delay = rule.delay;
  reply.drop = rule.drop;
  return decision;
}

bool ProviderService::log(WireFamily family, const ServedRequest& request, const Decision& decision) {
  if (!log_) return true;
  json::Writer w;
  w.begin_object().key("at").string(to_rfc3339(system_clock().now())).key("family").string(to_text(family));
  const auto request_id = request.header("x-client-request-id");
  w.key("request_id").string(is_utf8(request_id) ? request_id : "?");
  w.key("turn").number(std::uint64_t{decision.turn}).key("rule");
  if (decision.rule) {
    w.number(std::uint64_t{*decision.rule});
  } else {
    w.null();
  }
  w.key("model").string(decision.model).key("answer");
  if (decision.reply.drop != Drop::none) {
    w.string("drop");
  } else {
    w.number(static_cast<std::int64_t>(decision.reply.status));
  }
  w.end_object();
  // One write: a line is whole or missing, whoever else appends and whenever this process dies.
  const std::string line = std::move(w).str() + "\n";
  return ::write(log_.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
         ::fdatasync(log_.get()) == 0;
}

}  // namespace openindex::scripted
