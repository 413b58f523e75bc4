#include "verdicts/methods.hpp"

#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace openindex::verdicts {
namespace {

std::ifstream open(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return file;
}

}  // namespace

// A declaration begins two spaces in; what is further in goes on with one.
std::set<std::string> declared_methods(const std::string& header) {
  static const std::regex class_begins("^class OPENINDEX_API (\\w+) .*");
  static const std::regex declaration("^  (?:\\[\\[nodiscard\\]\\] )?\\w[\\w:<>,&* ]*[ &*>]([a-z_]+)\\(.*");
  auto file = open(header);
  std::set<std::string> methods;
  std::string in_class;
  std::smatch found;
  for (std::string line; std::getline(file, line);) {
    if (std::regex_match(line, found, class_begins)) in_class = found[1];
    if (line == " private:" || line == "};") in_class.clear();
    if (!in_class.empty() && std::regex_match(line, found, declaration))
      methods.insert(in_class + "::" + found[1].str());
  }
  if (methods.empty()) throw std::runtime_error("no methods in " + header);
  return methods;
}

std::map<std::string, std::string> listed_methods(const std::string& file) {
  auto in = open(file);
  std::map<std::string, std::string> methods;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string role, method, in_class;
    if (!(words >> role >> in_class)) continue;
    while (words >> method) methods[in_class + "::" + method] = role;
  }
  return methods;
}

}  // namespace openindex::verdicts
