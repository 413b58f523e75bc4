#include <openindex/storage/storage.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/utf8.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::size_t kind_bytes_max = 40;
constexpr std::size_t key_bytes_max = 400;
constexpr std::size_t text_bytes_max = 500;
constexpr std::size_t body_bytes_max = std::size_t{4} << 20;

Error broken(const RecordId& id, std::string_view bound) {
  // The name itself may be what is wrong: hostile bytes and endless text stay out of the error.
  const auto readable = [](std::string_view text) {
    return is_utf8(text) ? std::string(cut_utf8(text, key_bytes_max)) : std::string("(not UTF-8)");
  };
  return Error(errc::invalid_argument, "A change set breaks a bound: " + std::string(bound) + ".")
      .with("kind", readable(id.kind))
      .with("key", readable(id.key));
}

/// Skip what is printable ASCII, eight bytes at a look: nearly all text is nothing else.
std::size_t skip_printable(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t highs = 0x8080808080808080;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, 8);
    // The high bit of each byte that has it, that is below a space, or that is DEL: plus one it has it.
    if (((eight | (eight - ones * 0x20) | (eight + ones)) & highs) != 0) break;
  }
  return at;
}

/// Tell whether text is UTF-8 without control characters.
bool is_plain(std::string_view text) {
  bool ascii = true;
  for (std::size_t i = skip_printable(text); i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    // U+0080 to U+009F, the second block of controls, is C2 80 to C2 9F.
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
    ascii = ascii && byte < 0x80;
  }
  return ascii || is_utf8(text);
}

Result<void> check_id(const RecordId& id) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '.'; };
  if (id.kind.empty() || id.kind.size() > kind_bytes_max || !std::all_of(id.kind.begin(), id.kind.end(), allowed)) {
    return broken(id, "a kind is 1 to 40 bytes of a-z, _ and .");
  }
  if (id.key.empty() || id.key.size() > key_bytes_max || !is_plain(id.key)) {
    return broken(id, "a key is 1 to 400 bytes of UTF-8 without control characters");
  }
  return {};
}

Result<void> check_entry(const RecordId& id, const IndexEntry& entry) {
  if (entry.index == Index::key) return broken(id, "the key index takes no entries");
  if (static_cast<std::size_t>(entry.index) >= index_schemas().size()) return broken(id, "there is no such index");
  const auto& schema = index_schema(entry.index);
  if (entry.values.size() != schema.fields.size()) {
    return broken(id, "an entry of index " + std::string(schema.name) + " has a value for every field");
  }
  for (std::size_t i = 0; i < entry.values.size(); ++i) {
    const auto* text = std::get_if<std::string>(&entry.values[i]);
    const auto broken_field = [&](std::string_view bound) {
      const auto field = std::string(schema.name) + "." + std::string(schema.fields[i].name);
      return broken(id, "index field " + field + " " + std::string(bound)).with("field", field);
    };
    if ((text != nullptr) != (schema.fields[i].type == IndexType::text)) return broken_field("has another type");
    if (text != nullptr && (text->size() > text_bytes_max || !is_plain(*text))) {
      return broken_field("is at most 500 bytes of UTF-8 without control characters");
    }
  }
  return {};
}

Result<void> check_put(const Put& put) {
  if (auto checked = check_id(put.id); !checked) return checked;
  if (put.body.size() > body_bytes_max) return broken(put.id, "a body is at most 4 MiB");
  for (std::size_t i = 0; i < put.index.size(); ++i) {
    if (auto checked = check_entry(put.id, put.index[i]); !checked) return checked;
    for (std::size_t j = 0; j < i; ++j) {
      if (put.index[j].index == put.index[i].index) return broken(put.id, "a record feeds an index at most once");
    }
  }
  return {};
}

/// Two writes of one record in one change set have no order among them, so there is no telling which should win.
Result<void> check_written_once(const ChangeSet& changes) {
  std::vector<const RecordId*> written;
  written.reserve(changes.puts.size() + changes.appends.size() + changes.erases.size());
  for (const auto& put : changes.puts) written.push_back(&put.id);
  for (const auto& append : changes.appends) written.push_back(&append.id);
  for (const auto& id : changes.erases) written.push_back(&id);
  // By key first, which tells two records apart sooner than the kind.
  const auto less = [](const RecordId* a, const RecordId* b) {
    const int compared = a->key.compare(b->key);
    return compared != 0 ? compared < 0 : a->kind < b->kind;
  };
  if (!std::is_sorted(written.begin(), written.end(), less)) std::sort(written.begin(), written.end(), less);
  const auto twice =
      std::adjacent_find(written.begin(), written.end(), [](const auto* a, const auto* b) { return *a == *b; });
  if (twice != written.end()) return broken(**twice, "a record is written at most once");
  return {};
}

}  // namespace

Storage::~Storage() = default;

Result<std::vector<std::optional<Record>>> Storage::get_bodies(std::span<const RecordId> ids) { return get(ids); }

Result<void> check_bounds(const ChangeSet& changes) {
  for (const auto& expectation : changes.expectations) {
    if (auto checked = check_id(expectation.id); !checked) return checked;
  }
  for (const auto* puts : {&changes.puts, &changes.appends}) {
    for (const auto& put : *puts) {
      if (auto checked = check_put(put); !checked) return checked;
    }
  }
  for (const auto& id : changes.erases) {
    if (auto checked = check_id(id); !checked) return checked;
  }
  return check_written_once(changes);
}

Result<void> check_expectations(const ChangeSet& changes,
                                const std::function<std::uint64_t(const RecordId&)>& version_of) {
  const auto check = [&](const RecordId& id, std::uint64_t expected) -> Result<void> {
    const auto found = version_of(id);
    if (found == expected) return {};
    return Error(errc::conflict)
        .with("kind", id.kind)
        .with("key", id.key)
        .with("expected", std::to_string(expected))
        .with("found", std::to_string(found));
  };
  for (const auto& expectation : changes.expectations) {
    if (auto checked = check(expectation.id, expectation.version); !checked) return checked;
  }
  for (const auto& append : changes.appends) {
    if (auto checked = check(append.id, 0); !checked) return checked;
  }
  return {};
}

}  // namespace v0
}  // namespace openindex
