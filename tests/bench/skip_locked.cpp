#include "bench/skip_locked.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace openindex::bench {
namespace {

constexpr const char* statement = R"(UPDATE plain_queue SET holder = 'agent-alpha'
WHERE id = (SELECT id FROM plain_queue WHERE holder IS NULL ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING id, payload;
)";

std::filesystem::path pgbench() { return PostgresServer::programs() / "pgbench"; }

/// The line is `tps = 2345.678901 (without initial connection time)`.
double printed_rate(const std::filesystem::path& output) {
  std::stringstream text;
  text << std::ifstream(output).rdbuf();
  const std::string printed = text.str();
  const std::string label = "\ntps = ";
  const auto found = printed.find(label);
  if (found == std::string::npos) throw std::runtime_error("pgbench printed no rate: " + printed);
  return std::stod(printed.substr(found + label.size()));
}

}  // namespace

bool SkipLocked::is_installed() { return std::filesystem::exists(pgbench()); }

SkipLocked::SkipLocked(const PostgresServer& server, const std::filesystem::path& folder, std::size_t clients,
                       std::size_t rows_per_client)
    : server_(server), script_(folder / "skip_locked.sql"), clients_(clients), rows_per_client_(rows_per_client) {
  std::ofstream(script_) << statement;
  PlainPostgres host(server_.conninfo());
  host.execute("CREATE TABLE plain_queue (id bigint PRIMARY KEY, holder text, payload text NOT NULL)");
  host.execute("CREATE INDEX plain_queue_free ON plain_queue (id) WHERE holder IS NULL");
}

double SkipLocked::rate() const {
  PlainPostgres host(server_.conninfo());
  const auto rows = std::to_string(clients_ * rows_per_client_);
  host.execute("TRUNCATE plain_queue");
  host.execute("INSERT INTO plain_queue SELECT n, NULL, repeat('x', 500) FROM generate_series(1, " + rows + ") n");
  host.execute("VACUUM ANALYZE plain_queue");
  host.execute("CHECKPOINT");

  const auto output = server_.socket_folder() / "pgbench.out";
  std::filesystem::remove(output);
  ServerProcess program({pgbench().string(), "--no-vacuum", "--protocol=prepared", "--file=" + script_.string(),
                         "--client=" + std::to_string(clients_), "--jobs=2",
                         "--transactions=" + std::to_string(rows_per_client_), server_.conninfo()},
                        output);
  if (program.wait() != 0) throw std::runtime_error("pgbench failed: see " + output.string());
  if (host.column("SELECT count(*) FROM plain_queue WHERE holder IS NULL").at(0) != "0") {
    throw std::runtime_error("pgbench left rows behind: some of its statements found nothing to do");
  }
  return printed_rate(output);
}

}  // namespace openindex::bench
