// Everything that openindex::openindex offers, in alphabetical order.
//
// Left out, because each needs a library that a host may not want: adapters/curl_connector.hpp and
// adapters/curl_http_client.hpp (openindex::curl), adapters/postgres_storage.hpp (openindex::postgres),
// adapters/sqlite_storage.hpp (openindex::sqlite), and testing/*.hpp (openindex::testing).
#pragma once

#include <openindex/access/actor.hpp>
#include <openindex/access/domain.hpp>
#include <openindex/adapters/memory_storage.hpp>
#include <openindex/adapters/sealed_secret_store.hpp>
#include <openindex/adapters/secret_folders.hpp>
#include <openindex/adapters/thread_executor.hpp>
#include <openindex/agent/agent_runner.hpp>
#include <openindex/agent/agent_session.hpp>
#include <openindex/agent/chat.hpp>
#include <openindex/agent/chat_runner.hpp>
#include <openindex/agent/tool.hpp>
#include <openindex/agent_queue.hpp>
#include <openindex/core/api.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/error.hpp>
#include <openindex/core/executor.hpp>
#include <openindex/core/ids.hpp>
#include <openindex/core/random.hpp>
#include <openindex/core/result.hpp>
#include <openindex/core/version.hpp>
#include <openindex/dispatcher.hpp>
#include <openindex/http/http_client.hpp>
#include <openindex/http/http_message.hpp>
#include <openindex/net/connector.hpp>
#include <openindex/provider/integration.hpp>
#include <openindex/provider/integrations.hpp>
#include <openindex/provider/provider.hpp>
#include <openindex/provider/provider_catalog.hpp>
#include <openindex/provider/secret_files.hpp>
#include <openindex/provider/secret_store.hpp>
#include <openindex/provider_registry.hpp>
#include <openindex/storage/change_set.hpp>
#include <openindex/storage/enlistment.hpp>
#include <openindex/storage/index.hpp>
#include <openindex/storage/scan_range.hpp>
#include <openindex/storage/storage.hpp>
#include <openindex/work/agent_context.hpp>
#include <openindex/work/agent_run.hpp>
#include <openindex/work/audit_entry.hpp>
#include <openindex/work/audit_query.hpp>
#include <openindex/work/audit_receipt.hpp>
#include <openindex/work/bulk.hpp>
#include <openindex/work/call_options.hpp>
#include <openindex/work/event.hpp>
#include <openindex/work/item_filter.hpp>
#include <openindex/work/migration.hpp>
#include <openindex/work/retention.hpp>
#include <openindex/work/rules.hpp>
#include <openindex/work/subscription.hpp>
#include <openindex/work/transitions.hpp>
#include <openindex/work/work_item.hpp>
#include <openindex/workflow/builder.hpp>
#include <openindex/workflow/check.hpp>
#include <openindex/workflow/compare.hpp>
#include <openindex/workflow/compiled_workflow.hpp>
#include <openindex/workflow/diagram.hpp>
#include <openindex/workflow/field_value.hpp>
#include <openindex/workflow/stage_settings.hpp>
#include <openindex/workflow/workflow.hpp>
#include <openindex/workflow_engine.hpp>
