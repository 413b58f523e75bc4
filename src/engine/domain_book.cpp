#include "engine/domain_book.hpp"

#include <algorithm>
#include <array>

#include "engine/commit.hpp"
#include "engine/digest.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"
#include "work/actor_rules.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::array<std::string_view, 4> roles{"viewer", "member", "admin", "owner"};

}  // namespace

std::string_view to_text(Role value) noexcept { return roles[static_cast<std::size_t>(value)]; }

std::optional<Role> parse_role(std::string_view text) noexcept {
  const auto found = std::find(roles.begin(), roles.end(), text);
  if (found == roles.end()) return std::nullopt;
  return static_cast<Role>(found - roles.begin());
}

}  // namespace v0

namespace engine {
namespace {

constexpr Duration age_max{1000};
constexpr std::size_t kept_max = 10'000;

RecordId domain_record(const std::string& key) { return {"domain", key}; }

struct StoredDomain {
  Domain domain;
  ChainHead chain;
  std::string extra;
};

Result<StoredDomain> read_domain(const Record& record) {
  auto in = json::Stored::read(record.body, "domain " + record.id.key);
  if (!in) return in.error();
  StoredDomain out;
  Domain& domain = out.domain;
  domain.key = record.id.key;
  domain.version = record.version;
  domain.name = in->text("name");
  domain.description = in->text("description");
  domain.personal = in->boolean("personal");
  domain.default_workflow = in->text("defaultWorkflow");
  domain.categories = in->texts("categories");
  for (json::Stored& member : in->objects("members")) {
    const auto role = parse_role(member.text("role"));
    if (role) domain.members.push_back({member.text("user"), *role});
  }
  domain.created_at = in->time("created");
  out.chain.count = in->natural("auditCount");
  out.chain.digest = in->text("auditHead");
  out.extra = in->rest();
  return out;
}

Put write_domain(const StoredDomain& stored) {
  const Domain& domain = stored.domain;
  json::Writer out;
  out.begin_object().key("name").string(domain.name).member("description", domain.description);
  out.member("personal", domain.personal).member("defaultWorkflow", domain.default_workflow.str());
  out.key("categories").begin_array();
  for (const std::string& category : domain.categories) out.string(category);
  out.end_array().key("members").begin_array();
  for (const DomainMember& member : domain.members) {
    out.begin_object().key("user").string(member.user).key("role").string(to_text(member.role)).end_object();
  }
  out.end_array().key("created").number(std::int64_t{domain.created_at.time_since_epoch().count()});
  out.key("auditCount").number(stored.chain.count).key("auditHead").string(stored.chain.digest);
  out.rest(stored.extra).end_object();
  return {domain_record(domain.key), std::move(out).str(), {}};
}

ChangeSet change_of(StoredDomain& stored, const Actor& actor, Time now, const CommitId& commit_id,
                    const std::vector<AuditDraft>& drafts) {
  ChangeSet changes;
  changes.id = commit_id;
  const std::string stream = "domain." + stored.domain.key;
  const AuditFrame frame{.stream = stream,
                         .domain = stored.domain.key,
                         .actor = actor,
                         .at = now,
                         .commit = commit_id.str(),
                         .stage = {},
                         .step = {}};
  append_audit(changes, stored.chain, frame, drafts);
  changes.expectations.push_back({domain_record(stored.domain.key), stored.domain.version});
  changes.puts.push_back(write_domain(stored));
  return changes;
}

// Whose role counts; empty: the host's own.
const std::string& user_of(const Actor& actor) {
  return actor.kind() == ActorKind::person ? actor.id() : actor.on_behalf_of();
}

const DomainMember* find_member(const Domain& domain, const std::string& user) {
  for (const DomainMember& member : domain.members) {
    if (member.user == user) return &member;
  }
  return nullptr;
}

}  // namespace

std::string domain_of(const ItemKey& key) { return key.str().substr(0, key.str().find('-')); }

std::string personal_key(std::string_view user) {
  constexpr std::size_t digits = 14;
  std::string key = "ME" + sha256_hex(std::string("personal domain of ").append(user)).substr(0, digits);
  for (char& c : key) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return key;
}

bool is_personal_key(std::string_view key) {
  return key.size() == 16 && key.starts_with("ME") &&
         key.find_first_not_of("0123456789ABCDEF", 2) == std::string_view::npos;
}

const std::string& domain_of(const Workflow& workflow) {
  return workflow.domain.empty() ? workflow.id.str() : workflow.domain;
}

Result<DomainBook::DomainPtr> DomainBook::find(const std::string& key) {
  const Duration now = options_.clock.steady();
  {
    const std::lock_guard lock(mutex_);
    if (const auto kept = kept_.find(key); kept != kept_.end() && now - kept->second.read_at < age_max) {
      return kept->second.domain;
    }
  }
  DomainPtr found;
  if (!key.empty()) {
    auto record = read_record(options_.storage, domain_record(key), "domain");
    if (!record && record.error().code() != errc::not_found) return record.error();
    if (record) {
      auto stored = read_domain(*record);
      if (!stored) return stored.error();
      found = std::make_shared<Domain>(std::move(stored->domain));
    }
  }
  if (!keeps_) return found;
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kept_max) kept_.clear();
  kept_[key] = {found, now};
  return found;
}

void DomainBook::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  kept_.erase(key);
}

Result<std::vector<Domain>> DomainBook::all() {
  std::vector<Domain> out;
  ScanRequest request{.index = Index::key, .prefix = {std::string("domain")}, .limit_count = 1000};
  do {
    auto page = options_.storage.scan(request);
    if (!page) return page.error();
    for (const Record& record : page->rows) {
      auto stored = read_domain(record);
      if (!stored) return stored.error();
      out.push_back(std::move(stored->domain));
    }
    request.after = std::move(page->next);
  } while (!request.after.empty());
  return out;
}

Result<void> DomainBook::check_role(const Domain& domain, const Actor& actor, Role needed) {
  if (actor.kind() == ActorKind::system || actor.kind() == ActorKind::run) return {};
  const std::string& user = user_of(actor);
  const DomainMember* member = user.empty() ? nullptr : find_member(domain, user);
  if (member == nullptr && !user.empty()) return Error(errc::not_found).with("domain", domain.key);
  if (member != nullptr && member->role >= needed) return {};
  return Error(errc::not_permitted, "This needs a higher role in the domain")
      .with("domain", domain.key)
      .with("actor", actor.id())
      .with("role", member == nullptr ? "member" : to_text(member->role))
      .with("needed", to_text(needed));
}

Result<void> DomainBook::require(const Actor& actor, const std::string& domain, Role needed) {
  if (actor.kind() == ActorKind::system || actor.kind() == ActorKind::run) return {};
  if (actor.id().empty()) return work::check_actor_id(actor);
  const bool own_agent = actor.kind() == ActorKind::agent && actor.on_behalf_of().empty();
  if (own_agent && needed <= Role::member) return {};
  auto found = find(domain);
  if (!found) return found.error();
  if (*found) return check_role(**found, actor, needed);
  if (is_personal_key(domain)) return Error(errc::not_found).with("domain", domain);  // not yet asked for by its owner
  return {};
}

Result<bool> DomainBook::sees(const Actor& actor, const std::string& domain) {
  auto allowed = require(actor, domain, Role::viewer);
  if (allowed) return true;
  if (allowed.error().code() == errc::not_found || allowed.error().code() == errc::not_permitted) return false;
  return allowed.error();
}

Result<std::optional<Domain>> DomainBook::recall(const Request& request) {
  auto known = find_record(options_.storage, request, options_.clock.now());
  if (!known) return known.error();
  if (!known->record) return std::optional<Domain>();
  auto stored = read_domain(*known->record);
  if (!stored) return stored.error();
  return std::optional(std::move(stored->domain));
}

// The answer is what the domain will be when this commits. With a request that was answered meanwhile, by another
// attempt at the same call, the commit is a conflict, and that answer is the one.
Result<void> DomainBook::remember_answer(ChangeSet& changes, const std::optional<Request>& request,
                                         Record answer) const {
  if (!request) return {};
  const Time now = options_.clock.now();
  auto known = find_record(options_.storage, *request, now);
  if (!known) return known.error();
  remember(changes, *request, *known, answer, now);
  return {};
}

Result<Domain> DomainBook::create(const Actor& actor, const NewDomain& given, const CommitId& commit_id,
                                  const std::optional<Request>& request) {
  StoredDomain stored;
  Domain& domain = stored.domain;
  domain = {.key = given.key,
            .name = given.name,
            .description = given.description,
            .personal = given.personal,
            .default_workflow = given.default_workflow,
            .categories = given.categories,
            .members = {{given.owner, Role::owner}},
            .created_at = options_.clock.now()};
  ChangeSet changes = change_of(stored, actor, domain.created_at, commit_id,
                                {{"domain.created", {{"key", "", given.key}, {"owner", "", given.owner}}, {}}});
  domain.version = 1;
  const Record answer{domain_record(given.key), 1, changes.puts.front().body, {}};
  if (auto remembered = remember_answer(changes, request, answer); !remembered) return remembered.error();
  auto done = commit(options_.storage, changes);
  forget(given.key);
  if (done) return domain;
  if (done.error().code() != errc::conflict) return done.error();
  if (request) {
    auto known = recall(*request);
    if (!known) return known.error();
    if (*known) return std::move(**known);
  }
  return Error(errc::already_exists).with("domain", given.key);
}

Result<Domain> DomainBook::edit(const std::string& key, const Actor& actor, const Edit& edit, const CommitId& commit_id,
                                const std::optional<Request>& request) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    if (request) {
      auto known = recall(*request);
      if (!known) return known.error();
      if (*known) return std::move(**known);
    }
    auto record = read_record(options_.storage, domain_record(key), "domain");
    if (!record && record.error().code() == errc::not_found) return Error(errc::not_found).with("domain", key);
    if (!record) return record.error();
    auto stored = read_domain(*record);
    if (!stored) return stored.error();
    auto drafts = edit(stored->domain);
    if (!drafts) return drafts.error();
    if (drafts->empty() && !request) return stored->domain;
    ChangeSet changes;
    Record answer = *record;
    if (drafts->empty()) {
      changes.id = commit_id;
      changes.expectations.push_back({record->id, record->version});
    } else {
      changes = change_of(*stored, actor, options_.clock.now(), commit_id, *drafts);
      answer = {record->id, record->version + 1, changes.puts.front().body, {}};
    }
    if (auto remembered = remember_answer(changes, request, answer); !remembered) return remembered.error();
    auto done = commit(options_.storage, changes);
    forget(key);
    if (done) {
      stored->domain.version = answer.version;
      return stored->domain;
    }
    const bool repeat = done.error().code() == errc::commit_unknown && changes.appends.empty();
    if (done.error().code() != errc::conflict && !repeat) return done.error();
  }
  return Error(errc::contention).with("domain", key);
}

}  // namespace engine
}  // namespace openindex
