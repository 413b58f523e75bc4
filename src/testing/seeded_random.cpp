#include <openindex/testing/seeded_random.hpp>

#include <cstring>

namespace openindex {
inline namespace v0 {
namespace testing {
namespace {

// SplitMix64: one addition and a finaliser; every seed gives a full-period stream.
std::uint64_t draw(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15u;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
  return mixed ^ (mixed >> 31);
}

// FNV-1a: labels that differ give seeds that differ.
std::uint64_t digest(std::string_view label) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : label) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

}  // namespace

SeededRandom::~SeededRandom() = default;

void SeededRandom::fill(std::span<std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  while (!bytes.empty()) {
    const std::uint64_t value = draw(state_);
    const std::size_t size = bytes.size() < sizeof value ? bytes.size() : sizeof value;
    std::memcpy(bytes.data(), &value, size);
    bytes = bytes.subspan(size);
  }
}

std::unique_ptr<SeededRandom> SeededRandom::fork(std::string_view label) const {
  std::uint64_t state = seed_ ^ digest(label);
  return std::make_unique<SeededRandom>(draw(state));
}

}  // namespace testing
}  // namespace v0
}  // namespace openindex
