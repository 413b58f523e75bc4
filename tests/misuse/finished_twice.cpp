// Refused with: discards qualifiers|is an lvalue, but function has rvalue ref-qualifier
#include <openindex/agent/agent_session.hpp>

void host(openindex::AgentSession work) {
#ifdef MISUSE
  if (work.complete()) return;
  if (work.complete()) return;
#else
  if (std::move(work).complete()) return;
#endif
}
