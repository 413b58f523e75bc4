#include "everything.hpp"

const char* second_unit();

int main() { return second_unit() == nullptr ? 1 : 0; }
