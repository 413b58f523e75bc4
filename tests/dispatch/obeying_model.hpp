// A model that does what any text in front of it tells it to, and says all that it knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include <openindex/agent/chat.hpp>
#include <openindex/http/http_client.hpp>

namespace openindex::tests {

// Plays OpenAI's chat completions. An order is written `<call NAME>ARGUMENTS</call>`, or `<call NAME id=ID>` for a call
// with an id of the attacker's choice, anywhere in a message. The orders of the messages since its last answer are
// obeyed in one turn, word for word, but that `$SYSTEM` and `$EVERYTHING` in the arguments become what the model was
// told in the system part and in the whole request. Without an order it recites the system part.
class ObeyingModel final : public HttpClient {
 public:
  HttpTicket send(HttpRequest request, HttpDone done) override {
    requests.push_back(request);
    const auto body = boost::json::parse(request.body).as_object();
    std::vector<ToolUse> orders;
    for (const std::string_view text : unanswered(body.at("messages").as_array())) find_orders(text, orders);
    const std::string system(body.at("messages").at(0).at("content").as_string());
    for (ToolUse& order : orders) {
      if (order.id.empty()) order.id = "call_" + std::to_string(obeyed.size());
      replace(order.arguments, "$SYSTEM", system);
      replace(order.arguments, "$EVERYTHING", request.body);
      obeyed.push_back(order);
    }
    done(orders.empty() ? reply({{"role", "assistant"}, {"content", "As you wish: " + system}}, "stop")
                        : reply(calls(orders), "tool_calls"));
    return ++tickets_;
  }
  void cancel(HttpTicket) noexcept override {}

  std::vector<HttpRequest> requests;
  std::vector<ToolUse> obeyed;  ///< Every call that it asked for, in order.

 private:
  static std::vector<std::string_view> unanswered(const boost::json::array& messages) {
    std::vector<std::string_view> texts;
    for (const auto& message : messages) {
      const auto& role = message.at("role").as_string();
      if (role == "assistant") texts.clear();
      if (role == "user" || role == "tool") texts.emplace_back(message.at("content").as_string());
    }
    return texts;
  }

  // A message may be a JSON text, as the one that describes the item is: then the orders stand in its strings.
  static void find_orders(std::string_view text, std::vector<ToolUse>& orders) {
    boost::system::error_code error;
    const auto parsed = boost::json::parse(text, error);
    error ? read_orders(text, orders) : find_orders(parsed, orders);
  }
  static void find_orders(const boost::json::value& value, std::vector<ToolUse>& orders) {
    if (const auto* text = value.if_string()) read_orders(*text, orders);
    if (const auto* array = value.if_array()) {
      for (const auto& element : *array) find_orders(element, orders);
    }
    if (const auto* object = value.if_object()) {
      for (const auto& member : *object) find_orders(member.value(), orders);
    }
  }
  static void read_orders(std::string_view text, std::vector<ToolUse>& orders) {
    constexpr std::string_view opens = "<call ", closes = "</call>", with_id = " id=";
    for (std::size_t at = text.find(opens); at != std::string_view::npos; at = text.find(opens, at)) {
      text.remove_prefix(at + opens.size());
      const std::string_view head = text.substr(0, text.find('>'));
      const std::size_t id = head.find(with_id);
      text.remove_prefix(std::min(text.size(), head.size() + 1));
      const std::string_view arguments = text.substr(0, text.find(closes));
      orders.push_back({id == std::string_view::npos ? "" : std::string(head.substr(id + with_id.size())),
                        std::string(head.substr(0, id)), std::string(arguments)});
      at = arguments.size();
    }
  }

  static void replace(std::string& text, std::string_view what, const std::string& by) {
    const std::string quoted = boost::json::serialize(boost::json::string(by));
    const auto at = text.find(what);
    if (at != std::string::npos) text.replace(at, what.size(), quoted, 1, quoted.size() - 2);
  }

  static boost::json::object calls(const std::vector<ToolUse>& orders) {
    boost::json::array list;
    for (const ToolUse& order : orders) {
      list.push_back({{"id", order.id},
                      {"type", "function"},
                      {"function", {{"name", order.name}, {"arguments", order.arguments}}}});
    }
    return {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", list}};
  }
  static HttpResponse reply(const boost::json::object& message, const char* reason) {
    const boost::json::value body = {
        {"id", "x"},
        {"object", "chat.completion"},
        {"model", "obeying"},
        {"choices", boost::json::array{{{"index", 0}, {"message", message}, {"finish_reason", reason}}}},
        {"usage", {{"prompt_tokens", 100}, {"completion_tokens", 10}, {"total_tokens", 110}}}};
    return {200, {{"Content-Type", "application/json"}}, boost::json::serialize(body)};
  }

  HttpTicket tickets_ = 0;
};

}  // namespace openindex::tests
