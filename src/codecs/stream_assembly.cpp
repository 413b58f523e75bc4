#include "codecs/stream_assembly.hpp"

#include "codecs/reply_reader.hpp"

namespace openindex::codecs {
namespace {

constexpr std::size_t part_bytes = 64;

}  // namespace

Result<void> StreamAssembly::keep(std::string& to, std::string_view piece) {
  if (piece.size() > left_) return misshapen("the streamed answer is too long");
  left_ -= piece.size();
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
