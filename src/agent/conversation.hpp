// A run's conversation with its model: kept up to date event by event, or put together again from the journal.
//
// Both ways lead to the same value, so that a run continues after a crash exactly where it stopped.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openindex/agent/chat.hpp>
#include <openindex/core/result.hpp>
#include <openindex/work/agent_run.hpp>

#include "agent/journal.hpp"

namespace openindex::agent {

class Conversation {
 public:
  /// Put a conversation together from a journal. @par Errors storage_corrupt (context `step`: its key)
  static Result<Conversation> read(const std::vector<RunStep>& journal);

  void open(std::string system, std::string user);  ///< @pre `user` has the `advice()`
  void tell(std::string text);                      ///< Say something to the model; goes out with the next request.
  void add(const ChatReply& reply);
  void add(const ToolOutcome& outcome);  ///< @pre it answers `open_call()`

  [[nodiscard]] bool opened() const noexcept { return !turns_.empty(); }
  [[nodiscard]] const std::string& system() const noexcept { return system_; }
  [[nodiscard]] const std::vector<ChatTurn>& turns() const noexcept { return turns_; }
  [[nodiscard]] std::uint32_t replies() const noexcept { return replies_; }
  [[nodiscard]] ChatReply::Stop last_stop() const noexcept { return last_stop_; }

  /// The model's last turn. @pre replies() > 0
  [[nodiscard]] const ChatTurn& last_reply() const { return turns_[last_reply_]; }
  /// The first call of the last turn that has no outcome; null when there is none.
  [[nodiscard]] const ToolUse* open_call() const;
  /// Position of `open_call()` in its turn.
  [[nodiscard]] std::size_t calls_done() const;
  /// The model has spoken without calling anything, and nobody has answered.
  [[nodiscard]] bool awaits_answer() const;
  /// Replies in a row that called nothing, those that were cut off not counted.
  [[nodiscard]] std::uint32_t idle_replies() const noexcept { return idle_replies_; }

  /// A call that was refused for the third time with the same arguments, and the text of its refusal.
  struct Repeated {
    std::string tool;
    std::string refusal;
  };
  [[nodiscard]] const Repeated* repeated() const noexcept { return repeated_ ? &*repeated_ : nullptr; }

  /// What a person said who resumed the run, and the model has not been told yet.
  [[nodiscard]] const std::string& advice() const noexcept { return advice_; }

  /// What is known of the open call's effect after a crash.
  enum class Effect : std::uint8_t { none, unknown, given_up };
  [[nodiscard]] Effect effect() const noexcept { return effect_; }
  /// A person approved of the open call.
  [[nodiscard]] bool approved() const noexcept { return approved_; }

 private:
  Result<void> take(const RunStep& step);
  Result<void> take_intent(const RunStep& step);
  Result<void> take_tool(const RunStep& step);
  void append_advice(std::string& text);
  void resume(const Resumed& resumed);

  std::string system_;
  std::vector<ChatTurn> turns_;
  std::size_t last_reply_ = 0;
  ChatReply::Stop last_stop_ = ChatReply::Stop::finished;
  std::uint32_t replies_ = 0;
  std::uint32_t idle_replies_ = 0;
  std::map<std::pair<std::string, std::string>, std::uint32_t> refusals_;  ///< By tool and arguments.
  std::optional<Repeated> repeated_;
  Effect effect_ = Effect::none;
  bool approved_ = false;
  std::string advice_;
};

}  // namespace openindex::agent
