#include "provider/provider_record.hpp"

#include <openindex/provider/provider_catalog.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "engine/digest.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"
#include "provider/provider_config.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t fingerprint_digits = 8;

std::int64_t ms(Time time) { return time.time_since_epoch().count(); }

std::string text_of(const boost::json::value& value) {
  const auto* text = value.if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::string key_of(const boost::json::key_value_pair& entry) { return {entry.key().data(), entry.key().size()}; }

Result<SealedSecret> read_secret(const boost::json::value& value, const std::string& what) {
  auto in = json::Stored::read(boost::json::serialize(value), what);
  if (!in) return in.error();
  SealedSecret secret;
  secret.handle = in->text("handle");
  secret.info = {in->text("fingerprint"), in->time("setAt")};
  secret.extra = in->rest();
  return secret;
}

const boost::json::object& object_of(const boost::json::value* value) {
  static const boost::json::object none;
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

}  // namespace

RecordId provider_record(const ProviderId& id) { return {"provider", id.str()}; }
RecordId name_record(const std::string& name) { return {"provider_name", name}; }

Put write_provider(const ProviderRecord& record) {
  json::Writer out;
  out.begin_object().key("name").string(record.name).key("type").string(record.type);
  out.key("enabled").boolean(record.enabled).key("config").begin_object();
  for (const auto& [key, value] : record.config) out.key(key).string(value);
  out.end_object().key("secrets").begin_object();
  for (const auto& [key, secret] : record.secrets) {
    out.key(key).begin_object().key("handle").string(secret.handle).key("fingerprint").string(secret.info.fingerprint);
    out.key("setAt").number(ms(secret.info.set_at)).rest(secret.extra).end_object();
  }
  out.end_object().key("salt").string(record.salt);
  out.key("auditCount").number(record.chain.count).key("auditHead").string(record.chain.digest);
  out.key("createdAt").number(ms(record.created_at)).key("updatedAt").number(ms(record.updated_at));
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
  for (const auto& entry : object_of(in->member("config"))) out.config.emplace(key_of(entry), text_of(entry.value()));
  for (const auto& entry : object_of(in->member("secrets"))) {
    auto secret = read_secret(entry.value(), what);
    if (!secret) return secret.error();
    out.secrets.emplace(key_of(entry), std::move(*secret));
  }
  out.salt = in->text("salt");
  out.chain = {in->natural("auditCount"), in->text("auditHead")};
  out.created_at = in->time("createdAt");
  out.updated_at = in->time("updatedAt");
  out.extra = in->rest();
  return out;
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
  return out;
}

std::string fingerprint(const ProviderRecord& record, std::string_view secret) {
  return engine::hmac_sha256_hex(record.salt, secret).substr(0, fingerprint_digits);
}

}  // namespace openindex::providers
