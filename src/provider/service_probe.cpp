#include "provider/service_probe.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "codecs/aws_region.hpp"
#include "codecs/aws_signature.hpp"
#include "codecs/reply_limits.hpp"
#include "codecs/reply_reader.hpp"
#include "core/base64.hpp"
#include "json/read.hpp"
#include "provider/probe_result.hpp"
#include "provider/provider_config.hpp"

namespace openindex::providers {
namespace {

using codecs::percent_encoded;

constexpr Duration timeout{15'000};
constexpr std::size_t response_bytes_max = std::size_t{4} << 20;

struct Question {
  const Values& values;
  const Grant& grant;
  Time now;

  [[nodiscard]] std::string bearer() const { return "Bearer " + std::string(values["api_key"]); }
};

HttpRequest get(std::string_view base, std::string_view path, HttpHeaders headers) {
  if (base.ends_with('/')) base.remove_suffix(1);
  HttpRequest request{.method = "GET", .url = std::string(base) + std::string(path), .headers = std::move(headers)};
  request.headers.emplace_back("Accept", "application/json");
  return request;
}

// An endpoint of one's own, or the service's.
std::string base_of(const Values& values, std::string service) {
  return values["endpoint"].empty() ? std::move(service) : std::string(values["endpoint"]);
}

// -- AWS: every request is signed, and asks for nothing but who one is, or for one name --

Result<HttpRequest> signed_by_key(const Question& question, HttpRequest request, std::string_view service) {
  const Values& values = question.values;
  const Grant& grant = question.grant;
  const codecs::AwsKey own{values["user"], values["api_key"]};
  const codecs::AwsKey given{grant.access_key, grant.secret, grant.session_token};
  codecs::sign(request, grant.access_key.empty() ? own : given, {values["region"], service}, question.now);
  std::erase_if(request.headers, [](const auto& header) { return header.first == "Host"; });  // the client writes it
  return request;
}

Result<std::string> aws_base(const Question& question, std::string_view service) {
  const auto own = question.values["endpoint"];
  return own.empty() ? codecs::aws_url(service, question.values["region"]) : Result<std::string>(std::string(own));
}

Result<HttpRequest> ask_aws(const Question& question) {
  const auto base = aws_base(question, "sts");
  if (!base) return base.error();
  HttpRequest request{.method = "POST",
                      .url = *base + "/",
                      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                      .body = "Action=GetCallerIdentity&Version=2011-06-15"};
  return signed_by_key(question, std::move(request), "sts");
}

// Twelve digits, in XML or JSON.
std::string_view account_in(std::string_view body) {
  for (const std::string_view mark : {"<Account>", "\"Account\":\""}) {
    const auto at = body.find(mark);
    if (at == std::string_view::npos) continue;
    const auto rest = body.substr(at + mark.size());
    const auto digits = rest.substr(0, rest.find_first_not_of("0123456789"));
    if (digits.size() == 12) return digits;
  }
  return {};
}

ProviderTest read_aws(const Values& values, std::string_view body) {
  const auto account = account_in(body);
  if (account.empty()) {
    return answered(false, false, errc::provider_malformed_reply,
                    "Something answers, but does not say whose the credential is; check endpoint and region.");
  }
  if (values["awsAccountId"].empty() || values["awsAccountId"] == account) return accepted();
  return answered(true, false, errc::provider_rejected_request,
                  "The credential is accepted, but belongs to another account than awsAccountId names.");
}

Result<HttpRequest> ask_sqs(const Question& question) {
  const auto base = aws_base(question, "sqs");
  if (!base) return base.error();
  HttpRequest request{
      .method = "POST",
      .url = *base + "/",
      .headers = {{"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", "AmazonSQS.ListQueues"}},
      .body = R"({"MaxResults":1})"};
  return signed_by_key(question, std::move(request), "sqs");
}

// -- Google --

HttpRequest ask_google(const Question& question, const std::string& service, const std::string& path) {
  return get(base_of(question.values, service), path, {{"Authorization", "Bearer " + question.grant.secret}});
}

Result<HttpRequest> ask_gcp(const Question& question) {
  return ask_google(question, "https://cloudresourcemanager.googleapis.com",
                    "/v1/projects/" + percent_encoded(question.values["projectName"]));
}

Result<HttpRequest> ask_pubsub(const Question& question) {
  const std::string project = "/v1/projects/" + percent_encoded(question.values["projectName"]);
  const auto subscription = question.values["subscription"];
  return ask_google(question, "https://pubsub.googleapis.com",
                    subscription.empty() ? project + "/topics?pageSize=1"
                                         : project + "/subscriptions/" + percent_encoded(subscription));
}

// -- Others --

Result<HttpRequest> ask_pinecone(const Question& question) {
  return get(question.values["endpoint"], "/indexes",
             {{"Api-Key", std::string(question.values["api_key"])}, {"X-Pinecone-Api-Version", "2025-04"}});
}

// An index has the host `<index>-<project>.svc.<place>`; its name may have dashes, the project's id has none.
std::string project_in(std::string_view host) {
  const auto dot = host.find(".svc.");
  if (dot == std::string_view::npos) return {};
  const auto name = host.substr(0, dot);
  const auto dash = name.rfind('-');
  return dash == std::string_view::npos ? std::string() : std::string(name.substr(dash + 1));
}

ProviderTest read_pinecone(const Values& values, std::string_view body) {
  const auto answer = json::parse(body, codecs::reply_limits);
  const auto* root = answer ? answer->if_object() : nullptr;
  const auto* indexes = root == nullptr ? nullptr : codecs::member(*root, "indexes");
  if (indexes == nullptr || !indexes->is_array()) {
    return answered(false, false, errc::provider_malformed_reply,
                    "Something answers, but not with a list of indexes; check that the endpoint is Pinecone's.");
  }
  ProviderTest test = accepted();
  for (const auto& index : indexes->get_array()) {
    const auto* object = index.if_object();
    std::string project = object == nullptr ? std::string() : project_in(codecs::text_member(*object, "host"));
    const bool sound = std::all_of(project.begin(), project.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
    if (project.empty() || project.size() > 40 || !sound) continue;
    if (values["projectName"].empty()) {
      test.found.emplace("projectName", std::move(project));
    } else if (values["projectName"] != project) {
      return answered(true, false, errc::provider_rejected_request,
                      "The key is accepted, but its indexes are in the project " + project +
                          ", which projectName does not name; it may be left out.");
    }
    return test;
  }
  return test;
}

Result<HttpRequest> ask_weaviate(const Question& question) {
  return get(question.values["endpoint"], "/v1/meta", {{"Authorization", question.bearer()}});
}

Result<HttpRequest> ask_sendgrid(const Question& question) {
  return get(question.values["endpoint"], "/v3/scopes", {{"Authorization", question.bearer()}});
}

std::string basic(const Values& values) {
  const std::string pair = std::string(values["user"]) + ":" + std::string(values["api_key"]);
  return "Basic " + to_base64({reinterpret_cast<const unsigned char*>(pair.data()), pair.size()});
}

// Where no host is said, a token that begins like GitHub's or GitLab's is taken for one of those.
Result<HttpRequest> ask_git(const Question& question) {
  const auto token = question.values["api_key"];
  if (!question.values["endpoint"].empty()) {
    return get(question.values["endpoint"], "/info/refs?service=git-upload-pack",
               {{"Authorization", basic(question.values)}});
  }
  for (const std::string_view github : {"ghp_", "github_pat_", "gho_", "ghu_", "ghs_"}) {
    if (token.starts_with(github)) {
      return get("https://api.github.com", "/user",
                 {{"Authorization", question.bearer()}, {"User-Agent", "openindex"}});
    }
  }
  if (token.starts_with("glpat-")) {
    return get("https://gitlab.com", "/api/v4/user", {{"PRIVATE-TOKEN", std::string(token)}});
  }
  return Error(errc::invalid_argument,
               "The token does not tell whose server it is for; set endpoint to the URL of a repository");
}

ProviderTest read_object(const Values&, std::string_view body) {
  const auto answer = json::parse(body, codecs::reply_limits);
  if (answer && answer->is_object()) return accepted();
  return answered(false, false, errc::provider_malformed_reply,
                  "Something answers, but not as this provider does; check endpoint.");
}

ProviderTest read_git(const Values& values, std::string_view body) {
  if (values["endpoint"].empty()) return read_object(values, body);
  if (body.substr(0, 100).find("# service=git-upload-pack") != std::string_view::npos) {
    return accepted("The server gives this credential the references of the repository.");
  }
  return answered(false, false, errc::provider_malformed_reply,
                  "Something answers, but not with the references of a repository; check endpoint.");
}

struct Service {
  std::string_view type;
  Result<HttpRequest> (*ask)(const Question&);
  ProviderTest (*read)(const Values&, std::string_view body);
  std::string_view credential;  ///< The keys that make it up.
  std::string_view place;       ///< The keys that say what is asked for, when it is not there.
};

constexpr Service services[] = {
    {"aws", ask_aws, read_aws, "user and api_key", "region"},
    {"aws_sqs", ask_sqs, read_object, "user and api_key", "region"},
    {"gcp", ask_gcp, read_object, "file", "projectName"},
    {"gcp_pubsub", ask_pubsub, read_object, "file", "projectName and subscription"},
    {"git", ask_git, read_git, "user and api_key", "endpoint"},
    {"pineconedb", ask_pinecone, read_pinecone, "api_key", "endpoint"},
    {"sendgrid", ask_sendgrid, read_object, "api_key", "endpoint"},
    {"weaviatedb", ask_weaviate, read_object, "api_key", "endpoint"},
};

const Service* find_service(std::string_view type) noexcept {
  const auto found = std::find_if(std::begin(services), std::end(services),
                                  [&](const Service& service) { return service.type == type; });
  return found == std::end(services) ? nullptr : &*found;
}

// The credential is known, and may not do what was tried. Google has given a token for it by now.
bool is_forbidden(std::string_view type, const HttpResponse& response) {
  if (response.status == 403 && type.starts_with("gcp")) return true;
  return (response.status == 403 || response.status == 400) && type.starts_with("aws") &&
         response.body.find("AccessDenied") != std::string::npos;
}

// AWS answers 400 to a key that it does not know, with the reason in the body.
bool refuses_key(std::string_view type, const HttpResponse& response) {
  if (response.status == 401 || response.status == 403) return true;
  if (response.status != 400 || !type.starts_with("aws")) return false;
  for (const char* reason : {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch",
                             "IncompleteSignature", "MissingAuthenticationToken", "ExpiredToken"}) {
    if (response.body.find(reason) != std::string::npos) return true;
  }
  return false;
}

// The role that a provider of AWS acts in is nothing that could be set anew in its keys.
std::string refusal(const Service& service, const Values& values) {
  if (is_same(values["connectionType"], "EXTERNAL_ROLE") && service.type.starts_with("aws")) {
    return "The provider refuses the role's credentials; check roleArn and what the role may do.";
  }
  if (is_same(values["connectionType"], "CONDUCTOR_ROLE") && service.type.starts_with("aws")) {
    return "The provider refuses the host's own credentials; give the host others.";
  }
  return fmt::format("The provider refuses the credential; set {} anew.", service.credential);
}

}  // namespace

bool is_probed_by_http(std::string_view type) noexcept { return find_service(type) != nullptr; }

Result<HttpRequest> encode_service_probe(std::string_view type, const Values& values, const Grant& grant, Time now) {
  auto request = find_service(type)->ask({values, grant, now});
  if (!request) return request;
  request->timeout = timeout;
  request->response_bytes_max = response_bytes_max;
  return request;
}

ProviderTest read_service_probe(std::string_view type, const Values& values, const Result<HttpResponse>& outcome) {
  if (!outcome) return unreached(outcome.error().code());
  const Service& service = *find_service(type);
  const int status = outcome->status;
  if (status >= 200 && status < 300) return service.read(values, outcome->body);
  if (is_forbidden(type, *outcome)) {
    return answered(true, true, std::nullopt,
                    "The provider accepts the credential, but does not let it look: its permissions are not proved.");
  }
  if (refuses_key(type, *outcome)) {
    return answered(false, true, errc::provider_unauthorized, refusal(service, values));
  }
  if (auto judged = judge_status(status)) return *judged;
  if (status == 404) {
    return answered(type.starts_with("gcp"), false, errc::provider_rejected_request,
                    fmt::format("The provider does not know what is asked for; check {}.", service.place));
  }
  return answered(false, false, errc::provider_rejected_request,
                  fmt::format("A server answers, but not as this provider does; check {}.", service.place));
}

}  // namespace openindex::providers
