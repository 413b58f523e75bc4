// Where AWS puts the credentials of a machine or a container, and how to get them from there.
#pragma once

#include <functional>
#include <variant>

#include <openindex/adapters/aws_default_identity.hpp>
#include <openindex/core/result.hpp>
#include <openindex/http/http_client.hpp>

namespace openindex::aws_chain {

struct Question;

/// What to do next for credentials: ask somebody, or nothing more.
using Step = std::variant<Question, Result<AwsCredentials>>;

/// A request, and what its answer leads to. Nothing that a server wrote gets into an error.
struct Question {
  HttpRequest request;
  std::function<Step(const Result<HttpResponse>&, Time now)> next;
};

/// Begin with the first source that is set up, whose files are read now. `sources` must outlive what comes of it.
/// @par Errors secret_unreadable (what is set up cannot give any), http_unreachable (a file that is not there), those
/// of `HttpClient`, the provider_* codes
Step begin(const AwsSources& sources);

}  // namespace openindex::aws_chain
