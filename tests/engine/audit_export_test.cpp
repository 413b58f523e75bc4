#include <doctest/doctest.h>

#include <stdexcept>

#include <boost/json/parse.hpp>

#include "engine/audit_chain.hpp"
#include "engine/engine_fixture.hpp"

using namespace openindex;
using tests::EngineFixture;

namespace {

std::string exported(EngineFixture& f, const AuditFilter& filter, AuditFormat format) {
  std::string out;
  REQUIRE(f.engine.export_audit(f.host, filter, format, [&](std::string_view text) {
    out += text;
    return Result<void>();
  }));
  return out;
}

// One entry of a stream of its own.
void append(EngineFixture& f, const AuditDraft& draft) {
  const Actor actor = Actor::run("run_1", "OPS-1", "-agent", 7);
  ChangeSet changes;
  openindex::engine::ChainHead head;
  openindex::engine::append_audit(changes, head, {"OPS-1", "OPS", actor, f.clock.now(), {}, "plan", "run_1/3", 7},
                                  std::span(&draft, 1));
  REQUIRE(f.memory.commit(std::span(&changes, 1)).front());
}

const std::string header = "stream,number,at,type,actor,actorKind,stage,run,step,epoch,changes,note,previous\r\n";

}  // namespace

TEST_CASE("an export as JSON is an array of all that match, whatever the page") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  for (int i = 0; i < 6; ++i) REQUIRE(f.engine.comment(f.mia, bug, "hello"));
  const std::string whole = exported(f, {.item = bug, .newest_first = false}, AuditFormat::json);
  for (const std::uint32_t limit : {1u, 2u, 7u, 8u}) {
    CAPTURE(limit);
    CHECK(exported(f, {.item = bug, .limit_count = limit, .newest_first = false}, AuditFormat::json) == whole);
  }
  const auto entries = boost::json::parse(whole).as_array();
  REQUIRE(entries.size() == 7);
  for (std::size_t i = 0; i < entries.size(); ++i) CHECK(entries[i].at("number").to_number<std::size_t>() == i + 1);
}

TEST_CASE("an exported entry has every member that says something") {
  EngineFixture f;
  append(f, {"work_item.updated", {{"title", "a \"b\"", ""}}, "why"});
  CHECK(exported(f, {.item = "OPS-1"}, AuditFormat::json) ==
        "[\n{\"stream\":\"OPS-1\",\"number\":1,\"at\":\"" + to_rfc3339(f.clock.now()) +
            "\",\"type\":\"work_item.updated\",\"actor\":\"-agent\",\"actorKind\":\"run\",\"stage\":\"plan\","
            "\"run\":\"run_1\",\"step\":\"run_1/3\",\"epoch\":7,"
            "\"changes\":[{\"what\":\"title\",\"before\":\"a \\\"b\\\"\",\"after\":\"\"}],\"note\":\"why\"}\n]\n");
}

TEST_CASE("an export without entries is an empty array, or a header line") {
  EngineFixture f;
  CHECK(exported(f, {.item = "OPS-9"}, AuditFormat::json) == "[]\n");
  CHECK(exported(f, {.item = "OPS-9"}, AuditFormat::csv) == header);
}

TEST_CASE("cells of a CSV export are quoted where they must be, and quotes doubled") {
  EngineFixture f;
  append(f, {"work_item.updated", {{"title", "x", "y"}}, "a, b \"c\"\r\nd"});
  CHECK(exported(f, {.item = "OPS-1"}, AuditFormat::csv) ==
        header + "OPS-1,1," + to_rfc3339(f.clock.now()) +
            ",work_item.updated,'-agent,run,plan,run_1,run_1/3,7,"
            "\"[{\"\"what\"\":\"\"title\"\",\"\"before\"\":\"\"x\"\",\"\"after\"\":\"\"y\"\"}]\","
            "\"a, b \"\"c\"\"\r\nd\",\r\n");
}

TEST_CASE("a cell that a spreadsheet would take for a formula begins with an apostrophe") {
  for (const std::string note : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a=1", "'=1"}) {
    CAPTURE(note);
    EngineFixture f;
    append(f, {"t", {}, note});
    const std::string line = exported(f, {.item = "OPS-1"}, AuditFormat::csv).substr(header.size());
    const bool formula = std::string_view("=+-@\t").find(note.front()) != std::string_view::npos;
    CHECK(line.ends_with(",," + std::string(formula ? "'" : "") + note + ",\r\n"));
  }
  for (const std::string note : {"\r=1", "\n=1", "=\"a\",1"}) {
    CAPTURE(note);
    EngineFixture f;
    append(f, {"t", {}, note});
    const std::string line = exported(f, {.item = "OPS-1"}, AuditFormat::csv).substr(header.size());
    CHECK(line.find(",\"'" + note.substr(0, 2)) != std::string::npos);
  }
}

TEST_CASE("an export is handed over page by page") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  for (int i = 0; i < 9; ++i) REQUIRE(f.engine.comment(f.mia, bug, "hello"));
  std::vector<std::size_t> entries;
  REQUIRE(f.engine.export_audit(f.host, {.item = bug, .limit_count = 4}, AuditFormat::json, [&](std::string_view text) {
    std::size_t count = 0;
    for (auto at = text.find("\"stream\""); at != std::string_view::npos; at = text.find("\"stream\"", at + 1)) ++count;
    entries.push_back(count);
    return Result<void>();
  }));
  CHECK(entries == std::vector<std::size_t>{4, 4, 2});
}

TEST_CASE("an export ends with what its sink answers, and a sink that throws is told apart") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  REQUIRE(f.engine.comment(f.mia, bug, "hello"));
  const AuditFilter filter{.item = bug, .limit_count = 1};
  int calls = 0;
  const auto refused = f.engine.export_audit(f.host, filter, AuditFormat::json, [&](std::string_view) {
    ++calls;
    return Result<void>(errc::storage_full);
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::storage_full);
  CHECK(calls == 1);
  const auto thrown = f.engine.export_audit(f.host, filter, AuditFormat::json,
                                            [](std::string_view) -> Result<void> { throw std::runtime_error("full"); });
  REQUIRE_FALSE(thrown);
  CHECK(thrown.error().code() == errc::host_callback_failed);
  CHECK(f.engine.export_audit(f.host, filter, AuditFormat::json, {}).error().code() == errc::invalid_argument);
}

TEST_CASE("a refused export hands nothing over") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  const auto unwanted = [](std::string_view) {
    FAIL_CHECK("the sink was called");
    return Result<void>();
  };
  const Actor run = Actor::run("run_1", bug, "dispatcher", 1);
  CHECK(f.engine.export_audit(run, {.item = bug}, AuditFormat::csv, unwanted).error().code() == errc::outside_run);
  CHECK(f.engine.export_audit(f.host, {.limit_count = 0}, AuditFormat::csv, unwanted).error().code() ==
        errc::invalid_argument);
}

TEST_CASE("an export that a storage failure interrupts says so") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  REQUIRE(f.engine.comment(f.mia, bug, "hello"));
  f.storage.fail_nth(2, testing::FaultyStorage::Fault::before, errc::storage_failed);
  const auto result = f.engine.export_audit(f.host, {.item = bug, .limit_count = 1}, AuditFormat::json,
                                            [](std::string_view) { return Result<void>(); });
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == errc::storage_failed);
}
