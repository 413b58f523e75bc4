#include "work/counted_memory.hpp"

#include <cstdlib>
#include <new>

namespace openindex::tests {
namespace {

thread_local CountedMemory counted;

void* take(std::size_t bytes) noexcept {
  ++counted.taken;
  counted.bytes_taken += bytes;
  return std::malloc(bytes == 0 ? 1 : bytes);
}

void* take_or_throw(std::size_t bytes) {
  if (void* memory = take(bytes)) return memory;
  throw std::bad_alloc();
}

void give_back(void* memory) noexcept {
  if (memory != nullptr) ++counted.given_back;
  std::free(memory);
}

}  // namespace

CountedMemory counted_memory() noexcept { return counted; }

}  // namespace openindex::tests

// All of the forms: a sanitizer has its own of those that are missing here, and they must match.
void* operator new(std::size_t bytes) { return openindex::tests::take_or_throw(bytes); }
void* operator new[](std::size_t bytes) { return openindex::tests::take_or_throw(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return openindex::tests::take(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return openindex::tests::take(bytes); }
void operator delete(void* memory) noexcept { openindex::tests::give_back(memory); }
void operator delete[](void* memory) noexcept { openindex::tests::give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { openindex::tests::give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { openindex::tests::give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { openindex::tests::give_back(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { openindex::tests::give_back(memory); }
