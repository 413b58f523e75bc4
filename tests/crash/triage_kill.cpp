// Kills examples/triage with -9 at random moments, and in another folder while the person reviews; runs it to the end,
// and proves what it promises.
//
//   openindex_triage_kill TRIAGE_PROGRAM [KILLS] [SEED]
//
// Witnesses: the scripted provider's request log, which outlives every kill, and the database's journals and audit
// trails. Proved: no journaled turn is asked for again; between two kills no request is answered twice, so that a kill
// costs at most one repeated request for each run in flight; no tool acts twice; every chain verifies; nothing is left.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>

#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/openindex.hpp>

namespace oi = openindex;
namespace fs = std::filesystem;

namespace {

const auto host = oi::Actor::system("kill demonstration");

[[noreturn]] void broken(const std::string& promise) {
  std::printf("BROKEN: %s\n", promise.c_str());
  std::exit(1);
}

pid_t start(const std::string& program, const std::string& output) {
  const pid_t child = fork();
  if (child != 0) return child;
  const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  for (const char* name : {"OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "OLLAMA_HOST"}) unsetenv(name);
  execl(program.c_str(), program.c_str(), nullptr);
  _exit(127);
}

// A request as the provider's log has it: the run, the step it was to become, and how it was answered.
struct Request {
  std::string run;
  unsigned step = 0;
  bool answered = false;
};

std::vector<Request> read_log() {
  std::vector<Request> out;
  std::ifstream file("triage.requests.log");
  for (std::string line; std::getline(file, line);) {
    boost::json::error_code torn;
    const auto entry = boost::json::parse(line, torn);
    if (torn) continue;
    const std::string id(entry.at("request_id").as_string());  // <run>.<step>.<start>
    const auto last = id.rfind('.');
    const auto middle = id.rfind('.', last - 1);
    const auto& answer = entry.at("answer");
    out.push_back({id.substr(0, middle), static_cast<unsigned>(std::stoul(id.substr(middle + 1, last - middle - 1))),
                   answer.is_int64() && answer.as_int64() == 200});
  }
  return out;
}

struct Books {
  std::map<std::string, unsigned> steps;  ///< Journaled steps of each run.
  std::size_t running = 0;
  std::size_t turns = 0;
};

template <class T>
T must(oi::Result<T> result, const char* what) {
  if (!result) broken(std::string(what) + ": " + result.error().describe());
  return *std::move(result);
}

Books read_books() {
  Books books;
  if (!fs::exists("triage.db")) return books;
  const auto storage = must(oi::SqliteStorage::open({.path = "triage.db"}), "the database opens after a kill");
  oi::WorkflowEngine engine{{.storage = *storage}};
  const auto items = must(engine.list(host, {.limit_count = 1000}), "items can be listed");
  for (const auto& item : items.items) {
    if (auto chain = engine.verify(host, item.key); !chain) broken(chain.error().describe());
    for (const auto& run : must(engine.runs(host, item.key), "runs can be read")) {
      books.steps[run.id.str()] = run.steps;
      books.running += run.state == oi::RunState::running ? 1 : 0;
      const auto journal = must(engine.journal(host, run.id), "journals can be read");
      if (journal.size() != run.steps) broken("a run's journal has as many steps as its record says");
      for (const auto& step : journal) books.turns += step.kind == "turn" ? 1 : 0;
    }
  }
  return books;
}

// No call of a turn has two outcomes, no step stands behind two changes, and each comment was asked for once.
std::size_t check_acts() {
  std::size_t acts = 0;
  const auto storage = must(oi::SqliteStorage::open({.path = "triage.db"}), "the database opens");
  oi::WorkflowEngine engine{{.storage = *storage}};
  const auto items = must(engine.list(host, {.limit_count = 1000}), "items can be listed");
  for (const auto& item : items.items) {
    if (item.resolution == oi::Resolution::unresolved) broken(item.key.str() + " is not resolved");
    std::size_t comments_asked = 0;
    for (const auto& run : must(engine.runs(host, item.key), "runs can be read")) {
      std::set<std::string> answered;
      for (const auto& step : must(engine.journal(host, run.id), "journals can be read")) {
        if (step.kind == "turn") answered.clear();
        if (step.kind != "tool") continue;
        const auto body = boost::json::parse(step.body);
        const std::string call(body.at("call").at("id").as_string());
        if (!answered.insert(call).second) broken("call " + call + " of " + run.id.str() + " has two outcomes");
        if (body.at("error").as_bool()) continue;
        ++acts;
        comments_asked += body.at("call").at("name").as_string() == "add_comment" ? 1 : 0;
      }
    }
    if (item.comment_count != comments_asked) broken(item.key.str() + " has a comment that was not asked for once");
    std::set<std::string> changes;
    for (const auto& entry : must(engine.audit(host, item.key), "the audit trail can be read")) {
      if (entry.step.empty()) continue;
      if (!changes.insert(entry.step + " " + entry.type).second) broken("step " + entry.step + " acted twice");
    }
  }
  return acts;
}

// What the provider was asked in one life of the program, against what had been journaled before that life began.
void check_life(const std::vector<Request>& log, std::size_t from, std::size_t to, const Books& before) {
  std::set<std::pair<std::string, unsigned>> answered;
  for (std::size_t i = from; i < to; ++i) {
    const auto journaled = before.steps.find(log[i].run);
    if (journaled != before.steps.end() && log[i].step <= journaled->second) {
      broken("step " + std::to_string(log[i].step) + " of " + log[i].run + " was journaled and asked for again");
    }
    if (log[i].answered && !answered.insert({log[i].run, log[i].step}).second) {
      broken("step " + std::to_string(log[i].step) + " of " + log[i].run + " was answered twice in one life");
    }
  }
}

bool ends_well(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct Review {
  std::size_t done = 0;
  std::size_t left = 0;
};

Review read_review(oi::WorkflowEngine& engine) {
  const auto all = must(engine.list(host, {.limit_count = 1000}), "items can be listed");
  Review review;
  for (const auto& item : all.items) {
    review.done += item.resolution != oi::Resolution::unresolved ? 1 : 0;
    review.left += item.stage == "review" ? 1 : 0;
  }
  return review;
}

// The person acts on all plans within a moment that a random kill hardly meets. So watch, and kill after the first act.
Review kill_in_review(const std::string& program) {
  const auto storage = must(oi::SqliteStorage::open({.path = "triage.db"}), "the database opens");
  oi::WorkflowEngine engine{{.storage = *storage}};
  const pid_t child = start(program, "output.txt");
  std::uint64_t seen = 0;
  while (waitpid(child, nullptr, WNOHANG) == 0) {
    seen = must(storage->wait_for_change({.seen = seen, .timeout = std::chrono::milliseconds(20)}), "changes are told")
               .sequence;
    if (read_review(engine).done == 0) continue;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    break;
  }
  return read_review(engine);
}

void check_kill_in_review(const std::string& program) {
  constexpr int tries_max = 5;
  for (int tries = 1; tries <= tries_max; ++tries) {
    const std::string folder = "review-" + std::to_string(tries);
    fs::create_directory(folder);
    fs::current_path(folder);
    const Review review = kill_in_review(program);
    if (review.done > 0 && review.left > 0) {
      if (!ends_well(start(program, "output.txt"))) broken("the run after a kill in the review ends well");
      static_cast<void>(check_acts());
      std::printf("killed in the review: %zu plans done, %zu left, and all of them done afterwards\n", review.done,
                  review.left);
      fs::current_path("..");
      return;
    }
    fs::current_path("..");
  }
  broken("a kill can fall into the review");
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: %s TRIAGE_PROGRAM [KILLS] [SEED]\n", arguments[0]);
    return 2;
  }
  const std::string program = fs::absolute(arguments[1]).string();
  const int kills = count > 2 ? std::atoi(arguments[2]) : 8;
  const unsigned seed = count > 3 ? static_cast<unsigned>(std::atoi(arguments[3])) : std::random_device{}();
  std::string folder = (fs::current_path() / "triage-kill-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) broken("a folder can be made here");
  fs::current_path(folder);
  std::printf("%d kills, seed %u, in %s\n", kills, seed, folder.c_str());

  std::mt19937 random(seed);
  Books before;
  std::size_t seen = 0;
  std::size_t in_flight = 0;
  for (int kill_number = 1; kill_number <= kills; ++kill_number) {
    const auto pause = std::chrono::milliseconds(60 + random() % 700);
    const pid_t child = start(program, "output.txt");
    std::this_thread::sleep_for(pause);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const auto log = read_log();
    check_life(log, seen, log.size(), before);
    before = read_books();
    in_flight += before.running;
    std::printf("kill %d after %4lld ms: %zu requests so far, %zu turns journaled, %zu runs in flight\n", kill_number,
                static_cast<long long>(pause.count()), log.size(), before.turns, before.running);
    seen = log.size();
  }

  if (!ends_well(start(program, "output.txt"))) broken("the run after the kills ends well (see output.txt)");
  const auto log = read_log();
  check_life(log, seen, log.size(), before);
  const Books books = read_books();
  const std::size_t acts = check_acts();

  if (!ends_well(start(program, "again.txt"))) broken("another run ends well");
  std::ifstream again("again.txt");
  const std::string text{std::istreambuf_iterator<char>(again), {}};
  if (text.find("Nothing is left to do") == std::string::npos) broken("another run says that nothing is left to do");
  if (read_log().size() != log.size()) broken("another run asks the provider for nothing");

  std::map<std::pair<std::string, unsigned>, std::size_t> asked;
  std::size_t repeated = 0;
  for (const auto& request : log) {
    if (request.answered && ++asked[{request.run, request.step}] > 1) ++repeated;
  }
  if (in_flight == 0) broken("some kill hits a run in flight (try another seed, or more kills)");
  if (repeated > in_flight) broken("a kill costs at most one repeated request for each run in flight");
  std::printf("%zu turns journaled, %zu requests, %zu of them repeated after %d kills with %zu runs in flight in all\n",
              books.turns, log.size(), repeated, kills, in_flight);
  std::printf("%zu acts of tools, none twice; every audit chain verifies; nothing is left to do\n", acts);
  check_kill_in_review(program);
  fs::current_path("..");
  fs::remove_all(folder);
  return 0;
}
