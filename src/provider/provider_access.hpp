// Who may do what with a provider. Pure decisions.
#pragma once

#include <openindex/access/actor.hpp>
#include <openindex/core/result.hpp>
#include <openindex/provider/provider.hpp>

#include "provider/provider_record.hpp"

namespace openindex::providers {

/// Tell whether an actor may touch settings at all. @par Errors not_permitted, agent_id_required, invalid_argument
Result<void> may_manage(const Actor& actor);

/// Tell whether an actor may change what belongs to the whole instance: create a provider, for one. @par Errors as
/// above
Result<void> may_administer(const Actor& actor);

/// Tell whether an actor may do this with a provider. @par Errors as above
Result<void> may_do(const Actor& actor, const ProviderRecord& record, Access access);

/// Tell whether an actor may say who may do what. @par Errors as above
Result<void> may_grant(const Actor& actor, const ProviderRecord& record);

/// What the one who creates a provider gets: nothing, when the host does.
Grants grants_of_creator(const Actor& actor);

}  // namespace openindex::providers
