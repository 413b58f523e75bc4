// What the answer to a probe says about a provider. Pure functions.
#pragma once

#include <openindex/core/result.hpp>
#include <openindex/http/http_message.hpp>
#include <openindex/provider/provider.hpp>

#include "codecs/chat_codec.hpp"

namespace openindex::providers {

/// Read the outcome of `codecs::encode_probe`'s request. The message is ours alone: nothing the server or the HTTP
/// client wrote gets into it, since either may repeat the secret. `is_granted`: the credential is not the
/// configuration's own, but was given for it.
ProviderTest read_probe(const codecs::ChatEndpoint& endpoint, const Result<HttpResponse>& outcome,
                        bool is_granted = false);

}  // namespace openindex::providers
