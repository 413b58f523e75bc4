#include "bench/million.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/workflow_engine.hpp>

#include "bench/disk.hpp"
#include "bench/figure.hpp"
#include "bench/helpdesk.hpp"
#include "bench/recording_storage.hpp"

namespace openindex::bench {
namespace {

constexpr std::size_t sets_per_commit = 2'000;

/// The change set of an item's creation, written again for other numbers.
class Template {
 public:
  explicit Template(ChangeSet created) : created_(std::move(created)), key_(created_.puts.front().id.key) {}

  [[nodiscard]] ChangeSet for_number(std::int64_t number) const {
    const std::string key = key_.substr(0, key_.find('-') + 1) + std::to_string(number);
    ChangeSet changes = created_;
    for (auto& expected : changes.expectations) rename(expected.id, key);
    for (auto* puts : {&changes.puts, &changes.appends}) {
      for (Put& put : *puts) renumber(put, key, number);
    }
    return changes;
  }

 private:
  void rename(RecordId& id, const std::string& key) const { id.key.replace(0, key_.size(), key); }

  void renumber(Put& put, const std::string& key, std::int64_t number) const {
    rename(put.id, key);
    for (auto& entry : put.index) {
      if (entry.index == Index::items) entry.values.at(1) = number;
      if (entry.index == Index::queue) entry.values.at(2) = number;
      for (auto& value : entry.values) {
        if (value == IndexValue(key_)) value = key;
      }
    }
    const std::string member = "\"number\":" + key_.substr(key_.find('-') + 1) + ",";
    const auto place = put.id.kind == "item" ? put.body.find(member) : std::string::npos;
    if (place != std::string::npos)
      put.body.replace(place, member.size(), "\"number\":" + std::to_string(number) + ",");
  }

  ChangeSet created_;
  std::string key_;
};

/// Create an item on a desk that is thrown away. The first one leases numbers, so the second is taken.
ChangeSet created_item() {
  RecordingStorage storage;
  WorkflowEngine engine{{.storage = storage}};
  file_requests(engine, 1);
  static_cast<void>(storage.take());
  require(engine.create(Actor::system("host"), helpdesk_request()));
  return storage.take().at(0);
}

/// The same item as it is when it waits for a review: nothing is created there.
ChangeSet in_review(ChangeSet created) {
  Put& state = created.puts.front();
  const std::string before = R"("status":"new")";
  state.body.replace(state.body.find(before), before.size(), R"("status":"in_review")");
  for (auto& entry : state.index) {
    for (auto& value : entry.values) {
      if (value == IndexValue("new")) value = "in_review";
      if (value == IndexValue("intake")) value = "review";
    }
  }
  return created;
}

void commit_copies(Storage& storage, const Template& item, std::size_t first, std::size_t count) {
  for (std::size_t done = 0; done < count; done += sets_per_commit) {
    std::vector<ChangeSet> sets;
    for (std::size_t i = done; i < std::min(count, done + sets_per_commit); ++i) {
      sets.push_back(item.for_number(static_cast<std::int64_t>(first + i)));
    }
    for (const auto& result : storage.commit(sets)) require(result);
  }
}

}  // namespace

void fill_items(Storage& storage, std::size_t intake, std::size_t review) {
  {
    WorkflowEngine engine{{.storage = storage}};
    file_requests(engine, 0);
  }
  commit_copies(storage, Template(created_item()), 1, intake);
  commit_copies(storage, Template(in_review(created_item())), intake + 1, review);
}

void make_items(const std::filesystem::path& path, std::size_t intake, std::size_t review) {
  remove_database(path);
  fill_items(*SqliteStorage::open({.path = path, .synchronous = SqliteOptions::Synchronous::normal}).value(), intake,
             review);
}

std::filesystem::path million_items(const std::filesystem::path& folder) {
  const auto path = folder / "million.db";
  if (!std::filesystem::exists(path)) make_items(path, million, 20'000);
  return path;
}

std::size_t claim_some(WorkflowEngine& engine, const QueueFilter& filter, std::size_t count, Stopwatch& watch) {
  AgentQueue queue(engine);
  std::vector<AgentSession> claimed;
  const auto claim_one = [&] {
    auto session = queue.claim_next(agent(), filter).value();
    if (!session) throw std::logic_error("the queue is empty");
    claimed.push_back(std::move(*session));
  };
  claim_one();
  watch.start();
  for (std::size_t done = 0; done < count && !watch.full(); ++done) claim_one();
  watch.stop();
  return claimed.size() - 1;
}

}  // namespace openindex::bench
