#include "provider/xml_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace openindex::providers {
namespace {

constexpr std::size_t xml_bytes_max = 65'536;
constexpr std::size_t xml_depth_max = 16;
constexpr std::size_t xml_leaves_max = 256;

bool is_xml_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool is_xml_name_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':';
}

// A character by number; only ASCII's, which is all that keys and codes are made of.
std::optional<char> character_of(std::string_view number) {
  const int base = number.starts_with('x') ? 16 : 10;
  if (base == 16) number.remove_prefix(1);
  unsigned value = 0;
  const auto [end, wrong] = std::from_chars(number.data(), number.data() + number.size(), value, base);
  if (wrong != std::errc() || end != number.data() + number.size() || value == 0 || value > 0x7f) return std::nullopt;
  return static_cast<char>(value);
}

std::optional<char> entity(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, char>, 5> known = {
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  if (name.starts_with('#')) return character_of(name.substr(1));
  const auto found = std::find_if(known.begin(), known.end(), [&](const auto& row) { return row.first == name; });
  return found == known.end() ? std::nullopt : std::optional<char>(found->second);
}

class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : rest_(text) {}

  std::optional<std::vector<XmlLeaf>> read() {
    if (rest_.size() > xml_bytes_max || rest_.find('\0') != std::string_view::npos) return std::nullopt;
    while (!rest_.empty()) {
      const bool fits = rest_.front() == '<' ? read_markup() : read_text();
      if (!fits) return std::nullopt;
    }
    if (!open_.empty() || !seen_root_) return std::nullopt;
    return std::move(leaves_);
  }

 private:
  bool read_text() {
    const auto end = std::min(rest_.find('<'), rest_.size());
    std::string_view piece = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (open_.empty()) return std::all_of(piece.begin(), piece.end(), is_xml_space);
    while (!piece.empty()) {
      if (piece.front() != '&') {
        text_ += piece.front();
        piece.remove_prefix(1);
        continue;
      }
      const auto stop = piece.find(';');
      const auto c = stop == std::string_view::npos ? std::nullopt : entity(piece.substr(1, stop - 1));
      if (!c) return false;
      text_ += *c;
      piece.remove_prefix(stop + 1);
    }
    return true;
  }

  bool read_markup() {
    if (rest_.starts_with("<?")) return skip_past("?>");
    if (rest_.starts_with("<!--")) return skip_past("-->");
    return rest_.starts_with("</") ? close() : open();
  }

  bool skip_past(std::string_view mark) {
    const auto at = rest_.find(mark, 2);
    if (at == std::string_view::npos) return false;
    rest_.remove_prefix(at + mark.size());
    return true;
  }

  std::string take_name() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_xml_name_char);
    std::string name(rest_.begin(), end);
    rest_.remove_prefix(name.size());
    return name;
  }

  void skip_space() {
    while (!rest_.empty() && is_xml_space(rest_.front())) rest_.remove_prefix(1);
  }

  // `<name attribute="value">`, which a document type or CDATA is not.
  bool open() {
    rest_.remove_prefix(1);
    const std::string name = take_name();
    if (name.empty() || open_.size() == xml_depth_max || (open_.empty() && seen_root_)) return false;
    seen_root_ = true;
    path_ += (path_.empty() ? "" : "/") + name;
    open_.push_back(name.size());
    text_.clear();
    is_leaf_ = true;
    for (skip_space(); !rest_.empty() && rest_.front() != '>' && rest_.front() != '/'; skip_space()) {
      if (!skip_attribute()) return false;
    }
    const bool empty = rest_.starts_with("/>");
    if (!empty && !rest_.starts_with('>')) return false;
    rest_.remove_prefix(empty ? 2 : 1);
    return !empty || end_element();
  }

  bool skip_attribute() {
    if (take_name().empty()) return false;
    skip_space();
    if (!rest_.starts_with('=')) return false;
    rest_.remove_prefix(1);
    skip_space();
    if (!rest_.starts_with('"') && !rest_.starts_with('\'')) return false;
    return skip_quoted(rest_.front());
  }

  bool skip_quoted(char quote) {
    const auto end = rest_.find(quote, 1);
    if (end == std::string_view::npos) return false;
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool close() {
    rest_.remove_prefix(2);
    const std::string name = take_name();
    skip_space();
    if (open_.empty() || !rest_.starts_with('>')) return false;
    rest_.remove_prefix(1);
    return std::string_view(path_).substr(path_.size() - open_.back()) == name && end_element();
  }

  bool end_element() {
    if (is_leaf_) {
      if (leaves_.size() == xml_leaves_max) return false;
      leaves_.push_back({path_, std::exchange(text_, {})});
    }
    is_leaf_ = false;
    path_.resize(path_.size() - open_.back());
    open_.pop_back();
    if (path_.ends_with('/')) path_.pop_back();
    return true;
  }

  std::string_view rest_;
  std::string path_;
  std::vector<std::size_t> open_;  // the lengths of the names in `path_`
  std::string text_;
  bool is_leaf_ = false;
  bool seen_root_ = false;
  std::vector<XmlLeaf> leaves_;
};

}  // namespace

std::optional<std::vector<XmlLeaf>> read_xml(std::string_view text) { return XmlReader(text).read(); }

std::string_view leaf_text(const std::vector<XmlLeaf>& leaves, std::string_view path) noexcept {
  const auto found = std::find_if(leaves.begin(), leaves.end(), [&](const XmlLeaf& leaf) { return leaf.path == path; });
  return found == leaves.end() ? std::string_view() : std::string_view(found->text);
}

}  // namespace openindex::providers
