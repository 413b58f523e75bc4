#include "provider/probe_result.hpp"

#include <utility>

namespace openindex::providers {

ProviderTest answered(bool authenticated, bool configured, std::optional<errc> code, std::string text) {
  ProviderTest test;
  test.reachable = true;
  test.authenticated = authenticated;
  test.configured = configured;
  test.code = code;
  test.message = std::move(text);
  return test;
}

ProviderTest accepted(std::string text) { return answered(true, true, std::nullopt, std::move(text)); }

ProviderTest unreached(errc code) {
  ProviderTest test;
  test.reachable = code == errc::http_too_large;
  test.configured = code != errc::invalid_argument;
  test.code = code;
  test.message = std::string(message(code)) + ". " + std::string(remedy(code)) + ".";
  return test;
}

ProviderTest login_failed(const Error& why) {
  ProviderTest test = unreached(why.code());
  if (why.code() != errc::provider_unauthorized && why.code() != errc::provider_malformed_reply &&
      why.code() != errc::provider_overloaded && why.code() != errc::provider_rate_limited &&
      why.code() != errc::provider_rejected_request) {
    return test;
  }
  test.reachable = true;
  test.configured = why.code() != errc::provider_rejected_request;
  test.message = why.message() + ". " + std::string(remedy(why.code())) + ".";
  return test;
}

ProviderTest not_configured(const Error& why) {
  ProviderTest test;
  test.code = why.code();
  test.message = why.message() + ". " + std::string(remedy(why.code())) + ".";
  return test;
}

ProviderTest untried(std::string_view why) {
  ProviderTest test;
  test.configured = true;
  test.message = "Not tried: " + std::string(why) + ".";
  return test;
}

std::optional<ProviderTest> judge_status(int status) {
  if (status == 402) {
    return answered(true, true, errc::provider_out_of_credit,
                    "The provider accepts the credential, but its credit is used up; raise the limit there.");
  }
  if (status == 429) {
    return answered(true, true, errc::provider_rate_limited,
                    "The provider works but limits requests at the moment; calls will be repeated later.");
  }
  if (status >= 500) {
    return answered(false, true, errc::provider_overloaded,
                    "The provider is overloaded or failing (status " + std::to_string(status) + "); try again later.");
  }
  return std::nullopt;
}

}  // namespace openindex::providers
