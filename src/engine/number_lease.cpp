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

RecordId counter_record(const std::string& domain) { return {"counter", "item/" + domain}; }

}  // namespace

NumberLease::Block& NumberLease::block_of(const std::string& domain) {
  const std::lock_guard lock(mutex_);
  return blocks_[domain];
}

std::optional<std::int64_t> NumberLease::take(Block& block) {
  const std::lock_guard lock(block.mutex);
  if (block.next >= block.end) return std::nullopt;
  return block.next++;
}

std::int64_t NumberLease::unused(Block& block) {
  const std::lock_guard lock(block.mutex);
  return block.next;
}

void NumberLease::skip_to(Block& block, std::int64_t next) {
  const std::lock_guard lock(block.mutex);
  block.next = std::max(block.next, next);
}

Result<std::int64_t> NumberLease::next(const std::string& domain) {
  if (outside_ != nullptr) return next_inside(domain);
  Block& block = block_of(domain);
  for (;;) {
    if (auto number = take(block)) return *number;
    const std::lock_guard one_leases(block.leasing);
    if (auto number = take(block)) return *number;
    const std::int64_t size = std::clamp(block.size * 2, block_min, block_max);
    auto first = lease(domain, unused(block), size);
    if (!first) return first.error();
    const std::lock_guard lock(block.mutex);
    block.next = std::max(block.next, *first);  // not below what a transaction has given out meanwhile
    block.end = *first + size;
    block.size = size;
  }
}

// Whoever leases outside may be waiting for this very transaction to end: it is not waited for.
Result<std::int64_t> NumberLease::next_inside(const std::string& domain) {
  Block& outside = outside_->block_of(domain);
  if (auto number = take(outside)) return *number;
  auto number = lease(domain, unused(outside), 1);
  if (number) skip_to(outside, *number + 1);
  return number;
}

Result<bool> NumberLease::has_given(const std::string& domain) {
  auto record = read_record(storage_, counter_record(domain), "counter");
  if (!record && record.error().code() != errc::not_found) return record.error();
  return record.has_value();
}

/// Lease a block, and return its first number.
Result<std::int64_t> NumberLease::lease(const std::string& domain, std::int64_t at_least, std::int64_t size) {
  const RecordId id = counter_record(domain);
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto record = read_record(storage_, id, "counter");
    if (!record && record.error().code() != errc::not_found) return record.error();
    std::int64_t first = at_least;
    if (record) {
      auto in = json::Stored::read(record->body, "counter " + domain);
      if (!in) return in.error();
      first = std::max(first, in->integer("next"));
    }
    json::Writer body;
    body.begin_object().key("next").number(first + size).end_object();
    ChangeSet changes;
    changes.expectations.push_back({id, record ? record->version : 0});
    changes.puts.push_back({id, std::move(body).str(), {}});
    auto done = commit(storage_, changes);
    if (done) return first;
    // A lease whose fate is unknown is forgotten: at worst a gap.
    if (done.error().code() != errc::conflict && done.error().code() != errc::commit_unknown) return done.error();
  }
  return Error(errc::contention).with("counter", domain);
}

}  // namespace openindex::engine
