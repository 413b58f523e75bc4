// Prints the receipt of a small item, with text that JSON escapes and text that it does not.
#include <cstdio>
#include <utility>

#include "engine/engine_fixture.hpp"

using namespace openindex;

int main() {
  tests::EngineFixture f;
  const ItemKey bug = f.bug();
  const auto changed = f.engine.set_fields(f.mia, bug, {{"component", "par\"s\xc3\xa9r\\"}});
  const auto commented = f.engine.comment(f.noa, bug, "one");
  const auto receipt = f.engine.export_receipt(f.host, bug);
  if (!changed || !commented || !receipt) return 1;
  return std::fwrite(receipt->data(), 1, receipt->size(), stdout) == receipt->size() ? 0 : 1;
}
