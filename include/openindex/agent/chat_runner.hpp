// ChatRunner: the tool-calling loop that lets a language model work a stage.
//
// Registered by every dispatcher under the name `chat`; hosts only make one to change its bounds. It tells the model
// the stage's goal in the system part and the item as data in the user part, offers tools for exactly what is allowed
// now, and goes on until the item has left the stage. Item text never reaches the system part.
#pragma once

#include <cstdint>

#include <openindex/agent/agent_runner.hpp>

namespace openindex {
inline namespace v0 {

struct ChatRunnerOptions {
  std::uint32_t turns_max = 20;            ///< More end the run as failed(turn_limit).
  std::uint32_t output_tokens_max = 4096;  ///< Per turn.
  std::size_t item_bytes_max = 32'768;     ///< Of title, description, fields and comments together; a cut is announced.
};

class OPENINDEX_API ChatRunner final : public AgentRunner {
 public:
  explicit ChatRunner(ChatRunnerOptions options = {});
  ~ChatRunner() override;
  std::unique_ptr<RunProgram> start() override;

 private:
  ChatRunnerOptions options_;
};

}  // namespace v0
}  // namespace openindex
