// A command as JSON text: the same command always gives the same bytes. For digests and logs, not for reading back.
#pragma once

#include <string>

#include <openindex/work/rules.hpp>

namespace openindex::work {

std::string to_json(const Command& command);

}  // namespace openindex::work
