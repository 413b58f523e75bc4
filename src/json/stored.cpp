#include "json/stored.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "json/read.hpp"
#include "json/writer.hpp"

namespace openindex::json {

Result<Stored> Stored::read(std::string_view body, std::string_view what) {
  // Built in few blocks and freed at once: reading an item was mostly asking for memory, and giving it back.
  auto memory = boost::json::make_shared_resource<boost::json::monotonic_resource>(2 * body.size() + 1024);
  auto value = parse(body, {.bytes_max = 8u * 1024 * 1024, .depth_max = 64}, std::move(memory));
  if (!value || !value->is_object()) {
    return Error(errc::storage_corrupt, "A stored record cannot be read").with("what", what);
  }
  return Stored(std::move(*value));
}

const boost::json::value* Stored::member(std::string_view name) {
  known_.push_back(name);
  return value_.get_object().if_contains(name);
}

std::string Stored::text(std::string_view name) {
  const auto* value = member(name);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::int64_t Stored::integer(std::string_view name) {
  const auto* value = member(name);
  if (value == nullptr || !value->is_number()) return 0;
  boost::json::error_code ignored;
  const auto number = value->to_number<std::int64_t>(ignored);
  return ignored ? 0 : number;
}

bool Stored::boolean(std::string_view name) {
  const auto* value = member(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::vector<std::string> Stored::texts(std::string_view name) {
  std::vector<std::string> out;
  const auto* list = member(name);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& entry : list->get_array()) {
    if (entry.is_string()) out.emplace_back(std::string_view(entry.get_string()));
  }
  return out;
}

std::vector<Stored> Stored::objects(std::string_view name) {
  std::vector<Stored> out;
  const auto* list = member(name);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& entry : list->get_array()) {
    if (entry.is_object()) out.push_back(Stored(entry));
  }
  return out;
}

std::string Stored::rest() const {
  std::string out;
  for (const auto& entry : value_.get_object()) {
    const std::string_view name(entry.key().data(), entry.key().size());
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    out += ',';
    append_string(out, name);
    out += ':';
    out += boost::json::serialize(entry.value());
  }
  return out;
}

}  // namespace openindex::json
