#include "stock.hpp"

int value_of(const std::vector<Article>& stock) {
  int value = 0;
  for (const Article& article : stock) value += article.count * article.cents;
  return value;
}
