#include "queue/window.hpp"

#include <algorithm>

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"
#include "queue/free_items.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::uint32_t window_size = 128;
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

Result<std::optional<ItemKey>> AgentQueue::Window::next(const Actor& actor, const QueueFilter& filter, int& fills) {
  const std::lock_guard lock(mutex_);
  if (windows_.size() > filters_max) windows_.clear();
  Candidates& window = windows_[name(actor, filter)];
  const Duration now = engine_.clock().steady();
  if (window.keys.empty() || now - window.filled > window_age) {
    ++fills;
    if (auto filled = fill(window, actor, filter); !filled) return filled.error();
    window.filled = now;
  }
  if (window.keys.empty()) return std::optional<ItemKey>();
  ItemKey key = std::move(window.keys.front());
  window.keys.pop_front();
  return std::optional(std::move(key));
}

void AgentQueue::Window::step_aside(const Actor& actor, const QueueFilter& filter) {
  const std::lock_guard lock(mutex_);
  auto& keys = windows_[name(actor, filter)].keys;
  if (keys.size() < 2) return;
  const auto skip = static_cast<std::ptrdiff_t>(engine_.random().next() % keys.size());
  std::rotate(keys.begin(), keys.begin() + skip, keys.end());
}

Result<void> AgentQueue::Window::fill(Candidates& window, const Actor& actor, const QueueFilter& filter) {
  window.keys.clear();
  const Time now = engine_.clock().now();
  for (const FreePart part : free_parts) {
    ScanRequest request = free_items(part, filter, now, window_size);
    // A page may be empty and not the last one: it looks at a bounded number of rows.
    do {
      auto page = engine_.storage().scan(request);
      if (!page) return page.error();
      if (auto kept = keep(window, *page, actor, filter, now); !kept) return kept.error();
      request.after = std::move(page->next);
    } while (window.keys.empty() && !request.after.empty());
  }
  return {};
}

Result<void> AgentQueue::Window::keep(Candidates& window, const ScanPage& page, const Actor& actor,
                                      const QueueFilter& filter, Time now) {
  std::vector<ItemKey> keys;
  for (const Record& row : page.rows) keys.emplace_back(row.id.key);
  auto items = engine_.core().door.load_all(keys);
  if (!items) return items.error();
  for (const auto& item : *items) {
    auto free = takeable(engine_.core().shelf, *item, filter, now);
    if (!free) return free.error();
    if (!*free) continue;
    auto member = may_claim(engine_.core(), actor, item->item.domain);
    if (!member) return member.error();
    if (*member) window.keys.push_back(item->item.key);
  }
  return {};
}

}  // namespace v0
}  // namespace openindex
