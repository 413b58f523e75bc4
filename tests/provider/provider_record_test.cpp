#include "provider/provider_record.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace openindex;
using namespace openindex::providers;

namespace {

const std::string stored =
    R"({"name":"claude","type":"anthropic","enabled":true,"config":{"model":"m"},"secrets":{"api_key":)"
    R"({"handle":"sealed:v1:abc","fingerprint":"01234567","setAt":1767225600250,"rotation":{"due":"soon"}}},)"
    R"("salt":"salt_1","auditCount":3,"auditHead":"ff","createdAt":1,"updatedAt":2,"marks":["a","b"],"weight":15})";

Record record_of(std::string body) { return {{"provider", "prov_1"}, 7, std::move(body), {}}; }

}  // namespace

TEST_CASE("a record reads and writes back byte for byte, members of later versions included") {
  const auto record = read_provider(record_of(stored));
  REQUIRE(record);
  CHECK(write_provider(*record).body == stored);
}

TEST_CASE("a record reads as what it says") {
  const auto record = read_provider(record_of(stored)).value();
  CHECK(record.id == ProviderId("prov_1"));
  CHECK(record.version == 7);
  CHECK(record.name == "claude");
  CHECK(record.type == "anthropic");
  CHECK(record.enabled);
  CHECK(record.config == ProviderConfig{{"model", "m"}});
  CHECK(record.secrets.at("api_key").handle == "sealed:v1:abc");
  CHECK(record.chain.count == 3);
  CHECK(record.chain.digest == "ff");
}

TEST_CASE("a damaged record is reported as damaged, by name") {
  for (const char* body : {"", "[]", "{}", R"({"name":"n"})", R"({"type":"openai"})", R"({"name":1,"type":"openai"})",
                           R"({"name":"n","type":"openai","secrets":{"api_key":"text"}})"}) {
    CAPTURE(body);
    const auto record = read_provider(record_of(body));
    REQUIRE_FALSE(record);
    CHECK(record.error().code() == errc::storage_corrupt);
    CHECK(record.error().context("what") == "provider prov_1");
  }
}

TEST_CASE("a view shows of a secret its fingerprint and time, and no handle") {
  const Provider view = view_of(read_provider(record_of(stored)).value());
  CHECK(view.config == ProviderConfig{{"model", "m"}});
  CHECK(view.secrets.at("api_key").fingerprint == "01234567");
  CHECK(view.secrets.at("api_key").set_at == Time(Duration(1'767'225'600'250)));
}

TEST_CASE("a secret that somebody wrote into the record in the clear is not shown") {
  ProviderRecord record = read_provider(record_of(stored)).value();
  record.config["api_key"] = "sk-MARKER";
  CHECK_FALSE(view_of(record).config.contains("api_key"));
  record.config["api_key"] = "env:KEY";
  CHECK(view_of(record).config.at("api_key") == "env:KEY");
}

TEST_CASE("fingerprints of one provider compare, those of two do not") {
  ProviderRecord one = read_provider(record_of(stored)).value();
  ProviderRecord two = one;
  two.salt = "salt_2";
  CHECK(fingerprint(one, "secret").size() == 8);
  CHECK(fingerprint(one, "secret") == fingerprint(one, "secret"));
  CHECK(fingerprint(one, "secret") != fingerprint(one, "another"));
  CHECK(fingerprint(one, "secret") != fingerprint(two, "secret"));
}
