// How values look in an audit entry: short ones as they are, of long ones the size.
#pragma once

#include <string>
#include <vector>

namespace openindex::work {

std::string shown(const std::string& text);
std::string shown(const std::vector<std::string>& texts);

}  // namespace openindex::work
