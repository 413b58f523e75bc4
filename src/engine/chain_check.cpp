#include "engine/chain_check.hpp"

#include <algorithm>

namespace openindex::engine {

bool ChainCheck::take(std::string_view body) {
  ++count_;
  const auto entry = read_audit(count_, body);
  if (!entry) {
    lost_ = true;
    return false;
  }
  // Either this entry's word for the one before was changed, or the one before. If it was this one, the next entry will
  // disagree as well: the last disagreement is the one to believe, because what follows it leads to the head.
  if (entry->previous != digest_) changed_ = std::max<std::uint64_t>(1, count_ - 1);
  digest_ = audit_digest(body);
  return true;
}

std::optional<ChainFault> ChainCheck::finish(const ChainHead& head) {
  if (lost_) return ChainFault{count_, "This is not the audit entry of its number"};
  if (count_ < head.count) return ChainFault{count_ + 1, "An audit entry is missing"};
  if (digest_ != head.digest) changed_ = count_;
  if (changed_ != 0) return ChainFault{changed_, "An audit entry is not as it was written"};
  return std::nullopt;
}

}  // namespace openindex::engine
