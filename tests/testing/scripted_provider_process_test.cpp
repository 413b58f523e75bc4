#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openindex/testing/scripted_provider.hpp>

#include "testing/provider_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using testing::ScriptedProvider;

TEST_CASE("a provider in a process of its own answers and logs and is gone with its object") {
  const TempDir dir;
  const auto log = dir.path / "provider.log";
  std::string url;
  {
    auto provider = ScriptedProvider::start_process({one_answer, log, {}});
    REQUIRE(provider);
    Chat chat(*provider, WireFamily::openai_chat);
    const auto reply = chat.ask("x");
    REQUIRE(reply);
    CHECK(reply->turn.text == "Hello");
    CHECK(provider->request_count() == 0);
    url = provider->url();
  }
  CHECK(lines_of(log).size() == 1);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);  // no child is left, not even as a zombie
  CurlHttpClient client({.egress = Egress::public_and_loopback()});
  HttpRequest request;
  request.url = url;
  const auto answer = send_and_wait(client, request);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == errc::http_unreachable);
}

TEST_CASE("a provider in a process of its own dies with a parent that is killed") {
  int told[2], alive[2];
  REQUIRE(::pipe2(told, O_CLOEXEC) == 0);
  REQUIRE(::pipe2(alive, O_CLOEXEC) == 0);
  std::fflush(nullptr);
  const pid_t parent = ::fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    // The provider keeps the three standard descriptors and no others: while it lives, `alive` has a writer.
    ::dup2(alive[1], STDOUT_FILENO);
    const auto provider = ScriptedProvider::start_process({one_answer, {}, {}});
    const char started = provider ? '1' : '0';
    if (::write(told[1], &started, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  ::close(alive[1]);
  ::close(told[1]);
  char started = '0';
  REQUIRE(::read(told[0], &started, 1) == 1);
  CHECK(started == '1');
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  char none;
  CHECK(::read(alive[0], &none, 1) == 0);  // returns when the last writer is gone
  ::close(alive[0]);
  ::close(told[0]);
}

TEST_CASE("a provider in a process of its own keeps none of its parent's files open") {
  int mine[2];
  REQUIRE(::pipe(mine) == 0);
  const auto provider = ScriptedProvider::start_process({one_answer, {}, {}});
  REQUIRE(provider);
  CHECK(Chat(*provider, WireFamily::openai_chat).ask("x"));  // it serves, so it has closed what it closes
  ::close(mine[1]);
  char none;
  CHECK(::read(mine[0], &none, 1) == 0);
  ::close(mine[0]);
}
