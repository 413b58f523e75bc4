#include "queue/window.hpp"

#include <algorithm>

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::uint32_t page_size = 128;
constexpr Duration window_age{1000};
constexpr std::size_t filters_max = 64;

using queue::free_items;
using queue::free_parts;
using queue::FreePart;
using queue::may_claim;
using queue::takeable;

}  // namespace

std::string AgentQueue::Window::name(const Actor& actor, const QueueFilter& filter) {
  return actor.on_behalf_of() + '\n' + filter.domain + '\n' + filter.workflow.str() + '\n' + filter.stage + '\n' +
         (filter.priority ? std::string(to_text(*filter.priority)) : "") + '\n' + filter.search;
}

Result<std::optional<AgentQueue::Window::Candidate>> AgentQueue::Window::next(const Actor& actor,
                                                                              const QueueFilter& filter, int& fills) {
  const std::lock_guard lock(mutex_);
  if (windows_.size() > filters_max) windows_.clear();
  Candidates& window = windows_[name(actor, filter)];
  const Duration now = engine_.clock().steady();
  // Somebody may have been given it from another window.
  while (!window.keys.empty() && handed_out_.contains(window.keys.front())) window.keys.pop_front();
  if (window.keys.empty() || now - window.filled > window_age) {
    ++fills;
    if (auto filled = fill(window, {actor, filter, now}); !filled) return filled.error();
    window.filled = now;
  }
  if (window.keys.empty()) return std::optional<Candidate>();
  ItemKey key = std::move(window.keys.front());
  window.keys.pop_front();
  handed_out_.insert(key);
  return std::optional<Candidate>(std::in_place, *this, std::move(key));
}

void AgentQueue::Window::take_back(const ItemKey& key) noexcept {
  const std::lock_guard lock(mutex_);
  handed_out_.erase(key);
}

void AgentQueue::Window::lost(const Actor& actor, const QueueFilter& filter, const ItemKey& key) {
  const std::lock_guard lock(mutex_);
  Candidates& window = windows_[name(actor, filter)];
  const Duration now = engine_.clock().steady();
  window.share.leave(key, now);
  std::erase_if(window.keys, [&](const ItemKey& other) { return !window.share.has(other, now); });
}

Result<void> AgentQueue::Window::fill(Candidates& window, const Asked& asked) {
  window.keys.clear();
  if (!window.share.has_all(asked.now)) {
    // Far enough to find work of one's own behind that of others, and no farther: the most urgent comes first.
    const Reach nearby{.own_share = true, .enough = page_size / 4, .pages_max = 8};
    if (auto gathered = gather(window, asked, nearby); !gathered) return gathered;
    if (!window.keys.empty()) return {};
  }
  const Reach everywhere{.own_share = false, .enough = 1, .pages_max = {}};
  if (auto gathered = gather(window, asked, everywhere); !gathered) return gathered;
  if (!window.share.has_all(asked.now)) enter_one_slice(window);
  return {};
}

Result<void> AgentQueue::Window::gather(Candidates& window, const Asked& asked, const Reach& reach) {
  for (const FreePart part : free_parts) {
    if (auto gathered = gather(window, asked, reach, part); !gathered) return gathered;
  }
  return {};
}

Result<void> AgentQueue::Window::gather(Candidates& window, const Asked& asked, const Reach& reach, FreePart part) {
  ScanRequest request = free_items(part, asked.filter, engine_.clock().now(), page_size);
  // A page may be empty and not the last one: it looks at a bounded number of rows.
  for (std::size_t pages = 0; !reach.pages_max || pages < *reach.pages_max; ++pages) {
    auto page = engine_.storage().scan(request);
    if (!page) return page.error();
    std::vector<ItemKey> keys;
    for (const Record& row : page->rows) keys.emplace_back(row.id.key);
    if (reach.own_share && part == FreePart::unheld && pages == 0) window.share.look(keys, asked.now);
    std::erase_if(keys, [&](const ItemKey& key) {
      return handed_out_.contains(key) || (reach.own_share && !window.share.has(key, asked.now));
    });
    if (auto kept = keep(window, asked, keys); !kept) return kept;
    request.after = std::move(page->next);
    if (window.keys.size() >= reach.enough || request.after.empty()) break;
  }
  return {};
}

Result<void> AgentQueue::Window::keep(Candidates& window, const Asked& asked, std::span<const ItemKey> keys) {
  auto items = engine_.core().door.load_all(keys);
  if (!items) return items.error();
  const Time now = engine_.clock().now();
  for (const auto& item : *items) {
    auto free = takeable(engine_.core(), *item, asked.filter, now);
    if (!free) return free.error();
    if (!*free) continue;
    auto member = may_claim(engine_.core(), asked.actor, item->item.domain);
    if (!member) return member.error();
    if (*member) window.keys.push_back(item->item.key);
  }
  return {};
}

// Nothing of our own is near: take part of what others left lying. One slice, so that they keep the rest.
void AgentQueue::Window::enter_one_slice(Candidates& window) {
  if (window.keys.empty()) return;
  const ItemKey chosen = window.keys[engine_.random().next() % window.keys.size()];
  window.share.enter(chosen);
  std::erase_if(window.keys, [&](const ItemKey& key) { return !queue::Share::are_of_one_slice(key, chosen); });
}

}  // namespace v0
}  // namespace openindex
