#include "engine/number_lease.hpp"

#include <algorithm>

#include "engine/commit.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {
namespace {

// Small programs see few gaps, busy ones few leases.
constexpr std::int64_t block_min = 32;
constexpr std::int64_t block_max = 4096;

}  // namespace

Result<std::int64_t> NumberLease::next(const std::string& domain) {
  const std::lock_guard lock(mutex_);
  Block& block = blocks_[domain];
  if (block.next == block.end) {
    if (auto leased = lease(domain, block); !leased) return leased.error();
  }
  return block.next++;
}

Result<void> NumberLease::lease(const std::string& domain, Block& block) {
  const std::int64_t size = std::clamp(block.size * 2, block_min, block_max);
  const RecordId id{"counter", "item/" + domain};
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto record = read_record(storage_, id, "counter");
    if (!record && record.error().code() != errc::not_found) return record.error();
    std::int64_t first = 1;
    if (record) {
      auto in = json::Stored::read(record->body, "counter " + domain);
      if (!in) return in.error();
      first = std::max<std::int64_t>(1, in->integer("next"));
    }
    json::Writer body;
    body.begin_object().key("next").number(first + size).end_object();
    ChangeSet changes;
    changes.expectations.push_back({id, record ? record->version : 0});
    changes.puts.push_back({id, std::move(body).str(), {}});
    auto done = commit(storage_, changes);
    if (done) {
      block = {first, first + size, size};
      return {};
    }
    // A lease whose fate is unknown is forgotten: at worst a gap.
    if (done.error().code() != errc::conflict && done.error().code() != errc::commit_unknown) return done.error();
  }
  return Error(errc::contention).with("counter", domain);
}

}  // namespace openindex::engine
