// What tokens cost: prices that the host supplies, for the tokens that a provider counts. (`Usage`)
//
// No prices are built in: they change, and differ from contract to contract. Money is counted in whole micro-units, the
// millionth part of the table's currency, and never in floating point: 3 dollars a million tokens are 3'000'000.
//
// Thread safety: plain values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/agent/chat.hpp>
#include <openindex/core/api.hpp>

namespace openindex {
inline namespace v0 {

/// Micro-units of the currency for a million tokens.
struct TokenPrice {
  std::uint64_t input = 0;
  std::uint64_t output = 0;
  std::optional<std::uint64_t> cached = {};  ///< Of input that was read from a cache; nullopt: as `input`.

  friend bool operator==(const TokenPrice&, const TokenPrice&) = default;
};

struct ModelPrice {
  std::string type = {};  ///< The provider's type, such as `openai`; empty: any.
  /// A model's name, whole: `gpt-5` is not `gpt-5-pro`, which costs more. With `*` at its end: every model whose name
  /// begins with what stands before it, such as `gpt-5-2*` for the dated ones, or `*` for all.
  std::string model = {};
  TokenPrice price = {};
};

struct PriceTable {
  std::string currency = {};  ///< ISO 4217, such as `USD`; one for the whole table. Not looked at here.
  std::vector<ModelPrice> prices = {};
};

/// Find the price of a model; nullopt when the table has none, which does not mean that it is free: a model that is
/// gets an entry of zeros. A whole name goes before the beginning of one, a longer beginning before a shorter one, then
/// a named type before any, then the first in the table. Names are compared byte by byte.
/// @param model as the provider is configured with it, which is what price lists name; answers may tell a dated name
/// (`ChatReply::model`), or none.
OPENINDEX_API std::optional<TokenPrice> find_price(const PriceTable& table, std::string_view type,
                                                   std::string_view model);

/// Return what the tokens cost, in micro-units, rounded up; the largest number when it is more than that. What a
/// provider takes for other things, such as writing to its cache or searching, is not in it.
OPENINDEX_API std::uint64_t cost(const Usage& usage, const TokenPrice& price) noexcept;

/// Return what the tokens cost, as above; nullopt when the model has no price, never 0.
OPENINDEX_API std::optional<std::uint64_t> cost(const Usage& usage, const PriceTable& table, std::string_view type,
                                                std::string_view model);

}  // namespace v0
}  // namespace openindex
