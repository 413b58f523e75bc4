// Uses something of every component, so that each must be found, linked and started.
#include <filesystem>
#include <iostream>

#include <openindex/adapters/curl_http_client.hpp>
#include <openindex/adapters/postgres_storage.hpp>
#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/openindex.hpp>
#include <openindex/testing/manual_clock.hpp>

int main() {
  const openindex::testing::ManualClock clock;
  openindex::CurlHttpClient http;
  const auto refused =
      openindex::SqliteStorage::open({.path = std::filesystem::temp_directory_path() / "no such folder" / "x.db"});
  if (refused) return 1;
  const auto unreadable = openindex::PostgresStorage::open({.conninfo = "no = such = option"});
  if (unreadable) return 1;
  std::cout << openindex::to_rfc3339(clock.now()) << ' ' << openindex::name(refused.error().code()) << ' '
            << openindex::name(unreadable.error().code()) << ' '
            << openindex::allows_address(openindex::Egress::public_internet(), "127.0.0.1") << '\n';
}
