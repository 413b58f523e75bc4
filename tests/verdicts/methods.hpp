// The public methods of the front doors: as the headers declare them, and as the list of doors tells what they are.
#pragma once

#include <map>
#include <set>
#include <string>

namespace openindex::verdicts {

/// `Class::method` of every public method that a header's exported classes declare, without constructors and operators.
std::set<std::string> declared_methods(const std::string& header);

/// `Class::method` and what it is: `door`, `question`, or a word of its own.
std::map<std::string, std::string> listed_methods(const std::string& file);

}  // namespace openindex::verdicts
