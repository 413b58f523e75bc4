// Parts that records of providers and of their models share: a configuration with its sealed secrets, tags, a limit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include <openindex/provider/provider.hpp>

#include "json/stored.hpp"
#include "json/writer.hpp"
#include "provider/sealed_secret.hpp"

namespace openindex::providers {

void write_config(json::Writer& out, const ProviderConfig& config, const SealedSecrets& secrets);
/// @par Errors storage_corrupt
Result<void> read_config(json::Stored& in, const std::string& what, ProviderConfig& config, SealedSecrets& secrets);

void write_tags(json::Writer& out, const std::vector<ProviderTag>& tags);
std::vector<ProviderTag> read_tags(json::Stored& in);

void write_limit(json::Writer& out, const std::optional<TokenLimit>& limit);
std::optional<TokenLimit> read_limit(json::Stored& in);

std::string_view to_text(TokenLimit::Period period) noexcept;

/// The members of an object, none when it is something else; the name and the text of one.
const boost::json::object& object_of(const boost::json::value* value);
std::string key_of(const boost::json::key_value_pair& entry);
std::string string_of(const boost::json::value& value);

}  // namespace openindex::providers
