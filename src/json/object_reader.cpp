#include "json/object_reader.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace openindex::json {

std::string escape_pointer(std::string_view token, std::string_view before) {
  const auto escapes = std::count_if(token.begin(), token.end(), [](char c) { return c == '~' || c == '/'; });
  std::string out;
  out.reserve(before.size() + token.size() + static_cast<std::size_t>(escapes));
  out += before;
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

void bound(std::vector<Problem>& problems) {
  constexpr std::size_t listed_max = 1000;
  if (problems.size() <= listed_max) return;
  const std::size_t more = problems.size() - listed_max;
  problems.resize(listed_max);
  problems.push_back({"", "and " + std::to_string(more) + " more problems"});
}

ObjectReader::ObjectReader(const boost::json::value& value, std::string pointer, std::vector<Problem>& problems)
    : object_(value.if_object()), pointer_(std::move(pointer)), problems_(problems) {
  if (object_ == nullptr) problems_.push_back({pointer_, "must be an object"});
}

std::string ObjectReader::at(std::string_view name) const { return pointer_ + "/" + escape_pointer(name); }

const boost::json::value* ObjectReader::member(std::string_view name) {
  known_.push_back(name);
  return object_ == nullptr ? nullptr : object_->if_contains(name);
}

void ObjectReader::problem(std::string_view name, std::string what) {
  problems_.push_back({at(name), std::move(what)});
}

std::string ObjectReader::text(std::string_view name, Need need) {
  const auto* value = member(name);
  if (value == nullptr) {
    if (need == Need::required && object_ != nullptr) problem(name, "is required");
    return {};
  }
  const auto* text = value->if_string();
  if (text == nullptr) {
    problem(name, "must be a string");
    return {};
  }
  if (need == Need::required && text->empty()) problem(name, "must not be empty");
  return std::string(text->data(), text->size());
}

bool ObjectReader::boolean(std::string_view name) {
  const auto* value = member(name);
  if (value == nullptr) return false;
  if (!value->is_bool()) problem(name, "must be true or false");
  return value->is_bool() && value->get_bool();
}

std::optional<double> ObjectReader::number(std::string_view name) {
  const auto* value = member(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    problem(name, "must be a number");
    return std::nullopt;
  }
  return value->to_number<double>();
}

std::optional<std::uint32_t> ObjectReader::count(std::string_view name) {
  const auto value = whole(name, std::numeric_limits<std::uint32_t>::max());
  return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

std::optional<std::uint64_t> ObjectReader::whole(std::string_view name, std::uint64_t greatest) {
  const auto value = number(name);
  if (!value) return std::nullopt;
  if (*value < 0 || *value > static_cast<double>(greatest) || std::floor(*value) != *value) {
    problem(name, "must be a whole number from 0 to " + std::to_string(greatest));
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*value);
}

void ObjectReader::each(std::string_view name,
                        const std::function<void(const boost::json::value&, const std::string&)>& read) {
  const auto* value = member(name);
  if (value == nullptr) return;
  const auto* array = value->if_array();
  if (array == nullptr) return problem(name, "must be an array");
  for (std::size_t i = 0; i < array->size(); ++i) read((*array)[i], at(name) + "/" + std::to_string(i));
}

std::vector<std::string> ObjectReader::texts(std::string_view name) {
  std::vector<std::string> out;
  each(name, [&](const boost::json::value& value, const std::string& pointer) {
    if (const auto* text = value.if_string()) {
      out.emplace_back(text->data(), text->size());
    } else {
      problems_.push_back({pointer, "must be a string"});
    }
  });
  return out;
}

void ObjectReader::refuse_unknown() {
  if (object_ == nullptr) return;
  for (const auto& entry : *object_) {
    const std::string_view name(entry.key().data(), entry.key().size());
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) problem(name, "is not a known member");
  }
}

}  // namespace openindex::json
