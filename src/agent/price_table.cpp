#include <openindex/agent/price_table.hpp>

#include <algorithm>
#include <limits>
#include <tuple>

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::uint64_t million = 1'000'000;
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

// How well an entry fits; the greatest wins.
using Fit = std::tuple<bool, std::size_t, bool>;  // whole name, bytes of it, named type

std::optional<Fit> fit_of(const ModelPrice& entry, std::string_view type, std::string_view model) {
  if (!entry.type.empty() && entry.type != type) return std::nullopt;
  std::string_view name = entry.model;
  const bool whole = !name.ends_with('*');
  if (!whole) name.remove_suffix(1);
  if (whole ? name != model : !model.starts_with(name)) return std::nullopt;
  return Fit{whole, name.size(), !entry.type.empty()};
}

std::uint64_t add_up_to_most(std::uint64_t a, std::uint64_t b) noexcept { return b > most - a ? most : a + b; }

std::uint64_t multiply_up_to_most(std::uint64_t a, std::uint64_t b) noexcept {
  return a != 0 && b > most / a ? most : a * b;
}

// Adds tokens times price, a millionth of it: what is whole to one sum, millionths to the other. The product itself may
// have twice as many bits as there are.
struct Sum {
  std::uint64_t whole = 0;
  std::uint64_t millionths = 0;

  void add(std::uint64_t tokens, std::uint64_t price) noexcept {
    const std::uint64_t rest = tokens % million;
    whole = add_up_to_most(whole, multiply_up_to_most(tokens / million, price));
    whole = add_up_to_most(whole, rest * (price / million));
    millionths += rest * (price % million);
  }
};

}  // namespace

std::optional<TokenPrice> find_price(const PriceTable& table, std::string_view type, std::string_view model) {
  const ModelPrice* found = nullptr;
  std::optional<Fit> best;
  for (const ModelPrice& entry : table.prices) {
    const auto fit = fit_of(entry, type, model);
    if (!fit || (best && *fit <= *best)) continue;
    best = fit;
    found = &entry;
  }
  return found == nullptr ? std::nullopt : std::optional(found->price);
}

std::uint64_t cost(const Usage& usage, const TokenPrice& price) noexcept {
  const std::uint64_t cached = std::min(usage.cached, usage.input);
  Sum sum;
  sum.add(usage.input - cached, price.input);
  sum.add(cached, price.cached.value_or(price.input));
  sum.add(usage.output, price.output);
  return add_up_to_most(sum.whole, (sum.millionths + million - 1) / million);
}

std::optional<std::uint64_t> cost(const Usage& usage, const PriceTable& table, std::string_view type,
                                  std::string_view model) {
  const auto price = find_price(table, type, model);
  return price ? std::optional(cost(usage, *price)) : std::nullopt;
}

}  // namespace v0
}  // namespace openindex
