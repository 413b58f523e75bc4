#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include <openindex/core/random.hpp>
#include <openindex/testing/seeded_random.hpp>

using namespace openindex;

TEST_CASE("minted identifiers have their prefix, 20 characters of base62, and differ") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = mint_id(system_random(), "prov");
    CHECK(id.size() == 25);
    CHECK(id.starts_with("prov_"));
    CHECK(std::all_of(id.begin() + 5, id.end(), [](unsigned char c) { return std::isalnum(c) != 0; }));
    CHECK(seen.insert(id).second);
  }
}

TEST_CASE("one seed gives one stream, and a fork depends on seed and label only") {
  testing::SeededRandom first(1);
  testing::SeededRandom second(1);
  testing::SeededRandom other(2);
  const auto drawn = first.next();
  CHECK(drawn == second.next());
  CHECK(drawn != other.next());
  const auto fork = first.fork("disk")->next();
  static_cast<void>(first.next());
  CHECK(first.fork("disk")->next() == fork);
  CHECK(first.fork("network")->next() != fork);
}
