#include "agent/stage_prompt.hpp"

#include <doctest/doctest.h>

#include <boost/json/value.hpp>

#include "agent/rehearsal.hpp"
#include "core/utf8.hpp"
#include "json/read.hpp"

using namespace openindex;
using namespace std::string_literals;
using rehearsal::Rehearsal;

namespace {

constexpr std::size_t plenty = 32'768;

boost::json::value data(const Rehearsal& rehearsal, std::size_t bytes_max = plenty) {
  return json::parse(agent::data_part(rehearsal.context(), bytes_max)).value();
}

// What is left of a text, cut or not.
std::string text_of(const boost::json::value& value) {
  const auto& text = value.is_object() ? value.at("text").get_string() : value.get_string();
  return {text.data(), text.size()};
}

std::size_t left_out(const boost::json::value& value) {
  return value.is_object() ? value.at("truncated").to_number<std::size_t>() : 0;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("the system part names goal, exits, their requirements and how to finish") {
  const auto triage = agent::system_part(Rehearsal("new").context());
  CHECK(triage.find("Find out how bad the bug is.") != std::string::npos);
  CHECK(triage.find("progress the gate triage_to_plan") != std::string::npos);
  CHECK(triage.find("the field severity must have a value") != std::string::npos);
  CHECK(triage.find("The severity is justified.") != std::string::npos);
  CHECK(triage.find("change the status to looking (stays in the stage)") != std::string::npos);
  CHECK(triage.find("so that the item leaves the stage") != std::string::npos);
  CHECK(agent::system_part(Rehearsal("planned").context()).find("to check off: Test proposed") != std::string::npos);
  CHECK(agent::system_part(Rehearsal("reviewed").context()).find("only a person may do that") != std::string::npos);
}

TEST_CASE("the data part is one JSON object with the item, its comments and where it stands") {
  Rehearsal rehearsal;
  rehearsal.item.fields = {{"score", 2.5}, {"due", *parse_date("2026-11-22")}};
  rehearsal.comments.push_back({1, "Seen it too.", false, "ada", false, Time{}});
  const auto all = data(rehearsal);
  CHECK(all.at("item").at("key").get_string() == "BUG-1");
  CHECK(all.at("item").at("fields").at("score").to_number<double>() == 2.5);
  CHECK(all.at("item").at("fields").at("due").get_string() == "2026-11-22");
  CHECK(all.at("comments_newest_first").at(0).at("author").get_string() == "ada");
  CHECK(all.at("blocked_exits").at(0).at("key").get_string() == "triage_to_plan");
}

TEST_CASE("control characters are left out, line feeds and tabs stay") {
  Rehearsal rehearsal;
  rehearsal.item.description = "a\0b\x1b[1m\tc\r\nd\x7f\xc2\x9b\xc2\xa0"s;
  CHECK(text_of(data(rehearsal).at("item").at("description")) == "ab[1m\tc\nd\xc2\xa0");
}

TEST_CASE("text beyond the cap is cut between characters, and the cut is announced") {
  Rehearsal rehearsal;
  rehearsal.item.title = repeated("ü", 100);
  rehearsal.item.description = repeated("漢字😀", 10'000);
  rehearsal.item.fields["notes"] = repeated("é", 3'000);
  for (int i = 0; i < 5; ++i) rehearsal.comments.push_back({1, repeated("ж", 1'000), false, "ada", false, Time{}});

  for (std::size_t bytes_max = 990; bytes_max < 1'010; ++bytes_max) {
    const auto all = data(rehearsal, bytes_max);
    const auto& item = all.at("item");
    std::size_t kept = 0;
    const auto check = [&](const boost::json::value& value, std::string_view whole) {
      const auto text = text_of(value);
      CHECK(is_utf8(text));
      CHECK(whole.starts_with(text));
      CHECK(text.size() + left_out(value) == whole.size());
      kept += text.size();
    };
    check(item.at("title"), rehearsal.item.title);
    check(item.at("description"), rehearsal.item.description);
    check(item.at("fields").at("notes"), *rehearsal.item.fields["notes"].text());
    for (const auto& comment : all.at("comments_newest_first").get_array()) {
      check(comment.at("body"), rehearsal.comments[0].body);
    }
    CHECK(kept <= bytes_max);
    CHECK(kept > bytes_max - 20);
  }
}

TEST_CASE("a long description leaves room for fields and comments") {
  Rehearsal rehearsal;
  rehearsal.item.description = repeated("d", 1'000'000);
  rehearsal.item.fields["notes"] = "short";
  rehearsal.comments.push_back({1, "also short", false, "ada", false, Time{}});
  const auto all = data(rehearsal, 1'000);
  CHECK(left_out(all.at("item").at("fields").at("notes")) == 0);
  CHECK(left_out(all.at("comments_newest_first").at(0).at("body")) == 0);
  CHECK(left_out(all.at("item").at("description")) > 0);
}

TEST_CASE("what fits is not cut") {
  Rehearsal rehearsal;
  rehearsal.item.title = "t";
  rehearsal.item.description = "d";
  rehearsal.comments.push_back({1, repeated("c", 98), false, "ada", false, Time{}});
  const auto all = data(rehearsal, 100);
  CHECK(left_out(all.at("comments_newest_first").at(0).at("body")) == 0);
}

TEST_CASE("the newest twenty comments are shown, and how many are not") {
  Rehearsal rehearsal;
  rehearsal.item.comment_count = 30;
  for (std::uint32_t i = 11; i <= 30; ++i) {
    rehearsal.comments.push_back({i, "comment " + std::to_string(i), false, "ada", false, Time{}});
  }
  const auto all = data(rehearsal);
  CHECK(all.at("comments_newest_first").get_array().size() == 20);
  CHECK(all.at("comments_newest_first").at(0).at("body").get_string() == "comment 30");
  CHECK(all.at("older_comments_left_out").to_number<int>() == 10);
}

TEST_CASE("when the cap is reached it is the older comments that are cut") {
  Rehearsal rehearsal;
  rehearsal.comments.push_back({1, repeated("o", 500), false, "ada", false, Time{}});
  rehearsal.comments.push_back({2, repeated("n", 500), false, "ada", false, Time{}});
  const auto comments = data(rehearsal, 600).at("comments_newest_first");
  CHECK(left_out(comments.at(0).at("body")) == 0);
  CHECK(left_out(comments.at(1).at("body")) > 0);
}
