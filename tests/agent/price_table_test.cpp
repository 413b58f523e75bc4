#include <openindex/agent/price_table.hpp>

#include <doctest/doctest.h>

#include <limits>

using namespace openindex;

namespace {

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

TokenPrice input_price(std::uint64_t price) { return {price, 0, {}}; }

// Tell which entry is found by the price of its input.
std::optional<std::uint64_t> found(const PriceTable& table, std::string_view type, std::string_view model) {
  const auto price = find_price(table, type, model);
  return price ? std::optional(price->input) : std::nullopt;
}

}  // namespace

TEST_CASE("tokens cost what the table says for a million of them") {
  const TokenPrice price{3'000'000, 15'000'000, 300'000};
  CHECK(cost({1'000'000, 0, 0}, price) == 3'000'000);
  CHECK(cost({0, 1'000'000, 0}, price) == 15'000'000);
  CHECK(cost({1'000'000, 1'000'000, 400'000}, price) == 600'000 * 3 + 120'000 + 15'000'000);
  CHECK(cost({0, 0, 0}, price) == 0);
}

TEST_CASE("cached input costs as much as other input where no price is set for it") {
  CHECK(cost({1'000'000, 0, 400'000}, input_price(5)) == 5);
  CHECK(cost({1'000'000, 0, 400'000}, TokenPrice{5'000'000, 0, 0}) == 3'000'000);
}

TEST_CASE("a provider that counts more cached tokens than input is not paid for less than none") {
  CHECK(cost({10, 0, 1'000'000}, TokenPrice{1'000'000, 0, 1'000'000}) == 10);
}

TEST_CASE("a part of a micro-unit is rounded up once for the whole sum") {
  CHECK(cost({1, 0, 0}, input_price(1)) == 1);
  CHECK(cost({1, 1, 0}, TokenPrice{400'000, 400'000, {}}) == 1);
  CHECK(cost({1, 1, 0}, TokenPrice{600'000, 600'000, {}}) == 2);
  CHECK(cost({1'000'001, 0, 0}, input_price(1)) == 2);
}

TEST_CASE("large products are exact, and what does not fit is the largest number") {
  CHECK(cost({1'000'000, 0, 0}, input_price(most)) == most);
  CHECK(cost({999'999, 0, 0}, input_price(most)) == 18446725626965477906u);
  CHECK(cost({most, 0, 0}, input_price(1'000'000)) == most);
  CHECK(cost({most, 0, 0}, input_price(1)) == 18446744073710u);
  CHECK(cost({most, 0, 0}, input_price(2'000'000)) == most);
  CHECK(cost({most, most, most}, TokenPrice{most, most, most}) == most);
  CHECK(cost({1'000'000, 1'000'000, 0}, TokenPrice{most, 1, {}}) == most);
}

TEST_CASE("a model without a price has no cost, and a free one costs nothing") {
  const PriceTable table{"USD", {{"openai", "gpt-5", input_price(1)}, {"ollama", "*", {}}}};
  const Usage usage{1'000'000, 10, 0};
  CHECK(cost(usage, table, "openai", "gpt-4") == std::nullopt);
  CHECK(cost(usage, table, "azure_openai", "gpt-5") == std::nullopt);
  CHECK(cost(usage, table, "ollama", "qwen3:8b") == 0);
  CHECK(cost(usage, table, "openai", "gpt-5") == 1);
  CHECK(cost(usage, PriceTable{}, "openai", "gpt-5") == std::nullopt);
}

TEST_CASE("a name is whole unless it ends with a star") {
  const PriceTable table{"USD", {{"openai", "gpt-5", input_price(1)}, {"openai", "gpt-5-2*", input_price(2)}}};
  CHECK(found(table, "openai", "gpt-5") == 1);
  CHECK(found(table, "openai", "gpt-5-2026-08-07") == 2);
  CHECK(found(table, "openai", "gpt-5-pro") == std::nullopt);
  CHECK(found(table, "openai", "GPT-5") == std::nullopt);
  CHECK(found(table, "openai", "") == std::nullopt);
}

TEST_CASE("the entry that says most wins, wherever it stands") {
  const PriceTable table{"USD",
                         {{"", "*", input_price(1)},
                          {"", "gpt-*", input_price(2)},
                          {"openai", "*", input_price(3)},
                          {"", "gpt-5*", input_price(4)},
                          {"openai", "gpt-5*", input_price(5)},
                          {"", "gpt-5", input_price(6)},
                          {"", "gpt-5", input_price(7)}}};
  CHECK(found(table, "mistral", "large") == 1);
  CHECK(found(table, "openai", "o9") == 3);
  CHECK(found(table, "openai", "gpt-4") == 2);
  CHECK(found(table, "azure_openai", "gpt-5.2") == 4);
  CHECK(found(table, "openai", "gpt-5.2") == 5);
  CHECK(found(table, "openai", "gpt-5") == 6);
}
