// Item numbers, leased in blocks: unique and rising within one engine, never given twice, gaps allowed. One durable
// write serves a whole block, so creators do not queue behind a counter.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include <openindex/storage/storage.hpp>

namespace openindex::engine {

class NumberLease {
 public:
  explicit NumberLease(Storage& storage) : storage_(storage) {}

  /// Take the next number of a domain. @par Errors contention, storage
  Result<std::int64_t> next(const std::string& domain);

 private:
  struct Block {
    std::int64_t next = 0;
    std::int64_t end = 0;
    std::int64_t size = 0;
  };
  Result<void> lease(const std::string& domain, Block& block);

  Storage& storage_;
  std::mutex mutex_;
  std::map<std::string, Block> blocks_;
};

}  // namespace openindex::engine
