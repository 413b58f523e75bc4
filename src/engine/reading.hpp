// What questions have in common: who may ask, and how numbered records are read.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/core/result.hpp>
#include <openindex/storage/storage.hpp>
#include <openindex/work/audit_query.hpp>

namespace openindex::engine {

/// Refuse a run: the question is about many items. @par Errors outside_run
Result<void> refuse_run(const Actor& actor);

/// Hand a part of an export to the host's sink. @par Errors host_callback_failed (it threw), what it returned
Result<void> tell_sink(const AuditSink& sink, std::string_view text);

/// All records of one kind under `<prefix>/`, from a number on, in order.
Result<std::vector<Record>> read_numbered(Storage& storage, const std::string& kind, const std::string& prefix,
                                          const std::string& from, std::size_t limit);

}  // namespace openindex::engine
