// Item numbers, leased in blocks: unique and rising within one engine, never given twice, gaps allowed. One durable
// write serves a whole block, so creators do not queue behind a counter.
//
// A transaction of the host takes from the block of the engine outside: what it gives out is a gap after a rollback.
// When that is used up it leases one number at a time, inside the transaction; the engine outside then never gives out
// a number up to it, although a rollback puts the stored counter back.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <openindex/storage/storage.hpp>

namespace openindex::engine {

class NumberLease {
 public:
  explicit NumberLease(Storage& storage) : storage_(storage) {}
  NumberLease(Storage& transaction, NumberLease& outside) : storage_(transaction), outside_(&outside) {}

  /// Take the next number of a domain. @par Errors contention, storage
  Result<std::int64_t> next(const std::string& domain);

  /// Tell whether a number of the domain was ever given out, or leased. @par Errors storage
  Result<bool> has_given(const std::string& domain);

 private:
  struct Block {
    std::mutex leasing;     ///< Held over a lease, so that those who wait for it lease once.
    std::mutex mutex;       ///< Guards the rest; never held over I/O.
    std::int64_t next = 1;  ///< Numbers below it have been given out.
    std::int64_t end = 1;
    std::int64_t size = 0;
  };
  Block& block_of(const std::string& domain);
  static std::optional<std::int64_t> take(Block& block);
  static std::int64_t unused(Block& block);
  static void skip_to(Block& block, std::int64_t next);
  Result<std::int64_t> next_inside(const std::string& domain);
  Result<std::int64_t> lease(const std::string& domain, std::int64_t at_least, std::int64_t size);

  Storage& storage_;
  NumberLease* const outside_ = nullptr;
  std::mutex mutex_;
  std::map<std::string, Block> blocks_;
};

}  // namespace openindex::engine
