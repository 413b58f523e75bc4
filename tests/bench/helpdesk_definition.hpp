// The realistic definition that figures are measured on: 12 statuses, 30 transitions, 6 gates, 12 fields.
#pragma once

#include <openindex/work/work_item.hpp>
#include <openindex/workflow/workflow.hpp>

namespace openindex::bench {

/// Whether the stages that agents do are left to runs, or done by hand by whoever claims an item.
enum class Stages { by_runs, by_hand };

/// Requests come in, agents answer them or pass them on to be built.
Workflow helpdesk_workflow(Stages stages = Stages::by_runs);

/// One request, with a text and fields of ordinary size; an agent may take it at once.
NewItem helpdesk_request();

}  // namespace openindex::bench
