#include "provider/aws_sts.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "codecs/aws_region.hpp"
#include "codecs/aws_signature.hpp"
#include "provider/xml_reader.hpp"

namespace openindex::providers {
namespace {

constexpr Duration role_lifetime_max = std::chrono::hours(12);  // the longest that AWS gives

std::string sts_form(std::string_view action, const AwsRole& role) {
  return fmt::format("Action={}&Version=2011-06-15&RoleArn={}&RoleSessionName={}", action,
                     codecs::percent_encoded(role.arn), codecs::percent_encoded(role.session_name));
}

Result<HttpRequest> sts_request(std::string_view region, std::string body) {
  const auto url = region.empty() ? Result<std::string>("https://sts.amazonaws.com") : codecs::aws_url("sts", region);
  if (!url) return url.error();
  HttpRequest request{.method = "POST",
                      .url = *url + "/",
                      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                      .body = std::move(body)};
  request.timeout = std::chrono::seconds(15);
  request.response_bytes_max = 65'536;
  return request;
}

// What STS calls its refusals. Other words of the answer are not passed on: they may repeat what was sent.
struct StsRefusal {
  std::string_view name;
  errc code;
  const char* text;
};

constexpr const char* not_given = "AWS does not give the role: check roleArn, externalId and whom the role trusts";
constexpr const char* not_known = "AWS refuses the host's own credentials";
constexpr const char* bad_token = "AWS refuses the token that the identity provider has given";

constexpr StsRefusal sts_refusals[] = {
    {"AccessDenied", errc::provider_unauthorized, not_given},
    {"AccessDeniedException", errc::provider_unauthorized, not_given},
    {"ExpiredToken", errc::provider_unauthorized, not_known},
    {"ExpiredTokenException", errc::provider_unauthorized, not_known},
    {"IDPRejectedClaim", errc::provider_unauthorized, bad_token},
    {"IncompleteSignature", errc::provider_unauthorized, not_known},
    {"InvalidClientTokenId", errc::provider_unauthorized, not_known},
    {"InvalidIdentityToken", errc::provider_unauthorized, bad_token},
    {"MissingAuthenticationToken", errc::provider_unauthorized, not_known},
    {"OptInRequired", errc::provider_unauthorized, not_known},
    {"RequestExpired", errc::provider_unauthorized, "AWS finds the request too old: check this machine's clock"},
    {"SignatureDoesNotMatch", errc::provider_unauthorized, not_known},
    {"UnrecognizedClientException", errc::provider_unauthorized, not_known},
    {"RegionDisabledException", errc::provider_rejected_request, "AWS gives no roles in this region: it is disabled"},
    {"ValidationError", errc::provider_rejected_request, "AWS finds roleArn or externalId malformed"},
    {"IDPCommunicationError", errc::provider_overloaded, "AWS cannot reach the identity provider"},
    {"ServiceUnavailable", errc::provider_overloaded, "AWS gives no roles at the moment"},
    {"Throttling", errc::provider_rate_limited, "AWS limits how often roles are asked for"},
    {"ThrottlingException", errc::provider_rate_limited, "AWS limits how often roles are asked for"},
};

Error sts_refused(const HttpResponse& response) {
  const auto leaves = read_xml(response.body);
  const auto name = leaves ? leaf_text(*leaves, "ErrorResponse/Error/Code") : std::string_view();
  const auto status = std::to_string(response.status);
  const auto known = std::find_if(std::begin(sts_refusals), std::end(sts_refusals),
                                  [&](const StsRefusal& refusal) { return refusal.name == name; });
  if (known != std::end(sts_refusals)) {
    return Error(known->code, known->text).with("status", status).with("type", known->name);
  }
  if (response.status == 429) return Error(errc::provider_rate_limited).with("status", status);
  if (response.status >= 500 || response.status == 408) return Error(errc::provider_overloaded).with("status", status);
  if (response.status == 401 || response.status == 403) {
    return Error(errc::provider_unauthorized, not_given).with("status", status);
  }
  if (response.status == 400 && leaves) {
    return Error(errc::provider_rejected_request, "AWS refuses to give the role for a reason that is not known here")
        .with("status", status);
  }
  return Error(errc::provider_malformed_reply, "AWS answers the question for a role with something else")
      .with("status", status);
}

// Either answer has its credentials in an element of its own.
AwsCredentials credentials_in(const std::vector<XmlLeaf>& leaves) {
  for (const std::string action : {"AssumeRole", "AssumeRoleWithWebIdentity"}) {
    const std::string path = fmt::format("{0}Response/{0}Result/Credentials/", action);
    if (leaf_text(leaves, path + "AccessKeyId").empty()) continue;
    return {
        std::string(leaf_text(leaves, path + "AccessKeyId")), std::string(leaf_text(leaves, path + "SecretAccessKey")),
        std::string(leaf_text(leaves, path + "SessionToken")), parse_rfc3339(leaf_text(leaves, path + "Expiration"))};
  }
  return {};
}

}  // namespace

bool is_about_host(const Error& refusal) {
  return std::any_of(std::begin(sts_refusals), std::end(sts_refusals), [&](const StsRefusal& known) {
    return known.name == refusal.context("type") && known.text == std::string_view(not_known);
  });
}

Result<HttpRequest> role_request(const AwsRole& role, std::string_view region, const AwsCredentials& own, Time now) {
  std::string body = sts_form("AssumeRole", role);
  if (!role.external_id.empty()) body += "&ExternalId=" + codecs::percent_encoded(role.external_id);
  auto request = sts_request(region, std::move(body));
  if (!request) return request;
  codecs::sign(*request, {own.access_key, own.secret_key, own.session_token}, {region, "sts"}, now);
  std::erase_if(request->headers, [](const auto& header) { return header.first == "Host"; });  // the client writes it
  return request;
}

Result<HttpRequest> web_role_request(const AwsRole& role, std::string_view region, std::string_view token) {
  return sts_request(
      region, sts_form("AssumeRoleWithWebIdentity", role) + "&WebIdentityToken=" + codecs::percent_encoded(token));
}

Result<AwsCredentials> read_role(const HttpResponse& response, Time now) {
  if (response.status < 200 || response.status >= 300) return sts_refused(response);
  const auto leaves = read_xml(response.body);
  AwsCredentials given = leaves ? credentials_in(*leaves) : AwsCredentials();
  if (!are_sound(given) || given.session_token.empty()) {
    return Error(errc::provider_malformed_reply, "AWS answers without credentials for the role");
  }
  if (!given.expires_at || *given.expires_at <= now) {
    return Error(errc::provider_malformed_reply, "AWS answers with credentials for the role that do not last");
  }
  given.expires_at = std::min(*given.expires_at, now + role_lifetime_max);
  return given;
}

bool are_sound(const AwsCredentials& credentials) noexcept {
  const auto is_printable = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  };
  return !credentials.access_key.empty() && !credentials.secret_key.empty() && is_printable(credentials.access_key) &&
         is_printable(credentials.secret_key) && is_printable(credentials.session_token);
}

}  // namespace openindex::providers
