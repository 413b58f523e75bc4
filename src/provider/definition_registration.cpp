// Definitions that a host registers: of types of its own, or in other words than the catalog's.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <openindex/provider/integrations.hpp>
#include <openindex/provider_registry.hpp>

#include "core/utf8.hpp"
#include "provider/definition_check.hpp"
#include "provider/definition_record.hpp"
#include "provider/integration_draft.hpp"
#include "provider/provider_access.hpp"
#include "provider/provider_directory.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using providers::DefinitionRecord;
using providers::Made;
using providers::ProviderCommit;

constexpr std::size_t definitions_at_once_max = 100;
constexpr std::uint64_t own_types_max = 1000;

Error not_valid_definitions(std::vector<Problem> problems) {
  return Error(errc::invalid_argument, "The definitions are not valid").with_problems(std::move(problems));
}

std::string display(const IntegrationFormField& field) {
  constexpr std::string_view types[] = {"DROPDOWN", "TEXT", "PASSWORD", "FILE"};
  std::string out = fmt::format("{}, {}", types[static_cast<std::size_t>(field.field_type)],
                                field.optional ? "optional" : "required");
  if (!field.label.empty()) out += ": " + field.label;
  return providers::audit_text(out);
}

// What the audit says of a definition. What differs beside it is told as a change of the words.
std::map<std::string, std::string> shown_parts(const IntegrationDefinition& definition) {
  std::map<std::string, std::string> out{{"name", providers::audit_text(definition.name)},
                                         {"category", definition.category},
                                         {"enabled", definition.enabled ? "true" : "false"},
                                         {"description", providers::audit_text(definition.description)}};
  for (const auto& field : definition.configuration) out["configuration." + field.field_name] = display(field);
  return out;
}

std::vector<AuditChange> changes_between_definitions(const DefinitionRecord& before,
                                                     const IntegrationDefinition& wanted) {
  const auto now = shown_parts(wanted);
  const auto was = before.version == 0 ? std::map<std::string, std::string>() : shown_parts(before.definition);
  std::vector<AuditChange> out;
  const auto note = [&](const std::string& what) {
    const auto held = was.find(what), given = now.find(what);
    const std::string from = held == was.end() ? "" : held->second, to = given == now.end() ? "" : given->second;
    if (from != to) out.push_back({what, from, to});
  };
  std::set<std::string> all;
  for (const auto& [what, text] : now) all.insert(what);
  for (const auto& [what, text] : was) all.insert(what);
  for (const std::string& what : all) note(what);
  if (out.empty()) out.push_back({"words", "", "changed"});
  return out;
}

/// What is registered of each of these types now, in their order. @par Errors storage
Result<std::vector<DefinitionRecord>> load_former(Storage& storage, std::span<const IntegrationDefinition> wanted) {
  std::vector<DefinitionRecord> out;
  for (const IntegrationDefinition& one : wanted) {
    auto known = providers::load_definition(storage, one.type);
    if (!known) return known.error();
    out.push_back(*known ? std::move(**known) : DefinitionRecord());
    out.back().definition.type = one.type;
  }
  return out;
}

std::vector<Problem> problems_in(std::span<const IntegrationDefinition> wanted,
                                 std::span<const DefinitionRecord> former) {
  std::vector<Problem> problems;
  std::set<std::string_view> types;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string place = fmt::format("/{}", i);
    if (!types.insert(wanted[i].type).second) problems.push_back({place + "/type", "is there twice"});
    providers::check_definition(wanted[i], former[i].version == 0 ? nullptr : &former[i].definition, place, problems);
  }
  return problems;
}

/// Refuse more types than there may be. The bound is one of reason: calls at once may pass it by a few.
Result<void> check_room(Storage& storage, std::span<const DefinitionRecord> former) {
  const auto is_new = [](const DefinitionRecord& one) { return one.version == 0; };
  const auto added = static_cast<std::uint64_t>(std::count_if(former.begin(), former.end(), is_new));
  if (added == 0) return {};
  const auto held = storage.count({.prefix = {std::string("provider_type")}, .limit_count = own_types_max});
  if (!held) return held.error();
  if (*held + added <= own_types_max) return {};
  return not_valid_definitions({{"", "there would be more than 1,000 registered definitions"}});
}

}  // namespace

Result<std::vector<IntegrationDefinition>> Integrations::definitions() {
  const auto registered = providers::load_definitions(registry_.directory().options.storage);
  if (!registered) return registered.error();
  std::map<std::string, IntegrationDefinition> all;
  for (const ProviderType& type : provider_catalog()) {
    all.emplace(std::string(type.name), providers::catalog_definition(type));
  }
  for (const DefinitionRecord& one : *registered) {
    all.insert_or_assign(one.definition.type, providers::shown_definition(one.definition));
  }
  std::vector<IntegrationDefinition> out;
  for (auto& [type, one] : all) out.push_back(std::move(one));
  return out;
}

Result<IntegrationDefinition> Integrations::definition(std::string_view type) {
  const auto registered = providers::load_definition(registry_.directory().options.storage, type);
  if (!registered) return registered.error();
  if (*registered) return providers::shown_definition((*registered)->definition);
  if (const ProviderType* known = find_provider_type(type)) return providers::catalog_definition(*known);
  const bool is_text = is_utf8(type) && !has_control(type);
  return Error(errc::unknown_provider_type).with("type", is_text ? cut_utf8(type, 200) : "(not text)");
}

Result<void> Integrations::register_definitions(const Actor& actor, std::span<const IntegrationDefinition> definitions,
                                                const CallOptions& call) {
  if (auto allowed = providers::may_administer(actor); !allowed) return allowed;
  if (definitions.size() > definitions_at_once_max) return not_valid_definitions({{"", "must be at most 100"}});
  auto& directory = registry_.directory();
  Storage& storage = directory.options.storage;
  const auto request = providers::call_request(directory, actor, call, "register definitions", definitions);
  if (!request) return request.error();
  return providers::nothing(
      providers::land_decision(directory, actor, *request, [&](ProviderCommit& commit) -> Result<Made> {
        auto former = load_former(storage, definitions);
        if (!former) return former.error();
        if (auto problems = problems_in(definitions, *former); !problems.empty()) {
          return not_valid_definitions(std::move(problems));
        }
        if (auto room = check_room(storage, *former); !room) return room.error();
        for (std::size_t i = 0; i < definitions.size(); ++i) {
          DefinitionRecord& record = (*former)[i];
          if (record.version > 0 && record.definition == definitions[i]) continue;
          const AuditDraft audit{
              "admin.integration_definition_saved", changes_between_definitions(record, definitions[i]), {}};
          record.definition = definitions[i];
          commit.append_audit(record.stream(), record.chain, {&audit, 1});
          commit.put(providers::write_definition(record), record.version);
        }
        return Made();
      }));
}

}  // namespace v0
}  // namespace openindex
