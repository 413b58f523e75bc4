// Asking models, and what to do with their answers and failures.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/journal.hpp"
#include "dispatch/run_limits.hpp"
#include "dispatch/work.hpp"
#include "engine/run_record.hpp"
#include "provider/provider_directory.hpp"
#include "provider/token_book.hpp"

namespace openindex {
inline namespace v0 {

namespace {

// Who was asked for goes before the others, which still stand in when it fails.
void ask_wanted_first(const AgentRun& run, std::vector<ProviderId>& providers) {
  const auto wanted = std::find_if(providers.begin(), providers.end(),
                                   [&](const ProviderId& known) { return known.str() == run.wanted_provider; });
  if (wanted != providers.end()) std::rotate(providers.begin(), wanted, wanted + 1);
}

}  // namespace

void Dispatcher::Work::ask(Active& active, AskModel ask) {
  if (auto spent = dispatch::spent_on_model(active.run, *active.settings); !spent.empty()) {
    return wait(active, RunReason::budget_exhausted, std::move(spent), std::nullopt);
  }
  active.asking = std::move(ask);
  active.hopeful.reset();
  active.renewed = false;
  active.failed = 0;
  active.providers = active.settings->providers;
  ask_wanted_first(active.run, active.providers);
  if (active.provider >= active.providers.size()) active.provider = 0;
  if (active.providers.empty()) return provider_failed(active, errc::no_provider);
  send(active);
}

void Dispatcher::Work::send(Active& active) {
  const ProviderId& provider = active.providers[active.provider];
  auto endpoint = options.providers.directory().endpoint(provider);
  if (!endpoint) return provider_failed(active, endpoint.error());
  if (endpoint->login && !endpoint->is_granted) return log_in(active, std::move(*endpoint->login));
  if (endpoint->login) login_under_way(std::move(*endpoint->login));
  active.is_granted = endpoint->is_granted;
  active.model = endpoint->model_name;
  active.provider_type = endpoint->type;
  active.endpoint = std::move(*endpoint);
  active.endpoint.stream = options.stream;
  active.run.provider = provider.str();
  const std::string request_id = fmt::format("{}.{}.{}", active.run.id.str(), active.run.steps + 1, active.run.starts);
  auto request = codecs::encode(active.endpoint, active.asking.request, request_id, now());
  if (!request) return provider_failed(active, request.error());
  request->timeout = options.model_timeout;
  active.request = ++requests_;
  active.watched.reset();
  if (options.stream && observer) {
    active.watched.emplace(active.endpoint, HttpResponse{200, {}, {}});
    request->on_body = [box = inbox, run = active.run.id, number = active.request](std::string_view part) {
      box->put(dispatch::Part{run, number, std::string(part)});
    };
  }
  // `done` may be called before `send` returns, and long after this dispatcher is gone.
  active.ticket = options.http.send(
      std::move(*request), [box = inbox, run = active.run.id, number = active.request](Result<HttpResponse> response) {
        box->put({run, number, std::move(response)});
      });
  if (active.run.starts > 1 && active.run.asked != active.run.starts) clear_of_suspicion(active);
}

// This step has seen a process die. It has come past everything that the host's code does before the model is asked, so
// should the process die now, it was not by that code.
void Dispatcher::Work::clear_of_suspicion(Active& active) {
  active.run.asked = active.run.starts;
  write_run(active, [this, id = active.run.id](Result<Outcome> written) {
    if (!written) lose(id);
  });
}

// What cannot be read along is not worth a word: the whole answer will tell what is wrong with it.
void Dispatcher::Work::watch(dispatch::Part part) {
  Active* active = find(part.run);
  if (active == nullptr || active->request != part.request || !active->watched) return;
  auto text = active->watched->decode_event(part.bytes);
  if (!text) return active->watched.reset();
  if (!text->empty()) tell(RunUpdate::What::text, active->run, *text);
}

Result<ChatReply> Dispatcher::Work::read_answer(const Active& active, HttpResponse response) const {
  // Some servers know nothing of pieces and send the whole.
  const bool whole = response.header("Content-Type").starts_with("application/json");
  if (!active.endpoint.stream || whole) return codecs::decode(active.endpoint, response);
  const std::string body = std::exchange(response.body, {});
  codecs::StreamDecoder decoder(active.endpoint, std::move(response));
  if (auto fed = decoder.decode_event(body); !fed) return fed.error();
  return decoder.finish();
}

void Dispatcher::Work::answered(dispatch::Answer answer) {
  if (const auto pending = logins_.extract(answer.request)) {
    ++events_;
    return logged_in(pending.mapped(), answer);
  }
  Active* active = find(answer.run);
  if (active == nullptr || active->request != answer.request) return;
  ++events_;
  active->request = 0;
  if (!answer.response) return provider_failed(*active, answer.response.error());
  active->watched.reset();
  auto reply = read_answer(*active, std::move(*answer.response));
  if (!reply && may_renew(*active, reply.error())) return send(*active);
  if (!reply) return provider_failed(*active, reply.error());
  replied(*active, agent::fit_for_journal(std::move(*reply)));
}

// A grant may be taken back before it expires: then another one is fetched, once.
bool Dispatcher::Work::may_renew(Active& active, const Error& error) {
  if (error.code() != errc::provider_unauthorized || !active.is_granted) return false;
  if (std::exchange(active.renewed, true)) return false;
  // Another run may have been first to forget it.
  options.providers.directory().refused(active.providers[active.provider], active.endpoint.access_key,
                                        active.endpoint.api_key);
  return true;
}

// The turn is journaled before anything depends on it.
void Dispatcher::Work::replied(Active& active, const ChatReply& reply) {
  auto write = std::make_unique<engine::RunWrite>();
  write->run = active.run;
  const auto add = [&](std::string kind, std::string body) {
    RunStep step;
    step.number = ++write->run.steps;
    step.key = engine::step_key(active.run.id, step.number);
    step.kind = std::move(kind);
    step.at = now();
    step.body = std::move(body);
    write->steps.push_back(std::move(step));
  };
  for (const StepDraft& draft : active.asking.journal_first) add(draft.kind, draft.body);
  add(std::string(agent::step_kind::turn), agent::turn_body(reply, active.run.provider));
  write->run.starts = 1;
  write->run.asked = 0;
  write->run.retries = 0;
  ++write->run.turns;
  write->run.input_tokens += reply.usage.input;
  write->run.output_tokens += reply.usage.output;
  write->run.cost += cost(reply.usage, options.prices, active.provider_type, active.model).value_or(0);
  const ProviderId& provider = active.providers[active.provider];
  write->beside.push_back(providers::TokenBook::entry(
      provider, write->steps.back().key, {active.model, reply.usage.input, reply.usage.output, now()}, {}));
  engine::Change change{.key = {}, .actor = active.actor};
  queue(active, std::move(change), std::move(write),
        [this, id = active.run.id, reply, provider](Result<Outcome> result) {
          Active* current = find(id);
          if (current == nullptr) return;
          if (!result && result.error().code() == errc::invalid_argument) {
            return fail(*current, RunReason::malformed_reply,
                        "the reply cannot be journaled: " + result.error().message());
          }
          if (!result) return lose(id);
          current->asking = {};
          fold_tokens(provider);
          tell(RunUpdate::What::turn, current->run, reply.turn.text, reply.usage);
          auto item = door().load(current->run.item);
          if (!item) return lose(id);
          feed(*current, ModelReplied{reply, context_of_item(*current, **item)});
        });
}

// Once in a while, what this dispatcher has counted is added up; what fails there is done by who comes next.
void Dispatcher::Work::fold_tokens(const ProviderId& provider) {
  constexpr std::uint64_t turns_between = 64;
  constexpr std::uint64_t first = 8;
  if (turns_of_[provider]++ % turns_between != first) return;
  (void)providers::TokenBook(options.engine.storage()).fold(provider, mint_id(options.engine.random(), "com"), now());
}

// The next provider of the stage is asked at once, each of them once. When all were, the most hopeful of their failures
// decides: one that passes with time before one that needs somebody, and the run has failed only when no provider can
// do it.
void Dispatcher::Work::provider_failed(Active& active, const Error& error) {
  Error described = error;
  if (!active.providers.empty()) described = error.with("provider", active.providers[active.provider].str());
  if (!active.hopeful || dispatch::is_more_hopeful(error, *active.hopeful)) active.hopeful = described;
  if (++active.failed < active.providers.size()) {
    active.provider = (active.provider + 1) % active.providers.size();
    active.renewed = false;
    if (may_go_on(active)) send(active);
    return;
  }
  const Error decisive = *std::exchange(active.hopeful, std::nullopt);
  active.provider = 0;
  const dispatch::Failure failure = dispatch::classify(decisive);
  std::string detail = decisive.message();
  if (const auto provider = decisive.context("provider"); !provider.empty()) {
    detail = fmt::format("provider {}: {}", provider, decisive.message());
  }
  if (failure.recovery == dispatch::Recovery::never) return fail(active, failure.reason, std::move(detail));
  if (failure.recovery == dispatch::Recovery::settings) {
    return wait(active, failure.reason, std::move(detail), std::nullopt);
  }
  // The next period comes without fail.
  if (decisive.code() == errc::token_limit_reached) {
    return wait(active, failure.reason, std::move(detail),
                now() + decisive.retry_after().value_or(options.backoff_max));
  }
  ++active.run.retries;
  if (active.run.retries > options.retries_max) {
    return wait(active, failure.reason, fmt::format("{} ({} times in a row)", detail, active.run.retries),
                std::nullopt);
  }
  const Duration pause = dispatch::backoff(active.run.retries, options.backoff_min, options.backoff_max, decisive,
                                           options.engine.random());
  wait(active, failure.reason, std::move(detail), now() + pause);
}

}  // namespace v0
}  // namespace openindex
