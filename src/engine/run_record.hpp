// How runs and their journals are stored.
#pragma once

#include <cstdint>

#include <openindex/storage/change_set.hpp>
#include <openindex/storage/storage.hpp>
#include <openindex/work/agent_run.hpp>

namespace openindex::engine {

RunId run_id(const ItemKey& item, std::uint32_t number);
RecordId run_record(const RunId& run);
RecordId stop_record(const RunId& run);
RecordId step_record(const RunId& run, std::uint32_t number);
std::string step_key(const RunId& run, std::uint32_t number);

Put write_run(const AgentRun& run);
/// @par Errors storage_corrupt
Result<AgentRun> read_run(const Record& record);

/// A mark for whoever works on a run under an epoch: somebody else has ended it, or taken its item. Written beside the
/// change that did, erased by whom it concerns.
struct RunStop {
  RunId run;
  std::uint64_t epoch = 0;
  Time at{};
};
Put write_stop(const AgentRun& run, Time at);
/// @par Errors storage_corrupt
Result<RunStop> read_stop(const Record& record);

/// A step carries the id of its commit, so that the commit's fate can be found out.
Put write_step(const RunId& run, const RunStep& step, std::string_view commit);
/// @par Errors storage_corrupt
Result<RunStep> read_step(const RunId& run, const Record& record);

}  // namespace openindex::engine
