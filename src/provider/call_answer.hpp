// Answers of calls that carry an idempotency key: what the call asked for, and the answer as it is remembered. The
// records are the engine's, which forgets them with its own.
#pragma once

#include <optional>
#include <string>

#include <openindex/access/actor.hpp>
#include <openindex/provider_registry.hpp>
#include <openindex/work/call_options.hpp>

#include "engine/answers.hpp"
#include "provider/model_record.hpp"
#include "provider/provider_record.hpp"
#include "provider/request_text.hpp"

namespace openindex::providers {

/// Null: the call carries no key.
using CallRequest = std::optional<engine::Request>;

/// @par Errors invalid_argument (the key), those of the secret store, storage
Result<CallRequest> keyed_request(ProviderRegistry::Directory& directory, const Actor& actor, const std::string& key,
                                  const std::string& what);

/// The request that a call makes. `parts`: all that it asks for, what it is called first. @par Errors as above
template <class... Parts>
Result<CallRequest> call_request(ProviderRegistry::Directory& directory, const Actor& actor, const CallOptions& call,
                                 const Parts&... parts) {
  if (call.idempotency_key.empty()) return CallRequest();
  return keyed_request(directory, actor, call.idempotency_key, request_text(parts...));
}

/// The answer of a call that answers nothing.
struct Made {};

/// A provider as it was left. Its handles of secrets are remembered nowhere else than with the provider.
struct ProviderAnswer {
  ProviderRecord record;
  std::optional<ProviderUse> left_without = {};
};

struct ModelAnswer {
  ModelRecord record;
  std::string integration;
};

Record answer_of(const Made& answer);
Record answer_of(const ProviderAnswer& answer);
Record answer_of(const ModelAnswer& answer);
Record answer_of(const ProviderUse& answer);
Record answer_of(const Prompt& answer);

/// @par Errors storage_corrupt
Result<void> read_answer(const Record& record, Made& answer);
Result<void> read_answer(const Record& record, ProviderAnswer& answer);
Result<void> read_answer(const Record& record, ModelAnswer& answer);
Result<void> read_answer(const Record& record, ProviderUse& answer);
Result<void> read_answer(const Record& record, Prompt& answer);

/// What readers get.
Provider view_of(const ProviderAnswer& answer);

}  // namespace openindex::providers
