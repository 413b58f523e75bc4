#include "engine/reading.hpp"

#include <algorithm>
#include <utility>

namespace openindex::engine {

Result<void> refuse_run(const Actor& actor) {
  if (actor.kind() != ActorKind::run) return {};
  return Error(errc::outside_run).with("run", actor.run_id().str());
}

Result<std::vector<Record>> read_numbered(Storage& storage, const std::string& kind, const std::string& prefix,
                                          const std::string& from, std::size_t limit) {
  std::vector<Record> out;
  ScanRequest request{.index = Index::key, .prefix = {kind}, .from = prefix + "/" + from, .below = prefix + "0"};
  while (out.size() < limit) {
    request.limit_count = static_cast<std::uint32_t>(std::min<std::size_t>(1000, limit - out.size()));
    auto page = storage.scan(request);
    if (!page) return page.error();
    for (Record& record : page->rows) out.push_back(std::move(record));
    if (page->next.empty()) break;
    request.after = page->next;
  }
  return out;
}

}  // namespace openindex::engine
