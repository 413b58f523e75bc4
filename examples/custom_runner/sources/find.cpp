#include "stock.hpp"

const Article* find(const std::vector<Article>& stock, const std::string& name) {
  bool found = false;
  for (int i = 0; i < stock.size(); ++i) {
    if (stock[i].name == name) return &stock[i];
  }
}
