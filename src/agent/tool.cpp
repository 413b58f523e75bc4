#include <openindex/agent/tool.hpp>

#include <boost/json/object.hpp>

namespace openindex {
inline namespace v0 {

std::string ToolCall::text(std::string_view name) const {
  const auto* value = arguments.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

double ToolCall::number(std::string_view name, double otherwise) const {
  const auto* value = arguments.if_contains(name);
  return value == nullptr || !value->is_number() ? otherwise : value->to_number<double>();
}

}  // namespace v0
}  // namespace openindex
