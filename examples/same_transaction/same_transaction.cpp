// A shop keeps its orders in a table of its own. Each order and the work item that has somebody review it are written
// in one transaction of the shop's: both or neither.
//
// The shop's table lives in the same database file as the items. Files in the working folder: shop.db.
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/openindex.hpp>

namespace oi = openindex;

namespace {

void fail(const oi::Error& error) { std::fprintf(stderr, "%s\n", error.describe().c_str()); }

/// The shop as it was before: a connection, a table, its own transactions.
class Shop {
 public:
  explicit Shop(const char* path) {
    sqlite3_open(path, &database_);
    (void)oi::SqliteStorage::prepare_host(database_);  // the storage sees to the log of the file they share
    run("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, article TEXT NOT NULL)");
  }
  ~Shop() { sqlite3_close(database_); }
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  bool run(const std::string& sql) {
    return sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  bool insert_order(const std::string& article) {
    return run("INSERT INTO orders (article) VALUES ('" + article + "')");
  }
  int count_orders() {
    int count = 0;
    const auto read = [](void* into, int, char** row, char**) {
      return *static_cast<int*>(into) = std::atoi(row[0]), 0;
    };
    sqlite3_exec(database_, "SELECT count(*) FROM orders", read, &count, nullptr);
    return count;
  }
  [[nodiscard]] sqlite3* connection() const { return database_; }

 private:
  sqlite3* database_ = nullptr;
};

oi::Result<oi::Workflow> review_workflow() {
  return oi::WorkflowBuilder("ORDER")
      .stage({.key = "review"})
      .status({.key = "open", .stage = "review"})
      .status({.key = "approved", .stage = "review", .resolution = oi::Resolution::resolved})
      .transition("open", "approved")
      .build();
}

/// Place an order and have it reviewed, unless the customer's card is refused, which turns out last. Tell whether it
/// was placed.
oi::Result<bool> place_order(Shop& shop, oi::SqliteStorage& storage, oi::WorkflowEngine& engine,
                             const std::string& article, bool pays) {
  if (!shop.run("BEGIN IMMEDIATE")) return oi::errc::storage_busy;
  const auto transaction = storage.enlist(shop.connection());
  const auto review =
      engine.with(transaction).create(oi::Actor::system("shop"), {.workflow = "ORDER", .title = article});
  if (!review || !shop.insert_order(article) || !pays || !shop.run("COMMIT")) {
    shop.run("ROLLBACK");  // neither the order nor its item
    return review ? oi::Result<bool>(false) : review.error();
  }
  (*transaction)->committed();  // now those who wait for work may look
  return true;
}

oi::Result<void> run() {
  auto storage = oi::SqliteStorage::open({.path = "shop.db"});
  if (!storage) return storage.error();
  Shop shop("shop.db");
  oi::WorkflowEngine engine{{.storage = **storage}};
  const auto host = oi::Actor::system("shop");
  const auto workflow = review_workflow();
  if (!workflow) return workflow.error();
  if (auto saved = engine.save(host, *workflow); !saved) return saved.error();
  const auto told = engine.subscribe({}, oi::inline_executor(), [](const oi::Event& event) {
    std::printf("somebody has to look at %s\n", event.item.str().c_str());
  });

  for (const bool pays : {true, false}) {
    const auto placed = place_order(shop, **storage, engine, pays ? "tea" : "milk", pays);
    if (!placed) return placed.error();
    const auto items = engine.list(host, {.workflow = "ORDER", .limit_count = 1000});
    if (!items) return items.error();
    std::printf("%s: %d orders, %zu items to review\n", *placed ? "placed" : "rolled back", shop.count_orders(),
                items->items.size());
    if (static_cast<std::size_t>(shop.count_orders()) != items->items.size()) return oi::errc::storage_corrupt;
  }
  return {};
}

}  // namespace

int main() {
  const auto done = run();
  if (!done) fail(done.error());
  return done ? 0 : 1;
}
