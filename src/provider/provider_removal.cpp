#include "provider/provider_removal.hpp"

#include <utility>

#include "provider/model_record.hpp"
#include "provider/provider_access.hpp"
#include "provider/provider_use.hpp"
#include "provider/token_book.hpp"

namespace openindex::providers {

Result<ProviderUse> remove_provider(ProviderRegistry::Directory& directory, const Actor& actor,
                                    const CallRequest& request, const std::function<Result<ProviderRecord>()>& find) {
  if (auto allowed = may_manage(actor); !allowed) return allowed.error();
  Storage& storage = directory.options.storage;
  ProviderId id;  // empty: it was removed before, by the same call
  auto removed = land_decision(directory, actor, request, [&](ProviderCommit& commit) -> Result<ProviderUse> {
    auto record = find();
    if (!record) return record.error();
    if (auto allowed = may_do(actor, *record, Access::DELETE); !allowed) return allowed.error();
    id = record->id;
    auto use = use_of(storage, id);
    if (!use) return use.error();
    ProviderDraft draft = ProviderDraft::of(std::move(*record));
    auto models = load_models(storage, draft.record);
    if (!models) return models.error();
    for (const ModelRecord& model : *models) draft.erases.push_back(model.id());
    draft.note("admin.ai_provider_deleted", removal_of(draft.record));
    commit.erase(draft);
    return use;
  });
  if (!removed || id.empty()) return removed;
  directory.removed(id);
  TokenBook(storage).forget(id, mint_id(directory.options.random, "com"));
  return removed;
}

}  // namespace openindex::providers
