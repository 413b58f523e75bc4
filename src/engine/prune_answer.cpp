#include "engine/prune_answer.hpp"

#include <utility>

#include <fmt/format.h>

#include "engine/commit.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {
namespace {

Record answer_of(const Pruned& report) {
  json::Writer out;
  out.begin_object().key("items").number(report.items).key("kept").number(report.kept);
  out.key("journals").number(report.journals).key("records").number(report.records).key("next").string(report.next);
  out.key("broken").begin_array();
  for (const Error& one : report.broken) {
    out.begin_object().key("text").string(one.message());
    out.key("item").string(one.context("item")).key("run").string(one.context("run")).end_object();
  }
  out.end_array().end_object();
  return {{"pruned", ""}, 0, std::move(out).str(), {}};
}

Result<Pruned> read_answer(const Record& record) {
  auto in = json::Stored::read(record.body, "idempotency key");
  if (!in) return in.error();
  Pruned report{.items = in->natural("items"), .kept = in->natural("kept"), .journals = in->natural("journals")};
  report.records = in->natural("records");
  report.next = in->text("next");
  for (json::Stored& one : in->objects("broken")) {
    Error error(errc::storage_corrupt, one.text("text"));
    for (const char* what : {"item", "run"}) {
      if (const std::string key = one.text(what); !key.empty()) error = std::move(error).with(what, key);
    }
    report.broken.push_back(std::move(error));
  }
  return report;
}

}  // namespace

std::string text_of(const Prune& prune) {
  return fmt::format("prune {} '{}' {} {} {} '{}'", prune.older_than.time_since_epoch().count(), prune.domain,
                     prune.export_audit != nullptr, prune.items_max, prune.records_max, prune.after);
}

Result<std::optional<Pruned>> recall_pruning(EngineCore& core, const Request& request) {
  auto found = find_record(core.options.storage, request, core.options.clock.now());
  if (!found) return found.error();
  if (!found->record) return std::optional<Pruned>();
  auto report = read_answer(*found->record);
  if (!report) return report.error();
  return std::optional(std::move(*report));
}

Result<Pruned> remember_pruning(EngineCore& core, const Request& request, Pruned report) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const Time now = core.options.clock.now();
    auto found = find_record(core.options.storage, request, now);
    if (!found) return found.error();
    if (found->record) return read_answer(*found->record);
    ChangeSet changes;
    changes.id = core.door.mint_commit();
    remember(changes, request, *found, answer_of(report), now);
    const auto landed = commit(core.options.storage, changes);
    if (landed) return report;
    if (landed.error().code() != errc::conflict) return landed.error();
  }
  return Error(errc::contention);
}

}  // namespace openindex::engine
