#include <openindex/storage/enlistment.hpp>

#include <utility>

namespace openindex {
inline namespace v0 {

Enlistment::~Enlistment() = default;

void Enlistment::after_commit(std::function<void()> action) { actions_.push_back(std::move(action)); }

void Enlistment::committed() noexcept {
  for (const auto& action : std::exchange(actions_, {})) action();
  announce();
}

}  // namespace v0
}  // namespace openindex
