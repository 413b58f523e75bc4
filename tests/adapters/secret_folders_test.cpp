#include <openindex/adapters/secret_folders.hpp>

#include <doctest/doctest.h>

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

using namespace openindex;
namespace fs = std::filesystem;

namespace {

// A folder of secrets, and another one beside it.
struct Folders {
  Folders() {
    std::string name = (fs::temp_directory_path() / "openindex-secrets-XXXXXX").string();
    base = ::mkdtemp(name.data());
    fs::create_directories(base / "allowed/team");
    fs::create_directories(base / "other");
    write("allowed/api_key", "sk-MARKER\n");
    write("allowed/team/key", "sk-team");
    write("other/secret", "sk-other");
  }
  ~Folders() { fs::remove_all(base); }
  Folders(const Folders&) = delete;
  Folders& operator=(const Folders&) = delete;

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(base / name, std::ios::binary) << text;
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (base / name).string(); }

  fs::path base;
};

errc failure(const Result<std::string>& result) {
  REQUIRE_FALSE(result);
  CHECK(result.error().describe().find("MARKER") == std::string::npos);
  return result.error().code();
}

}  // namespace

TEST_CASE("a file in an allowed folder, or below it, is read without the line break at its end") {
  const Folders folders;
  SecretFolders files({folders.at("allowed/")});
  CHECK(files.read(folders.at("allowed/api_key")).value() == "sk-MARKER");
  CHECK(files.read(folders.at("allowed/team/key")).value() == "sk-team");
  folders.write("allowed/api_key", "sk-two\r\n");
  CHECK(files.read(folders.at("allowed/api_key")).value() == "sk-two");
  folders.write("allowed/api_key", "two\nlines\n\n");
  CHECK(files.read(folders.at("allowed/api_key")).value() == "two\nlines\n");
}

TEST_CASE("what stands elsewhere is not allowed, however its path is written") {
  const Folders folders;
  SecretFolders files({folders.at("allowed"), "relative", ""});
  for (const std::string& path :
       {folders.at("other/secret"), folders.at("allowed/../other/secret"), folders.at("allowed/./api_key"),
        folders.at("allowed//api_key"), folders.at("allowed"), folders.at("allowed/"), folders.at("allowedness"),
        std::string("allowed/api_key"), std::string("relative/x"), std::string("/etc/passwd"), std::string(),
        std::string("/"), folders.at("allowed/" + std::string(5000, 'x'))}) {
    CAPTURE(path);
    CHECK_FALSE(files.allows(path));
    CHECK(failure(files.read(path)) == errc::secret_unreadable);
  }
  CHECK(files.allows(folders.at("allowed/missing")));  // whether it is there is not told
  CHECK_FALSE(SecretFolders({}).allows(folders.at("allowed/api_key")));
}

TEST_CASE("a link is followed inside the folder and refused where it leads out of it") {
  const Folders folders;
  SecretFolders files({folders.at("allowed")});
  fs::create_symlink(folders.at("allowed/team/key"), folders.at("allowed/inside"));
  fs::create_symlink(folders.at("other/secret"), folders.at("allowed/outside"));
  fs::create_directory_symlink(folders.at("other"), folders.at("allowed/elsewhere"));
  CHECK(files.read(folders.at("allowed/inside")).value() == "sk-team");
  CHECK(failure(files.read(folders.at("allowed/outside"))) == errc::secret_unreadable);
  CHECK(failure(files.read(folders.at("allowed/elsewhere/secret"))) == errc::secret_unreadable);
}

TEST_CASE("what is no readable file of a secret's size is refused with the reason") {
  const Folders folders;
  SecretFolders files({folders.at("allowed")});
  folders.write("allowed/empty", "\n");
  folders.write("allowed/large", std::string(65'537, 'x'));
  folders.write("allowed/full", std::string(65'536, 'x'));
  REQUIRE(::mkfifo(folders.at("allowed/pipe").c_str(), 0600) == 0);
  for (const char* name : {"missing", "empty", "large", "pipe", "team"}) {
    const std::string path = folders.at(std::string("allowed/") + name);
    CAPTURE(path);
    const auto read = files.read(path);
    CHECK(failure(read) == errc::secret_unreadable);
    CHECK(read.error().context("path") == path);
  }
  CHECK(files.read(folders.at("allowed/full"))->size() == 65'536);
}
