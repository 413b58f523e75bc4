// Putting the pieces of a streamed answer together into the answer that would have come in one piece.
//
// So there is one reading of an answer, `read_reply`, however it came. An assembly per family; each keeps what the
// pieces say and no piece itself, within a bound.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "codecs/chat_codec.hpp"

namespace openindex::codecs {

class StreamAssembly {
 public:
  explicit StreamAssembly(std::size_t bytes_max) : left_(bytes_max) {}
  virtual ~StreamAssembly() = default;

  /// Take one event that is no error, parsed and as it was written; append to `text` what it adds to the answer's text.
  /// @par Errors provider_malformed_reply
  virtual Result<void> add(const boost::json::object& event, std::string_view data, std::string& text) = 0;

  /// Tell whether the answer has had its end; its usage may come later still.
  [[nodiscard]] virtual bool is_whole() const noexcept = 0;

  /// Write the answer as it would have come in one piece. @pre is_whole()
  [[nodiscard]] virtual std::string body() const = 0;

 protected:
  /// Append a piece, as far as the bound allows. @par Errors provider_malformed_reply
  Result<void> keep(std::string& to, std::string_view piece);

  /// Put a piece in the place of an earlier one, which stays counted. @par Errors provider_malformed_reply
  Result<void> replace(std::string& to, std::string_view piece);

  /// Account for a new part, which costs something even when it is empty. @par Errors provider_malformed_reply
  Result<void> keep_part();

 private:
  std::size_t left_;
};

namespace openai_chat {
std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max);
}
namespace openai_responses {
std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max);
}
namespace anthropic_messages {
std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max);
}
namespace ollama_chat {
std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max);
}
namespace google_generate_content {
std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max);
}
namespace cohere_chat {
std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max);
}
namespace bedrock_converse {
std::unique_ptr<StreamAssembly> assembly(std::size_t bytes_max);
}

}  // namespace openindex::codecs
