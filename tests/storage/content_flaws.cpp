// Flaws of contents: bodies, names and index text that come back changed, and bounds that are not kept.
#include <algorithm>
#include <cctype>
#include <string_view>

#include "storage/flawed_storage.hpp"

namespace openindex {
namespace {

/// Do something to every body that is written.
std::function<void(Storage&, ChangeSet&)> to_bodies(std::function<void(std::string&)> change) {
  return [change = std::move(change)](Storage&, ChangeSet& set) {
    for (auto* puts : {&set.puts, &set.appends}) {
      for (auto& put : *puts) change(put.body);
    }
  };
}

void cut_at_nul(std::string& text) { text = text.c_str(); }

Flaw bodies_are_text() {
  return {.name = "bodies are taken for text lines",
          .broken = {"bodies of any bytes come back as they were"},
          .set = to_bodies([](std::string& body) { std::erase(body, '\r'); })};
}

Flaw bodies_end_at_nul() {
  return {.name = "bodies end at their first NUL byte",
          .broken = {"NUL bytes in bodies come back"},
          .set = to_bodies(cut_at_nul)};
}

Flaw only_the_first_plane_is_known() {
  return {.name = "characters beyond the first plane become question marks",
          .broken = {"every character of every Unicode plane comes back in bodies"},
          .set = to_bodies([](std::string& body) {
            std::replace_if(
                body.begin(), body.end(), [](char c) { return (c & 0xf8) == 0xf0; }, '?');
          })};
}

Flaw noncharacters_are_replaced() {
  return {.name = "U+FFFF becomes U+FFFD",
          .broken = {"every character of every Unicode plane comes back in bodies"},
          .set = to_bodies([](std::string& body) {
            if (const auto at = body.find("\xef\xbf\xbf"); at != std::string::npos) body.replace(at, 3, "\xef\xbf\xbd");
          })};
}

Flaw bodies_are_cut_at_64_kib() {
  return {.name = "bodies are cut at 64 KiB",
          .broken = {"bodies of a megabyte come back, several in one change set"},
          .set = to_bodies([](std::string& body) { body.resize(std::min<std::size_t>(body.size(), 65'535)); })};
}

Flaw bodies_are_reformatted() {
  return {.name = "bodies are JSON and lose their spaces",
          .broken = {"unknown kinds and unknown members are kept as they were"},
          .set = to_bodies([](std::string& body) { std::erase(body, ' '); })};
}

Flaw unknown_kinds_are_dropped() {
  return {.name = "records of kinds that are not known are dropped",
          .broken = {"unknown kinds and unknown members are kept as they were"},
          .set = [](Storage&, ChangeSet& set) {
            std::erase_if(set.puts, [](const Put& put) { return !put.id.kind.starts_with("host."); });
          }};
}

Flaw keys_fold_case() {
  const auto fold = [](RecordId& id) {
    for (auto& c : id.key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  };
  return {.name = "keys are the same in capitals",
          .broken = {"keys and index text may be any plain text"},
          .set =
              [=](Storage&, ChangeSet& set) {
                for (auto& put : set.puts) fold(put.id);
              },
          .names =
              [=](auto& names) {
                for (auto& name : names) fold(name);
              }};
}

Flaw index_text_is_short() {
  return {.name = "index text is cut at 255 bytes",
          .broken = {"the longest and the shortest texts are kept"},
          .set = [](Storage&, ChangeSet& set) {
            for (auto& put : set.puts) {
              for (auto& entry : put.index) {
                for (auto& value : entry.values) {
                  auto* text = std::get_if<std::string>(&value);
                  if (text != nullptr) text->resize(std::min<std::size_t>(text->size(), 255));
                }
              }
            }
          }};
}

Flaw bounds_are_not_kept() {
  return {.name = "what breaks a bound is accepted",
          .broken = {"kinds, keys and bodies have bounds", "index entries fit their index",
                     "a change set writes a record once", "keys refuse control characters and broken UTF-8",
                     "index fields refuse control characters and broken UTF-8, and the error names the field"},
          .answer = [](auto& answer) {
            if (!answer && answer.error().code() == errc::invalid_argument) answer = CommitReceipt{};
          }};
}

Flaw errors_name_no_field() {
  return {.name = "the error of a broken bound names nothing",
          .broken = {"kinds, keys and bodies have bounds",
                     "index fields refuse control characters and broken UTF-8, and the error names the field"},
          .answer = [](auto& answer) {
            if (!answer && answer.error().code() == errc::invalid_argument) answer = errc::invalid_argument;
          }};
}

Flaw only_puts_are_checked() {
  return {.name = "names of erases are not checked",
          .broken = {"keys refuse control characters and broken UTF-8"},
          .set = [](Storage&, ChangeSet& set) {
            std::erase_if(set.erases, [](const RecordId& id) { return id.key.find('\t') != std::string::npos; });
          }};
}

Flaw questions_end_at_nul() {
  return {.name = "texts of a question end at their first NUL byte",
          .broken = {"text that cannot be stored is not found"},
          .names =
              [](auto& names) {
                for (auto& name : names) cut_at_nul(name.key);
              },
          .scan =
              [](Storage& memory, ScanRequest request) {
                for (auto& value : request.prefix) {
                  if (auto* text = std::get_if<std::string>(&value)) cut_at_nul(*text);
                }
                return memory.scan(request);
              }};
}

Flaw bodies_forget_the_version() {
  return {.name = "who asks for bodies gets no versions",
          .broken = {"get_bodies answers as get does"},
          .got_bodies = [](auto& records) {
            for (auto& record : records) {
              if (record) record->version = 1;
            }
          }};
}

}  // namespace

std::vector<MakeFlaw> content_flaws() {
  return {bodies_are_text,          bodies_end_at_nul,        only_the_first_plane_is_known, noncharacters_are_replaced,
          bodies_are_cut_at_64_kib, bodies_are_reformatted,   unknown_kinds_are_dropped,     keys_fold_case,
          index_text_is_short,      bounds_are_not_kept,      errors_name_no_field,          only_puts_are_checked,
          questions_end_at_nul,     bodies_forget_the_version};
}

}  // namespace openindex
