#include "bench/desk.hpp"

#include <stdexcept>
#include <string>

#include "bench/helpdesk.hpp"
#include "bench/recording_storage.hpp"

namespace openindex::bench {
namespace {

std::vector<ItemKey> make_database(const std::filesystem::path& path, std::size_t items) {
  remove_database(path);  // of another figure
  auto storage = SqliteStorage::open({.path = path, .synchronous = SqliteOptions::Synchronous::normal}).value();
  WorkflowEngine engine{{.storage = *storage}};
  return file_requests(engine, items);
}

}  // namespace

Desk::Desk(const Place& place, const char* name, std::size_t items)
    : database_(place.folder / (std::string(name) + ".db")),
      copy_(place.folder / (std::string(name) + "-copy.db")),
      keys_(make_database(database_, items)) {
  record_claims();
}

void Desk::record_claims() {
  RecordingStorage storage;
  WorkflowEngine engine{{.storage = storage}};
  if (file_requests(engine, keys_.size()) != keys_) throw std::logic_error("items are numbered differently in memory");
  for (const ChangeSet& filed : storage.take()) static_cast<void>(program_.step(filed));
  for (const ItemKey& key : keys_) {
    require(engine.claim(agent(), key));
    sets_.push_back(storage.take().at(0));
    claims_.push_back(program_.step(sets_.back()));
  }
}

void Desk::on_copy(const std::function<void(const std::filesystem::path&)>& pass) const {
  copy_durably(database_, copy_);
  pass(copy_);
  remove_database(copy_);
}

}  // namespace openindex::bench
