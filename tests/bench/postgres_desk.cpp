#include "bench/postgres_desk.hpp"

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "bench/helpdesk.hpp"
#include "bench/million.hpp"
#include "bench/recording_storage.hpp"

namespace openindex::bench {

std::unique_ptr<PostgresServer> start_postgres(const Place& place, std::vector<std::string> more_settings) {
  if (PostgresServer::programs().empty()) throw std::runtime_error("PostgreSQL is not installed");
  using std::filesystem::perms;  // root's folder is entered by the server's user, too
  std::filesystem::permissions(place.folder, perms::group_exec | perms::others_exec,
                               std::filesystem::perm_options::add);
  std::vector<std::string> settings{"fsync=on", "shared_buffers=256MB"};
  settings.insert(settings.end(), more_settings.begin(), more_settings.end());
  return std::make_unique<PostgresServer>(std::move(settings), place.folder);
}

void fill_schema(const PostgresServer& server, const std::string& schema, std::size_t items) {
  auto options = server.options(schema);
  options.conninfo += " options='-c synchronous_commit=off'";
  fill_items(*PostgresStorage::open(options).value(), items, 0);
}

void keep_copy(const PostgresServer& server, const std::string& schema) {
  RawPostgres(server.conninfo(), schema).execute("CREATE TABLE filed AS TABLE records");
}

void put_back(const PostgresServer& server, const std::string& schema) {
  RawPostgres host(server.conninfo(), schema);
  host.execute("TRUNCATE records");
  host.execute("INSERT INTO records SELECT * FROM filed");
  tidy(server, schema);
}

void tidy(const PostgresServer& server, const std::string& schema) {
  RawPostgres host(server.conninfo(), schema);
  host.execute("VACUUM ANALYZE records");
  host.execute("CHECKPOINT");
}

PostgresDesk::PostgresDesk(const PostgresServer& server, std::string schema, std::size_t items)
    : server_(server), schema_(std::move(schema)) {
  fill_schema(server_, schema_, items);
  keep_copy(server_, schema_);
  RecordingStorage storage;
  WorkflowEngine engine{{.storage = storage}};
  keys_ = file_requests(engine, items);
  static_cast<void>(storage.take());
  for (const ItemKey& key : keys_) {
    require(engine.claim(agent(), key));
    claims_.push_back(RawClaim::from(storage.take().at(0)));
  }
}

std::vector<std::unique_ptr<RawPostgres>> PostgresDesk::connect(std::size_t count) const {
  std::vector<std::unique_ptr<RawPostgres>> connections;
  while (connections.size() < count) {
    connections.push_back(std::make_unique<RawPostgres>(server_.conninfo(), schema_));
  }
  return connections;
}

}  // namespace openindex::bench
