// Bends an event stream of AWS as libFuzzer does, then writes lengths and checksums that fit: a decoder believes
// nothing behind a checksum that does not.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "codecs/stream_fixture.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using Bytes = std::span<std::uint8_t>;

constexpr std::uint32_t prelude_bytes = 12, crc_bytes = 4;

std::uint32_t read(Bytes bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | bytes[at + i];
  return value;
}

void write(Bytes bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

std::uint32_t checksum(Bytes bytes) {
  return openindex::test::crc32_of(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void repair(Bytes rest) {
  while (rest.size() >= prelude_bytes + crc_bytes) {
    std::uint32_t total = read(rest, 0);
    if (total < prelude_bytes + crc_bytes || total > rest.size()) total = static_cast<std::uint32_t>(rest.size());
    const Bytes message = rest.first(total);
    write(message, 0, total);
    write(message, 4, std::min(read(message, 4), total - prelude_bytes - crc_bytes));
    write(message, 8, checksum(message.first(8)));
    write(message, total - crc_bytes, checksum(message.first(total - crc_bytes)));
    rest = rest.subspan(total);
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  const std::size_t bent = LLVMFuzzerMutate(data, size, max_size);
  const bool is_stream = bent > 1 && (data[0] & 1) != 0;
  if (is_stream && seed % 8 != 0) repair(Bytes(data + 1, bent - 1));
  return bent;
}
