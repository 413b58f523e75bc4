// The answers of a ScriptedProvider, wherever its server runs: routes, key check, script, log.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include <openindex/testing/scripted_provider.hpp>

#include "testing/descriptor.hpp"
#include "testing/loopback_server.hpp"
#include "testing/provider_script.hpp"
#include "testing/provider_wires.hpp"

namespace openindex::scripted {

class ProviderService {
 public:
  /// @par Errors those of `ScriptedProvider::start`, without the port
  static Result<std::unique_ptr<ProviderService>> open(const testing::ScriptedProviderOptions& options);

  ProviderService(ProviderScript script, std::string required_key, Descriptor log)
      : script_(std::move(script)), required_key_(std::move(required_key)), log_(std::move(log)) {}

  ServedReply answer(const ServedRequest& request);

  [[nodiscard]] std::size_t chat_count() const noexcept { return chat_count_; }
  [[nodiscard]] int log_descriptor() const noexcept { return log_.get(); }

 private:
  struct Decision {
    ServedReply reply;
    std::string model;
    std::size_t turn = 0;
    std::optional<std::size_t> rule;
  };

  ServedReply chat(const ChatRoute& route, const ServedRequest& request);
  Decision decide(const ChatRoute& route, const ServedRequest& request, std::size_t number);
  bool log(WireFamily family, const ServedRequest& request, const Decision& decision);
  bool holds_key(WireFamily family, const ServedRequest& request) const;

  ProviderScript script_;
  std::string required_key_;
  Descriptor log_;
  std::atomic<std::size_t> chat_count_{0};
};

}  // namespace openindex::scripted
