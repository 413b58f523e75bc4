#include "engine/audit_chain.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

#include "engine/digest.hpp"

using namespace openindex;
using namespace openindex::engine;

namespace {

constexpr Time noon(Duration(1'767'225'600'250));

AuditFrame frame_of(const Actor& actor) { return {"OPS-42", "OPS", actor, noon, "com_1", "triage", "run_9/3", 7}; }

AuditDraft status_changed() {
  return {"work_item.status_changed", {{"status", "new", "triage"}, {"note", "", "say \"hi\"\n"}}, "because"};
}

}  // namespace

TEST_CASE("an entry reads back as it was appended") {
  const Actor actor = Actor::run("run_9", "OPS-42", "agent-alpha", 7);
  ChangeSet changes;
  ChainHead head;
  append_audit(changes, head, frame_of(actor), std::array{status_changed()});

  REQUIRE(changes.appends.size() == 1);
  const Put& put = changes.appends[0];
  CHECK(put.id == RecordId{"audit", "OPS-42/00000001"});
  REQUIRE(put.index.size() == 1);
  CHECK(put.index[0].values == std::vector<IndexValue>{noon.time_since_epoch().count(), "OPS",
                                                       "work_item.status_changed", "agent-alpha", "OPS-42"});
  CHECK(commit_of(put.body) == "com_1");
  const auto entry = read_audit(1, put.body);
  REQUIRE(entry);
  CHECK(entry->number == 1);
  CHECK(entry->type == "work_item.status_changed");
  CHECK(entry->at == noon);
  CHECK(entry->actor == "agent-alpha");
  CHECK(entry->actor_kind == "run");
  CHECK(entry->stage == "triage");
  CHECK(entry->run == RunId("run_9"));
  CHECK(entry->step == "run_9/3");
  CHECK(entry->epoch == 7);
  REQUIRE(entry->changes.size() == 2);
  CHECK(entry->changes[0].what == "status");
  CHECK(entry->changes[0].before == "new");
  CHECK(entry->changes[0].after == "triage");
  CHECK(entry->changes[1].after == "say \"hi\"\n");
  CHECK(entry->note == "because");
  CHECK(entry->previous.empty());
}

TEST_CASE("members that say nothing are left out") {
  const Actor actor = Actor::system("importer");
  ChangeSet changes;
  ChainHead head;
  const AuditFrame frame{"OPS-42", {}, actor, noon, {}, {}, {}, 0};
  append_audit(changes, head, frame, std::array{AuditDraft{"work_item.created", {}, {}}});
  CHECK(changes.appends[0].body ==
        R"({"number":1,"type":"work_item.created","at":"2026-01-01T00:00:00.250Z","actor":"importer",)"
        R"("actorKind":"system"})");
  CHECK(commit_of(changes.appends[0].body).empty());
}

TEST_CASE("each entry carries the digest of the one before, also across commits") {
  const Actor actor = Actor::person("ana");
  ChainHead head;
  ChangeSet first;
  append_audit(first, head, frame_of(actor), std::array{status_changed(), status_changed()});
  CHECK(head.count == 2);
  CHECK(head.digest == sha256_hex(first.appends[1].body));
  ChangeSet second;
  append_audit(second, head, frame_of(actor), std::array{status_changed()});

  CHECK(read_audit(2, first.appends[1].body)->previous == audit_digest(first.appends[0].body));
  CHECK(second.appends[0].id.key == "OPS-42/00000003");
  CHECK(read_audit(3, second.appends[0].body)->previous == audit_digest(first.appends[1].body));
}

TEST_CASE("kinds of actors are spelled as words") {
  const std::array actors{Actor::system("a"), Actor::person("b"), Actor::agent("c"), Actor::run("r", "OPS-1", "d", 1)};
  const std::array<std::string, 4> words{"system", "person", "agent", "run"};
  for (std::size_t i = 0; i < actors.size(); ++i) {
    ChangeSet changes;
    ChainHead head;
    append_audit(changes, head, frame_of(actors[i]), std::array{status_changed()});
    CHECK(read_audit(1, changes.appends[0].body)->actor_kind == words[i]);
  }
}

TEST_CASE("keys of entries sort as their numbers do, and go on past eight digits") {
  CHECK(audit_record("provider.p", 9).key == "provider.p/00000009");
  CHECK(audit_record("provider.p", 10).key == "provider.p/00000010");
  CHECK(audit_record("provider.p", 123456789).key == "provider.p/123456789");
}

TEST_CASE("a damaged entry is reported as damaged") {
  for (const char* body : {"", "[]", "{}", R"({"number":2,"type":"t","at":"2026-01-01T00:00:00Z"})",
                           R"({"number":1,"type":"t","at":"soon"})", R"({"number":1,"at":"2026-01-01T00:00:00Z"})"}) {
    CAPTURE(body);
    const auto entry = read_audit(1, body);
    REQUIRE_FALSE(entry);
    CHECK(entry.error().code() == errc::storage_corrupt);
  }
  CHECK(commit_of("no json").empty());
}
