#include "engine/answers.hpp"

#include <array>

#include "core/utf8.hpp"
#include "engine/commit.hpp"
#include "engine/digest.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {

Request request_of(const Actor& actor, const std::string& idempotency_key, const ItemKey& item,
                   const std::string& command) {
  // The key is the caller's text and may hold anything; its digest is a safe record key.
  const std::string who = std::to_string(static_cast<int>(actor.kind())) + actor.id();
  return {{"idempotency", "call/" + sha256_hex(who + "\n" + idempotency_key)},
          sha256_hex(item.str() + "\n" + command),
          idempotency_key};
}

Result<void> check_idempotency_key(const std::string& key) {
  if (key.size() <= 200 && is_utf8(key)) return {};
  return Error(errc::invalid_argument, "An idempotency key is UTF-8 of at most 200 bytes");
}

namespace {

struct Found {
  std::optional<json::Stored> in;  ///< Null: nothing that is remembered.
  std::uint64_t version = 0;
};

Result<Found> find(Storage& storage, const Request& request, Time now) {
  auto record = read_record(storage, request.record, "idempotency key");
  if (!record && record.error().code() == errc::not_found) return Found();
  if (!record) return record.error();
  auto in = json::Stored::read(record->body, "idempotency key");
  if (!in) return in.error();
  Found found{std::nullopt, record->version};
  if (in->time("at") + answer_age_max <= now) return found;
  if (in->text("digest") != request.digest) return Error(errc::idempotency_conflict).with("key", request.key);
  found.in = std::move(*in);
  return found;
}

json::Writer begin(const Request& request, Time now) {
  json::Writer out;
  out.begin_object().key("digest").string(request.digest);
  out.key("at").number(std::int64_t{now.time_since_epoch().count()});
  return out;
}

Put finish(const Request& request, json::Writer out, Time now) {
  const std::int64_t until = (now + answer_age_max).time_since_epoch().count();
  return {
      request.record, std::move(out.end_object()).str(), {{Index::due, {"idempotency", until, request.record.key}}}};
}

}  // namespace

Result<KnownAnswer> find_answer(Storage& storage, const Request& request, Time now, const FindWorkflow& find_workflow) {
  auto found = find(storage, request, now);
  if (!found) return found.error();
  KnownAnswer known{nullptr, found->version};
  if (!found->in) return known;
  json::Stored& in = *found->in;
  std::array<std::optional<Record>, records_per_item> records;
  const ItemKey item = in.text("item");
  records[0] = Record{state_record(item), in.natural("version"), in.text("state"), {}};
  records[1] = Record{content_record(item), in.natural("contentVersion"), in.text("content"), {}};
  records[2] = Record{hold_record(item), in.natural("holdVersion"), in.text("hold"), {}};
  records[3] = Record{gates_record(item), 1, in.text("gates"), {}};
  auto answer = read_item(item, records, find_workflow);
  if (!answer) return answer.error();
  known.item = std::move(*answer);
  return known;
}

Put write_answer(const Request& request, const LoadedItem& answer, Time now) {
  json::Writer out = begin(request, now);
  out.key("item").string(answer.item.key.str()).key("version").number(answer.item.version);
  out.key("contentVersion").number(answer.text_version).key("holdVersion").number(answer.hold_version);
  out.key("state").string(write_state(answer).body).key("content").string(write_content(answer).body);
  out.key("hold").string(write_hold(answer).body).key("gates").string(write_gates(answer).body);
  return finish(request, std::move(out), now);
}

Result<std::optional<Request>> request_of(const Actor& actor, const std::string& idempotency_key,
                                          std::string_view what) {
  if (idempotency_key.empty()) return std::optional<Request>();
  if (auto sound = check_idempotency_key(idempotency_key); !sound) return sound.error();
  return std::optional(request_of(actor, idempotency_key, ItemKey(), std::string(what)));
}

Result<KnownRecord> find_record(Storage& storage, const Request& request, Time now) {
  auto found = find(storage, request, now);
  if (!found) return found.error();
  KnownRecord known{std::nullopt, found->version};
  if (!found->in) return known;
  json::Stored& in = *found->in;
  known.record = Record{{in.text("kind"), in.text("key")}, in.natural("version"), in.text("body"), {}};
  return known;
}

void remember(ChangeSet& changes, const Request& request, const KnownRecord& known, const Record& answer, Time now) {
  json::Writer out = begin(request, now);
  out.key("kind").string(answer.id.kind).key("key").string(answer.id.key).key("version").number(answer.version);
  out.key("body").string(answer.body);
  changes.expectations.push_back({request.record, known.version});
  changes.puts.push_back(finish(request, std::move(out), now));
}

Result<std::size_t> forget_old_answers(Storage& storage, Time now) {
  const auto page = storage.scan({.index = Index::due,
                                  .prefix = {std::string("idempotency")},
                                  .below = std::int64_t{now.time_since_epoch().count() + 1},
                                  .where = {},
                                  .limit_count = 256,
                                  .after = {}});
  if (!page) return page.error();
  if (page->rows.empty()) return std::size_t{0};
  ChangeSet changes;
  for (const Record& row : page->rows) {
    changes.expectations.push_back({row.id, row.version});  // it may have been given a new answer meanwhile
    changes.erases.push_back(row.id);
  }
  auto done = commit(storage, changes);
  if (!done) return done.error();
  return page->rows.size();
}

}  // namespace openindex::engine
