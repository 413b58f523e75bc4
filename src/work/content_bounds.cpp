#include "work/content_bounds.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/utf8.hpp"

namespace openindex::work {
namespace {

constexpr std::size_t categories_max = 50;

bool is_line(std::string_view text, std::size_t bytes_max) {
  return text.size() <= bytes_max && is_utf8(text) && !has_control(text);
}

/// Bounds, one after the other; those that are broken are kept.
class Bounds {
 public:
  template <class Pointer, class Text>
  void require(bool kept, Pointer&& pointer, Text&& text) {
    if (kept) return;
    constexpr std::size_t count_max = categories_max + 14;  // of all the bounds that one input can break
    if (broken_.empty()) broken_.reserve(count_max);
    broken_.push_back({std::forward<Pointer>(pointer), std::forward<Text>(text)});
  }

  void title(const std::string& title) {
    require(!title.empty() && title.size() <= 500, "/title", "must be 1 to 500 bytes long");
    require(is_utf8(title) && !has_control(title), "/title", "must be UTF-8 without control characters");
  }

  void description(const std::string& description) {
    require(description.size() <= 640u * 1024, "/description", "must be at most 640 KiB");
    require(is_utf8(description), "/description", "must be UTF-8");
  }

  void person(const char* pointer, const std::string& user) {
    require(is_line(user, 200), pointer, "must be at most 200 bytes of UTF-8 without control characters");
  }

  void categories(const std::vector<std::string>& categories) {
    require(categories.size() <= categories_max, "/categories", "must be at most 50");
    for (std::size_t i = 0; i < categories.size() && i < categories_max; ++i) {
      if (!categories[i].empty() && is_line(categories[i], 100)) continue;
      require(false, fmt::format("/categories/{}", i), "must be 1 to 100 bytes of UTF-8 on one line");
    }
  }

  void schedule(const Schedule& schedule) {
    require(schedule.granularity != ScheduleGranularity::datetime || schedule.end > schedule.start, "/schedule",
            "must end after it starts");
  }

  void objective_state(const std::string& state) {
    require(is_line(state, 1000), "/objectiveState", "must be at most 1000 bytes of UTF-8 on one line");
  }

  void parent(const NewItem& item, const RelatedItem* parent) {
    if (item.parent.empty()) {
      return require(item.kind != WorkKind::sub_task, "/parentKey", "a sub-task needs a task above it");
    }
    if (item.kind == WorkKind::project) return require(false, "/parentKey", "a project stands by itself");
    if (parent == nullptr) {
      return require(false, "/parentKey", fmt::format("there is no item '{}'", item.parent.str()));
    }
    const bool is_sub = item.kind == WorkKind::sub_task;
    if (parent->kind != (is_sub ? WorkKind::task : WorkKind::project)) {
      return require(false, "/parentKey", is_sub ? "must be a task" : "must be a project");
    }
    if (item.domain.empty() || item.domain == parent->domain) return;
    require(false, "/domain", fmt::format("must be the parent's, {}", parent->domain));
  }

  void domain(const std::string& domain) {
    const auto upper = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
    require(domain.size() <= 16 && std::all_of(domain.begin(), domain.end(), upper), "/domain",
            "must be 1 to 16 of A-Z 0-9");
  }

  std::vector<Problem> broken() && { return std::move(broken_); }

 private:
  std::vector<Problem> broken_;
};

}  // namespace

std::vector<Problem> problems_of(const UpdateItem& update) {
  Bounds bounds;
  if (update.title) bounds.title(*update.title);
  if (update.description) bounds.description(*update.description);
  if (update.owner) bounds.person("/ownerUserId", *update.owner);
  if (update.assignee) bounds.person("/assigneeUserId", *update.assignee);
  if (update.categories) bounds.categories(*update.categories);
  if (update.schedule) bounds.schedule(*update.schedule);
  if (update.objective_state) bounds.objective_state(*update.objective_state);
  return std::move(bounds).broken();
}

std::vector<Problem> problems_of(const NewItem& item, const RelatedItem* parent) {
  Bounds bounds;
  bounds.title(item.title);
  bounds.description(item.description);
  bounds.person("/ownerUserId", item.owner);
  bounds.person("/assigneeUserId", item.assignee);
  bounds.categories(item.categories);
  bounds.schedule(item.schedule);
  bounds.objective_state(item.objective_state);
  bounds.require(item.depends_on.size() <= 100, "/dependsOn", "must be at most 100");
  bounds.parent(item, parent);
  bounds.domain(item.domain);
  bounds.require(item.idempotency_key.size() <= 200 && is_utf8(item.idempotency_key), "/idempotencyKey",
                 "must be UTF-8 of at most 200 bytes");
  return std::move(bounds).broken();
}

std::vector<Problem> problems_of(const Attachment& file, std::size_t attachments) {
  Bounds bounds;
  bounds.require(!file.name.empty() && is_line(file.name, 255), "/name", "must be 1 to 255 bytes on one line");
  bounds.require(is_line(file.media_type, 127), "/mediaType", "must be at most 127 bytes on one line");
  bounds.require(!file.uri.empty() && is_line(file.uri, 2000), "/uri", "must be 1 to 2000 bytes on one line");
  bounds.require(attachments < 100, "", "an item has at most 100 attachments");
  return std::move(bounds).broken();
}

}  // namespace openindex::work
