#include <doctest/doctest.h>

#include <ostream>

#include "codecs/codec_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::decode;

namespace {

Error error_of(WireFamily family, const HttpResponse& response) {
  const auto reply = decode(endpoint(family), response);
  REQUIRE_FALSE(reply);
  return reply.error();
}

Error error_of(const HttpResponse& response) { return error_of(WireFamily::openai_chat, response); }

}  // namespace

TEST_CASE("a refusal is classified by status and by what the provider says") {
  constexpr auto openai = WireFamily::openai_chat;
  constexpr auto anthropic = WireFamily::anthropic_messages;
  constexpr auto ollama = WireFamily::ollama_chat;
  constexpr auto google = WireFamily::google_generate_content;
  constexpr auto bedrock = WireFamily::bedrock_converse;
  constexpr auto cohere = WireFamily::cohere_chat;
  struct Case {
    WireFamily family;
    int status;
    const char* body;
    errc code;
  };
  const Case table[] = {
      {openai, 401,
       R"({"error":{"message":"Incorrect API key","type":"invalid_request_error","code":"invalid_api_key"}})",
       errc::provider_unauthorized},
      {openai, 401, R"({"statusCode":401,"message":"Access denied"})", errc::provider_unauthorized},
      {openai, 403, R"({"error":{"message":"no access"}})", errc::provider_unauthorized},
      {openai, 403, R"({"code":"x","error":"Your newly created team doesn't have any credits yet"})",
       errc::provider_out_of_credit},
      {openai, 402, R"({"error":"monthly credits used up"})", errc::provider_out_of_credit},
      {openai, 429, R"({"error":{"message":"Rate limit","type":"requests","code":"rate_limit_exceeded"}})",
       errc::provider_rate_limited},
      {openai, 429, R"({"error":{"message":"Slow down","code":"slow_down"}})", errc::provider_rate_limited},
      {openai, 429, R"({"error":{"message":"x","type":"insufficient_quota","code":"insufficient_quota"}})",
       errc::provider_out_of_credit},
      {openai, 429, R"({"error":{"message":"x","type":"y","code":"project_spend_limit_exceeded"}})",
       errc::provider_out_of_credit},
      {openai, 429, R"({"error":{"message":"x","type":"y","code":"organization_usage_limit_exceeded"}})",
       errc::provider_out_of_credit},
      {openai, 429, "", errc::provider_rate_limited},
      {openai, 503, R"({"error":{"message":"x","code":"server_is_overloaded"}})", errc::provider_overloaded},
      {openai, 500, R"({"error":{"message":"The server had an error","type":"server_error"}})",
       errc::provider_overloaded},
      {openai, 502, "<html>Bad gateway</html>", errc::provider_overloaded},
      {openai, 408, "", errc::provider_overloaded},
      {openai, 409, "", errc::provider_overloaded},
      {openai, 400, R"({"error":{"message":"x","type":"invalid_request_error","code":"context_length_exceeded"}})",
       errc::provider_context_too_long},
      {openai, 400,
       R"({"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}})",
       errc::provider_context_too_long},
      {openai, 500, R"({"error":{"code":500,"message":"the request exceeds the available context size"}})",
       errc::provider_context_too_long},
      {openai, 413, "", errc::provider_context_too_long},
      {openai, 400,
       R"({"error":{"code":"content_filter","message":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}})",
       errc::provider_refused},
      {openai, 400,
       R"({"error":{"message":"Unknown parameter","type":"invalid_request_error","param":"foo","code":"unknown_parameter"}})",
       errc::provider_rejected_request},
      {openai, 404, R"({"error":{"message":"no model","code":"model_not_found"}})", errc::provider_rejected_request},
      {openai, 422, R"({"detail":[{"loc":["body","x"],"msg":"Extra inputs"}]})", errc::provider_rejected_request},
      {openai, 422, R"({"detail":"Extra inputs"})", errc::provider_rejected_request},
      {openai, 307, "", errc::provider_rejected_request},
      {openai, 200, R"({"error":{"message":"x","type":"rate_limit_error"}})", errc::provider_rate_limited},
      {openai, 200, R"({"error":{"message":"backend failed"}})", errc::provider_overloaded},
      {anthropic, 400,
       R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 213 tokens > 200 maximum"}})",
       errc::provider_context_too_long},
      {anthropic, 400,
       R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}})",
       errc::provider_out_of_credit},
      {anthropic, 400,
       R"({"type":"error","error":{"type":"invalid_request_error","message":"messages: text content blocks must be non-empty"}})",
       errc::provider_rejected_request},
      {anthropic, 401, R"({"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}})",
       errc::provider_unauthorized},
      {anthropic, 402, R"({"type":"error","error":{"type":"billing_error","message":"x"}})",
       errc::provider_out_of_credit},
      {anthropic, 403, R"({"type":"error","error":{"type":"permission_error","message":"x"}})",
       errc::provider_unauthorized},
      {anthropic, 413, R"({"type":"error","error":{"type":"request_too_large","message":"x"}})",
       errc::provider_context_too_long},
      {anthropic, 429, R"({"type":"error","error":{"type":"rate_limit_error","message":"x"}})",
       errc::provider_rate_limited},
      {anthropic, 429,
       R"({"type":"error","error":{"type":"rate_limit_error","message":"x","details":{"error_code":"enforced_spend_limit_reached"}}})",
       errc::provider_out_of_credit},
      {anthropic, 500, R"({"type":"error","error":{"type":"api_error","message":"x"}})", errc::provider_overloaded},
      {anthropic, 504, R"({"type":"error","error":{"type":"timeout_error","message":"x"}})", errc::provider_overloaded},
      {anthropic, 529, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
       errc::provider_overloaded},
      {ollama, 404, R"({"error":"model \"m-1\" not found, try pulling it first"})", errc::provider_rejected_request},
      {ollama, 401, R"({"error":"unauthorized"})", errc::provider_unauthorized},
      {ollama, 402, R"({"error":"x"})", errc::provider_out_of_credit},
      {ollama, 429, R"({"error":"too many requests"})", errc::provider_rate_limited},
      {ollama, 500, R"({"error":"out of memory"})", errc::provider_overloaded},
      {google, 400,
       R"({"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}})",
       errc::provider_unauthorized},
      {bedrock, 400, R"({"__type":"ExpiredTokenException","message":"x"})", errc::provider_unauthorized},
      {bedrock, 400, R"({"__type":"ValidationException","message":"Invalid value 'ExpiredToken'"})",
       errc::provider_rejected_request},
      {google, 400, R"({"error":{"code":400,"message":"Invalid value","status":"INVALID_ARGUMENT"}})",
       errc::provider_rejected_request},
      {google, 400,
       R"({"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}})",
       errc::provider_context_too_long},
      {google, 401, R"({"error":{"code":401,"message":"x","status":"UNAUTHENTICATED"}})", errc::provider_unauthorized},
      {google, 403, R"({"error":{"code":403,"message":"x","status":"PERMISSION_DENIED"}})",
       errc::provider_unauthorized},
      {google, 404, R"({"error":{"code":404,"message":"x","status":"NOT_FOUND"}})", errc::provider_rejected_request},
      {google, 429, R"({"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}})",
       errc::provider_rate_limited},
      {google, 429, R"([{"error":{"code":429,"message":"limit: 10","status":"RESOURCE_EXHAUSTED"}}])",
       errc::provider_rate_limited},
      {google, 429,
       R"({"error":{"code":429,"message":"Quota exceeded for metric: free_tier, limit: 0, model: m","status":"RESOURCE_EXHAUSTED"}})",
       errc::provider_out_of_credit},
      {google, 499, R"({"error":{"code":499,"message":"x","status":"CANCELLED"}})", errc::provider_overloaded},
      {google, 503, R"({"error":{"code":503,"message":"x","status":"UNAVAILABLE"}})", errc::provider_overloaded},
      {google, 504, R"({"error":{"code":504,"message":"x","status":"DEADLINE_EXCEEDED"}})", errc::provider_overloaded},
      {cohere, 400, R"({"id":"e","message":"invalid request: too many tokens"})", errc::provider_context_too_long},
      {cohere, 401, R"({"message":"invalid api token"})", errc::provider_unauthorized},
      {cohere, 402, R"({"message":"x"})", errc::provider_out_of_credit},
      {cohere, 422, R"({"message":"x"})", errc::provider_rejected_request},
      {cohere, 429, R"({"message":"x"})", errc::provider_rate_limited},
      {cohere, 498, R"({"message":"invalid token"})", errc::provider_unauthorized},
      {cohere, 499, R"({"message":"client closed request"})", errc::provider_overloaded},
      {cohere, 501, R"({"message":"not implemented"})", errc::provider_rejected_request},
      {openai, 401, R"({"error":{"code":"401","message":"Access denied due to invalid subscription key"}})",
       errc::provider_unauthorized},
  };
  for (const Case& refused : table) {
    CAPTURE(refused.status);
    CAPTURE(std::string(refused.body));
    CHECK(name(error_of(refused.family, answer(refused.status, refused.body)).code()) == name(refused.code));
  }
}

TEST_CASE("an error carries the provider's sentence its type and request id") {
  const auto error = error_of(
      answer(429, R"({"error":{"message":"Please slow\ndown","type":"requests","code":"rate_limit_exceeded"}})",
             {{"x-request-id", "req_1"}}));
  CHECK(error.message().find("Please slow down") != std::string::npos);
  CHECK(error.context("status") == "429");
  CHECK(error.context("type") == "requests rate_limit_exceeded");
  CHECK(error.context("request_id") == "req_1");
}

TEST_CASE("an error repeats no key and nothing that looks like one") {
  const std::string texts[] = {"Incorrect API key provided: key-0123456789abcdef.",
                               "bad key-01234567",
                               "key ends with 789abcdef!",
                               "use sk-proj-ABCDEFGH12345678 instead",
                               "sk-ant-api03-xyz",
                               "see (xai-secretsecret)",
                               "hf_abcdefgh",
                               "header was org-secret-value"};
  auto where = endpoint(WireFamily::openai_chat);
  where.headers = {{"X-Org", "org-secret-value"}};
  for (const auto& text : texts) {
    CAPTURE(text);
    for (const int status : {200, 401}) {
      const std::string as_json = R"({"error":{"message":")" + text + R"(","type":")" + text + "\"}}";
      for (const auto& body : {as_json, text, "<html>" + text}) {
        const auto reply = decode(where, answer(status, body, {{"x-request-id", text}, {"content-type", text}}));
        REQUIRE_FALSE(reply);
        const std::string described = reply.error().describe();
        for (const auto* secret :
             {"01234567", "789abcdef", "ABCDEFGH", "api03", "secretsecret", "abcdefgh", "org-secret"}) {
          CHECK(described.find(secret) == std::string::npos);
        }
        CHECK(described.find("***") != std::string::npos);
      }
    }
  }
}

TEST_CASE("an error is bounded and holds no control characters") {
  const std::string noise = "\x1b[31mred\x01\x7f\xc2\x9b" + std::string(100'000, 'x') + "\xff";
  const auto error = error_of(answer(500, noise));
  CHECK(error.message().size() < 400);
  CHECK(error.describe().find('\x1b') == std::string::npos);
  CHECK(error.describe().find('\x7f') == std::string::npos);
  CHECK(error.describe().find("\xc2\x9b") == std::string::npos);
  const auto long_message = error_of(answer(400, R"({"error":{"message":")" + std::string(5000, 'y') + "\"}}"));
  CHECK(long_message.message().size() < 400);
}

TEST_CASE("the time to wait is read in all its spellings") {
  using Headers = HttpHeaders;
  const std::string date = "Sun, 22 Nov 2026 10:00:00 GMT";
  struct {
    Headers headers;
    std::optional<Duration> delay;
  } const table[] = {
      {{{"Retry-After", "7"}}, Duration(7000)},
      {{{"retry-after", "1.5"}}, Duration(1500)},
      {{{"Retry-After", "9"}, {"retry-after-ms", "250"}}, Duration(250)},
      {{{"Retry-After", "Sun, 22 Nov 2026 10:01:30 GMT"}, {"Date", date}}, Duration(90'000)},
      {{{"Retry-After", "Sun, 22 Nov 2026 09:00:00 GMT"}, {"Date", date}}, Duration(0)},
      {{{"Retry-After", "Sun, 22 Nov 2026 10:01:30 GMT"}}, std::nullopt},
      {{{"Retry-After", "0"}}, Duration(0)},
      {{{"Retry-After", "1e300"}}, Duration(std::chrono::hours(24 * 30))},
      {{{"Retry-After", "-5"}}, std::nullopt},
      {{{"Retry-After", "nan"}}, std::nullopt},
      {{{"Retry-After", "soon"}}, std::nullopt},
      {{{"X-RateLimit-Reset", "1795341645"}, {"Date", date}}, Duration(45'000)},
      {{{"X-RateLimit-Reset", "1795341645"}}, std::nullopt},
      {{{"X-RateLimit-Reset", "30"}, {"Date", date}}, std::nullopt},
      {{{"Retry-After", "3"}, {"X-RateLimit-Reset", "1795341645"}, {"Date", date}}, Duration(3000)},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "6m0s"}}, Duration(60'000)},
      {{{"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-reset-tokens", "20ms"}}, Duration(20)},
      {{{"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-reset-tokens", "0h0m3.5s"}}, Duration(3'500)},
      {{{"x-ratelimit-remaining-requests", "0"},
        {"x-ratelimit-reset-requests", "1s"},
        {"x-ratelimit-remaining-tokens", "0"},
        {"x-ratelimit-reset-tokens", "40s"}},
       Duration(40'000)},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "24h0m0s"}}, Duration(60'000)},
      {{{"x-ratelimit-remaining-requests", "59"}, {"x-ratelimit-reset-requests", "6m0s"}}, std::nullopt},
      {{{"x-ratelimit-reset-requests", "6m0s"}}, std::nullopt},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "6"}}, std::nullopt},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "m"}}, std::nullopt},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "6m0s"}, {"Retry-After", "2"}},
       Duration(2000)},
      {{{"x-ratelimit-remaining-requests", "0"},
        {"x-ratelimit-reset-requests", "6m0s"},
        {"Retry-After", "Sun, 22 Nov 2026 10:00:03 GMT"},
        {"Date", date}},
       Duration(3000)},
      {{{"anthropic-ratelimit-input-tokens-remaining", "0"},
        {"anthropic-ratelimit-input-tokens-reset", "2026-11-22T10:00:30Z"},
        {"Date", date}},
       Duration(30'000)},
      {{{"anthropic-ratelimit-requests-remaining", "0"},
        {"anthropic-ratelimit-requests-reset", "2026-11-22T09:59:00Z"},
        {"Date", date}},
       Duration(0)},
      {{{"anthropic-ratelimit-tokens-remaining", "4000"},
        {"anthropic-ratelimit-tokens-reset", "2026-11-22T10:00:30Z"},
        {"Date", date}},
       std::nullopt},
      {{{"anthropic-ratelimit-tokens-remaining", "0"}, {"anthropic-ratelimit-tokens-reset", "2026-11-22T10:00:30Z"}},
       std::nullopt},
      {{{"Retry-After", "Sun, 31 Feb 2026 10:01:30 GMT"}, {"Date", date}}, std::nullopt},
      {{}, std::nullopt},
  };
  for (const auto& [headers, delay] : table) CHECK(error_of(answer(429, "{}", headers)).retry_after() == delay);
  // How the limits stand is told with every answer.
  for (const int status : {400, 401, 500, 503}) {
    const Headers limits = {{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "30s"}};
    CHECK(error_of(answer(status, "{}", limits)).retry_after() == std::nullopt);
    CHECK(error_of(answer(status, "{}", {{"Retry-After", "7"}})).retry_after() == Duration(7000));
  }
}

TEST_CASE("google's time to wait stands in the body") {
  const auto delay = [](const std::string& text) {
    const std::string error = R"({"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED","details":[
      {"@type":"type.googleapis.com/google.rpc.QuotaFailure"},
      {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":")" +
                              text + "\"}]}}";
    CHECK(error_of(answer(429, "[" + error + "]")).retry_after() == error_of(answer(429, error)).retry_after());
    CHECK(error_of(answer(429, error, {{"Retry-After", "1"}})).retry_after() == Duration(1000));
    return error_of(answer(429, error)).retry_after();
  };
  CHECK(delay("46s") == Duration(46'000));
  CHECK(delay("1.5s") == Duration(1500));
  CHECK(delay("36000s") == Duration(36'000'000));
  for (const auto* text : {"", "s", "46", "46m", "-1s", "nans"}) CHECK_FALSE(delay(text));
  CHECK_FALSE(error_of(answer(429, R"({"error":{"details":[1,null]}})")).retry_after());
}

TEST_CASE("a model that is being loaded says how long that takes") {
  const auto error = error_of(answer(503, R"({"error":"Model is currently loading","estimated_time":20.5})"));
  CHECK(error.code() == errc::provider_overloaded);
  CHECK(error.retry_after() == Duration(20'500));
  for (const auto* time : {"-1", "\"20\"", "1e999", "null"}) {
    CHECK_FALSE(error_of(answer(503, R"({"error":"x","estimated_time":)" + std::string(time) + "}")).retry_after());
  }
}
