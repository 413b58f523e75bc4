#include "codecs/stream_assembly.hpp"

#include <algorithm>

#include "codecs/reply_reader.hpp"

namespace openindex::codecs {
namespace {

constexpr std::size_t part_bytes = 64;

// Of a piece when it is written down: most controls become six characters there.
std::size_t written_bytes(std::string_view piece) noexcept {
  const auto is_rare = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r';
  };
  return piece.size() + 5 * static_cast<std::size_t>(std::count_if(piece.begin(), piece.end(), is_rare));
}

}  // namespace

Result<void> StreamAssembly::keep(std::string& to, std::string_view piece) {
  const std::size_t bytes = written_bytes(piece);
  if (bytes > left_) return misshapen("the streamed answer is too long");
  left_ -= bytes;
  to += piece;
  return {};
}

Result<void> StreamAssembly::replace(std::string& to, std::string_view piece) {
  if (piece.empty()) return {};
  to.clear();
  return keep(to, piece);
}

Result<void> StreamAssembly::keep_part() {
  if (part_bytes > left_) return misshapen("the streamed answer has too many parts");
  left_ -= part_bytes;
  return {};
}

}  // namespace openindex::codecs
