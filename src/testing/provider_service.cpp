#include "testing/provider_service.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <openindex/core/clock.hpp>

#include "core/utf8.hpp"
#include "json/writer.hpp"
#include "testing/provider_wires.hpp"

namespace openindex::scripted {
namespace {

std::optional<WireFamily> chat_family(std::string_view path) {
  if (path == "/v1/chat/completions" || path == "/chat/completions") return WireFamily::openai_chat;
  if (path == "/v1/messages") return WireFamily::anthropic_messages;
  if (path == "/api/chat") return WireFamily::ollama_chat;
  return std::nullopt;
}

std::optional<WireFamily> probe_family(std::string_view path, const ServedRequest& request) {
  if (path == "/api/tags") return WireFamily::ollama_chat;
  if (path != "/v1/models" && path != "/models") return std::nullopt;
  return request.header("anthropic-version").empty() ? WireFamily::openai_chat : WireFamily::anthropic_messages;
}

ServedReply json_reply(int status, std::string body) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

ServedReply error_reply(WireFamily family, int status, std::string_view message) {
  return json_reply(status, write_error(family, status, message));
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
  if (const auto family = chat_family(path)) {
    return request.method == "POST" ? chat(*family, request) : error_reply(*family, 405, "use POST");
  }
  if (const auto family = probe_family(path, request); family && request.method == "GET") {
    if (!holds_key(*family, request)) return error_reply(*family, 401, "the key is missing or wrong");
    return json_reply(200, write_models(*family));
  }
  return json_reply(404, R"({"error":{"message":"no such route","type":"invalid_request_error","code":"not_found"}})");
}

bool ProviderService::holds_key(WireFamily family, const ServedRequest& request) const {
  if (required_key_.empty() || request.header("authorization") == "Bearer " + required_key_) return true;
  return family == WireFamily::anthropic_messages && request.header("x-api-key") == required_key_;
}

ServedReply ProviderService::chat(WireFamily family, const ServedRequest& request) {
  const std::size_t number = ++chat_count_;
  Decision decision = decide(family, request, number);
  const bool anthropic = family == WireFamily::anthropic_messages;
  decision.reply.headers.emplace_back(anthropic ? "request-id" : "x-request-id", fmt::format("req_{}", number));
  if (!log(family, request, decision)) return error_reply(family, 500, "the log cannot be written");
  return std::move(decision.reply);
}

ProviderService::Decision ProviderService::decide(WireFamily family, const ServedRequest& request, std::size_t number) {
  if (!holds_key(family, request)) return {error_reply(family, 401, "the key is missing or wrong"), {}, 0, {}};
  if (family == WireFamily::anthropic_messages && request.header("anthropic-version").empty()) {
    return {error_reply(family, 400, "anthropic-version: header is required"), {}, 0, {}};
  }
  const auto seen = read_request(family, request.body);
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
  reply = {.status = rule.status, .headers = rule.headers, .body = {}, .delay = rule.delay, .drop = rule.drop};
  reply.headers.emplace_back("Content-Type", rule.content_type);
  if (rule.body) {
    reply.body = *rule.body;
  } else if (rule.status == 200) {
    reply.body = write_reply(family, rule, *seen, request.body.size(), number);
  } else {
    reply.body = write_error(family, rule.status, fmt::format("scripted status {}", rule.status));
  }
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
