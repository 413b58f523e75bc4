// Reading the small XML answers of AWS: elements and text, bounded, and none of what makes XML dangerous.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace openindex::providers {

/// An element without elements in it.
struct XmlLeaf {
  std::string path;  ///< The names from the root on, with slashes between them.
  std::string text;  ///< Entities replaced.
};

/// Read every leaf, in order; nullopt when the text is not well-formed, has a document type, CDATA or an entity that
/// XML itself does not name, or is longer than 65,536 bytes, deeper than 16 or richer than 256 leaves.
std::optional<std::vector<XmlLeaf>> read_xml(std::string_view text);

/// Return the text of the first leaf at a path; empty when there is none.
std::string_view leaf_text(const std::vector<XmlLeaf>& leaves, std::string_view path) noexcept;

}  // namespace openindex::providers
