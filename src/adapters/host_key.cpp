#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include <openindex/adapters/sealed_secret_store.hpp>

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t hex_digits = 2 * key_size;
constexpr int attempts_max = 4;

using KeyBytes = std::array<std::byte, key_size>;

/// Text of a key, wiped when it is no longer needed; one byte longer than what is good, to notice what is too long.
struct KeyText {
  ~KeyText() { OPENSSL_cleanse(text.data(), text.size()); }
  [[nodiscard]] std::string_view view() const { return {text.data(), size}; }
  std::array<char, hex_digits + 2> text{};
  std::size_t size = 0;
};

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

Error unusable(const std::filesystem::path& path, const std::string& why) {
  return Error(errc::secret_unreadable, "The key file cannot be used: " + why)
      .with("path", path.string())
      .with("why", why);
}

Error failed(const std::filesystem::path& path, const std::string& step, int code) {
  return unusable(path, step + ": " + std::generic_category().message(code));
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool read_hex(std::string_view text, KeyBytes& key) {
  if (text.size() != hex_digits) return false;
  for (std::size_t i = 0; i < key_size; ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    key[i] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

void write_hex(const KeyBytes& key, KeyText& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const std::byte byte : key) {
    out.text[out.size++] = digits[std::to_integer<unsigned>(byte) >> 4];
    out.text[out.size++] = digits[std::to_integer<unsigned>(byte) & 15];
  }
  out.text[out.size++] = '\n';
}

Result<void> check_private(const std::filesystem::path& path, int file) {
  struct stat about {};
  if (::fstat(file, &about) != 0) return failed(path, "looking at it", errno);
  if (!S_ISREG(about.st_mode)) return unusable(path, "it is no regular file");
  if (about.st_uid != ::geteuid()) return unusable(path, "it belongs to another user");
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) return unusable(path, "others may read or write it (chmod 600 it)");
  return {};
}

Result<void> read_key(const std::filesystem::path& path, int file, KeyBytes& key) {
  if (auto sound = check_private(path, file); !sound) return sound;
  KeyText text;
  while (text.size < text.text.size()) {
    const auto got = ::read(file, text.text.data() + text.size, text.text.size() - text.size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path, "reading it", errno);
    if (got == 0) break;
    text.size += static_cast<std::size_t>(got);
  }
  std::string_view digits = text.view();
  if (digits.ends_with('\n')) digits.remove_suffix(1);
  if (!read_hex(digits, key)) return unusable(path, "it does not hold 64 hex digits");
  return {};
}

Result<void> write_durably(const std::filesystem::path& path, int file, const KeyBytes& key) {
  KeyText text;
  write_hex(key, text);
  for (std::size_t at = 0; at < text.size;) {
    const auto put = ::write(file, text.text.data() + at, text.size - at);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed(path, "writing it", errno);
    at += static_cast<std::size_t>(put);
  }
  if (::fchmod(file, S_IRUSR | S_IWUSR) != 0) return failed(path, "making it private", errno);
  if (::fsync(file) != 0) return failed(path, "writing it to disk", errno);
  return {};
}

/// A key that is lost with the power after it has sealed something is lost for good: the name must be durable too.
Result<void> sync_folder(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) return failed(path, "opening its folder", errno);
  if (::fsync(opened.get()) != 0) return failed(path, "writing its folder to disk", errno);
  return {};
}

/// Make the file with this key, whole or not at all. False: somebody else made it first.
Result<bool> create(const std::filesystem::path& path, const KeyBytes& key, RandomSource& random) {
  // Written under another name and then linked, so that nobody ever reads half a key, also not after a crash.
  const std::filesystem::path draft = path.string() + "." + mint_id(random, "new");
  const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file.is_open()) return failed(path, "creating it", errno);
  const auto written = write_durably(path, file.get(), key);
  const int linked = written ? ::link(draft.c_str(), path.c_str()) : 0;
  const int why = errno;
  ::unlink(draft.c_str());
  if (!written) return written.error();
  if (linked != 0 && why == EEXIST) return false;
  if (linked != 0) return failed(path, "giving it its name", why);
  if (auto durable = sync_folder(path); !durable) return durable.error();
  return true;
}

}  // namespace

HostKey::~HostKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

Result<HostKey> HostKey::from_env(const std::string& variable) {
  const char* text = std::getenv(variable.c_str());  // NOLINT(concurrency-mt-unsafe): reads, and we never set one
  if (text == nullptr) {
    return Error(errc::secret_unreadable, "The environment variable with the host key is not set")
        .with("variable", variable);
  }
  HostKey key;
  if (!read_hex(text, key.bytes_)) {
    return Error(errc::secret_unreadable, "The environment variable with the host key does not hold 64 hex digits")
        .with("variable", variable);
  }
  return key;
}

Result<HostKey> HostKey::from_file(const std::string& path, RandomSource& random) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    HostKey key;
    // Not blocking: a pipe of that name would otherwise wait for a writer.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.is_open()) {
      if (auto read = read_key(path, file.get(), key.bytes_); !read) return read.error();
      return key;
    }
    if (errno != ENOENT) return failed(path, "opening it", errno);
    random.fill(key.bytes_);
    const auto created = create(path, key.bytes_, random);
    if (!created) return created.error();
    if (*created) return key;
  }
  return unusable(path, "it is there and then it is not; a link to nowhere?");
}

HostKey HostKey::ephemeral(RandomSource& random) {
  HostKey key;
  random.fill(key.bytes_);
  return key;
}

}  // namespace v0
}  // namespace openindex
