#include "engine/pruned_item.hpp"

#include "engine/commit.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {

namespace {

constexpr std::string_view retention_suffix = "-retention";

void write_head(json::Writer& out, const ChainHead& head) {
  out.key("auditCount").number(head.count).key("auditHead").string(head.digest);
}

ChainHead read_head(json::Stored& in) { return {in.natural("auditCount"), in.text("auditHead")}; }

}  // namespace

RecordId pruned_record(const ItemKey& key) { return {"pruned", key.str()}; }

Put write_pruned(const PrunedItem& item, bool left, Time now) {
  json::Writer out;
  write_head(out.begin_object(), item.chain);
  out.key("auditKept").boolean(item.audit_kept).end_object();
  Put put{pruned_record(item.key), std::move(out).str(), {}};
  if (left) put.index.push_back({Index::due, {"pruned", now.time_since_epoch().count(), item.key.str()}});
  return put;
}

Result<PrunedItem> read_pruned(const Record& record) {
  auto in = json::Stored::read(record.body, "pruned item " + record.id.key);
  if (!in) return in.error();
  return PrunedItem{record.id.key, read_head(*in), in->boolean("auditKept"), record.version};
}

std::string retention_stream(std::string_view domain) { return std::string(domain).append(retention_suffix); }
RecordId retention_record(std::string_view domain) { return {"retention", std::string(domain)}; }

Put write_retention(std::string_view domain, const ChainHead& head) {
  json::Writer out;
  write_head(out.begin_object(), head);
  return {retention_record(domain), std::move(out.end_object()).str(), {}};
}

Result<std::optional<ChainHead>> find_chain(Storage& storage, const ItemKey& stream) {
  const std::string_view name = stream.str();
  const bool of_domain = name.ends_with(retention_suffix);
  const RecordId id =
      of_domain ? retention_record(name.substr(0, name.size() - retention_suffix.size())) : pruned_record(stream);
  auto record = read_record(storage, id, "audit chain");
  if (!record && record.error().code() == errc::not_found) return std::optional<ChainHead>();
  if (!record) return record.error();
  auto in = json::Stored::read(record->body, "audit chain of " + stream.str());
  if (!in) return in.error();
  if (!of_domain && !in->boolean("auditKept")) return std::optional<ChainHead>();
  return std::optional(read_head(*in));
}

}  // namespace openindex::engine
