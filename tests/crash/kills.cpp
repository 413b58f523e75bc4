#include "crash/kills.hpp"

#include <cstdio>
#include <cstdlib>

namespace openindex::crash {
namespace {

constexpr int lives_per_site = 20;

}  // namespace

KillOptions read_kill_options(const std::vector<std::string>& arguments) {
  KillOptions options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool has_value = i + 1 < arguments.size();
    if (arguments[i] == "--kills" && has_value) {
      options.kills = std::atoi(arguments[++i].c_str());
    } else if (arguments[i] == "--seed" && has_value) {
      options.seed = static_cast<unsigned>(std::atoi(arguments[++i].c_str()));
    } else {
      options.rest.push_back(arguments[i]);
    }
  }
  return options;
}

int kill_and_compare(const KillOptions& options, const std::function<Site(int number)>& make_site) {
  std::mt19937 random(options.seed);
  std::size_t changes = 0;
  std::size_t items = 0;
  int kills = 0;
  for (int number = 0; kills < options.kills; ++number) {
    const auto site = make_site(number);
    Acknowledged acknowledged;
    std::size_t found = 0;
    for (int life = 0; life < lives_per_site && kills < options.kills; ++life) {
      kills += site.hammer_and_kill(life, random, acknowledged);
      found = site.check(acknowledged);
    }
    changes += acknowledged.count;
    items += found;
    std::printf("%d kills: %zu changes acknowledged, %zu items\n", kills, changes, items);
    std::fflush(stdout);
  }
  if (changes == 0) broken("something was acknowledged between the kills");
  std::printf("nothing acknowledged is missing, nothing is half there, every audit chain verifies\n");
  return 0;
}

}  // namespace openindex::crash
