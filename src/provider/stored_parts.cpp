#include "provider/stored_parts.hpp"

#include <utility>

#include <boost/json/serialize.hpp>

namespace openindex::providers {
namespace {

constexpr std::pair<TokenLimit::Period, std::string_view> periods[] = {
    {TokenLimit::Period::day, "day"}, {TokenLimit::Period::week, "week"}, {TokenLimit::Period::month, "month"}};

Result<SealedSecret> read_secret(const boost::json::value& value, const std::string& what) {
  auto in = json::Stored::read(boost::json::serialize(value), what);
  if (!in) return in.error();
  SealedSecret secret;
  secret.handle = in->text("handle");
  secret.info = {in->text("fingerprint"), in->time("setAt")};
  secret.extra = in->rest();
  return secret;
}

}  // namespace

void write_config(json::Writer& out, const ProviderConfig& config, const SealedSecrets& secrets) {
  out.key("config").begin_object();
  for (const auto& [key, value] : config) out.key(key).string(value);
  out.end_object().key("secrets").begin_object();
  for (const auto& [key, secret] : secrets) {
    out.key(key).begin_object().key("handle").string(secret.handle).key("fingerprint").string(secret.info.fingerprint);
    out.key("setAt").number(std::int64_t{secret.info.set_at.time_since_epoch().count()});
    out.rest(secret.extra).end_object();
  }
  out.end_object();
}

Result<void> read_config(json::Stored& in, const std::string& what, ProviderConfig& config, SealedSecrets& secrets) {
  for (const auto& entry : object_of(in.member("config"))) config.emplace(key_of(entry), string_of(entry.value()));
  for (const auto& entry : object_of(in.member("secrets"))) {
    auto secret = read_secret(entry.value(), what);
    if (!secret) return secret.error();
    secrets.emplace(key_of(entry), std::move(*secret));
  }
  return {};
}

void write_tags(json::Writer& out, const std::vector<ProviderTag>& tags) {
  if (tags.empty()) return;
  out.key("tags").begin_array();
  for (const ProviderTag& tag : tags) {
    out.begin_object().key("key").string(tag.key).key("value").string(tag.value).end_object();
  }
  out.end_array();
}

std::vector<ProviderTag> read_tags(json::Stored& in) {
  std::vector<ProviderTag> out;
  for (json::Stored& tag : in.objects("tags")) out.push_back({tag.text("key"), tag.text("value")});
  return out;
}

void write_limit(json::Writer& out, const std::optional<TokenLimit>& limit) {
  if (!limit) return;
  out.key("tokensMax").number(limit->tokens_max).key("tokensPeriod").string(to_text(limit->period));
}

std::optional<TokenLimit> read_limit(json::Stored& in) {
  TokenLimit limit{.tokens_max = in.natural("tokensMax")};
  const std::string period = in.text("tokensPeriod");
  for (const auto& [known, text] : periods) {
    if (text == period) limit.period = known;
  }
  return limit.tokens_max == 0 ? std::nullopt : std::optional(limit);
}

std::string_view to_text(TokenLimit::Period period) noexcept {
  return periods[static_cast<std::size_t>(period)].second;
}

const boost::json::object& object_of(const boost::json::value* value) {
  static const boost::json::object none;
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

std::string key_of(const boost::json::key_value_pair& entry) { return {entry.key().data(), entry.key().size()}; }

std::string string_of(const boost::json::value& value) {
  const auto* text = value.if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

}  // namespace openindex::providers
