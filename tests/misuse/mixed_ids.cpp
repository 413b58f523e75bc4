// Refused with: invalid initialization of reference|no known conversion|no matching function
#include <openindex/core/ids.hpp>

void claim(const openindex::ItemKey& item);

void host(const openindex::ItemKey& item, const openindex::AgentId& agent) {
#ifdef MISUSE
  claim(agent);
#endif
  claim(item);
  claim("OPS-42");
  static_cast<void>(agent);
}
