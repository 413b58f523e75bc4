#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "testing/provider_wires.hpp"

namespace openindex::scripted {
namespace {

using boost::json::object;

struct ErrorNames {
  std::string_view type, code;
};

ErrorNames openai_error(int status) {
  switch (status) {
    case 401:
      return {"invalid_request_error", "invalid_api_key"};
    case 402:
      return {"insufficient_quota", "credit_balance_exhausted"};
    case 403:
      return {"permission_error", "permission_denied"};
    case 404:
      return {"invalid_request_error", "model_not_found"};
    case 429:
      return {"requests", "rate_limit_exceeded"};
    case 503:
      return {"server_error", "server_is_overloaded"};
    default:
      return status >= 500 ? ErrorNames{"server_error", ""} : ErrorNames{"invalid_request_error", ""};
  }
}

std::string_view anthropic_error(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 504:
      return "timeout_error";
    case 529:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

std::string_view google_status(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 8> names = {{{400, "INVALID_ARGUMENT"},
                                                                      {401, "UNAUTHENTICATED"},
                                                                      {403, "PERMISSION_DENIED"},
                                                                      {404, "NOT_FOUND"},
                                                                      {429, "RESOURCE_EXHAUSTED"},
                                                                      {499, "CANCELLED"},
                                                                      {503, "UNAVAILABLE"},
                                                                      {504, "DEADLINE_EXCEEDED"}}};
  for (const auto& [code, name] : names) {
    if (code == status) return name;
  }
  return "INTERNAL";
}

std::string_view aws_exception(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 8> names = {{{400, "ValidationException"},
                                                                      {401, "UnrecognizedClientException"},
                                                                      {403, "AccessDeniedException"},
                                                                      {404, "ResourceNotFoundException"},
                                                                      {408, "ModelTimeoutException"},
                                                                      {424, "ModelErrorException"},
                                                                      {429, "ThrottlingException"},
                                                                      {503, "ServiceUnavailableException"}}};
  for (const auto& [code, name] : names) {
    if (code == status) return name;
  }
  return "InternalServerException";
}

object error_of(WireFamily family, int status, std::string_view message) {
  switch (family) {
    case WireFamily::ollama_chat:
      return {{"error", message}};
    case WireFamily::anthropic_messages:
      return {{"type", "error"}, {"error", object{{"type", anthropic_error(status)}, {"message", message}}}};
    case WireFamily::google_generate_content:
      return {{"error", object{{"code", status}, {"message", message}, {"status", google_status(status)}}}};
    case WireFamily::bedrock_converse:
      return {{"message", message}};
    case WireFamily::cohere_chat:
      return {{"message", message}, {"id", "scripted"}};
    default:
      break;
  }
  const auto [type, code] = openai_error(status);
  object error{{"message", message}, {"type", type}, {"param", nullptr}, {"code", nullptr}};
  if (!code.empty()) error["code"] = code;
  return {{"error", std::move(error)}};
}

}  // namespace

std::string write_error(WireFamily family, int status, std::string_view message) {
  return boost::json::serialize(error_of(family, status, message));
}

HttpHeaders error_headers(WireFamily family, int status) {
  if (family != WireFamily::bedrock_converse) return {};
  return {{"x-amzn-ErrorType", std::string(aws_exception(status))}};
}

std::string write_models(WireFamily family) {
  switch (family) {
    case WireFamily::anthropic_messages:
      return R"({"data":[{"type":"model","id":"scripted","display_name":"scripted"}],"has_more":false})";
    case WireFamily::ollama_chat:
      return R"({"models":[{"name":"scripted:latest","model":"scripted:latest"}]})";
    case WireFamily::google_generate_content:
      return R"({"models":[{"name":"models/scripted","supportedGenerationMethods":["generateContent"]}]})";
    case WireFamily::bedrock_converse:
      return R"({"modelSummaries":[{"modelId":"scripted","modelName":"scripted"}]})";
    default:  // Cohere's list has the path of OpenAI's
      return R"({"object":"list","data":[{"id":"scripted","object":"model","created":0}],"models":[{"name":"scripted"}]})";
  }
}

}  // namespace openindex::scripted
