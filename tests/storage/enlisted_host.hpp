// A host with a table of its own in the database, a connection of its own, and an engine beside it.
#pragma once

#include <string>
#include <vector>

#include <openindex/agent_queue.hpp>
#include <openindex/workflow_engine.hpp>

#include "storage/database_file.hpp"
#include "workflow/triage_definition.hpp"

namespace openindex {

struct EnlistedHost {
  DatabaseFile file;
  /// Whoever is kept out while a transaction is open learns it at once.
  std::unique_ptr<SqliteStorage> storage = DatabaseFile::open({.path = file.path(), .busy_timeout = Duration(1)});
  WorkflowEngine engine{{.storage = *storage}};
  AgentQueue queue{engine};
  PlainConnection connection{file};
  Actor host = Actor::system("shop");
  Actor alpha = Actor::agent("agent-alpha");

  EnlistedHost() {
    REQUIRE(engine.save(host, tests::triage_workflow()));
    connection.execute("CREATE TABLE orders (name TEXT NOT NULL)");
  }

  /// Begin a transaction in which an order was placed, and enlist it.
  std::unique_ptr<Enlistment> order(const std::string& name) {
    connection.execute("BEGIN IMMEDIATE; INSERT INTO orders VALUES ('" + name + "')");
    auto enlisted = storage->enlist(connection.raw());
    REQUIRE_MESSAGE(enlisted.has_value(), (enlisted ? std::string() : enlisted.error().describe()));
    return std::move(*enlisted);
  }
  void commit(Enlistment& transaction) {
    connection.execute("COMMIT");
    transaction.committed();
  }
  void roll_back() { connection.execute("ROLLBACK"); }

  std::vector<std::string> orders() { return connection.column("SELECT name FROM orders ORDER BY rowid"); }
  [[nodiscard]] static NewItem bug(std::string title = "crash") {
    return {.workflow = "TRIAGE", .title = std::move(title)};
  }
  std::size_t items() { return engine.list(host, {}).value().items.size(); }
};

}  // namespace openindex
