// How much of a configuration must be there, and what the values of each form look like.
#include <doctest/doctest.h>

#include "provider/google_fixture.hpp"
#include "provider/key_form.hpp"
#include "provider/provider_directory.hpp"
#include "provider/registry_fixture.hpp"

using namespace openindex;
using namespace openindex::test;

namespace {

using Problems = std::vector<std::string>;

Problems checked(const ProviderRegistry& registry, const std::string& type, const ProviderConfig& config,
                 Validation validation = Validation::strict) {
  Problems out;
  for (const Problem& problem : registry.check({.name = "p", .type = type, .config = config}, validation)) {
    out.push_back(problem.pointer + " " + problem.text);
  }
  return out;
}

// What each type of the documentation asks for, and nothing more.
std::vector<std::pair<std::string, ProviderConfig>> documented() {
  const std::string file = GoogleKey::shared().file();
  const ProviderConfig aws_key{
      {"connectionType", "ACCESS_KEY"}, {"region", "eu-west-1"}, {"user", "AKIA"}, {"api_key", "k"}};
  const ProviderConfig aws_external{{"connectionType", "EXTERNAL_ROLE"},
                                    {"region", "eu-west-1"},
                                    {"roleArn", "arn:aws:iam::123456789012:role/r"},
                                    {"externalId", "x"}};
  const ProviderConfig aws_own{{"connectionType", "CONDUCTOR_ROLE"}, {"region", "eu-west-1"}};
  std::vector<std::pair<std::string, ProviderConfig>> out = {
      {"pineconedb", {{"api_key", "k"}, {"environment", "us-east-1"}}},
      {"pineconedb", {{"api_key", "k"}, {"environment", "us-east-1"}, {"projectName", "p"}}},
      {"weaviatedb", {{"api_key", "k"}, {"endpoint", "https://w.example.com"}}},
      {"pgvectordb",
       {{"user", "u"},
        {"password", "p"},
        {"datasourceURL", "jdbc:postgresql://h:5432/d"},
        {"dimensions", "256"},
        {"distance_metric", "Cosine Similarity"},
        {"indexing_method", "hnsw"}}},
      {"mongovectordb",
       {{"endpoint", "mongodb+srv://u:p@h.example.com/"},
        {"namespace", "n"},
        {"dimensions", "256"},
        {"distance_metric", "Cosine"}}},
      {"amqp",
       {{"protocol", "amqps"},
        {"user", "u"},
        {"password", "p"},
        {"endpoint", "h.example.com"},
        {"port", "5671"},
        {"namespace", "/"}}},
      {"kafka", {{"endpoint", "a:9092,b:9092"}, {"connectionType", "PLAINTEXT"}, {"protocol", "String"}}},
      {"nats",
       {{"endpoint", "nats://h:4222"},
        {"connectionType", "Default"},
        {"authenticationType", "Without Credentials"},
        {"protocol", "NONE"},
        {"tls", "NONE"}}},
      {"azure_service_bus",
       {{"connectionType", "Connection String"}, {"endpoint", "Endpoint=sb://n.servicebus.windows.net/;K=v"}}},
      {"azure_service_bus", {{"connectionType", "Password Less"}, {"namespace", "n"}}},
      {"gcp_pubsub", {{"projectName", "p"}, {"location", "eu"}, {"file", file}}},
      {"ibm_mq",
       {{"endpoint", "h"},
        {"port", "1414"},
        {"queueManager", "QM1"},
        {"channel", "C"},
        {"protocol", "Passwordless"},
        {"pubSubMethod", "Queue-based"},
        {"authenticationType", "NONE"},
        {"tls", "NONE"}}},
      {"gcp", {{"projectName", "p"}, {"environment", "europe-west1"}, {"file", file}}},
      {"relational_db",
       {{"jdbcDriver", "org.postgresql.Driver"},
        {"user", "u"},
        {"password", "p"},
        {"datasourceURL", "jdbc:postgresql://localhost:5432/mydb"}}},
      {"sendgrid", {{"api_key", "SG.x"}}},
      {"git", {{"user", "u"}, {"api_key", "ghp_x"}}},
  };
  for (const char* type : {"aws", "aws_sqs"}) {
    for (const auto& config : {aws_key, aws_external, aws_own}) out.emplace_back(type, config);
  }
  return out;
}

}  // namespace

TEST_CASE_FIXTURE(RegistryFixture, "what a type is documented to ask for is enough, and without any of it it is not") {
  int number = 0;
  for (const auto& row : documented()) {
    const std::string type = row.first;
    const ProviderConfig& config = row.second;
    CAPTURE(type);
    CHECK(checked(registry, type, config) == Problems{});
    const auto made = registry.create(host, {.name = "p" + std::to_string(++number), .type = type, .config = config});
    CHECK(made.has_value());
    for (const auto& held : config) {
      const std::string key = held.first;
      if (key == "projectName" && type == "pineconedb") continue;
      ProviderConfig less = config;
      less.erase(key);
      CAPTURE(key);
      const auto problems = checked(registry, type, less);
      REQUIRE(problems.size() == 1);
      CHECK(problems.front().starts_with("/config/" + key + " is required"));
    }
  }
}

TEST_CASE_FIXTURE(RegistryFixture, "strict asks also for what has a default, lenient for nothing") {
  const ProviderConfig config{{"api_key", "k"}, {"model", "m"}};
  CHECK(checked(registry, "anthropic", config, Validation::strict) == Problems{"/config/endpoint is required"});
  CHECK(checked(registry, "anthropic", config, Validation::defaults).empty());
  CHECK(checked(registry, "anthropic", {}, Validation::lenient).empty());
  CHECK(checked(registry, "openai", {{"model", "m"}, {"endpoint", "https://h/v1"}}, Validation::strict) ==
        Problems{"/config/api_key is required"});
  CHECK(checked(registry, "openai", {{"model", "m"}, {"endpoint", "https://h/v1"}}, Validation::defaults).empty());
  // What is malformed is refused all the same.
  CHECK(checked(registry, "anthropic", {{"endpoint", "ftp://h"}}, Validation::lenient) ==
        Problems{"/config/endpoint must begin with https:// or http://"});
  CHECK(checked(registry, "skynet", {}, Validation::lenient) == Problems{"/type is not a type of the catalog"});
}

TEST_CASE("a provider that was saved without what it needs says so when it is tested, and misspelt keys stay secret") {
  RegistryFixture f;
  ProviderRegistry registry{{.storage = f.storage,
                             .secrets = f.secrets,
                             .http = f.http,
                             .clock = f.clock,
                             .validation = Validation::lenient}};
  const auto made = registry.create(host, {.name = "p", .type = "openai", .config = {{"apiKey", "sk-MARKER"}}});
  REQUIRE(made);
  CHECK(made->config.empty());
  CHECK(made->secrets.contains("apiKey"));
  for (const Record& record : records(f.storage)) CHECK(record.body.find("sk-MARKER") == std::string::npos);
  // What was kept without being known can be taken away, also where it would be refused.
  CHECK(code_of(f.registry.update(host, made->id, {.config = {{"apiKey", ""}, {"api_key", "k"}, {"model", "m"}}})) ==
        errc{});
  const ProviderConfig back{{"apiKey", "sk-MARKER"}, {"api_key", ""}, {"model", ""}};
  REQUIRE(registry.update(host, made->id, {.config = back}));
  const auto test = registry.test(host, made->id).value();
  CHECK(!test.configured);
  CHECK(test.code == errc::invalid_argument);
  CHECK(f.http.requests.empty());
  const auto endpoint = registry.directory().resolve(registry.directory().load(made->id).value());
  REQUIRE_FALSE(endpoint);
  CHECK(problems_of(endpoint.error()) == Problems{"/config/api_key is required unless endpoint is set"});
}

TEST_CASE_FIXTURE(RegistryFixture, "a password of Kafka is given again when the way it travels changes") {
  const auto made = registry.create(host, {.name = "k",
                                           .type = "kafka",
                                           .config = {{"endpoint", "broker:9092"},
                                                      {"connectionType", "SASL_SSL / SCRAM-SHA-512"},
                                                      {"protocol", "String"},
                                                      {"user", "u"},
                                                      {"password", "sk-MARKER"}}});
  REQUIRE(made);
  const ProviderConfig plain{{"connectionType", "SASL_PLAINTEXT"}, {"mechanism", "PLAIN"}};
  CHECK(code_of(registry.update(host, made->id, {.config = plain})) == errc::secret_required_for_endpoint);
  auto whole = plain;
  whole["password"] = "sk-MARKER";
  CHECK(registry.update(host, made->id, {.config = whole}));
  // Whoever chooses the roots can read what is sent to a server that they vouch for.
  ProviderConfig roots{{"authenticationType", "PEM"}, {"file", "PEM-1"}, {"password", "sk-MARKER"}};
  REQUIRE(registry.update(host, made->id, {.config = roots}));
  CHECK(code_of(registry.update(host, made->id, {.config = {{"file", "PEM-2"}}})) ==
        errc::secret_required_for_endpoint);
  CHECK(registry.update(host, made->id, {.config = {{"file", "PEM-1"}}}));
}

TEST_CASE_FIXTURE(RegistryFixture, "the variants of brokers ask for what they need, however they are spelt") {
  const ProviderConfig kafka{{"endpoint", "h:9092"}, {"protocol", "string"}};
  const auto with = [](ProviderConfig config, const ProviderConfig& more) {
    for (const auto& [key, value] : more) config[key] = value;
    return config;
  };
  CHECK(checked(registry, "kafka", with(kafka, {{"connectionType", "sasl_ssl/plain"}})) ==
        Problems{"/config/user is required when connectionType is sasl_ssl/plain",
                 "/config/password is required when connectionType is sasl_ssl/plain"});
  CHECK(checked(registry, "kafka", with(kafka, {{"connectionType", "SOMETHING_NEW"}})).empty());
  CHECK(checked(registry, "kafka", with(kafka, {{"connectionType", "PLAINTEXT"}, {"protocol", "AVRO"}})) ==
        Problems{"/config/schemaRegistryUrl is required when protocol is AVRO"});
  CHECK(checked(registry, "kafka",
                with(kafka, {{"connectionType", "PLAINTEXT"},
                             {"protocol", "AVRO"},
                             {"schemaRegistryUrl", "https://r.example.com"},
                             {"schemaRegistryAuthType", "Schema Registry User Info (Key/Password)"}})) ==
        Problems{"/config/schemaRegistryApiKey is required when protocol is AVRO and schemaRegistryAuthType is Schema "
                 "Registry User Info (Key/Password)",
                 "/config/schemaRegistryApiSecret is required when protocol is AVRO and schemaRegistryAuthType is "
                 "Schema Registry User Info (Key/Password)"});
  const ProviderConfig nats{{"endpoint", "h:4222"}, {"connectionType", "Default"}, {"tls", "PEM"}};
  CHECK(checked(registry, "nats", with(nats, {{"authenticationType", "With Credentials"}, {"protocol", "JWT"}})) ==
        Problems{"/config/user is required when authenticationType is With Credentials",
                 "/config/password is required when authenticationType is With Credentials",
                 "/config/file is required when protocol is JWT", "/config/tlsFile is required when tls is PEM"});
  CHECK(checked(registry, "aws", {{"connectionType", "Access Key"}, {"region", "eu-west-1"}}) ==
        Problems{"/config/user is required when connectionType is Access Key",
                 "/config/api_key is required when connectionType is Access Key"});
  CHECK(checked(registry, "aws", {{"connectionType", "PASSWORD"}, {"region", "eu-west-1"}}) ==
        Problems{"/config/connectionType must be one of ACCESS_KEY, EXTERNAL_ROLE, CONDUCTOR_ROLE"});
}

TEST_CASE("each form takes its values and says what is wrong with others") {
  const struct {
    KeyForm form;
    std::vector<std::string> good;
    std::vector<std::string> bad;
  } forms[] = {
      {KeyForm::port, {"1", "5672", "65535"}, {"0", "65536", "-1", "5672x", "0x10", " 1"}},
      {KeyForm::count, {"1", "256", "999999999"}, {"0", "-3", "1.5", "1e3", "1000000000", "many"}},
      {KeyForm::servers,
       {"h", "h:9092", "a:1,b:2", "nats://h:4222", "tls://h", "[::1]:4222", "10.0.0.1", "h.example.com/"},
       {"h:0", "u:p@h", "nats://u:p@h", "h/path", "a,,b", "a, b", "nats://", "NATS://h", "h?x=1", "h#x"}},
      {KeyForm::jdbc_url,
       {"jdbc:postgresql://h:5432/d", "jdbc:sqlserver://h:1433;databaseName=d", "jdbc:oracle:thin:@h:1521/s",
        "jdbc:postgresql://h/d?sslmode=require"},
       {"postgresql://h/d", "jdbc:", "jdbc:x:", "jdbc::h", "jdbc:postgresql://u:p@h/d",
        "jdbc:postgresql://h/d?user=u&password=p", "jdbc:sqlserver://h;Password=p", "jdbc:postgresql://h/ d",
        "jdbc:oracle:thin:scott/tiger@//db:1521/s", "jdbc:mysql://h/d?password1=x",
        "jdbc:postgresql://h/d?%70assword=x", "jdbc:sqlserver://h;accessToken=x"}},
      {KeyForm::mongo_url,
       {"mongodb://u:p@h:27017/d", "mongodb+srv://h"},
       {"http://h", "mongodb://", "mongodb:///d", "mongodb://a b"}},
      {KeyForm::role_arn,
       {"arn:aws:iam::123456789012:role/r", "arn:aws-cn:iam::123456789012:role/a/b"},
       {"role/r", "arn:aws:iam::123456789012:user/u", "arn:aws:iam::123456789012:role/a b"}},
      {KeyForm::account_id, {"123456789012"}, {"12345678901", "1234567890123", "12345678901x"}},
      {KeyForm::lines, {"-----BEGIN X-----\nabc\r\n-----END X-----\n", "x\ty"}, {std::string("a\0b", 3), "\x1b[2J"}},
      {KeyForm::region, {"eu-central-1", "global"}, {"EU", "a.b", "evil.example.com/"}},
  };
  for (const auto& [form, good, bad] : forms) {
    for (const std::string& value : good) {
      CAPTURE(value);
      CHECK(providers::value_problem(form, value) == "");
    }
    for (const std::string& value : bad) {
      CAPTURE(value);
      CHECK(providers::value_problem(form, value) != "");
    }
  }
}

TEST_CASE_FIXTURE(RegistryFixture, "secrets are bound to every key that says where they go") {
  const ProviderConfig database{
      {"jdbcDriver", "d"}, {"user", "u"}, {"password", "p"}, {"datasourceURL", "jdbc:postgresql://h/d"}};
  const auto made = registry.create(host, {.name = "db", .type = "relational_db", .config = database}).value();
  const ProviderConfig moved{{"datasourceURL", "jdbc:postgresql://evil.example.com/d"}};
  CHECK(code_of(registry.update(host, made.id, {.config = moved})) == errc::secret_required_for_endpoint);

  const ProviderConfig amqp{{"protocol", "amqp"}, {"user", "u"},    {"password", "p"},
                            {"endpoint", "h"},    {"port", "5672"}, {"namespace", "/"}};
  const auto broker = registry.create(host, {.name = "mq", .type = "amqp", .config = amqp}).value();
  for (const ProviderConfig& change :
       {ProviderConfig{{"endpoint", "evil"}}, ProviderConfig{{"port", "99"}}, ProviderConfig{{"protocol", "amqps"}}}) {
    CHECK(code_of(registry.update(host, broker.id, {.config = change})) == errc::secret_required_for_endpoint);
  }
  CHECK(registry.update(host, broker.id, {.config = {{"namespace", "other"}}}));
  CHECK(registry.update(host, broker.id, {.config = {{"endpoint", "h2"}, {"password", "p"}}}));
}
