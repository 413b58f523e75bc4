#include "testing/provider_script.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "json/object_reader.hpp"
#include "json/read.hpp"

namespace openindex::scripted {
namespace {

using json::ObjectReader;
using Problems = std::vector<Problem>;

// A string, or an array of them that must all hold.
std::vector<std::string> read_texts(ObjectReader& reader, std::string_view name) {
  const auto* value = reader.member(name);
  if (value != nullptr && value->is_string()) return {reader.text(name)};
  return reader.texts(name);
}

void read_when(ScriptedRule& rule, const boost::json::value& value, const std::string& pointer, Problems& problems) {
  ObjectReader when(value, pointer, problems);
  rule.turn = when.count("turn");
  rule.text_contains = read_texts(when, "text_contains");
  rule.last_contains = read_texts(when, "last_contains");
  rule.tools_offered = read_texts(when, "tool_offered");
  rule.times = when.count("times");
  when.refuse_unknown();
}

void read_reply(ScriptedRule& rule, const boost::json::value& value, const std::string& pointer, Problems& problems) {
  ObjectReader reply(value, pointer, problems);
  rule.text = reply.text("text");
  reply.each("tool_calls", [&](const boost::json::value& entry, const std::string& place) {
    ObjectReader call(entry, place, problems);
    ScriptedCall read{call.text("name", ObjectReader::Need::required), "{}"};
    if (const auto* arguments = call.member("arguments")) {
      read.is_text = arguments->is_string();
      read.arguments = read.is_text ? call.text("arguments") : boost::json::serialize(*arguments);
    }
    call.refuse_unknown();
    rule.calls.push_back(std::move(read));
  });
  reply.refuse_unknown();
}

void read_headers(ScriptedRule& rule, const boost::json::value& value, const std::string& pointer, Problems& problems) {
  ObjectReader headers(value, pointer, problems);
  if (!value.is_object()) return;
  for (const auto& entry : value.get_object()) {
    const std::string name(entry.key());
    const std::string text = headers.text(name);
    if ((name + text).find_first_of("\r\n") != std::string::npos) headers.problem(name, "must not hold a line break");
    rule.headers.emplace_back(name, text);
  }
}

void read_status(ScriptedRule& rule, ObjectReader& reader) {
  const auto status = reader.count("status");
  if (status && (*status < 200 || *status > 599)) reader.problem("status", "must be from 200 to 599");
  rule.status = static_cast<int>(status.value_or(200));
}

void read_drop(ScriptedRule& rule, ObjectReader& reader) {
  const std::string drop = reader.text("drop");
  if (drop == "before") rule.drop = Drop::before;
  if (drop == "half") rule.drop = Drop::half;
  if (!drop.empty() && rule.drop == Drop::none) reader.problem("drop", "must be one of before, half");
}

ScriptedRule read_rule(const boost::json::value& value, const std::string& pointer, Duration delay,
                       Problems& problems) {
  ScriptedRule rule;
  ObjectReader reader(value, pointer, problems);
  if (const auto* when = reader.member("when")) read_when(rule, *when, pointer + "/when", problems);
  const auto* reply = reader.member("reply");
  if (reply != nullptr) read_reply(rule, *reply, pointer + "/reply", problems);
  read_status(rule, reader);
  if (const auto* headers = reader.member("headers")) read_headers(rule, *headers, pointer + "/headers", problems);
  for (const auto* name : {"body", "raw"}) {
    if (reader.member(name) != nullptr) rule.body = reader.text(name);
  }
  if (reader.member("content_type") != nullptr) rule.content_type = reader.text("content_type");
  read_drop(rule, reader);
  const auto own_delay = reader.count("delay_ms");
  rule.delay = own_delay ? Duration(*own_delay) : delay;
  reader.refuse_unknown();

  const int answers = (reply != nullptr) + (reader.member("status") != nullptr) + (reader.member("raw") != nullptr);
  if (answers > 1 || (answers == 0 && rule.drop == Drop::none)) {
    problems.push_back({pointer, "must have exactly one of reply, status, raw and drop"});
  }
  return rule;
}

bool holds_all(std::string_view text, const std::vector<std::string>& parts) {
  return std::all_of(parts.begin(), parts.end(),
                     [&](const std::string& part) { return text.find(part) != std::string_view::npos; });
}

bool matches(const ScriptedRule& rule, const SeenRequest& request) {
  const auto offered = [&](const std::string& tool) {
    return std::find(request.tools.begin(), request.tools.end(), tool) != request.tools.end();
  };
  return (!rule.turn || *rule.turn == request.turn) && holds_all(request.first_text, rule.text_contains) &&
         holds_all(request.last_text, rule.last_contains) &&
         std::all_of(rule.tools_offered.begin(), rule.tools_offered.end(), offered);
}

}  // namespace

Result<ProviderScript> ProviderScript::parse(std::string_view text) {
  const auto value = json::parse(text, {.refuse_duplicates = true});
  if (!value) return value.error();
  Problems problems;
  ObjectReader reader(*value, "", problems);
  ProviderScript script;
  const Duration delay(reader.count("delay_ms").value_or(0));
  reader.each("rules", [&](const boost::json::value& rule, const std::string& pointer) {
    script.rules_.push_back(read_rule(rule, pointer, delay, problems));
  });
  reader.refuse_unknown();
  if (!problems.empty()) {
    return Error(errc::invalid_definition, "The provider script is not valid").with_problems(std::move(problems));
  }
  script.used_.resize(script.rules_.size());
  return script;
}

std::optional<std::size_t> ProviderScript::take(const SeenRequest& request) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i].times && used_[i] >= *rules_[i].times) continue;
    if (!matches(rules_[i], request)) continue;
    ++used_[i];
    return i;
  }
  return std::nullopt;
}

}  // namespace openindex::scripted
