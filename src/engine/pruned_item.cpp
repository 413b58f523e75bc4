#include "engine/pruned_item.hpp"

#include "engine/commit.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {

RecordId pruned_record(const ItemKey& key) { return {"pruned", key.str()}; }

Put write_pruned(const PrunedItem& item, bool left, Time now) {
  json::Writer out;
  out.begin_object().key("auditCount").number(item.chain.count).key("auditHead").string(item.chain.digest);
  out.key("auditKept").boolean(item.audit_kept).end_object();
  Put put{pruned_record(item.key), std::move(out).str(), {}};
  if (left) put.index.push_back({Index::due, {"pruned", now.time_since_epoch().count(), item.key.str()}});
  return put;
}

Result<PrunedItem> read_pruned(const Record& record) {
  auto in = json::Stored::read(record.body, "pruned item " + record.id.key);
  if (!in) return in.error();
  return PrunedItem{
      record.id.key, {in->natural("auditCount"), in->text("auditHead")}, in->boolean("auditKept"), record.version};
}

Result<PrunedItem> find_pruned(Storage& storage, const ItemKey& key) {
  auto record = read_record(storage, pruned_record(key), "pruned item");
  if (!record) return record.error();
  return read_pruned(*record);
}

}  // namespace openindex::engine
