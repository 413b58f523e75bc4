// diagram: a definition as a picture, in the text form that Mermaid draws (GitHub, GitLab and many editors do).
//
// Thread safety: a pure function of its argument.
#pragma once

#include <string>

#include <openindex/workflow/workflow.hpp>

namespace openindex {
inline namespace v0 {

/// Write a `stateDiagram-v2`: stages as groups, marked when they require an agent, and the moves that the gates leave,
/// each with the gate that it goes through. Transitions that a gate shuts are not drawn.
///
/// Names are escaped, so that no text of a definition becomes markup. Takes any definition, right or wrong: what names
/// something unknown is left out. The same definition always gives the same bytes.
OPENINDEX_API std::string diagram(const Workflow& workflow);

}  // namespace v0
}  // namespace openindex
