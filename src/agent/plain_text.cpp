#include "agent/plain_text.hpp"

#include <algorithm>

#include "core/utf8.hpp"

namespace openindex::agent {

std::string without_controls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool ascii_control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
    // U+0080 to U+009F, two bytes each
    const bool wide_control = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (wide_control) ++i;
    if (!ascii_control && !wide_control) out += text[i];
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t bytes_max) {
  std::string out = without_controls(cut_utf8(text, bytes_max));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return text.size() > bytes_max ? out + "…" : out;
}

}  // namespace openindex::agent
