// Putting texts into the index of words that were stored without it, or before it knew them.
#include <algorithm>

#include <openindex/workflow_engine.hpp>

#include "engine/commit.hpp"
#include "engine/core.hpp"
#include "engine/item_record.hpp"
#include "json/stored.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::uint32_t texts_per_call = 1000;

// The same record once more with the entry that its text asks for; nothing when it has that.
Result<std::optional<Put>> indexed(const Record& row) {
  const ItemKey key(row.id.key);
  auto place = engine::place_of_key(key);
  auto in = json::Stored::read(row.body, "content " + row.id.key);
  if (!in) return in.error();
  if (!place) return Error(errc::storage_corrupt, "A text belongs to no item").with("content", row.id.key);
  IndexEntry entry = engine::text_entry(in->text("title"), in->text("description"), std::move(*place));
  const bool known = std::any_of(row.index.begin(), row.index.end(), [&](const IndexEntry& held) {
    return held.index == entry.index && held.values == entry.values;
  });
  if (known) return std::optional<Put>();
  return std::optional(Put{row.id, row.body, {std::move(entry)}});
}

}  // namespace

Result<IndexedTexts> WorkflowEngine::index_texts(const Actor& actor, const std::string& after) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  if (actor.kind() != ActorKind::system) return Error(errc::not_permitted, "Only the host may index texts");
  Storage& storage = core_->options.storage;
  auto page = storage.scan({.prefix = {std::string("content")}, .limit_count = texts_per_call, .after = after});
  if (!page) return page.error();
  IndexedTexts out;
  std::vector<ChangeSet> changes;
  for (const Record& row : page->rows) {
    auto put = indexed(row);
    if (!put) {
      out.broken.push_back(put.error().with("item", row.id.key));
    } else if (*put) {
      ChangeSet one;
      one.id = core_->door.mint_commit();
      one.expectations.push_back({row.id, row.version});  // a text that is written meanwhile is in the index
      one.puts.push_back(std::move(**put));
      changes.push_back(std::move(one));
    }
  }
  for (const auto& landed : engine::commit(storage, changes)) {
    if (landed) ++out.items;
    if (!landed && landed.error().code() != errc::conflict) return landed.error();
  }
  out.next = std::move(page->next);
  return out;
}

}  // namespace v0
}  // namespace openindex
