#include "adapters/aws/credential_sources.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>

#include <openindex/adapters/secret_folders.hpp>

#include "codecs/aws_signature.hpp"
#include "codecs/reply_reader.hpp"
#include "json/read.hpp"
#include "provider/aws_sts.hpp"

namespace openindex::aws_chain {
namespace {

constexpr std::size_t answer_bytes_max = 65'536;
constexpr const char* container_host = "http://169.254.170.2";

// Nothing but a change of the configuration helps.
Error none(std::string text) { return Error(errc::secret_unreadable, "No AWS credentials: " + std::move(text)); }

// The client's own words stay out: they may repeat what was sent.
Error unanswered(const char* who, errc code) {
  const std::string why(message(code));
  return Error(code, "No AWS credentials: " + std::string(who) + " gives no answer (" + why + ")");
}

// The folder of a file that the environment names is as good as named by it. Links in it are followed: Kubernetes
// replaces a token by turning one.
Result<std::string> read_named_file(const std::string& path, const char* what) {
  const auto slash = path.rfind('/');
  SecretFolders folder({path.substr(0, slash == std::string::npos ? 0 : std::max<std::size_t>(slash, 1))});
  if (!folder.allows(path))
    return none(std::string(what) + " is not named by a plain absolute path").with("path", path);
  auto text = folder.read(path);
  if (text) return text;
  return Error(errc::http_unreachable, "No AWS credentials: " + std::string(what) + " cannot be read at the moment")
      .with("path", path)
      .caused_by(text.error());
}

// -- a key in the environment --

Step given_key(const AwsSources& sources) {
  AwsCredentials key{sources.access_key, sources.secret_key, sources.session_token, std::nullopt};
  if (providers::are_sound(key)) return Result<AwsCredentials>(std::move(key));
  return none("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set, or not printable");
}

// -- a role for a token in a file --

Step web_identity(const AwsSources& sources) {
  if (sources.role_arn.empty()) return none("AWS_WEB_IDENTITY_TOKEN_FILE is set, but not AWS_ROLE_ARN");
  const auto token = read_named_file(sources.web_identity_token_file, "the file of AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!token) return token.error();
  const std::string session = sources.role_session_name.empty() ? "openindex" : sources.role_session_name;
  auto request = providers::web_role_request({sources.role_arn, session}, sources.region, *token);
  if (!request) return none("AWS_REGION is not a region whose hosts are known");
  return Question{std::move(*request), [](const Result<HttpResponse>& answer, Time now) -> Step {
                    if (!answer) return unanswered("AWS STS", answer.error().code());
                    return providers::read_role(*answer, now);
                  }};
}

// -- what agents and the metadata service answer --

Error refused_by(const char* who, int status) {
  const std::string text = "No AWS credentials: " + std::string(who) + " answers with status " + std::to_string(status);
  const errc code = status == 429                    ? errc::provider_rate_limited
                    : status >= 500 || status == 408 ? errc::provider_overloaded
                                                     : errc::secret_unreadable;
  return Error(code, text).with("status", std::to_string(status));
}

// `read` gets the body of a good answer.
Question ask(const char* who, HttpRequest request, std::function<Step(const std::string& body, Time now)> read) {
  request.connect_timeout = std::chrono::seconds(1);
  request.timeout = std::chrono::seconds(5);
  request.response_bytes_max = answer_bytes_max;
  return {std::move(request), [who, read = std::move(read)](const Result<HttpResponse>& answer, Time now) -> Step {
            if (!answer) return unanswered(who, answer.error().code());
            if (answer->status < 200 || answer->status >= 300) return refused_by(who, answer->status);
            return read(answer->body, now);
          }};
}

Result<AwsCredentials> read_credentials(const char* who, std::string_view body, Time now) {
  const auto malformed = [&](const char* what) {
    return Error(errc::provider_malformed_reply, "No AWS credentials: " + std::string(who) + what);
  };
  const auto value = json::parse(body, {.bytes_max = answer_bytes_max, .depth_max = 8});
  const auto* object = value ? value->if_object() : nullptr;
  if (object == nullptr) return malformed(" answers with what is no JSON object");
  const auto code = codecs::text_member(*object, "Code");
  if (!code.empty() && code != "Success") return none(std::string(who) + " has none for the role of this machine");
  const auto expiration = codecs::text_member(*object, "Expiration");
  AwsCredentials found{std::string(codecs::text_member(*object, "AccessKeyId")),
                       std::string(codecs::text_member(*object, "SecretAccessKey")),
                       std::string(codecs::text_member(*object, "Token")), parse_rfc3339(expiration)};
  if (!providers::are_sound(found)) return malformed(" answers without an access key and its secret");
  const bool lasts = expiration.empty() || (found.expires_at && *found.expires_at > now);
  return lasts ? Result<AwsCredentials>(std::move(found)) : malformed(" answers with credentials that do not last");
}

// -- a container's agent --

// Over http:// only where nobody listens in.
bool is_safe_agent(std::string_view url) {
  if (url.starts_with("https://")) return true;
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return false;
  url.remove_prefix(scheme.size());
  const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
  constexpr std::array<std::string_view, 6> hosts = {"localhost",     "127.0.0.1",      "[::1]",
                                                     "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
  return std::any_of(hosts.begin(), hosts.end(), [&](std::string_view host) {
    if (!authority.starts_with(host)) return false;
    const auto port = authority.substr(host.size());
    return port.empty() || (port.front() == ':' && port.find_first_not_of("0123456789", 1) == std::string_view::npos);
  });
}

Result<std::string> agent_url(const AwsSources& sources) {
  const std::string& path = sources.container_relative_uri;
  if (!path.empty()) {
    if (path.front() != '/') return none("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash");
    return container_host + path;
  }
  if (is_safe_agent(sources.container_full_uri)) return sources.container_full_uri;
  return none("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https:// nor an agent on this machine");
}

Step container(const AwsSources& sources) {
  constexpr const char* who = "the container's agent";
  auto url = agent_url(sources);
  if (!url) return url.error();
  HttpRequest request{.url = std::move(*url), .headers = {{"Accept", "application/json"}}};
  std::string token = sources.container_token;
  if (!sources.container_token_file.empty()) {
    auto read = read_named_file(sources.container_token_file, "the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (!read) return read.error();
    token = std::move(*read);
  }
  if (!token.empty()) request.headers.emplace_back("Authorization", std::move(token));
  return ask(who, std::move(request),
             [](const std::string& body, Time now) -> Step { return read_credentials(who, body, now); });
}

// -- the machine's metadata service, version 2: a token, the role's name, the role's credentials --

constexpr const char* machine = "the instance metadata service";

HttpRequest about_roles(const std::string& base, const std::string& token, const std::string& path) {
  return {.url = base + "/latest/meta-data/iam/security-credentials/" + path,
          .headers = {{"X-aws-ec2-metadata-token", token}}};
}

Step role_named(const std::string& base, const std::string& token, const std::string& names) {
  const std::string role = names.substr(0, names.find_first_of("\r\n"));
  if (role.empty()) return none("this machine has no role");
  return ask(machine, about_roles(base, token, codecs::percent_encoded(role)),
             [](const std::string& body, Time now) -> Step { return read_credentials(machine, body, now); });
}

Step metadata(const AwsSources& sources) {
  std::string base = sources.metadata_url;
  if (base.ends_with('/')) base.pop_back();
  HttpRequest for_token{.method = "PUT",
                        .url = base + "/latest/api/token",
                        .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}}};
  return ask(machine, std::move(for_token), [base](const std::string& token, Time) -> Step {
    return ask(machine, about_roles(base, token, ""),
               [base, token](const std::string& names, Time) { return role_named(base, token, names); });
  });
}

}  // namespace

Step begin(const AwsSources& sources) {
  if (!sources.access_key.empty() || !sources.secret_key.empty()) return given_key(sources);
  if (!sources.web_identity_token_file.empty()) return web_identity(sources);
  if (!sources.container_relative_uri.empty() || !sources.container_full_uri.empty()) return container(sources);
  if (!sources.metadata_url.empty()) return metadata(sources);
  return none("the environment names none, and no metadata service may be asked");
}

}  // namespace openindex::aws_chain
