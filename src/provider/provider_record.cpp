#include "provider/provider_record.hpp"

#include <openindex/provider/provider_catalog.hpp>

#include <boost/json/object.hpp>

#include "engine/digest.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"
#include "provider/provider_config.hpp"
#include "provider/stored_parts.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t fingerprint_digits = 8;

std::int64_t ms(Time time) { return time.time_since_epoch().count(); }

void write_grants(json::Writer& out, const Grants& grants) {
  if (grants.empty()) return;
  out.key("grants").begin_object();
  for (const auto& [user, access] : grants) {
    out.key(user).begin_array();
    for (const Access one : access) out.string(to_text(one));
    out.end_array();
  }
  out.end_object();
}

// What a newer version may have granted beside, this one does not know, and does not grant.
Grants read_grants(json::Stored& in) {
  Grants out;
  for (const auto& entry : object_of(in.member("grants"))) {
    AccessSet& access = out[key_of(entry)];
    if (!entry.value().is_array()) continue;
    for (const auto& one : entry.value().get_array()) {
      if (const auto known = parse_access(string_of(one))) access.insert(*known);
    }
  }
  return out;
}

}  // namespace

RecordId provider_record(const ProviderId& id) { return {"provider", id.str()}; }
RecordId name_record(const std::string& name) { return {"provider_name", name}; }

Put write_provider(const ProviderRecord& record) {
  json::Writer out;
  out.begin_object().key("name").string(record.name).key("type").string(record.type);
  out.key("enabled").boolean(record.enabled);
  write_config(out, record.config, record.secrets);
  out.key("salt").string(record.salt);
  out.key("auditCount").number(record.chain.count).key("auditHead").string(record.chain.digest);
  out.key("createdAt").number(ms(record.created_at)).key("updatedAt").number(ms(record.updated_at));
  out.member("description", record.description).member("category", record.category);
  write_tags(out, record.tags);
  write_limit(out, record.token_limit);
  out.member("models", record.models);
  out.member("createdBy", record.created_by).member("updatedBy", record.updated_by);
  write_grants(out, record.grants);
  out.rest(record.extra).end_object();
  return {provider_record(record.id), std::move(out).str(), {}};
}

Result<ProviderRecord> read_provider(const Record& record) {
  const std::string what = "provider " + record.id.key;
  auto in = json::Stored::read(record.body, what);
  if (!in) return in.error();
  ProviderRecord out;
  out.id = record.id.key;
  out.version = record.version;
  out.name = in->text("name");
  out.type = in->text("type");
  if (out.name.empty() || out.type.empty()) {
    return Error(errc::storage_corrupt, "A stored provider has no name or no type").with("what", what);
  }
  out.enabled = in->boolean("enabled");
  if (auto read = read_config(*in, what, out.config, out.secrets); !read) return read.error();
  out.salt = in->text("salt");
  out.chain = {in->natural("auditCount"), in->text("auditHead")};
  out.created_at = in->time("createdAt");
  out.updated_at = in->time("updatedAt");
  out.description = in->text("description");
  out.category = in->text("category");
  out.tags = read_tags(*in);
  out.token_limit = read_limit(*in);
  out.models = in->natural("models");
  out.created_by = in->text("createdBy");
  out.updated_by = in->text("updatedBy");
  out.grants = read_grants(*in);
  out.extra = in->rest();
  return out;
}

Put write_gone(const ProviderRecord& record) {
  json::Writer out;
  out.begin_object().key("auditCount").number(record.chain.count).key("auditHead").string(record.chain.digest);
  return {{"provider_gone", record.id.str()}, std::move(out.end_object()).str(), {}};
}

Put write_name(const std::string& name, const ProviderId& id) {
  json::Writer out;
  out.begin_object().key("id").string(id.str()).end_object();
  return {name_record(name), std::move(out).str(), {}};
}

Result<ProviderId> read_name(const Record& record) {
  auto in = json::Stored::read(record.body, "provider name " + record.id.key);
  if (!in) return in.error();
  return ProviderId(in->text("id"));
}

Provider view_of(const ProviderRecord& record) {
  Provider out;
  out.id = record.id;
  out.name = record.name;
  out.type = record.type;
  out.enabled = record.enabled;
  const ProviderType* type = find_provider_type(record.type);
  for (const auto& [key, value] : record.config) {
    const ProviderKey* row = type == nullptr ? nullptr : type->find_key(key);
    // No version writes a secret there; a record that somebody edited by hand may hold one all the same.
    if (row != nullptr && row->secret && !is_reference(value)) continue;
    out.config.emplace(key, value);
  }
  for (const auto& [key, secret] : record.secrets) out.secrets.emplace(key, secret.info);
  out.created_at = record.created_at;
  out.updated_at = record.updated_at;
  out.version = record.version;
  out.description = record.description;
  out.category = !record.category.empty() || type == nullptr ? record.category : std::string(type->category);
  out.tags = record.tags;
  out.token_limit = record.token_limit;
  out.models_count = record.models;
  out.created_by = record.created_by;
  out.updated_by = record.updated_by;
  out.grants = record.grants;
  return out;
}

std::string fingerprint(const ProviderRecord& record, std::string_view secret) {
  return engine::hmac_sha256_hex(record.salt, secret).substr(0, fingerprint_digits);
}

}  // namespace openindex::providers
