// Where the host's credentials at AWS come from.
#include <doctest/doctest.h>

#include <cstdlib>
#include <initializer_list>
#include <utility>

#include <openindex/adapters/aws_default_identity.hpp>
#include <openindex/testing/manual_clock.hpp>

#include "adapters/metadata_fixture.hpp"
#include "provider/aws_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using test::agent_answer;
using test::NamedFile;

namespace {

struct SourcesFixture {
  testing::ManualClock clock;
  test::PlayedNetwork network;

  Result<AwsCredentials> from(AwsSources sources) {
    network.requests.clear();
    AwsDefaultIdentity identity({.http = network, .sources = std::move(sources), .clock = clock});
    return identity.credentials();
  }
  errc failing(AwsSources sources) {
    const auto outcome = from(std::move(sources));
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().describe().find("MARKER") == std::string::npos);
    CHECK(outcome.error().message().starts_with("No AWS credentials"));
    return outcome.error().code();
  }
};

// Each source set up, the later ones first to be taken away.
AwsSources all_sources(const NamedFile& token) {
  AwsSources sources;
  sources.access_key = "AKIAENV";
  sources.secret_key = "env-MARKER";
  sources.web_identity_token_file = token.path();
  sources.role_arn = "arn:aws:iam::1:role/pod";
  sources.region = "eu-west-1";
  sources.container_relative_uri = "/v2/credentials/1";
  sources.container_full_uri = "http://169.254.170.23/v1/credentials";
  sources.metadata_url = "http://169.254.169.254";
  return sources;
}

class AwsEnvironment {
 public:
  explicit AwsEnvironment(std::initializer_list<std::pair<const char*, const char*>> values) {
    clear();
    for (const auto& [name, value] : values) setenv(name, value, 1);
  }
  ~AwsEnvironment() { clear(); }
  AwsEnvironment(const AwsEnvironment&) = delete;
  AwsEnvironment& operator=(const AwsEnvironment&) = delete;

 private:
  static void clear() {
    for (const char* name :
         {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE",
          "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION",
          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_EC2_METADATA_DISABLED",
          "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"}) {
      unsetenv(name);
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(SourcesFixture, "the sources of credentials at AWS are asked in their order, the first alone") {
  const NamedFile token("pod-token");
  AwsSources sources = all_sources(token);
  network.answer("POST https://sts.eu-west-1.amazonaws.com/",
                 test::role_answer("WEB", clock.now() + 1h, "AssumeRoleWithWebIdentity"));
  network.answer("GET http://169.254.170.2/v2/credentials/1", agent_answer("REL", clock.now() + 1h));
  network.answer("GET http://169.254.170.23/v1/credentials", agent_answer("FULL", clock.now() + 1h));
  test::answer_metadata(network, agent_answer("EC2", clock.now() + 1h));

  CHECK(from(sources)->access_key == "AKIAENV");
  CHECK(network.requests.empty());
  sources.access_key = sources.secret_key = {};
  CHECK(from(sources)->access_key == "ASIAWEB");
  CHECK(network.requests.size() == 1);
  sources.web_identity_token_file = {};
  CHECK(from(sources)->access_key == "ASIAREL");
  CHECK(network.requests.size() == 1);
  sources.container_relative_uri = {};
  CHECK(from(sources)->access_key == "ASIAFULL");
  CHECK(network.requests.size() == 1);
  sources.container_full_uri = {};
  CHECK(from(sources)->access_key == "ASIAEC2");
  CHECK(network.requests.size() == 3);
  sources.metadata_url = {};
  CHECK(failing(sources) == errc::secret_unreadable);
  CHECK(network.requests.empty());
}

TEST_CASE_FIXTURE(SourcesFixture, "a source that is set up and fails is not passed over") {
  const NamedFile token("pod-token");
  test::answer_metadata(network, agent_answer("EC2", clock.now() + 1h));
  AwsSources sources = all_sources(token);
  sources.secret_key = {};
  CHECK(failing(sources) == errc::secret_unreadable);
  sources.access_key = {};
  CHECK(failing(sources) == errc::http_unreachable);
  sources.role_arn = {};
  CHECK(failing(sources) == errc::secret_unreadable);
  sources.web_identity_token_file = {};
  CHECK(failing(sources) == errc::http_unreachable);
}

TEST_CASE_FIXTURE(SourcesFixture, "an access key of the environment is given as it is, with its session") {
  AwsSources sources;
  sources.access_key = "AKIAENV";
  sources.secret_key = "s";
  sources.session_token = "t";
  const auto key = from(sources);
  REQUIRE(key);
  CHECK(key->secret_key == "s");
  CHECK(key->session_token == "t");
  CHECK_FALSE(key->expires_at);
  sources.secret_key = "MARKER\nX: y";
  CHECK(failing(sources) == errc::secret_unreadable);
}

TEST_CASE_FIXTURE(SourcesFixture, "a pod's token is read anew and exchanged at the region's STS") {
  const NamedFile token("ey.J/1\n");
  AwsSources sources;
  sources.web_identity_token_file = token.path();
  sources.role_arn = "arn:aws:iam::1:role/pod";
  sources.role_session_name = "web";
  sources.region = "eu-west-1";
  const std::string sts = "POST https://sts.eu-west-1.amazonaws.com/";
  network.answer(sts, test::role_answer("WEB", clock.now() + 1h, "AssumeRoleWithWebIdentity"));
  const auto role = from(sources);
  REQUIRE(role);
  CHECK(role->session_token == "role-session-WEB==");
  CHECK(role->expires_at == clock.now() + 1h);
  CHECK(network.requests.back().body ==
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fpod"
        "&RoleSessionName=web&WebIdentityToken=ey.J%2F1");
  token.write("second");
  REQUIRE(from(sources));
  CHECK(network.requests.back().body.ends_with("=second"));

  network.answer(sts, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>", 400);
  const auto refused = from(sources);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::provider_unauthorized);
  sources.region = "evil.example.com/";
  CHECK(failing(sources) == errc::secret_unreadable);
  sources.region = {};
  for (const std::string& path : {std::string("token"), std::string("/"), std::string("/proc/../x")}) {
    sources.web_identity_token_file = path;
    CHECK(failing(sources) == errc::secret_unreadable);
  }
  sources.web_identity_token_file = token.path() + "x";  // may come yet
  CHECK(failing(sources) == errc::http_unreachable);
  CHECK(network.requests.empty());
}

TEST_CASE_FIXTURE(SourcesFixture, "a container's agent is asked with its token, a file of it first") {
  const NamedFile token("file-token\n");
  AwsSources sources;
  sources.container_full_uri = "http://169.254.170.23/v1/credentials";
  network.answer("GET http://169.254.170.23/v1/credentials", agent_answer("FULL", clock.now() + 1h));
  REQUIRE(from(sources));
  CHECK(network.sent("Authorization").empty());
  sources.container_token = "Basic x";
  REQUIRE(from(sources));
  CHECK(network.sent("Authorization") == "Basic x");
  sources.container_token_file = token.path();
  const auto full = from(sources);
  REQUIRE(full);
  CHECK(network.sent("Authorization") == "file-token");
  CHECK(full->secret_key == "secret-FULL-MARKER");
  CHECK(full->session_token == "session-FULL-MARKER");
  CHECK(full->expires_at == clock.now() + 1h);
  sources.container_token_file = token.path() + "x";
  CHECK(failing(sources) == errc::http_unreachable);
  CHECK(network.requests.empty());
}

TEST_CASE_FIXTURE(SourcesFixture, "a container's agent is spoken to in clear text only where nobody listens in") {
  const char* const good[] = {"https://agent.example.com/x", "http://localhost:8080/x",
                              "http://127.0.0.1/x",          "http://[::1]:1/x",
                              "http://169.254.170.2",        "http://[fd00:ec2::23]/v1/x"};
  for (const char* url : good) {
    CAPTURE(std::string(url));
    network.answer(std::string("GET ") + url, agent_answer("FULL", clock.now() + 1h));
    AwsSources sources;
    sources.container_full_uri = url;
    CHECK(from(sources));
  }
  const char* const bad[] = {"http://agent.example.com/MARKER",
                             "http://127.0.0.1.example.com/x",
                             "ftp://127.0.0.1/x",
                             "http://localhost@MARKER/x",
                             "http://127.0.0.1:80@MARKER/x",
                             "http://10.0.0.1/x",
                             "127.0.0.1/x",
                             "http://"};
  for (const char* url : bad) {
    CAPTURE(std::string(url));
    AwsSources sources;
    sources.container_full_uri = url;
    CHECK(failing(sources) == errc::secret_unreadable);
    CHECK(network.requests.empty());
  }
  AwsSources sources;
  sources.container_relative_uri = "@MARKER/x";
  CHECK(failing(sources) == errc::secret_unreadable);
  CHECK(network.requests.empty());
}

TEST_CASE_FIXTURE(SourcesFixture, "the metadata service is asked for a token, the role's name and its credentials") {
  test::answer_metadata(network, agent_answer("EC2", clock.now() + 6h));
  AwsSources sources;
  sources.metadata_url = "http://169.254.169.254/";
  const auto role = from(sources);
  REQUIRE(role);
  CHECK(role->access_key == "ASIAEC2");
  CHECK(role->expires_at == clock.now() + 6h);
  REQUIRE(network.requests.size() == 3);
  CHECK(network.requests[0].headers == HttpHeaders{{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    CHECK(network.requests[i].headers == HttpHeaders{{"X-aws-ec2-metadata-token", "metadata-token-MARKER"}});
  }
  for (const HttpRequest& request : network.requests) {
    CHECK(request.timeout <= 5s);
    CHECK(request.response_bytes_max == 65'536);
  }
}

TEST_CASE_FIXTURE(SourcesFixture, "without a token the metadata service is asked nothing more") {
  test::answer_metadata(network, agent_answer("EC2", clock.now() + 1h));
  AwsSources sources;
  sources.metadata_url = "http://169.254.169.254";
  network.answer("PUT http://169.254.169.254/latest/api/token", "MARKER", 403);
  CHECK(failing(sources) == errc::secret_unreadable);
  CHECK(network.requests.size() == 1);
  network.answers.insert_or_assign("PUT http://169.254.169.254/latest/api/token", Error(errc::http_timeout, "MARKER"));
  CHECK(failing(sources) == errc::http_timeout);
  CHECK(network.requests.size() == 1);
}

TEST_CASE_FIXTURE(SourcesFixture, "what agents and metadata services answer instead of credentials is told") {
  AwsSources sources;
  sources.metadata_url = "http://169.254.169.254";
  const auto with = [&](const std::string& body, int status = 200) {
    test::answer_metadata(network, body);
    network.answer("GET http://169.254.169.254/latest/meta-data/iam/security-credentials/bot%20role", body, status);
    return failing(sources);
  };
  const std::string good = agent_answer("EC2", clock.now() + 1h);
  for (const std::string& body : {std::string(), std::string("MARKER"), std::string("{}"), std::string("[]"),
                                  good.substr(0, good.size() - 1), std::string(R"({"AccessKeyId":"MARKER"})"),
                                  std::string(R"({"AccessKeyId":"A","SecretAccessKey":"a\r\nMARKER"})"),
                                  std::string(R"({"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"MARKER"})"),
                                  agent_answer("EC2", clock.now()), good + std::string(70'000, ' ')}) {
    CAPTURE(body.substr(0, 60));
    CHECK(with(body) == errc::provider_malformed_reply);
  }
  CHECK(with(R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"MARKER"})") == errc::secret_unreadable);
  CHECK(with("MARKER", 404) == errc::secret_unreadable);
  CHECK(with("MARKER", 429) == errc::provider_rate_limited);
  CHECK(with("MARKER", 500) == errc::provider_overloaded);
  network.answer("GET http://169.254.169.254/latest/meta-data/iam/security-credentials/", "\n");
  CHECK(failing(sources) == errc::secret_unreadable);
}

TEST_CASE("the environment sets up the sources by AWS's own names") {
  const AwsEnvironment environment({{"AWS_ACCESS_KEY_ID", "1"},
                                    {"AWS_SECRET_ACCESS_KEY", "2"},
                                    {"AWS_SESSION_TOKEN", "3"},
                                    {"AWS_WEB_IDENTITY_TOKEN_FILE", "4"},
                                    {"AWS_ROLE_ARN", "5"},
                                    {"AWS_ROLE_SESSION_NAME", "6"},
                                    {"AWS_DEFAULT_REGION", "7"},
                                    {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "8"},
                                    {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "9"},
                                    {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "10"},
                                    {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "11"}});
  const auto sources = AwsSources::from_environment();
  CHECK(sources.access_key == "1");
  CHECK(sources.secret_key == "2");
  CHECK(sources.session_token == "3");
  CHECK(sources.web_identity_token_file == "4");
  CHECK(sources.role_arn == "5");
  CHECK(sources.role_session_name == "6");
  CHECK(sources.region == "7");
  CHECK(sources.container_relative_uri == "8");
  CHECK(sources.container_full_uri == "9");
  CHECK(sources.container_token_file == "10");
  CHECK(sources.container_token == "11");
  CHECK(sources.metadata_url == "http://169.254.169.254");
}

TEST_CASE("the environment says whether and where the metadata service is asked") {
  const auto url = [](std::initializer_list<std::pair<const char*, const char*>> values) {
    const AwsEnvironment environment(values);
    return AwsSources::from_environment().metadata_url;
  };
  CHECK(url({}) == "http://169.254.169.254");
  CHECK(url({{"AWS_EC2_METADATA_DISABLED", "True"}}).empty());
  CHECK(url({{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"}}) == "http://[fd00:ec2::254]");
  CHECK(url({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1"}}) == "http://127.0.0.1:1");
  const AwsEnvironment environment({{"AWS_REGION", "a"}, {"AWS_DEFAULT_REGION", "b"}});
  CHECK(AwsSources::from_environment().region == "a");
}
