#include <openindex/adapters/sealed_secret_store.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>

#include <doctest/doctest.h>

using namespace openindex;
namespace fs = std::filesystem;

namespace {

const std::string good = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "openindex-key-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void write(const fs::path& path, const std::string& text, fs::perms perms = fs::perms::owner_read) {
  std::ofstream(path) << text;
  fs::permissions(path, perms);
}

std::string read(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Why a file is refused; empty when it is not.
std::string refusal(const fs::path& path) {
  const auto key = HostKey::from_file(path);
  if (key) return {};
  CHECK(key.error().code() == errc::secret_unreadable);
  CHECK(key.error().context("path") == path.string());
  return std::string(key.error().context("why"));
}

// Variables of the process are shared by all tests in it, so each test has one of its own.
void set(const char* variable, const std::string& value) { ::setenv(variable, value.c_str(), 1); }

}  // namespace

TEST_CASE("64 hex digits in the environment are a key") {
  set("OPENINDEX_TEST_KEY_GOOD", good);
  const auto key = HostKey::from_env("OPENINDEX_TEST_KEY_GOOD");
  REQUIRE(key);
  for (std::size_t i = 0; i < 32; ++i) CHECK(std::to_integer<std::size_t>(key->bytes()[i]) == i);
}

TEST_CASE("an unset or malformed variable is refused without its value") {
  CHECK(HostKey::from_env("OPENINDEX_TEST_KEY_UNSET").error().code() == errc::secret_unreadable);
  for (const std::string& value : {std::string(), good.substr(1), good + "0", "MARKER" + good.substr(6)}) {
    set("OPENINDEX_TEST_KEY_BAD", value);
    const auto key = HostKey::from_env("OPENINDEX_TEST_KEY_BAD");
    REQUIRE_FALSE(key);
    CHECK(key.error().code() == errc::secret_unreadable);
    CHECK(key.error().context("variable") == "OPENINDEX_TEST_KEY_BAD");
    CHECK(key.error().describe().find("MARKER") == std::string::npos);
  }
}

TEST_CASE("a missing key file is made for its owner alone, and read the next time") {
  const Folder folder;
  const auto made = HostKey::from_file(folder / "key");
  REQUIRE(made);
  struct stat about {};
  REQUIRE(::stat((folder / "key").c_str(), &about) == 0);
  CHECK((about.st_mode & 07777) == 0600);
  CHECK(read(folder / "key").size() == 65);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  CHECK(HostKey::from_file(folder / "key")->bytes() == made->bytes());
  const Folder other;
  CHECK(HostKey::from_file(other / "key")->bytes() != made->bytes());
}

TEST_CASE("a key file may end with a line break or not") {
  const Folder folder;
  write(folder / "with", good + "\n");
  write(folder / "without", good);
  CHECK(HostKey::from_file(folder / "with")->bytes() == HostKey::from_file(folder / "without")->bytes());
}

TEST_CASE("a key file that others may touch is refused and left as it is") {
  const Folder folder;
  for (const auto perms : {fs::perms::group_read, fs::perms::others_read, fs::perms::group_write}) {
    write(folder / "key", good, fs::perms::owner_read | fs::perms::owner_write | perms);
    CHECK(refusal(folder / "key") == "others may read or write it (chmod 600 it)");
    CHECK(read(folder / "key") == good);
  }
}

TEST_CASE("a file that holds no key is refused without its content") {
  const Folder folder;
  for (const std::string& text :
       {std::string(), std::string("MARKER"), good.substr(1), good + "\n\n", good + "0", std::string(1'000'000, 'a')}) {
    write(folder / "key", text, fs::perms::owner_read | fs::perms::owner_write);
    CHECK(refusal(folder / "key") == "it does not hold 64 hex digits");
    CHECK(read(folder / "key") == text);
  }
  CHECK(HostKey::from_file(folder / "key").error().describe().find("aaaa") == std::string::npos);
}

TEST_CASE("what is no regular file is refused at once") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(refusal(folder / "pipe") == "it is no regular file");
  CHECK(refusal(folder.path()) == "it is no regular file");
  fs::create_symlink(folder / "nowhere", folder / "link");
  CHECK(refusal(folder / "link") == "it is there and then it is not; a link to nowhere?");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 2);
}

TEST_CASE("a key file in a folder that is not there is refused, and no folder is made") {
  const Folder folder;
  CHECK(refusal(folder / "no" / "key").find("No such file") != std::string::npos);
  CHECK_FALSE(fs::exists(folder / "no"));
}

TEST_CASE("many that make the same key file at once all get the same key") {
  const Folder folder;
  std::vector<std::optional<HostKey>> keys(8);
  {
    std::vector<std::jthread> makers;
    for (auto& key : keys) {
      makers.emplace_back([&key, &folder] {
        if (auto made = HostKey::from_file(folder / "key")) key = *made;
      });
    }
  }
  for (const auto& key : keys) {
    REQUIRE(key);
    CHECK(key->bytes() == keys[0]->bytes());
  }
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}
