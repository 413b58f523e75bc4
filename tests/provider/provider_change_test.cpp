#include "provider/provider_change.hpp"

#include <doctest/doctest.h>

using namespace openindex;
using namespace openindex::providers;

namespace {

ProviderRecord stored_llama() {
  const NewProvider wanted{.name = "llama", .type = "ollama", .config = {{"model", "llama3"}}};
  return decide_create(wanted, "prov_1", "salt_1", {}).value().record;
}

}  // namespace

TEST_CASE("a name that the provider itself has got in the meantime is not taken") {
  const auto renamed = decide_update(stored_llama(), {.name = "opus"}, {.name_owner = "prov_1"});
  REQUIRE(renamed);
  CHECK(renamed->record.name == "opus");
  const auto taken = decide_update(stored_llama(), {.name = "opus"}, {.name_owner = "prov_2"});
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code() == errc::already_exists);
}

TEST_CASE("a decision names the values to seal and holds none of them") {
  const NewProvider wanted{.name = "gpt", .type = "openai", .config = {{"api_key", "sk-MARKER"}, {"model", "m"}}};
  const auto change = decide_create(wanted, "prov_1", "salt_1", {});
  REQUIRE(change);
  CHECK(change->to_seal == std::vector<std::string>{"api_key"});
  CHECK(change->record.secrets.at("api_key").handle.empty());
  CHECK(write_provider(change->record).body.find("MARKER") == std::string::npos);
  for (const auto& entry : change->changes) CHECK(entry.after.find("MARKER") == std::string::npos);
}
