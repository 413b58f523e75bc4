#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "engine/engine_fixture.hpp"
#include "engine/hooked_storage.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

struct ListFixture : EngineFixture {
  std::vector<std::string> titles(const ItemFilter& filter) {
    std::vector<std::string> out;
    for (const WorkItem& item : engine.list(host, filter).value().items) out.push_back(item.title);
    return out;
  }

  // Words are looked for in another index: with one that all items hold the list is the same.
  std::vector<std::string> titles_twice(ItemFilter filter) {
    auto out = titles(filter);
    filter.search = "thing";
    CHECK(titles(filter) == out);
    return out;
  }
};

using Titles = std::vector<std::string>;

// Nobody can read its cursors but itself.
class OwnCursors final : public Storage {
 public:
  explicit OwnCursors(Storage& behind) : behind_(behind) {}

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return behind_.get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override {
    ScanRequest own = request;
    if (!own.after.empty()) own.after = cursors_.at(own.after);
    auto page = behind_.scan(own);
    if (page && !page->next.empty()) {
      const std::string name = "page " + std::to_string(cursors_.size());
      cursors_[name] = std::move(page->next);
      page->next = name;
    }
    return page;
  }
  Result<std::uint64_t> count(const CountRequest& request) override { return behind_.count(request); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    return behind_.commit(changes);
  }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return behind_.wait_for_change(request); }
  void wake() noexcept override { behind_.wake(); }

 private:
  Storage& behind_;
  std::map<std::string, std::string> cursors_;
};

}  // namespace

TEST_CASE("a list is narrowed by every member of its filter") {
  ListFixture f;
  const auto project =
      f.engine
          .create(f.host,
                  {.workflow = "TRIAGE", .title = "project", .description = "The thing.", .kind = WorkKind::project})
          .value();
  REQUIRE(f.engine.create(f.host, {.workflow = "TRIAGE",
                                   .title = "task",
                                   .description = "A thing",
                                   .priority = Priority::critical,
                                   .execution_target = ExecutionTarget::human,
                                   .parent = project.key,
                                   .owner = "mia",
                                   .assignee = "noa",
                                   .categories = {"ui"},
                                   .schedule = Schedule::on(std::chrono::sys_days(2026y / 1 / 2))}));
  const auto other =
      f.engine.create(f.host, {.workflow = "TRIAGE", .title = "other", .description = "Something else"}).value();
  CHECK(f.titles_twice({.kind = WorkKind::project}) == Titles{"project"});
  CHECK(f.titles_twice({.priority = Priority::critical}) == Titles{"task"});
  CHECK(f.titles_twice({.execution_target = ExecutionTarget::human}) == Titles{"task"});
  CHECK(f.titles_twice({.parent = project.key}) == Titles{"task"});
  CHECK(f.titles_twice({.owner = "mia"}) == Titles{"task"});
  CHECK(f.titles_twice({.assignee = "noa"}) == Titles{"task"});
  CHECK(f.titles_twice({.schedule = ScheduleGranularity::date}) == Titles{"task"});
  CHECK(f.titles_twice({.category = "ui"}) == Titles{"task"});
  REQUIRE(f.engine.claim(f.alpha, other.key));
  CHECK(f.titles_twice({.holder = "agent-alpha"}) == Titles{"other"});
  CHECK(f.titles_twice({.holder = "none"}) == Titles{"project", "task"});
  CHECK(f.titles_twice({.status = "new", .kind = WorkKind::task}) == Titles{"task"});
  CHECK(f.titles_twice({.workflow = "NOPE"}).empty());
  f.clock.advance(1h);
  REQUIRE(f.engine.transition(f.mia, other.key, "rejected"));
  CHECK(f.titles_twice({.resolved_after = f.clock.now() - 1min}) == Titles{"other"});
  CHECK(f.titles_twice({.resolved_after = f.clock.now()}).empty());
  CHECK(f.engine.children(f.host, project.key)->front().title == "task");
}

TEST_CASE("a search finds words in title and description, in any case, and pages through what it skips") {
  ListFixture f;
  for (int i = 0; i < 30; ++i) f.bug("noise " + std::to_string(i));
  REQUIRE(f.engine.create(f.host, {.workflow = "TRIAGE", .title = "Crash", .description = "in the PARSER, on Ümlaut"}));
  for (int i = 0; i < 30; ++i) f.bug("noise " + std::to_string(i));
  CHECK(f.titles({.limit_count = 10, .search = "parser crash"}) == Titles{"Crash"});
  CHECK(f.titles({.search = "Ümlaut"}) == Titles{"Crash"});
  CHECK(f.titles({.search = "parser boom"}).empty());
  CHECK(f.queue.available(f.host, {.search = "crash"})->items.size() == 1);
  CHECK(f.queue.claim_next(f.alpha, {.search = "crash"}).value()->item().title == "Crash");
}

TEST_CASE("a search reads few items that cannot hold its words, and all that can") {
  MemoryStorage memory;
  tests::HookedStorage storage{memory};
  const Actor host = Actor::system("host");
  constexpr int items = 2'000;
  {
    WorkflowEngine writer{{.storage = storage}};
    REQUIRE(writer.save(host, tests::triage_workflow()));
    std::vector<NewItem> all;
    for (int i = 0; i < items; ++i) {
      const std::string text = i % 500 == 7 ? "The lexer stumbles over a byte order mark" : "A window does not close";
      all.push_back({.workflow = "TRIAGE", .title = "bug " + std::to_string(i), .description = text});
    }
    REQUIRE(writer.create_all(host, all));
  }
  WorkflowEngine engine{{.storage = storage}};
  storage.reads = 0;
  const auto found = engine.list(host, {.search = "LEXER order"}).value();
  CHECK(found.items.size() == 4);
  CHECK(found.next.empty());
  CHECK(storage.reads < 200);  // four records each, of a few

  REQUIRE(engine.update(host, found.items[0].key, {.description = "Nothing."}));
  REQUIRE(engine.delete_item(host, found.items[1].key));
  CHECK(engine.list(host, {.search = "lexer"})->items.size() == 2);
  CHECK(engine.list(host, {.search = "nothing"})->items.front().key == found.items[0].key);
}

TEST_CASE("a search finds a word wherever and however it stands in a text") {
  ListFixture f;
  std::string text;
  for (int i = 0; i < 6'000; ++i) text += static_cast<char>(' ' + f.random.next() % 95);  // every bit
  const std::string words[] = {"Größe", "日本語のテスト", "x", "ab", "a\"b\\c", "Straße"};
  for (const std::string& word : words) {
    REQUIRE(f.engine.create(f.host, {.workflow = "TRIAGE", .title = "t", .description = "<<" + word + ">>"}));
  }
  REQUIRE(f.engine.create(f.host, {.workflow = "TRIAGE", .title = "all", .description = text}));
  for (const std::string& word : words) {
    for (std::size_t begin = 0; begin < word.size(); ++begin) {
      const auto found = f.engine.list(f.host, {.search = word.substr(begin)}).value();
      CHECK(std::any_of(found.items.begin(), found.items.end(),
                        [&](const WorkItem& item) { return item.description == "<<" + word + ">>"; }));
    }
  }
  for (std::size_t begin = 0; begin + 20 < text.size(); begin += 37) {
    std::string word = text.substr(begin, 12);
    std::erase(word, ' ');
    const bool whole = text.find(word) != std::string::npos;
    const auto titles = f.titles({.search = word});
    CHECK((std::find(titles.begin(), titles.end(), "all") != titles.end()) == whole);
  }
}

TEST_CASE("a word is looked for in the title and in the description, not across both") {
  ListFixture f;
  REQUIRE(f.engine.create(f.host, {.workflow = "TRIAGE", .title = "a brea", .description = "king change"}));
  CHECK(f.titles({.search = "breaking"}).empty());
  CHECK(f.titles({.search = "brea king"}) == Titles{"a brea"});
}

TEST_CASE("a word that all texts hold does not hide how few items match the rest, nor the other way round") {
  MemoryStorage memory;
  tests::HookedStorage storage{memory};
  const Actor host = Actor::system("host");
  std::vector<NewItem> all;
  for (int i = 0; i < 3'000; ++i) {
    all.push_back({.workflow = "TRIAGE", .title = "crash of the parser", .owner = "mia"});
    if (i % 500 == 3) all.back().assignee = "noa";
    if (i % 600 == 5) all.back().description = "The lexer, too.";
  }
  {
    WorkflowEngine writer{{.storage = storage}};
    REQUIRE(writer.save(host, tests::triage_workflow()));
    REQUIRE(writer.create_all(host, all));
  }
  const auto reads_of = [&](ItemFilter filter, std::size_t count) {
    WorkflowEngine engine{{.storage = storage}};
    storage.reads = 0;
    std::size_t found = 0;
    do {
      const auto page = engine.list(host, filter).value();
      found += page.items.size();
      filter.after = page.next;
    } while (!filter.after.empty());
    CHECK(found == count);
    return storage.reads.load();
  };
  for (const std::uint32_t limit : {2u, 100u}) {
    CHECK(reads_of({.limit_count = limit, .assignee = "noa", .search = "the"}, 6) < 100);
    CHECK(reads_of({.limit_count = limit, .owner = "mia", .search = "lexer"}, 5) < 100);
  }
}

TEST_CASE("texts that were stored without the index of words are put into it") {
  MemoryStorage memory;
  const Actor host = Actor::system("host");
  WorkflowEngine engine{{.storage = memory}};
  REQUIRE(engine.save(host, tests::triage_workflow()));
  std::vector<NewItem> all(2'500, {.workflow = "TRIAGE", .title = "crash", .description = "The lexer stumbles"});
  REQUIRE(engine.create_all(host, all));
  // One without an entry, one that may say anything, one that cannot be read.
  const auto first = memory.scan({.prefix = {std::string("content")}, .limit_count = 3}).value().rows;
  std::vector<ChangeSet> changes(3);
  for (std::size_t i = 0; i < 3; ++i) changes[i].puts.push_back({first[i].id, first[i].body, {}});
  changes[1].puts.front().index = {first[1].index};
  for (std::size_t field = 3; field < changes[1].puts.front().index.front().values.size(); ++field) {
    changes[1].puts.front().index.front().values[field] = std::int64_t{-1};
  }
  changes[2].puts.front().body = "damaged";
  for (const auto& landed : memory.commit(changes)) REQUIRE(landed);

  std::uint64_t items = 0;
  std::vector<std::string> broken;
  std::string after;
  do {
    const auto done = engine.index_texts(host, after).value();
    items += done.items;
    for (const Error& one : done.broken) broken.emplace_back(one.context("item"));
    after = done.next;
  } while (!after.empty());
  CHECK(items == 2);
  CHECK(broken == std::vector<std::string>{first[2].id.key});
  const auto again = memory.scan({.prefix = {std::string("content")}, .limit_count = 2}).value().rows;
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(again[i].index.front().values == first[i].index.front().values);
    CHECK(again[i].body == first[i].body);
  }
  CHECK(engine.index_texts(host)->items == 0);
  CHECK(engine.update(Actor::person("mia"), ItemKey(first[0].id.key), {.title = "crash again"}));

  CHECK(engine.index_texts(Actor::person("mia")).error().code() == errc::not_permitted);
  CHECK(engine.index_texts(host, "nonsense").error().code() == errc::invalid_argument);
}

TEST_CASE("an item that matches throughout a paged listing appears exactly once, whatever others do") {
  ListFixture f;
  std::vector<ItemKey> keys;
  for (int i = 0; i < 50; ++i) keys.push_back(f.bug());
  std::multiset<std::string> seen;
  ItemFilter filter{.limit_count = 7};
  std::size_t turn = 0;
  do {
    const auto page = f.engine.list(f.host, filter).value();
    for (const WorkItem& item : page.items) seen.insert(item.key.str());
    filter.after = page.next;
    f.bug("late");
    REQUIRE(f.engine.update(f.mia, keys[turn], {.priority = Priority::critical}));
    REQUIRE(f.engine.claim(f.alpha, keys[49 - turn]));
    ++turn;
  } while (!filter.after.empty());
  for (const ItemKey& key : keys) CHECK(seen.count(key.str()) == 1);
}

TEST_CASE("an item that changes where a page ended is not listed again") {
  ListFixture f;
  std::vector<ItemKey> keys;
  for (int i = 0; i < 3; ++i) keys.push_back(f.bug());
  for (const char* search : {"", "crash"}) {
    for (const char* title : {"zzz crash ~~~", "crash", "a crash", "crash {|}"}) {
      ItemFilter filter{.limit_count = 1, .search = search};
      const auto first = f.engine.list(f.host, filter).value();
      REQUIRE(first.items.size() == 1);
      REQUIRE(f.engine.update(f.host, keys[0], {.title = title, .owner = title}));
      filter.after = first.next;
      const auto second = f.engine.list(f.host, filter).value();
      REQUIRE(second.items.size() == 1);
      CHECK(second.items.front().key == keys[1]);
    }
  }
}

TEST_CASE("an item whose priority changes where a page ended is not offered again, nor listed among what is held") {
  ListFixture f;
  for (const bool held : {false, true}) {
    std::vector<std::string> keys = {f.bug("first", Priority::critical).str(), f.bug("second", Priority::high).str()};
    if (held) {
      for (const std::string& key : keys) REQUIRE(f.engine.claim(f.alpha, ItemKey(key)));
    }
    std::vector<std::string> seen;
    std::string after;
    do {
      const auto page =
          held ? f.queue.mine(f.alpha, {}, 1, after).value() : f.queue.available(f.host, {}, 1, after).value();
      for (const WorkItem& item : page.items) seen.push_back(item.key.str());
      after = page.next;
      if (seen.size() == 1) REQUIRE(f.engine.update(f.host, ItemKey(keys[0]), {.priority = Priority::high}));
    } while (!after.empty());
    CHECK(seen == keys);
    for (const std::string& key : keys)
      REQUIRE(f.engine.update(f.host, ItemKey(key), {.execution_target = ExecutionTarget::human}));
  }
}

TEST_CASE("what a category or a word picks is found behind hundreds of items that it does not, in pages of any size") {
  ListFixture f;
  OwnCursors storage(f.memory);
  WorkflowEngine engine{{.storage = storage, .clock = f.clock, .random = f.random}};
  std::vector<std::string> rare;
  for (int i = 1; i <= 700; ++i) {
    NewItem item{.workflow = "TRIAGE", .title = "crash"};
    if (i % 150 == 0 || i > 698) item.categories = {"rare"};
    const std::string key = engine.create(f.host, item).value().key.str();
    if (!item.categories.empty()) rare.push_back(key);
  }
  const auto first = engine.list(f.host, {.limit_count = 1, .category = "rare"}).value();
  REQUIRE(first.items.size() == 1);
  CHECK(first.items.front().key.str() == rare.front());
  for (const std::uint32_t limit : {1u, 2u, 3u, 5u, 6u, 7u, 1000u}) {
    for (const char* search : {"", "crash"}) {
      std::vector<std::string> seen;
      ItemFilter filter{.limit_count = limit, .category = "rare", .search = search};
      do {
        const auto page = engine.list(f.host, filter).value();
        CHECK((page.items.size() == limit || page.next.empty()));
        CHECK(!page.items.empty());
        for (const WorkItem& item : page.items) seen.push_back(item.key.str());
        filter.after = page.next;
      } while (!filter.after.empty());
      CHECK(seen == rare);
    }
  }
}

TEST_CASE("what is no cursor of a list is refused") {
  ListFixture f;
  f.bug();
  for (const char* after : {"nonsense", "00:x", ":x", "TRIAGE-1:x", "x:"}) {
    INFO(after);
    const auto listed = f.engine.list(f.host, {.after = after});
    REQUIRE_FALSE(listed);
    CHECK(listed.error().code() == errc::invalid_argument);
  }
  CHECK(f.queue.mine(f.alpha, {}, 3, "nonsense").error().code() == errc::invalid_argument);
  CHECK(f.queue.mine(f.alpha, {}, 3, "OI-1:x").error().code() == errc::invalid_argument);
}

TEST_CASE("pages of what is available have the size asked for, and what is past its deadline stands in its place") {
  ListFixture f;
  std::vector<ItemKey> keys;
  for (int i = 0; i < 20; ++i) keys.push_back(f.bug());
  for (std::size_t i = 0; i < 5; ++i) REQUIRE(f.engine.claim(f.alpha, keys[10 + i], {.hold = 1min}));
  f.clock.advance(2min);
  std::vector<std::string> seen;
  std::string after;
  do {
    const auto page = f.queue.available(f.host, {}, 3, after).value();
    CHECK(page.items.size() <= 3);
    for (const WorkItem& item : page.items) seen.push_back(item.key.str());
    after = page.next;
  } while (!after.empty());
  REQUIRE(seen.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) CHECK(seen[i] == keys[i].str());
}

TEST_CASE("what stays available while others claim, release and let go stale is listed exactly once") {
  ListFixture f;
  std::vector<ItemKey> keys;
  for (int i = 0; i < 40; ++i) keys.push_back(f.bug("x", i % 3 == 0 ? Priority::high : Priority::low));
  for (std::size_t i = 0; i < 40; i += 2) REQUIRE(f.engine.claim(f.alpha, keys[i], {.hold = 1min}));
  f.clock.advance(2min);
  std::multiset<std::string> seen;
  std::string after;
  std::size_t turn = 0;
  do {
    const auto page = f.queue.available(f.host, {}, 3, after).value();
    for (const WorkItem& item : page.items) seen.insert(item.key.str());
    after = page.next;
    // Let go of what was listed and of what was not, from both ends.
    for (const std::size_t i : {2 * turn, 38 - 2 * turn}) {
      if (i < 40 && f.engine.get(f.host, keys[i])->hold) REQUIRE(f.engine.release(f.alpha, keys[i]));
    }
    if (turn == 2) REQUIRE(f.engine.claim(f.beta, keys[39]));
    ++turn;
  } while (!after.empty());
  keys.pop_back();
  for (const ItemKey& key : keys) CHECK(seen.count(key.str()) == 1);
}

TEST_CASE("what is available is paged through a storage with cursors of its own") {
  ListFixture f;
  OwnCursors storage(f.memory);
  WorkflowEngine engine{{.storage = storage, .clock = f.clock, .random = f.random}};
  AgentQueue queue{engine};
  std::vector<ItemKey> keys;
  for (int i = 0; i < 20; ++i) keys.push_back(f.bug());
  for (std::size_t i = 0; i < 20; i += 3) REQUIRE(f.engine.claim(f.alpha, keys[i], {.hold = 1min}));
  f.clock.advance(2min);
  for (const std::uint32_t limit : {1u, 3u, 19u, 20u, 21u}) {
    std::vector<std::string> seen;
    std::string after;
    do {
      const auto page = queue.available(f.host, {}, limit, after).value();
      for (const WorkItem& item : page.items) seen.push_back(item.key.str());
      after = page.next;
    } while (!after.empty());
    REQUIRE(seen.size() == 20);
    for (std::size_t i = 0; i < 20; ++i) CHECK(seen[i] == keys[i].str());
  }
  CHECK(queue.available(f.host, {}, 3, "nonsense").error().code() == errc::invalid_argument);
  CHECK(queue.available(f.host, {}, 3, "00:x").error().code() == errc::invalid_argument);
}

TEST_CASE("what an agent holds is listed a page at a time, most urgent first, and narrowed like the queue") {
  ListFixture f;
  for (int i = 0; i < 5; ++i) REQUIRE(f.engine.claim(f.alpha, f.bug("small", Priority::low)));
  REQUIRE(f.engine.claim(f.alpha, f.bug("urgent", Priority::critical)));
  REQUIRE(f.engine.claim(f.beta, f.bug("another's")));
  const auto first = f.queue.mine(f.alpha, {}, 4).value();
  REQUIRE(first.items.size() == 4);
  CHECK(first.items.front().title == "urgent");
  const auto rest = f.queue.mine(f.alpha, {}, 4, first.next).value();
  CHECK(rest.items.size() == 2);
  CHECK(rest.next.empty());
  CHECK(f.queue.mine(f.alpha, {.priority = Priority::low})->items.size() == 5);
  CHECK(f.queue.mine(f.alpha, {.search = "URGENT"})->items.size() == 1);
  CHECK(f.queue.mine(f.alpha, {.domain = "OTHER"})->items.empty());
  CHECK(f.queue.mine(f.alpha).value().size() == 6);
  CHECK(f.queue.mine(f.alpha, {}, 0).error().code() == errc::invalid_argument);
  CHECK(f.queue.mine(f.alpha, {}, 4, "nonsense").error().code() == errc::invalid_argument);
  CHECK(f.queue.mine(f.mia, {}).error().code() == errc::agent_id_required);
}

TEST_CASE("a list can be asked for one key, and for personal domains only") {
  ListFixture f;
  const ItemKey first = f.bug("first"), second = f.bug("second");
  REQUIRE(f.engine.create_domain(f.mia, {.key = "MIA", .name = "Mia's", .personal = true}));
  const ItemKey own = f.engine.create(f.mia, {.workflow = "TRIAGE", .title = "own", .domain = "MIA"})->key;
  CHECK(f.titles({.key = second}) == Titles{"second"});
  CHECK(f.titles({.key = second, .status = "done"}).empty());
  CHECK(f.titles({.key = second, .domain = "MIA"}).empty());
  for (const char* no_key : {"BUG-0", "BUG-02", "BUG-", "BUG", "-2", "BUG-2.1", "BUG-2x", "BUG-99999999999999999999"}) {
    CAPTURE(no_key);
    CHECK(f.titles({.key = no_key}).empty());
  }
  const auto mias = f.engine.list(f.mia, {.personal_only = true}).value();
  REQUIRE(mias.items.size() == 1);
  CHECK(mias.items.front().key == own);
  CHECK(f.engine.list(f.noa, {.personal_only = true})->items.empty());
}

TEST_CASE("many items are claimed in one durable write, most urgent first") {
  ListFixture f;
  for (int i = 0; i < 10; ++i) f.bug("low", Priority::low);
  for (int i = 0; i < 10; ++i) f.bug("high", Priority::high);
  f.storage.heal();  // counts from here
  std::size_t commits = 0;
  f.storage.before_commit([&] { ++commits; });
  auto sessions = f.queue.claim_next(f.alpha, 15, {}).value();
  CHECK(commits == 1);
  REQUIRE(sessions.size() == 15);
  CHECK(std::count_if(sessions.begin(), sessions.end(), [](const auto& s) { return s.item().title == "high"; }) == 10);
  const auto rest = f.queue.claim_next(f.beta, 15, {}).value();
  CHECK(rest.size() == 5);
  CHECK(f.queue.claim_next(f.beta, 15, {})->empty());
  CHECK(f.queue.claim_next(f.beta, 0, {}).error().code() == errc::invalid_argument);
  CHECK(f.queue.claim_next(f.mia, 1, {}).error().code() == errc::agent_id_required);
}

TEST_CASE("the queue is narrowed by priority") {
  ListFixture f;
  f.bug("low", Priority::low);
  f.bug("high", Priority::high);
  CHECK(f.queue.available(f.host, {.priority = Priority::low})->items.front().title == "low");
  CHECK(f.queue.claim_next(f.alpha, {.priority = Priority::low}).value()->item().title == "low");
}
