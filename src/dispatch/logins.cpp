// What providers want to be exchanged before a call: one request for all runs that wait for it. A renewal is sent
// beside the calls that go on with what is still good, and nobody waits for it.
#include <utility>

#include "dispatch/work.hpp"
#include "provider/provider_directory.hpp"

namespace openindex {
inline namespace v0 {

void Dispatcher::Work::log_in(Active& active, providers::ProviderLogin login) {
  active.ticket = 0;
  active.request = login_under_way(std::move(login));
  logins_.at(active.request).waiting.push_back(active.run.id);
}

std::uint64_t Dispatcher::Work::login_under_way(providers::ProviderLogin login) {
  for (const auto& [number, pending] : logins_) {
    if (pending.login.provider == login.provider && pending.login.version == login.version) return number;
  }
  const std::uint64_t number = ++requests_;
  HttpRequest request = login.request;
  logins_.emplace(number, Login{std::move(login), {}});
  options.http.send(std::move(request), [box = inbox, number](Result<HttpResponse> response) {
    box->put({RunId(), number, std::move(response)});
  });
  return number;
}

void Dispatcher::Work::logged_in(const Login& pending, const dispatch::Answer& answer) {
  auto& directory = options.providers.directory();
  const auto kept = directory.keep_grant(pending.login, answer.response);
  // Another configuration may have another credential: then this failure says nothing of it.
  const auto record =
      kept ? Result<providers::ProviderRecord>(errc::not_found) : directory.load(pending.login.provider);
  const bool outdated = record && record->version != pending.login.version;
  for (const RunId& id : pending.waiting) {
    Active* active = find(id);
    if (active == nullptr || active->request != answer.request) continue;
    active->request = 0;
    if (kept || outdated) {
      send(*active);
    } else {
      provider_failed(*active, kept.error());
    }
  }
}

}  // namespace v0
}  // namespace openindex
