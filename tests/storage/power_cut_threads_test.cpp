// Power cuts while several threads share every sync: in which order their changes land is not known beforehand.
#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/forgetful_disk.hpp"
#include "storage/life.hpp"
#include "storage/power_cut.hpp"

using namespace openindex;

namespace {

constexpr int threads_count = 6;
constexpr int lives_count = 3;  // of each thread

/// An acknowledged step of an item: 1 created, 2 claimed, …
struct Acknowledged {
  ItemKey key = {};
  std::size_t steps = 0;
};

/// What was acknowledged, and when between the steps of the disk.
class Acknowledgements {
 public:
  explicit Acknowledgements(ForgetfulDisk& disk) : disk_(disk) {}

  void add(const ItemKey& key, std::size_t steps) {
    const std::lock_guard lock(mutex_);
    disk_.note(std::ssize(all_));
    all_.push_back({key, steps});
  }
  [[nodiscard]] const Acknowledged& operator[](std::size_t number) const { return all_[number]; }
  [[nodiscard]] std::size_t size() const { return all_.size(); }

 private:
  ForgetfulDisk& disk_;
  std::mutex mutex_;
  std::vector<Acknowledged> all_;
};

void live(WorkflowEngine& engine, Acknowledgements& acknowledged) {
  const auto created = begin_life(engine);
  if (!created) return;
  acknowledged.add(created->key, 1);
  for (std::size_t i = 0; i < life_steps().size(); ++i) {
    if (!life_steps()[i](engine, created->key, {})) return;  // too few acknowledgements: noticed at the end
    acknowledged.add(created->key, i + 2);
  }
}

void run_workload(const DatabaseFile& file, Acknowledgements& acknowledged) {
  const auto storage = open_with(file, {});
  WorkflowEngine engine{{.storage = *storage}};
  REQUIRE(engine.save(Actor::system("host"), life_workflow()).has_value());
  std::vector<std::thread> threads;
  for (int i = 0; i < threads_count; ++i) {
    threads.emplace_back([&] {
      for (int life = 0; life < lives_count; ++life) live(engine, acknowledged);
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(acknowledged.size() == threads_count * lives_count * life_entries.size());
}

/// Every item has the entries of whole steps, in one chain, and the status that they lead to.
std::size_t steps_of(WorkflowEngine& engine, const WorkItem& item) {
  constexpr std::array<const char*, life_entries.size()> statuses = {"open", "open", "checking", "building", "done"};
  const auto host = Actor::system("host");
  const auto chain = engine.verify(host, item.key);
  CHECK_MESSAGE(chain.has_value(), (chain ? std::string() : chain.error().describe()));
  const auto entries = engine.audit(host, item.key).value().size();
  const auto last = std::find(life_entries.begin(), life_entries.end(), entries) - life_entries.begin();
  REQUIRE(last < std::ssize(life_entries));
  CHECK(item.status == statuses.at(static_cast<std::size_t>(last)));
  return static_cast<std::size_t>(last) + 1;
}

void check_cut(const std::map<std::string, std::string>& left, const std::map<ItemKey, std::size_t>& acknowledged) {
  const DatabaseFile file;
  write_files(file, left);
  std::map<ItemKey, std::size_t> found;
  {
    const auto storage = file.open();
    WorkflowEngine engine{{.storage = *storage}};
    const auto page = engine.list(Actor::system("host"), {.limit_count = 1000});
    for (const auto& item : page.value().items) found[item.key] = steps_of(engine, item);
  }
  check_integrity(file);
  for (const auto& [key, steps] : acknowledged) {
    CHECK(found[key] >= steps);
    CHECK(found[key] <= steps + 1);  // one call of each thread was under way
  }
  CHECK(found.size() <= acknowledged.size() + threads_count);
}

}  // namespace

TEST_CASE("a power cut at any sync loses nothing that one of several threads was told of") {
  ForgetfulDisk disk;
  const DatabaseFile file;
  Acknowledgements acknowledgements(disk);
  run_workload(file, acknowledgements);

  std::mt19937 random(13);
  Platter platter;
  std::map<ItemKey, std::size_t> acknowledged;
  for (const auto& step : disk.take_journal()) {
    if (step.kind == DiskStep::Kind::note) {
      const auto& one = acknowledgements[static_cast<std::size_t>(step.offset)];
      acknowledged[one.key] = one.steps;
    }
    if (step.kind == DiskStep::Kind::sync) {
      INFO("before sync of ", step.file, ", ", acknowledged.size(), " items acknowledged, seed 13");
      check_cut(platter.cut([] { return false; }), acknowledged);
      check_cut(platter.cut([&] { return random() % 2 == 0; }), acknowledged);
    }
    platter.apply(step);
  }
}
