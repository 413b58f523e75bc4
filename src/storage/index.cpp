#include <openindex/storage/index.hpp>

#include <array>
#include <cstddef>

namespace openindex {
inline namespace v0 {
namespace {

constexpr auto integer = IndexType::integer;
constexpr auto text = IndexType::text;

constexpr std::array key_fields = {IndexField{"kind", text}, IndexField{"key", text}};
constexpr std::array queue_fields = {IndexField{"holder", text},    IndexField{"rank", integer},
                                     IndexField{"number", integer}, IndexField{"domain", text},
                                     IndexField{"workflow", text},  IndexField{"stage", text}};
constexpr std::array items_fields = {
    IndexField{"domain", text},        IndexField{"number", integer},   IndexField{"sub", integer},
    IndexField{"workflow", text},      IndexField{"status", text},      IndexField{"stage", text},
    IndexField{"resolution", text},    IndexField{"target", text},      IndexField{"holder", text},
    IndexField{"kind", text},          IndexField{"priority", integer}, IndexField{"parent", text},
    IndexField{"owner", text},         IndexField{"assignee", text},    IndexField{"schedule", text},
    IndexField{"resolved_at", integer}};
constexpr std::array due_fields = {IndexField{"topic", text}, IndexField{"at", integer}, IndexField{"subject", text}};
constexpr std::array tree_fields = {IndexField{"parent", text}, IndexField{"number", integer},
                                    IndexField{"sub", integer}};
constexpr std::array audit_fields = {IndexField{"at", integer}, IndexField{"domain", text}, IndexField{"type", text},
                                     IndexField{"actor", text}, IndexField{"stream", text}};

constexpr std::array schemas = {
    IndexSchema{Index::key, "key", key_fields},       IndexSchema{Index::queue, "queue", queue_fields},
    IndexSchema{Index::items, "items", items_fields}, IndexSchema{Index::due, "due", due_fields},
    IndexSchema{Index::tree, "tree", tree_fields},    IndexSchema{Index::audit, "audit", audit_fields},
};

}  // namespace

const IndexSchema& index_schema(Index index) { return schemas.at(static_cast<std::size_t>(index)); }

std::span<const IndexSchema> index_schemas() { return schemas; }

}  // namespace v0
}  // namespace openindex
