// Kill what hammers storages, again and again, and compare each time.
#pragma once

#include <cstddef>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "crash/acknowledged.hpp"

namespace openindex::crash {

struct KillOptions {
  int kills = 50;
  unsigned seed = std::random_device{}();
  std::vector<std::string> rest = {};  ///< What else was said.
};

/// Read `--kills N` and `--seed S`. A number that is none is 0.
KillOptions read_kill_options(const std::vector<std::string>& arguments);

/// One storage, from its first kill to its last.
struct Site {
  /// Let processes hammer it until all of them are dead. @returns how many kills there were.
  std::function<int(int life, std::mt19937& random, Acknowledged& acknowledged)> hammer_and_kill;

  /// Look for what was acknowledged. @returns how many items there are.
  std::function<std::size_t(const Acknowledged& acknowledged)> check;
};

/// Kill and check at one site after the other: a check reads all of it, so that none should become large.
int kill_and_compare(const KillOptions& options, const std::function<Site(int number)>& make_site);

}  // namespace openindex::crash
