#include "bench/postgres_desk.hpp"

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "bench/helpdesk.hpp"
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

PostgresDesk::PostgresDesk(const PostgresServer& server, std::string schema, std::size_t items)
    : server_(server), schema_(std::move(schema)) {
  {
    OpenPostgres open(server_, schema_);
    keys_ = file_requests(open.engine, items);
  }
  RawPostgres(server_.conninfo(), schema_).execute("CREATE TABLE filed AS TABLE records");
  record_claims();
}

void PostgresDesk::reset() const {
  RawPostgres host(server_.conninfo(), schema_);
  host.execute("TRUNCATE records");
  host.execute("INSERT INTO records SELECT * FROM filed");
  host.execute("VACUUM ANALYZE records");
  host.execute("CHECKPOINT");
}

void PostgresDesk::record_claims() {
  RecordingStorage storage;
  WorkflowEngine engine{{.storage = storage}};
  if (file_requests(engine, keys_.size()) != keys_) throw std::logic_error("items are numbered differently in memory");
  static_cast<void>(storage.take());
  for (const ItemKey& key : keys_) {
    require(engine.claim(agent(), key));
    claims_.push_back(RawClaim::from(storage.take().at(0)));
  }
}

}  // namespace openindex::bench
