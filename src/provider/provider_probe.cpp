#include "provider/provider_probe.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "codecs/reply_limits.hpp"
#include "json/read.hpp"
#include "provider/probe_result.hpp"

namespace openindex::providers {
namespace {

enum class Listed { yes, no, unknown };  // unknown: the list goes on behind a page

std::string_view text_member(const boost::json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  const auto* member = object == nullptr ? nullptr : object->if_contains(name);
  const auto* text = member == nullptr ? nullptr : member->if_string();
  return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

// How a family lists its models.
struct List {
  std::string_view member;
  std::string_view name;
  std::string_view more;  // set, and not false, when the list goes on behind a page
};

List list_of(WireFamily family) {
  switch (family) {
    case WireFamily::ollama_chat:
      return {"models", "name", ""};
    case WireFamily::google_generate_content:
      return {"models", "name", "nextPageToken"};
    case WireFamily::cohere_chat:
      return {"models", "name", "next_page_token"};
    case WireFamily::bedrock_converse:
      return {"modelSummaries", "modelId", ""};
    default:
      return {"data", "id", "has_more"};
  }
}

bool names_model(const boost::json::value& entry, WireFamily family, std::string_view model) {
  const std::string_view name = text_member(entry, list_of(family).name);
  if (name == model) return true;
  // Ollama lists `llama3:latest` for what everybody calls `llama3`, Google `models/gemini-x` for `gemini-x`.
  if (family == WireFamily::google_generate_content) return name == "models/" + std::string(model);
  return family == WireFamily::ollama_chat && model.find(':') == std::string_view::npos &&
         name == std::string(model) + ":latest";
}

// Azure lists models where deployments are asked for, and AWS no profile that a model can be reached through.
bool lists_all(const codecs::ChatEndpoint& endpoint) {
  return endpoint.dialect != WireDialect::azure && endpoint.family != WireFamily::bedrock_converse;
}

bool goes_on(const boost::json::object& root, const codecs::ChatEndpoint& endpoint) {
  const auto* more = root.if_contains(list_of(endpoint.family).more);
  if (more == nullptr) return false;
  return more->is_bool() ? more->get_bool() : more->is_string() && !more->get_string().empty();
}

Result<Listed> find_model(const codecs::ChatEndpoint& endpoint, std::string_view body) {
  const auto answer = json::parse(body, codecs::reply_limits);
  if (!answer) return answer.error();
  const auto* root = answer->if_object();
  const auto* list = root == nullptr ? nullptr : root->if_contains(list_of(endpoint.family).member);
  if (list == nullptr || !list->is_array()) return Error(errc::provider_malformed_reply);
  const auto& models = list->get_array();
  const bool found = std::any_of(models.begin(), models.end(), [&](const auto& entry) {
    return names_model(entry, endpoint.family, endpoint.model);
  });
  if (found) return Listed::yes;
  return goes_on(*root, endpoint) || !lists_all(endpoint) ? Listed::unknown : Listed::no;
}

ProviderTest no_model() {
  return answered(true, false, errc::invalid_argument,
                  "The provider works, but names no model; set model, or register and enable just one.");
}

ProviderTest read_list(const codecs::ChatEndpoint& endpoint, std::string_view body) {
  const auto listed = find_model(endpoint, body);
  if (!listed) {
    return answered(false, false, errc::provider_malformed_reply,
                    "Something answers, but not with a list of models; check that the endpoint is the provider's.");
  }
  if (endpoint.model.empty()) return no_model();
  if (*listed == Listed::no) {
    const char* advice = endpoint.family == WireFamily::ollama_chat ? "pull it or name another" : "name another";
    return answered(true, false, errc::provider_rejected_request,
                    "The provider does not list the model " + endpoint.model + "; " + advice + ".");
  }
  return accepted();
}

// Vertex lists no models that can be asked, but counts the tokens of a text for one.
ProviderTest read_count(std::string_view body) {
  const auto answer = json::parse(body, codecs::reply_limits);
  const auto* root = answer ? answer->if_object() : nullptr;
  if (root != nullptr && root->contains("totalTokens")) {
    return accepted();
  }
  return answered(false, false, errc::provider_malformed_reply,
                  "Something answers, but not with a count of tokens; check that the endpoint is the provider's.");
}

// Google answers 400 to a key that is wrong.
bool refuses_key(const codecs::ChatEndpoint& endpoint, const HttpResponse& response) {
  if (response.status == 401 || response.status == 403 || response.status == 498) return true;
  return response.status == 400 && endpoint.family == WireFamily::google_generate_content &&
         response.body.find("API_KEY_INVALID") != std::string::npos;
}

bool sends_credential(const codecs::ChatEndpoint& endpoint) {
  return !endpoint.api_key.empty() || (endpoint.family == WireFamily::ollama_chat && !endpoint.headers.empty());
}

ProviderTest refused(const codecs::ChatEndpoint& endpoint, bool is_granted) {
  if (!sends_credential(endpoint)) {
    return answered(false, false, errc::provider_unauthorized, "The provider wants a credential; set api_key.");
  }
  if (is_granted && endpoint.family == WireFamily::bedrock_converse) {
    return answered(false, true, errc::provider_unauthorized,
                    "AWS refuses the role's credentials, or does not let the role list models; check what it may do "
                    "(bedrock:ListFoundationModels).");
  }
  return answered(false, true, errc::provider_unauthorized,
                  endpoint.dialect == WireDialect::vertex
                      ? "The provider refuses the token of the service account; set file anew."
                      : "The provider refuses the credential; set an api_key that is valid at this endpoint.");
}

// A question that says nothing was understood and refused: what there is to learn without a list of models.
bool is_expected_refusal(const codecs::ChatEndpoint& endpoint, int status) {
  return endpoint.dialect == WireDialect::perplexity && (status == 400 || status == 422);
}

std::string wrong_base(WireFamily family) {
  const bool versioned = family == WireFamily::openai_chat || family == WireFamily::openai_responses;
  const char* advice = versioned ? "; it includes the version, as in https://host/v1." : ".";
  return std::string("A server answers, but not as this provider does; check the endpoint") + advice;
}

}  // namespace

ProviderTest read_probe(const codecs::ChatEndpoint& endpoint, const Result<HttpResponse>& outcome, bool is_granted) {
  if (!outcome) return unreached(outcome.error().code());
  const int status = outcome->status;
  const bool is_vertex = endpoint.dialect == WireDialect::vertex;
  if (is_expected_refusal(endpoint, status) && endpoint.model.empty()) return no_model();
  if (is_expected_refusal(endpoint, status)) {
    return answered(true, true, std::nullopt,
                    "The provider answers and accepts the credential; it lists no models, so the model is not proved.");
  }
  if (status >= 200 && status < 300) return is_vertex ? read_count(outcome->body) : read_list(endpoint, outcome->body);
  if (status == 403 && is_vertex) {
    return answered(true, false, errc::provider_unauthorized,
                    "The service account may not ask models in this project; give it a role that may, such as Vertex "
                    "AI User.");
  }
  if (refuses_key(endpoint, *outcome)) return refused(endpoint, is_granted);
  if (auto judged = judge_status(status)) return *judged;
  if (status == 404 && is_vertex) {
    return answered(true, false, errc::provider_rejected_request,
                    "The provider has no model " + endpoint.model +
                        " at this project and region; name another, or check projectName and environment.");
  }
  return answered(false, false, errc::provider_rejected_request, wrong_base(endpoint.family));
}

}  // namespace openindex::providers
