// Domain: the boundary around work items and workflows, with its members and their roles. (openindex.md 1.1 and 2.3)
//
// A domain that nobody has created with `WorkflowEngine::create_domain` is open: items may be numbered in it, and
// whoever the host lets in may work on them. Once created, its roles count on every call of a person, and of an agent
// that works on behalf of one. The host itself (`Actor::system`) may do everything; an agent without a person behind
// it is the host's own and counts as a member.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/api.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>

namespace openindex {
inline namespace v0 {

/// What somebody may do, each role including those before it.
enum class Role : std::uint8_t {
  viewer,  ///< Read items and workflows.
  member,  ///< Create and change items.
  admin,   ///< Take over and reopen items, change workflows, stage settings, the domain and its members.
  owner,   ///< One for each domain; may hand it over.
};

OPENINDEX_API std::string_view to_text(Role value) noexcept;
OPENINDEX_API std::optional<Role> parse_role(std::string_view text) noexcept;

struct DomainMember {
  std::string user = {};  ///< User id, as in `Actor::person`.
  Role role = Role::viewer;

  friend bool operator==(const DomainMember&, const DomainMember&) = default;
};

struct Domain {
  std::string key = {};  ///< 1 to 16 of `A-Z 0-9`; the first part of its items' keys; never changes.
  std::string name = {};
  std::string description = {};
  bool personal = false;                     ///< Of one person: it has no other members (`personal_domain`).
  WorkflowId default_workflow = {};          ///< For items that name none.
  std::vector<std::string> categories = {};  ///< Labels to offer; items may carry others.
  std::vector<DomainMember> members = {};    ///< By user id; exactly one owner.
  Time created_at{};
  std::uint64_t version = 0;
};

struct NewDomain {
  std::string key = {};
  std::string name = {};         ///< 1 to 200 bytes.
  std::string description = {};  ///< At most 4,000 bytes.
  std::string owner = {};        ///< User id; empty: the person who creates it.
  bool personal = false;
  WorkflowId default_workflow = {};
  std::vector<std::string> categories = {};
};

/// What to change; absent members stay as they are.
struct DomainUpdate {
  std::optional<std::string> name = {};
  std::optional<std::string> description = {};
  std::optional<WorkflowId> default_workflow = {};
  std::optional<std::vector<std::string>> categories = {};
};

}  // namespace v0
}  // namespace openindex
