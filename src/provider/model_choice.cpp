#include "provider/model_choice.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "provider/model_record.hpp"
#include "provider/stored_parts.hpp"
#include "provider/token_book.hpp"

namespace openindex::providers {
namespace {

/// What was used in the period of a limit, by one model or by all.
std::uint64_t used_within(std::span<const TokenUse> uses, const TokenLimit& limit, Time now, const std::string* model) {
  const Time start = period_start(limit.period, now), end = next_period(limit.period, now);
  std::uint64_t sum = 0;
  for (const TokenUse& use : uses) {
    const bool counts = use.period_start >= start && use.period_start < end;
    if (counts && (model == nullptr || use.model == *model)) sum += use.input + use.output;
  }
  return sum;
}

Error limit_reached(const ProviderRecord& provider, const TokenLimit& limit, Time now, const std::string* model) {
  return Error(errc::token_limit_reached, "The tokens of this " + std::string(to_text(limit.period)) + " are used up")
      .with("provider", provider.id.str())
      .with("model", model == nullptr ? std::string_view() : std::string_view(*model))
      .with_retry_after(next_period(limit.period, now) - now);
}

Result<void> judge(Storage& storage, const ProviderRecord& provider, const std::string& model,
                   const std::optional<TokenLimit>& own_limit, Time now) {
  // A month is the longest period there is.
  const auto uses = TokenBook(storage).since(provider.id, now - std::chrono::days(31));
  if (!uses) return uses.error();
  const auto is_reached = [&](const TokenLimit& limit, const std::string* one) {
    return used_within(*uses, limit, now, one) >= limit.tokens_max;
  };
  if (own_limit && is_reached(*own_limit, &model)) return limit_reached(provider, *own_limit, now, &model);
  if (provider.token_limit && is_reached(*provider.token_limit, nullptr)) {
    return limit_reached(provider, *provider.token_limit, now, nullptr);
  }
  return {};
}

}  // namespace

Result<std::string> registered_model(Storage& storage, const ProviderRecord& provider) {
  auto models = load_models(storage, provider);
  if (!models) return models.error();
  std::erase_if(*models, [](const ModelRecord& model) { return !model.enabled; });
  return models->size() == 1 ? models->front().name : std::string();
}

Error no_model(const ProviderRecord& provider) {
  return Error(errc::invalid_argument, "The provider names no model")
      .with("provider", provider.id.str())
      .with_problems(
          {{"/config/model", "is required to serve stages, unless just one model is registered and enabled"}});
}

Result<void> may_ask(Storage& storage, const ProviderRecord& provider, const std::string& model, Time now) {
  std::optional<TokenLimit> own_limit;
  if (provider.models > 0) {
    const auto registered = load_model(storage, provider.id, model);
    if (!registered) return registered.error();
    if (*registered && !(*registered)->enabled) {
      return Error(errc::provider_disabled, "The model is disabled")
          .with("provider", provider.id.str())
          .with("model", model);
    }
    if (*registered) own_limit = (*registered)->limit;
  }
  if (!own_limit && !provider.token_limit) return {};
  auto judged = judge(storage, provider, model, own_limit, now);
  // What is being folded may be read twice, and a run that waits for a month shall not do so for that.
  if (!judged && judged.error().code() == errc::token_limit_reached) {
    judged = judge(storage, provider, model, own_limit, now);
  }
  return judged;
}

}  // namespace openindex::providers
