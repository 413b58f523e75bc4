#include "engine/dependents.hpp"

#include "engine/commit.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {

RecordId dependents_record(const ItemKey& key) { return {"dependents", key.str()}; }

Result<Dependents> read_dependents(Storage& storage, const ItemKey& key) {
  Dependents out;
  auto record = read_record(storage, dependents_record(key), "dependents");
  if (!record && record.error().code() == errc::not_found) return out;
  if (!record) return record.error();
  auto in = json::Stored::read(record->body, "dependents " + key.str());
  if (!in) return in.error();
  out.version = record->version;
  for (std::string& item : in->texts("items")) out.items.emplace_back(std::move(item));
  return out;
}

void write_dependents(ChangeSet& changes, const ItemKey& key, const Dependents& dependents) {
  json::Writer out;
  out.begin_object().key("items").begin_array();
  for (const ItemKey& item : dependents.items) out.string(item.str());
  changes.expectations.push_back({dependents_record(key), dependents.version});
  changes.puts.push_back({dependents_record(key), std::move(out.end_array().end_object()).str(), {}});
}

}  // namespace openindex::engine
