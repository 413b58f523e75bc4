// Strong identifiers: a string that cannot be passed where another kind of identifier is meant.
//
// Each converts from a string (so that literals stay readable) and from no other identifier.
// Bounds: 1 to 200 bytes of printable text without control characters; the operation that stores one checks.
//
// Thread safety: plain values.
#pragma once

#include <compare>
#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <openindex/core/version.hpp>

namespace openindex {
inline namespace v0 {

template <class Tag>
class Id {
 public:
  Id() = default;
  template <class Text>
  requires std::convertible_to<Text&&, std::string_view> Id(Text&& text)
      : text_(std::string_view(std::forward<Text>(text))) {}   // NOLINT(google-explicit-constructor)
  Id(std::string&& text) noexcept : text_(std::move(text)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] const std::string& str() const noexcept { return text_; }
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

  friend bool operator==(const Id&, const Id&) = default;
  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  std::string text_;
};

using WorkflowId = Id<struct WorkflowTag>;  ///< Names a workflow definition, such as `TRIAGE`; versions share it.
using ItemKey = Id<struct ItemTag>;         ///< Names a work item, such as `OPS-42`: domain key, dash, number.
using AgentId = Id<struct AgentTag>;        ///< Names an agent deployment, such as `agent-alpha`. Not a credential.
using RunId = Id<struct RunTag>;            ///< Names one dispatch of one stage of one item.
using ProviderId = Id<struct ProviderTag>;  ///< Names a provider record, such as `prov_3kq…`.
using CommitId = Id<struct CommitTag>;      ///< Names one attempt to change storage; minted before the attempt.

}  // namespace v0
}  // namespace openindex

template <class Tag>
struct std::hash<openindex::Id<Tag>> {
  std::size_t operator()(const openindex::Id<Tag>& id) const noexcept { return std::hash<std::string>()(id.str()); }
};
