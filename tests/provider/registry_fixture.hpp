// A provider registry with everything around it under the test's control.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/adapters/sealed_secret_store.hpp>
#include <openindex/provider_registry.hpp>
#include <openindex/testing/faulty_storage.hpp>
#include <openindex/testing/manual_clock.hpp>

#include "engine/audit_chain.hpp"

namespace openindex::test {

class FakeHttp final : public HttpClient {
 public:
  std::function<Result<HttpResponse>(const HttpRequest&)> answer = [](const HttpRequest&) {
    return Result<HttpResponse>(errc::http_unreachable);
  };
  std::vector<HttpRequest> requests;

  HttpTicket send(HttpRequest request, HttpDone done) override {
    requests.push_back(request);
    done(answer(request));
    return 1;
  }
  void cancel(HttpTicket) noexcept override {}
};

inline const Actor host = Actor::system("host");
inline const Actor ada = Actor::person("ada");
inline const Actor bob = Actor::person("bob", Scope::read_write);

inline NewProvider claude() {
  return {.name = "claude", .type = "anthropic", .config = {{"api_key", "sk-MARKER-1"}, {"model", "claude-x"}}};
}
inline NewProvider gpt() {
  return {.name = "gpt", .type = "openai", .config = {{"api_key", "sk-MARKER-2"}, {"model", "gpt-x"}}};
}
inline NewProvider llama() { return {.name = "llama", .type = "ollama", .config = {{"model", "llama3"}}}; }

/// Return every record of these kinds; what is not listed there is not written by the registry.
inline std::vector<Record> records(Storage& storage) {
  std::vector<Record> out;
  for (const char* kind : {"provider", "provider_name", "audit", "marker"}) {
    ScanRequest request;
    request.prefix = {IndexValue(std::string(kind))};
    auto page = storage.scan(request).value();
    out.insert(out.end(), page.rows.begin(), page.rows.end());
  }
  return out;
}

inline std::vector<AuditEntry> audit_of(Storage& storage, const ProviderId& id) {
  std::vector<AuditEntry> out;
  for (std::uint64_t number = 1;; ++number) {
    const RecordId name = engine::audit_record("provider." + id.str(), number);
    const auto found = storage.get({&name, 1}).value();
    if (!found[0]) return out;
    out.push_back(engine::read_audit(number, found[0]->body).value());
  }
}

/// `what: before -> after` of each change, in order.
inline std::vector<std::string> changes_of(const AuditEntry& entry) {
  std::vector<std::string> out;
  for (const auto& change : entry.changes) out.push_back(change.what + ": " + change.before + " -> " + change.after);
  return out;
}

template <class T>
errc code_of(const Result<T>& result) {
  return result ? errc{} : result.error().code();
}

/// `pointer text` of each problem, in order.
inline std::vector<std::string> problems_of(const Error& error) {
  std::vector<std::string> out;
  for (const auto& problem : error.problems()) out.push_back(problem.pointer + " " + problem.text);
  return out;
}

struct RegistryFixture {
  MemoryStorage storage;
  testing::ManualClock clock;
  SealedSecretStore secrets{HostKey::ephemeral()};
  FakeHttp http;
  ProviderRegistry registry{{.storage = storage,
                             .secrets = secrets,
                             .http = http,
                             .clock = clock,
                             .allowed_env = {"OPENINDEX_TEST_SECRET", "OPENINDEX_TEST_ENDPOINT"}}};
};

/// A registry whose storage fails when it is told to.
struct FaultyRegistry {
  MemoryStorage storage;
  testing::FaultyStorage faulty{storage};
  testing::ManualClock clock;
  SealedSecretStore secrets{HostKey::ephemeral()};
  FakeHttp http;
  ProviderRegistry registry{{.storage = faulty, .secrets = secrets, .http = http, .clock = clock}};
};

}  // namespace openindex::test
