#include "engine/reading.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace openindex::engine {

Result<void> refuse_run(const Actor& actor) {
  if (actor.kind() != ActorKind::run) return {};
  return Error(errc::outside_run).with("run", actor.run_id().str());
}

Result<void> tell_sink(const AuditSink& sink, std::string_view text) {
  try {
    return sink(text);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& thrown) {
    return Error(errc::host_callback_failed, std::string("The sink of an export threw: ") + thrown.what());
  } catch (...) {
    return Error(errc::host_callback_failed, "The sink of an export threw");
  }
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
