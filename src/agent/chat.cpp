#include <openindex/agent/chat.hpp>

#include <algorithm>
#include <array>

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::array<std::string_view, 7> families{"openai_chat",      "anthropic_messages",      "ollama_chat",
                                                   "openai_responses", "google_generate_content", "cohere_chat",
                                                   "bedrock_converse"};

}  // namespace

std::string_view to_text(WireFamily value) noexcept { return families[static_cast<std::size_t>(value)]; }

std::optional<WireFamily> parse_wire_family(std::string_view text) noexcept {
  const auto found = std::find(families.begin(), families.end(), text);
  if (found == families.end()) return std::nullopt;
  return static_cast<WireFamily>(found - families.begin());
}

}  // namespace v0
}  // namespace openindex
