// AuditFilter: asking for audit entries of every item, workflow and provider at once.
//
// `WorkflowEngine::audit_entries` answers a page at a time, `WorkflowEngine::export_audit` writes everything that
// matches as JSON or CSV. Both are described in docs/audit.md.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>
#include <openindex/core/result.hpp>
#include <openindex/work/audit_entry.hpp>

namespace openindex {
inline namespace v0 {

/// Which audit entries to read; empty members match everything, several must all match.
struct AuditFilter {
  ItemKey item = {};                ///< Of this item; also takes the stream of a workflow or provider.
  std::string domain = {};          ///< Key of a domain; entries about workflows and providers have none.
  std::string type = {};            ///< A type such as `agent.claimed`; ending with a dot: a group, such as `agent.`.
  std::string actor = {};           ///< Id of the person, agent or host program.
  std::optional<Time> from = {};    ///< At this time or later.
  std::optional<Time> until = {};   ///< Before this time.
  std::uint32_t limit_count = 100;  ///< Entries in a page, 1 to 1000; of an export: how many are held at once.
  std::string after = {};  ///< `AuditPage::next` of the page before, with the same filter; empty: at the start.
  bool newest_first = true;
};

/// With `AuditFilter::item`: in the order of the entries' numbers. Without: in the order of their times; entries of one
/// millisecond stand together, but not in the order of their numbers.
struct AuditPage {
  std::vector<AuditEntry> entries = {};  ///< May be fewer than asked for, even none, although more follow.
  std::string next = {};                 ///< Empty when there is no more.
};

/// How an export is written.
enum class AuditFormat : std::uint8_t {
  json,  ///< One array of objects, for programs.
  csv,   ///< RFC 4180 with a header line, for spreadsheets: what would be a formula there gets a leading apostrophe.
};

/// Takes the next part of an export; the text is valid during the call only. An error ends the export.
using AuditSink = std::function<Result<void>(std::string_view text)>;

}  // namespace v0
}  // namespace openindex
