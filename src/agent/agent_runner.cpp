#include <openindex/agent/agent_runner.hpp>

namespace openindex {
inline namespace v0 {

RunProgram::~RunProgram() = default;
AgentRunner::~AgentRunner() = default;

}  // namespace v0
}  // namespace openindex
