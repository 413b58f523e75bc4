#include <openindex/storage/index.hpp>

#include <array>
#include <cstddef>

namespace openindex {
inline namespace v0 {
namespace {

constexpr auto an_integer = IndexType::integer;
constexpr auto a_text = IndexType::text;

constexpr std::array key_fields = {IndexField{"kind", a_text}, IndexField{"key", a_text}};
constexpr std::array queue_fields = {IndexField{"holder", a_text},     IndexField{"rank", an_integer},
                                     IndexField{"number", an_integer}, IndexField{"domain", a_text},
                                     IndexField{"workflow", a_text},   IndexField{"stage", a_text}};
constexpr std::array items_fields = {
    IndexField{"domain", a_text},         IndexField{"number", an_integer},   IndexField{"sub", an_integer},
    IndexField{"workflow", a_text},       IndexField{"status", a_text},       IndexField{"stage", a_text},
    IndexField{"resolution", a_text},     IndexField{"target", a_text},       IndexField{"holder", a_text},
    IndexField{"kind", a_text},           IndexField{"priority", an_integer}, IndexField{"parent", a_text},
    IndexField{"owner", a_text},          IndexField{"assignee", a_text},     IndexField{"schedule", a_text},
    IndexField{"resolved_at", an_integer}};
constexpr std::array due_fields = {IndexField{"topic", a_text}, IndexField{"at", an_integer},
                                   IndexField{"subject", a_text}};
constexpr std::array tree_fields = {IndexField{"parent", a_text}, IndexField{"number", an_integer},
                                    IndexField{"sub", an_integer}};
constexpr std::array audit_fields = {IndexField{"at", an_integer}, IndexField{"domain", a_text},
                                     IndexField{"type", a_text}, IndexField{"actor", a_text},
                                     IndexField{"stream", a_text}};
constexpr std::array text_fields = {
    IndexField{"domain", a_text},     IndexField{"number", an_integer}, IndexField{"sub", an_integer},
    IndexField{"bits_0", an_integer}, IndexField{"bits_1", an_integer}, IndexField{"bits_2", an_integer},
    IndexField{"bits_3", an_integer}, IndexField{"bits_4", an_integer}, IndexField{"bits_5", an_integer},
    IndexField{"bits_6", an_integer}, IndexField{"bits_7", an_integer}};

constexpr std::array schemas = {
    IndexSchema{Index::key, "key", key_fields},       IndexSchema{Index::queue, "queue", queue_fields},
    IndexSchema{Index::items, "items", items_fields}, IndexSchema{Index::due, "due", due_fields},
    IndexSchema{Index::tree, "tree", tree_fields},    IndexSchema{Index::audit, "audit", audit_fields},
    IndexSchema{Index::text, "text", text_fields},
};
static_assert(schemas.size() == index_count);

}  // namespace

const IndexSchema& index_schema(Index index) { return schemas.at(static_cast<std::size_t>(index)); }

std::span<const IndexSchema> index_schemas() { return schemas; }

}  // namespace v0
}  // namespace openindex
