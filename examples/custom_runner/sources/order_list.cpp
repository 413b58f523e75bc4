#include "stock.hpp"

std::string order_list(const std::vector<Article>& stock, int at_least) {
  std::string list;
  for (const Article& article : stock) {
    int missing;
    list += article.name + "\n";
  }
  return list;
}
