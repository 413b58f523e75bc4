// The figures that there are, by room.
#pragma once

#include <vector>

#include "bench/figure.hpp"

namespace openindex::bench {

std::vector<Figure> rules_figures();
std::vector<Figure> codec_figures();
std::vector<Figure> memory_figures();
std::vector<Figure> queue_figures();
std::vector<Figure> disk_figures();
std::vector<Figure> sqlite_figures();
std::vector<Figure> postgres_figures();
std::vector<Figure> postgres_million_figures();
std::vector<Figure> claimers_figures();
std::vector<Figure> life_figures();
std::vector<Figure> latency_figures();
std::vector<Figure> heartbeat_figures();
std::vector<Figure> checkpoint_figures();
std::vector<Figure> footprint_figures();
std::vector<Figure> million_figures();
std::vector<Figure> wake_figures();

}  // namespace openindex::bench
