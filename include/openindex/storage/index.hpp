// The indexes: a closed list of orders in which records can be found.
//
// Kinds of records are open (`host.*` belongs to the host), the indexes are not: a backend implements exactly these,
// and knows nothing else about what it stores. A record feeds at most one entry into each index. `key` needs no entry:
// every record can be found by kind and key order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <openindex/core/api.hpp>
#include <openindex/core/version.hpp>

namespace openindex {
inline namespace v0 {

enum class Index : std::uint8_t {
  key,    ///< (kind, key): every record, without an entry of its own.
  queue,  ///< Open work an agent may hold: (holder, rank, number, domain, workflow, stage); holder empty: free.
  items,  ///< Work items by number: (domain, number, sub, workflow, status, stage, resolution, target, holder, kind,
          ///< priority, parent, owner, assignee, schedule, resolved_at); sub: of a sub-task, else 0.
  due,    ///< What time brings: (topic, at, subject); topics `hold`, `run_hold`, `run`, `parked`, `stop`,
          ///< `idempotency`, and for pruning `resolved`, `ended`, `created`, `pruned`.
  tree,   ///< Work items below others: (parent, number, sub).
  audit,  ///< Audit entries by time: (at, domain, type, actor, stream).
  text,   ///< Work items by what they say: (domain, number, sub, bits_0 to bits_7); a bit for each three bytes in a row
          ///< of title or description that occur, by a hash; all bits: they may say anything.
};

/// How many there are, `key` included.
inline constexpr std::size_t index_count = static_cast<std::size_t>(Index::text) + 1;

enum class IndexType : std::uint8_t { integer, text };

struct IndexField {
  std::string_view name;  ///< Also the column's name in SQL backends, behind the index's name.
  IndexType type;
};

struct IndexSchema {
  Index index;
  std::string_view name;
  std::span<const IndexField> fields = {};
};

/// Return the schema of one index: its name and its fields in key order.
OPENINDEX_API const IndexSchema& index_schema(Index index);

/// Return every schema, in the order of the enumeration.
OPENINDEX_API std::span<const IndexSchema> index_schemas();

/// One field of an entry. Text is at most 500 bytes of UTF-8 without control characters, compared byte by byte.
using IndexValue = std::variant<std::int64_t, std::string>;

/// What a record feeds into one index: a value for every field of its schema. Not for `Index::key`.
struct IndexEntry {
  Index index = Index::key;
  std::vector<IndexValue> values = {};

  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

}  // namespace v0
}  // namespace openindex
