// What providers want to be exchanged before a call: one request for all runs that wait for it.
#include <utility>

#include "dispatch/work.hpp"
#include "provider/provider_directory.hpp"

namespace openindex {
inline namespace v0 {

void Dispatcher::Work::log_in(Active& active, providers::ProviderLogin login) {
  active.ticket = 0;
  for (auto& [number, pending] : logins_) {
    if (pending.login.provider != login.provider || pending.login.version != login.version) continue;
    active.request = number;
    pending.waiting.push_back(active.run.id);
    return;
  }
  const std::uint64_t number = active.request = ++requests_;
  HttpRequest request = login.request;
  logins_.emplace(number, Login{std::move(login), {active.run.id}});
  options.http.send(std::move(request), [box = inbox, number](Result<HttpResponse> response) {
    box->put({RunId(), number, std::move(response)});
  });
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
