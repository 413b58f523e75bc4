// Every public header: the umbrella, and the adapters that it leaves out.
#pragma once

#include <openindex/adapters/curl_http_client.hpp>
#include <openindex/adapters/postgres_storage.hpp>
#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/openindex.hpp>
#include <openindex/testing/call_site.hpp>
#include <openindex/testing/faulty_storage.hpp>
#include <openindex/testing/manual_clock.hpp>
#include <openindex/testing/scenario.hpp>
#include <openindex/testing/scenario_actor.hpp>
#include <openindex/testing/scenario_answers.hpp>
#include <openindex/testing/scripted_provider.hpp>
#include <openindex/testing/seeded_random.hpp>
#include <openindex/testing/storage_contract.hpp>
#include <openindex/testing/verdict.hpp>
