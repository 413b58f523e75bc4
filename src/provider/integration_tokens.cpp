// Tokens that the models of integrations have used, their limits, and counts of events.
#include <algorithm>
#include <utility>

#include <openindex/provider/integrations.hpp>
#include <openindex/provider_registry.hpp>

#include "core/utf8.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"
#include "provider/integration_draft.hpp"
#include "provider/provider_access.hpp"
#include "provider/provider_directory.hpp"
#include "provider/token_book.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using providers::Made;
using providers::ProviderCommit;
using providers::ProviderDraft;
using providers::TokenBook;

constexpr std::uint64_t tokens_at_once_max = 1'000'000'000'000'000;
constexpr std::size_t model_name_bytes_max = 200;
constexpr std::size_t events_at_once_max = 10'000;
constexpr std::size_t event_names_max = 1'000;

Error not_valid(std::string pointer, std::string text) {
  return Error(errc::invalid_argument, "The integration is not valid")
      .with_problems({{std::move(pointer), std::move(text)}});
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= model_name_bytes_max && is_utf8(name) && !has_control(name);
}

Result<void> check_use(const TokenUse& use) {
  if (!is_name(use.model)) return not_valid("/model", "must be 1 to 200 bytes of UTF-8 without control characters");
  if (use.input > tokens_at_once_max || use.output > tokens_at_once_max) {
    return not_valid("/tokens", "must be at most 10^15");
  }
  return {};
}

using EventCounts = std::map<std::string, EventCount, std::less<>>;

RecordId event_record(const std::string& type) { return {"event_counts", type}; }

Result<EventCounts> read_counts(const std::optional<Record>& record) {
  EventCounts out;
  if (!record) return out;
  auto in = json::Stored::read(record->body, "counts of events " + record->id.key);
  if (!in) return in.error();
  for (json::Stored& one : in->objects("events")) {
    const std::string name = one.text("event");
    out[name] = {name, one.natural("sent"), one.natural("received"), one.time("lastAt")};
  }
  return out;
}

Put write_counts(const std::string& type, const EventCounts& counts) {
  json::Writer out;
  out.begin_object().key("events").begin_array();
  for (const auto& [name, count] : counts) {
    out.begin_object().key("event").string(name).key("sent").number(count.sent);
    out.key("received").number(count.received);
    out.key("lastAt").number(std::int64_t{count.last_at.time_since_epoch().count()}).end_object();
  }
  out.end_array().end_object();
  return {event_record(type), std::move(out).str(), {}};
}

Result<void> check_type(ProviderRegistry::Directory& directory, const std::string& type) {
  const auto known = directory.find_type(type);
  if (!known) return known.error();
  if (*known) return {};
  return Error(errc::unknown_provider_type).with("type", is_name(type) ? type : "(not a name)");
}

Result<void> check_events(std::span<const IntegrationEvent> events) {
  if (events.size() > events_at_once_max) return not_valid("", "must be at most 10,000 events");
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::string place = "/" + std::to_string(i);
    if (!is_name(events[i].event)) {
      return not_valid(place + "/event", "must be 1 to 200 bytes of UTF-8 without control characters");
    }
    if (events[i].event_type > IntegrationEvent::Type::RECEIVE) return not_valid(place + "/eventType", "is not a type");
  }
  return {};
}

void count_in(EventCounts& counts, const IntegrationEvent& event) {
  EventCount& count = counts[event.event];
  count.event = event.event;
  ++(event.event_type == IntegrationEvent::Type::SEND ? count.sent : count.received);
  count.last_at = std::max(count.last_at, event.created_at);
}

}  // namespace

Result<void> Integrations::add_tokens(const Actor& actor, const std::string& name, const TokenUse& use,
                                      const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed;
  if (auto sound = check_use(use); !sound) return sound;
  auto& directory = registry_.directory();
  auto& options = directory.options;
  const auto request = providers::call_request(directory, actor, call, "add tokens", name, use);
  if (!request) return request.error();
  ProviderId id;  // empty: it was counted before, by the same call
  const auto done = providers::land_decision(directory, actor, *request, [&](ProviderCommit& commit) -> Result<Made> {
    const auto provider = providers::load_integration(directory, name);
    if (!provider) return provider.error();
    if (auto allowed = providers::may_do(actor, *provider, Access::UPDATE); !allowed) return allowed.error();
    TokenUse counted = use;
    const Time now = commit.now();
    if (use.period_start == Time{}) counted.period_start = now;
    if (counted.period_start < now - std::chrono::days(400) || counted.period_start > now + std::chrono::days(1)) {
      return not_valid("/periodStart", "must be within the last 400 days");
    }
    id = provider->id;
    commit.append(TokenBook::entry(id, commit.id().str(), counted, commit.id()));
    return Made();
  });
  if (!done) return done.error();
  // Once in a while, what was counted is added up; what fails there is done by who comes next.
  constexpr std::uint64_t calls_between = 64;
  if (!id.empty() && options.random.next() % calls_between == 0) {
    (void)TokenBook(options.storage).fold(id, mint_id(options.random, "com"), options.clock.now());
  }
  return {};
}

Result<std::map<std::string, std::uint64_t>> Integrations::tokens(const std::string& name) {
  auto& directory = registry_.directory();
  const auto provider = providers::load_integration(directory, name);
  if (!provider) return provider.error();
  return TokenBook(directory.options.storage).totals(provider->id);
}

Result<std::uint64_t> Integrations::tokens(const std::string& name, const std::string& model) {
  const auto all = tokens(name);
  if (!all) return all.error();
  const auto found = all->find(model);
  if (found != all->end()) return found->second;
  // One that nobody has asked: it has used none, if it is there.
  if (auto known = this->model(name, model); !known) return known.error();
  return std::uint64_t{0};
}

Result<std::vector<TokenUse>> Integrations::token_history(const std::string& name, const std::string& model,
                                                          std::uint32_t days) {
  constexpr std::uint32_t days_max = 366;
  if (days == 0 || days > days_max) return not_valid("/lookUpWindow", "must be 1 to 366");
  auto& directory = registry_.directory();
  const auto provider = providers::load_integration(directory, name);
  if (!provider) return provider.error();
  const Time from = directory.options.clock.now() - std::chrono::days(days);
  auto all = TokenBook(directory.options.storage).since(provider->id, from);
  if (all && !model.empty()) std::erase_if(*all, [&](const TokenUse& use) { return use.model != model; });
  return all;
}

Result<void> Integrations::limit_tokens(const Actor& actor, const std::string& name, const TokenLimit& limit,
                                        const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed;
  std::vector<Problem> problems;
  providers::check_limit(limit, problems);
  if (!problems.empty()) {
    return Error(errc::invalid_argument, "The integration is not valid").with_problems(std::move(problems));
  }
  auto& directory = registry_.directory();
  const auto request = providers::call_request(directory, actor, call, "limit tokens", name, limit);
  if (!request) return request.error();
  const auto decide = [&](ProviderDraft& draft, Time) -> Result<void> {
    const auto wanted = limit.tokens_max == 0 ? std::nullopt : std::optional(limit);
    std::optional<TokenLimit>& held = draft.record.token_limit;
    if (held == wanted) return {};
    draft.note("admin.ai_provider_updated", {{"limit", providers::display(held), providers::display(wanted)}});
    held = wanted;
    return {};
  };
  return providers::change_integration(directory, actor, *request, name, Access::UPDATE, decide);
}

Result<TokenLimit> Integrations::token_limit(const std::string& name) {
  const auto provider = providers::load_integration(registry_.directory(), name);
  if (!provider) return provider.error();
  return provider->token_limit.value_or(TokenLimit{});
}

Result<void> Integrations::record_events(const Actor& actor, const std::string& type,
                                         std::span<const IntegrationEvent> events, const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed;
  if (auto known = check_type(registry_.directory(), type); !known) return known;
  if (auto sound = check_events(events); !sound) return sound;
  auto& directory = registry_.directory();
  const auto request = providers::call_request(directory, actor, call, "record events", type, events);
  if (!request) return request.error();
  const RecordId id = event_record(type);
  const auto counted =
      providers::land_decision(directory, actor, *request, [&](ProviderCommit& commit) -> Result<Made> {
        if (events.empty()) return Made();
        const auto found = directory.options.storage.get_bodies({&id, 1});
        if (!found) return found.error();
        auto counts = read_counts(found->front());
        if (!counts) return counts.error();
        for (const IntegrationEvent& event : events) count_in(*counts, event);
        if (counts->size() > event_names_max) return not_valid("/event", "this type has 1,000 names already");
        commit.put(write_counts(type, *counts), found->front() ? found->front()->version : 0);
        return Made();
      });
  return providers::nothing(counted);
}

Result<std::vector<EventCount>> Integrations::event_counts(const std::string& type) {
  if (auto known = check_type(registry_.directory(), type); !known) return known.error();
  const RecordId id = event_record(type);
  const auto found = registry_.directory().options.storage.get_bodies({&id, 1});
  if (!found) return found.error();
  const auto counts = read_counts(found->front());
  if (!counts) return counts.error();
  std::vector<EventCount> out;
  for (const auto& [name, count] : *counts) out.push_back(count);
  return out;
}

}  // namespace v0
}  // namespace openindex
