#include "work/actor_rules.hpp"

#include "core/utf8.hpp"

namespace openindex::work {

Result<void> check_actor_id(const Actor& actor) {
  const std::string& id = actor.id();
  if (id.empty() && actor.is_agent()) return errc::agent_id_required;
  if (!id.empty() && id.size() <= 200 && is_utf8(id) && !has_control(id)) return {};
  return Error(errc::invalid_argument, "An actor's id is 1 to 200 bytes of UTF-8 without control characters")
      .with("bytes", std::to_string(id.size()));
}

}  // namespace openindex::work
