#include <openindex/adapters/sealed_secret_store.hpp>

#include <string>

#include <doctest/doctest.h>

#include <openindex/testing/seeded_random.hpp>

using namespace openindex;

namespace {

constexpr SecretName secret_name{"prov_1", "api_key"};
const std::string value = "sk-MARKER-0123456789";

errc code_of(const Result<std::string>& result) { return result ? errc{} : result.error().code(); }

}  // namespace

TEST_CASE("a sealed value opens again under the same key and name") {
  const HostKey key = HostKey::ephemeral();
  SealedSecretStore store(key);
  for (const std::string& each : {value, std::string(), std::string("nul\0inside", 10), std::string(65'536, 'x')}) {
    const auto handle = store.seal(secret_name, each);
    REQUIRE(handle);
    CHECK(SealedSecretStore(key).open(secret_name, *handle).value() == each);
  }
}

TEST_CASE("a handle is printable and shows nothing of the value") {
  SealedSecretStore store(HostKey::ephemeral());
  const std::string handle = store.seal(secret_name, value).value();
  CHECK(handle.starts_with("sealed:v2:"));
  CHECK(handle.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:") ==
        std::string::npos);
  CHECK(handle.find("MARKER") == std::string::npos);
}

TEST_CASE("a value of more than a megabyte is refused") {
  SealedSecretStore store(HostKey::ephemeral());
  CHECK(store.seal(secret_name, std::string(1'048'576, 'x')));
  CHECK(code_of(store.seal(secret_name, std::string(1'048'577, 'x'))) == errc::input_too_large);
}

TEST_CASE("sealing the same value twice gives two handles") {
  SealedSecretStore store(HostKey::ephemeral());
  CHECK(store.seal(secret_name, value).value() != store.seal(secret_name, value).value());
}

TEST_CASE("a handle does not open for another provider, another key of it, or under another host key") {
  SealedSecretStore store(HostKey::ephemeral());
  const std::string handle = store.seal(secret_name, value).value();
  CHECK(code_of(store.open({"prov_2", "api_key"}, handle)) == errc::secret_unreadable);
  CHECK(code_of(store.open({"prov_1", "password"}, handle)) == errc::secret_unreadable);
  CHECK(code_of(SealedSecretStore(HostKey::ephemeral()).open(secret_name, handle)) == errc::secret_unreadable);
}

TEST_CASE("a handle that was changed anywhere, cut or never was one does not open") {
  SealedSecretStore store(HostKey::ephemeral());
  const std::string handle = store.seal(secret_name, value).value();
  const std::size_t start = std::string("sealed:v2:").size();
  for (std::size_t i = start; i < handle.size(); ++i) {
    std::string changed = handle;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CAPTURE(i);
    CHECK(code_of(store.open(secret_name, changed)) == errc::secret_unreadable);
  }
  for (std::size_t length = 0; length < handle.size(); ++length) {
    CHECK(code_of(store.open(secret_name, handle.substr(0, length))) == errc::secret_unreadable);
  }
  CHECK(code_of(store.open(secret_name, value)) == errc::secret_unreadable);
}

TEST_CASE("a handle has one spelling: unused bits of its last character are not ignored") {
  SealedSecretStore store(HostKey::ephemeral());
  std::string handle = store.seal(secret_name, "1").value();  // 97 bytes: the last of 130 characters holds 4 such bits
  REQUIRE(handle.size() == std::string("sealed:v2:").size() + 130);
  // The next character of the alphabet differs in an unused bit only.
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  handle.back() = alphabet[alphabet.find(handle.back()) + 1];
  CHECK(code_of(store.open(secret_name, handle)) == errc::secret_unreadable);
}

TEST_CASE("an error of the store names the provider and the key, never the value") {
  SealedSecretStore store(HostKey::ephemeral());
  const auto opened = store.open(secret_name, value);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().context("provider") == "prov_1");
  CHECK(opened.error().context("key") == "api_key");
  CHECK(opened.error().describe().find("MARKER") == std::string::npos);
}

TEST_CASE("the key and the nonce come from the injected source of randomness") {
  testing::SeededRandom one(1);
  testing::SeededRandom same(1);
  SealedSecretStore store(HostKey::ephemeral(one), one);
  SealedSecretStore again(HostKey::ephemeral(same), same);
  CHECK(store.seal(secret_name, value).value() == again.seal(secret_name, value).value());
}

TEST_CASE("what was sealed under a former key of the host opens, and is worth sealing anew") {
  const HostKey old_key = HostKey::ephemeral(), new_key = HostKey::ephemeral();
  SealedSecretStore before(old_key), between(old_key, {new_key}), after(new_key, {old_key}), later(new_key);
  const std::string old_handle = before.seal(secret_name, value).value();
  const std::string new_handle = after.seal(secret_name, value).value();
  for (SecretStore* store :
       {static_cast<SecretStore*>(&before), static_cast<SecretStore*>(&between), static_cast<SecretStore*>(&after)}) {
    CHECK(store->open(secret_name, old_handle).value() == value);
  }
  for (SecretStore* store :
       {static_cast<SecretStore*>(&between), static_cast<SecretStore*>(&after), static_cast<SecretStore*>(&later)}) {
    CHECK(store->open(secret_name, new_handle).value() == value);
  }
  CHECK(before.is_current(old_handle));
  CHECK(between.is_current(old_handle));
  CHECK_FALSE(after.is_current(old_handle));
  CHECK(after.is_current(new_handle));
  CHECK_FALSE(after.is_current("sealed:v2:"));
  CHECK_FALSE(after.is_current(value));
  const auto gone = later.open(secret_name, old_handle);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code() == errc::secret_unreadable);
  CHECK(gone.error().message() == "The secret was sealed under a key of the host that is not given");
}

TEST_CASE("what the first version sealed opens, and is worth sealing anew") {
  testing::SeededRandom random(1);
  SealedSecretStore store(HostKey::ephemeral(random), random);
  const std::string handle = "sealed:v1:ubUB0dhUu3GAAhWQmkhyzjVxdyf_FOQ15M2-wl-a6VbIS88urQZKKBilQgdxOOaw";
  CHECK(store.open(secret_name, handle).value() == value);
  CHECK_FALSE(store.is_current(handle));
  CHECK(code_of(store.open({"prov_2", "api_key"}, handle)) == errc::secret_unreadable);
}
