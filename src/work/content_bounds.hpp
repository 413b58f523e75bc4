// How long the texts of an item may be, and how many of a thing it may have.
#pragma once

#include <vector>

#include <openindex/work/rules.hpp>

namespace openindex::work {

/// Every member that is out of bounds, each with a pointer. What is found takes memory once: a refusal allocates
/// nothing beyond its error.
std::vector<Problem> problems_of(const UpdateItem& update);
std::vector<Problem> problems_of(const NewItem& item, const RelatedItem* parent);
std::vector<Problem> problems_of(const Attachment& file, std::size_t attachments);

}  // namespace openindex::work
