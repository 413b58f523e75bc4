#include <openindex/core/random.hpp>

#include <array>
#include <cstdlib>
#include <cstring>

#include <openssl/rand.h>

namespace openindex {
inline namespace v0 {
namespace {

class SystemRandom final : public RandomSource {
 public:
  void fill(std::span<std::byte> bytes) override {
    // A machine that cannot give random bytes cannot mint a secret or an identifier: going on would be worse than
    // stopping.
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) std::abort();
  }
};

}  // namespace

RandomSource::~RandomSource() = default;

std::uint64_t RandomSource::next() {
  std::array<std::byte, 8> bytes;
  fill(bytes);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

RandomSource& system_random() {
  static SystemRandom random;
  return random;
}

std::string mint_id(RandomSource& random, std::string_view prefix) {
  constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::size_t length = 20;
  std::string id(prefix);
  id += '_';
  const std::size_t full = id.size() + length;
  while (id.size() < full) {
    std::array<std::byte, 32> bytes;
    random.fill(bytes);
    for (const std::byte byte : bytes) {
      const auto value = std::to_integer<unsigned>(byte) & 63u;  // 62 and 63 are drawn again: no letter is favoured
      if (value < alphabet.size() && id.size() < full) id += alphabet[value];
    }
  }
  return id;
}

}  // namespace v0
}  // namespace openindex
