#include "stock.hpp"

int discounted(const Article& article, int percent) { return article.price * (100 - percent) / 100; }
