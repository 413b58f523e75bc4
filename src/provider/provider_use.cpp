#include "provider/provider_use.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "json/stored.hpp"

namespace openindex::providers {
namespace {

constexpr std::uint64_t items_max = 100'000;

// Positions in Index::queue.
constexpr std::size_t workflow_field = 4;
constexpr std::size_t stage_field = 5;

/// Count what is free in a stage and then what is held: open work has an index of its own, so that all that has ended
/// is not walked through. The free part of one stage has its own order in some backends; what is held is as much as
/// there are agents at work.
Result<std::uint64_t> items_in(Storage& storage, const ProviderUse::InStage& stage) {
  CountRequest free{.index = Index::queue, .prefix = {std::string()}, .limit_count = items_max};
  free.where = {{.field = workflow_field, .value = stage.workflow.str()}, {.field = stage_field, .value = stage.stage}};
  const auto unheld = storage.count(free);
  if (!unheld || *unheld >= items_max) return unheld;
  CountRequest held{.index = Index::queue, .from = std::string(" "), .where = free.where};
  held.limit_count = items_max - *unheld;
  return storage.count(held).transform([&](std::uint64_t count) { return *unheld + count; });
}

// The stage that a record of settings is about, when it names the provider.
Result<std::optional<ProviderUse::InStage>> served_by(const Record& settings, const ProviderId& id) {
  auto in = json::Stored::read(settings.body, "stage settings " + settings.id.key);
  if (!in) return in.error();
  const auto providers = in->texts("providers");
  if (std::find(providers.begin(), providers.end(), id.str()) == providers.end()) {
    return std::optional<ProviderUse::InStage>();
  }
  const auto slash = settings.id.key.find('/');
  if (slash == std::string::npos) return std::optional<ProviderUse::InStage>();
  return std::optional(ProviderUse::InStage{.workflow = settings.id.key.substr(0, slash),
                                            .stage = settings.id.key.substr(slash + 1),
                                            .other_providers = providers.size() > 1});
}

}  // namespace

Result<ProviderUse> use_of(Storage& storage, const ProviderId& id) {
  ProviderUse use;
  ScanRequest request{.prefix = {"stage_settings"}};
  do {
    auto page = storage.scan(request);
    if (!page) return page.error();
    for (const Record& row : page->rows) {
      auto stage = served_by(row, id);
      if (!stage) return stage.error();
      if (!*stage) continue;
      auto items = items_in(storage, **stage);
      if (!items) return items.error();
      (*stage)->items = *items;
      use.stages.push_back(std::move(**stage));
    }
    request.after = std::move(page->next);
  } while (!request.after.empty());
  return use;
}

}  // namespace openindex::providers
