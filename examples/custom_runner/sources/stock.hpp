// What a small shop has on its shelves.
#pragma once

#include <string>
#include <vector>

struct Article {
  std::string name;
  int count = 0;
  int cents = 0;
};

int value_of(const std::vector<Article>& stock);
const Article* find(const std::vector<Article>& stock, const std::string& name);
std::string order_list(const std::vector<Article>& stock, int at_least);
