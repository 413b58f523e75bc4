#include "everything.hpp"

const char* second_unit();
const char* second_unit() { return "linked"; }
