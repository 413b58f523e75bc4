#include <doctest/doctest.h>

#include <openindex/core/clock.hpp>
#include <openindex/testing/manual_clock.hpp>

using namespace openindex;
using namespace std::chrono_literals;

TEST_CASE("times survive the way to RFC 3339 and back") {
  const Time time{1'795'341'720'250ms};
  CHECK(to_rfc3339(time) == "2026-11-22T10:02:00.250Z");
  CHECK(parse_rfc3339(to_rfc3339(time)) == time);
  CHECK(to_rfc3339(Time(-1ms)) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("offsets and fractions are read, other text is not") {
  CHECK(parse_rfc3339("2026-11-22T12:02:00.250+02:00") == parse_rfc3339("2026-11-22T10:02:00.250Z"));
  CHECK(parse_rfc3339("2026-11-22t10:02:00z") == parse_rfc3339("2026-11-22 10:02:00Z"));
  CHECK(parse_rfc3339("2026-11-22T10:02:00.2509999Z") == parse_rfc3339("2026-11-22T10:02:00.250Z"));
  for (const char* text : {"", "2026-11-22", "2026-02-30T00:00:00Z", "2026-11-22T10:02:00", "2026-11-22T24:00:00Z",
                           "2026-11-22T10:02:00+25:00", "2026-11-22T10:02:00Zx", "-026-11-22T10:02:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("a manual clock moves when told, and setting the wall leaves the steady reading alone") {
  testing::ManualClock clock;
  const Time start = clock.now();
  clock.advance(5s);
  CHECK(clock.now() == start + 5s);
  CHECK(clock.steady() == 5s);
  clock.set_wall(start - 1h);
  CHECK(clock.now() == start - 1h);
  CHECK(clock.steady() == 5s);
}
