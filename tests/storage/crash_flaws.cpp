// Flaws that show after a crash: what is lost, what is torn, what comes back.
#include <string>

#include "storage/flawed_storage.hpp"

namespace openindex {
namespace {

/// Do something to the last change set that was accepted.
std::function<void(std::vector<Committed>&)> to_the_last(std::function<void(Committed&)> change) {
  return [change = std::move(change)](std::vector<Committed>& history) {
    for (auto one = history.rbegin(); one != history.rend(); ++one) {
      if (one->accepted) return change(*one);
    }
  };
}

Flaw the_last_commit_is_lost() {
  return {.name = "a crash loses the last commit",
          .broken = {"everything that was acknowledged is there after a crash, time and again",
                     "change sets of eight threads survive a crash whole",
                     "a commit whose answer was lost is found after a crash", "a large table survives a crash"},
          .crash = to_the_last([](Committed& last) { last.accepted = false; })};
}

Flaw half_of_the_last_set_is_lost() {
  return {.name = "a crash loses half of the last change set",
          .broken = {"everything that was acknowledged is there after a crash, time and again",
                     "change sets of eight threads survive a crash whole"},
          .crash = to_the_last([](Committed& last) {
            if (!last.set.puts.empty()) last.set.puts.pop_back();
          })};
}

Flaw erased_records_come_back() {
  return {.name = "a crash brings erased records back",
          .broken = {"what is empty or erased stays so over a crash",
                     "everything that was acknowledged is there after a crash, time and again"},
          .crash = [](auto& history) {
            for (auto& one : history) one.set.erases.clear();
          }};
}

Flaw refused_sets_come_back() {
  return {.name = "a crash brings back what was refused",
          .broken = {"nothing that was refused comes back with a crash"},
          .crash = [](auto& history) {
            for (auto& one : history) {
              if (!one.accepted) one.set.expectations.clear();
              one.accepted = true;
            }
          }};
}

Flaw bodies_end_at_nul_after_a_crash() {
  return {.name = "after a crash bodies end at their first NUL byte",
          .broken = {"bodies and names of any kind survive a crash"},
          .crash = [](auto& history) {
            for (auto& one : history) {
              for (auto& put : one.set.puts) put.body = put.body.c_str();
            }
          }};
}

Flaw index_entries_do_not_survive() {
  return {.name = "index entries do not survive a crash",
          .broken = {"everything that was acknowledged is there after a crash, time and again",
                     "bodies and names of any kind survive a crash", "a large table survives a crash"},
          .crash = [](auto& history) {
            for (auto& one : history) {
              for (auto& put : one.set.puts) put.index.clear();
            }
          }};
}

Flaw cursors_die_with_the_process() {
  auto lives = std::make_shared<int>(0);
  return {.name = "a cursor means nothing after a crash",
          .broken = {"a scan that began before a crash goes on after it"},
          .scan = [lives](Storage& memory, ScanRequest request) -> Result<ScanPage> {
            const auto mark = "/" + std::to_string(*lives);
            if (!request.after.empty()) {
              if (!request.after.ends_with(mark)) return errc::invalid_argument;
              request.after.resize(request.after.size() - mark.size());
            }
            auto page = memory.scan(request);
            if (page && !page->next.empty()) page->next += mark;
            return page;
          },
          .crash = [lives](auto&) { ++*lives; }};
}

}  // namespace

std::vector<MakeFlaw> crash_flaws() {
  return {the_last_commit_is_lost,     half_of_the_last_set_is_lost,    erased_records_come_back,
          refused_sets_come_back,      bodies_end_at_nul_after_a_crash, index_entries_do_not_survive,
          cursors_die_with_the_process};
}

}  // namespace openindex
