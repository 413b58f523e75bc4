// Refused with: unused-result|unused-value
#include <openindex/core/result.hpp>

openindex::Result<int> count_items();
openindex::Result<void> save();

void host() {
#ifdef MISUSE
  count_items();
  save();
#else
  if (!count_items() || !save()) return;
#endif
}
