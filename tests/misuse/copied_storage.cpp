// Refused with: deleted function|deleted constructor|call to.*deleted
#include <openindex/adapters/memory_storage.hpp>

void host(openindex::MemoryStorage& storage) {
#ifdef MISUSE
  auto copy = storage;
#else
  auto& copy = storage;
#endif
  copy.wake();
}
