// Two processes on one storage, one of which loses it in the middle of a call.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <openindex/provider/integrations.hpp>

#include "provider/registry_fixture.hpp"

namespace openindex::test {

/// A storage that is gone from one call on: the answer of that one is lost, and nothing is answered afterwards.
class VanishingStorage final : public Storage {
 public:
  explicit VanishingStorage(Storage& behind) : behind_(behind) {}

  /// @param does whether the call at which it vanishes is still done
  void vanish_at(int nth, bool does) {
    calls_ = 0;
    nth_ = nth;
    does_ = does;
  }
  void come_back() { nth_ = 0; }
  [[nodiscard]] bool has_vanished() const { return nth_ > 0 && calls_ >= nth_; }

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override {
    if (is_gone()) return errc::storage_failed;
    return behind_.get(ids);
  }
  Result<ScanPage> scan(const ScanRequest& request) override {
    if (is_gone()) return errc::storage_failed;
    return behind_.scan(request);
  }
  Result<std::uint64_t> count(const CountRequest& request) override {
    if (is_gone()) return errc::storage_failed;
    return behind_.count(request);
  }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    if (!is_gone()) return behind_.commit(changes);
    if (calls_ == nth_ && does_) (void)behind_.commit(changes);
    return std::vector<Result<CommitReceipt>>(changes.size(), errc::commit_unknown);
  }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return behind_.wait_for_change(request); }
  void wake() noexcept override { behind_.wake(); }

 private:
  bool is_gone() {
    ++calls_;
    return has_vanished();
  }
  Storage& behind_;
  int calls_ = 0;
  int nth_ = 0;
  bool does_ = false;
};

/// Random but for the draws that decide on work that is done once in a while, which are never due.
class NeverDue final : public RandomSource {
 public:
  void fill(std::span<std::byte> bytes) override {
    system_random().fill(bytes);
    if (bytes.size() == 8) bytes[0] = bytes[7] = std::byte{1};
  }
};

struct Process {
  ProviderRegistry& registry;
  Integrations& integrations;
  ProviderId gpt;
};

struct KeysFixture {
  MemoryStorage storage;
  VanishingStorage vanishing{storage};
  testing::ManualClock clock;
  NeverDue random;
  HostKey host_key = HostKey::ephemeral();
  SealedSecretStore secrets{host_key};
  FakeHttp http;
  ProviderRegistry registry{{.storage = vanishing, .secrets = secrets, .http = http, .clock = clock, .random = random}};
  Integrations integrations{registry};
  // Another process.
  ProviderRegistry other{{.storage = storage, .secrets = secrets, .http = http, .clock = clock, .random = random}};
  Integrations others{other};

  KeysFixture() {
    REQUIRE(others.save(ada, "gpt", {.type = "openai", .configuration = ProviderConfig{{"api_key", "sk-MARKER"}}}));
    gpt = other.find("gpt")->id;
    REQUIRE(others.save_model(ada, "gpt", "m", {.configuration = ProviderConfig{{"api_key", "sk-OF-MODEL"}}}));
    REQUIRE(others.put_tags(ada, "gpt", std::vector<ProviderTag>{{"old", ""}}));
    REQUIRE(others.put_tags(ada, "gpt", "m", std::vector<ProviderTag>{{"old", ""}}));
    REQUIRE(others.save_prompt(ada, "greet", "hello", ""));
  }

  ProviderId gpt;
  Process here() { return {registry, integrations, gpt}; }
  Process there() { return {other, others, gpt}; }

  /// How many records there are of each kind, with their versions: another change of anything shows.
  std::string seen() {
    std::string out;
    for (const char* kind : {"provider", "provider_name", "provider_gone", "provider_model", "provider_type", "prompt",
                             "token_use", "event_counts", "audit", "idempotency"}) {
      std::map<std::uint64_t, int> versions;
      ScanRequest request{.prefix = {std::string(kind)}, .limit_count = 1000};
      for (const Record& row : storage.scan(request).value().rows) ++versions[row.version];
      out += std::string(kind) + ":";
      for (const auto& [version, count] : versions) out += std::to_string(count) + "v" + std::to_string(version) + " ";
    }
    return out;
  }
  std::vector<Record> remembered() { return storage.scan({.prefix = {std::string("idempotency")}}).value().rows; }
};

}  // namespace openindex::test
