#include "provider/request_key.hpp"

#include <array>
#include <optional>
#include <utility>

#include "engine/commit.hpp"
#include "engine/digest.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"
#include "provider/provider_directory.hpp"

namespace openindex::providers {
namespace {

// No provider has an id like that.
constexpr SecretName request_key_name{"requests", "digest"};

RecordId request_key_record() { return {"request_key", "providers"}; }

/// The handle as it is stored; version 0: there is none.
struct StoredHandle {
  std::string text;
  std::uint64_t version = 0;
};

Result<StoredHandle> read_handle(Storage& storage) {
  const RecordId id = request_key_record();
  const auto found = storage.get_bodies({&id, 1});
  if (!found) return found.error();
  if (!found->front()) return StoredHandle();
  auto in = json::Stored::read(found->front()->body, "request key");
  if (!in) return in.error();
  return StoredHandle{in->text("handle"), found->front()->version};
}

/// Write a handle in place of what was read. False: somebody else may have been first; look again.
Result<bool> write_handle(ProviderRegistry::Directory& directory, const StoredHandle& handle) {
  json::Writer out;
  out.begin_object().key("handle").string(handle.text).end_object();
  ChangeSet changes;
  changes.id = mint_id(directory.options.random, "com");
  changes.expectations.push_back({request_key_record(), handle.version});
  changes.puts.push_back({request_key_record(), std::move(out).str(), {}});
  const auto done = engine::commit(directory.options.storage, changes);
  if (done) return true;
  const errc code = done.error().code();
  if (code == errc::conflict || code == errc::commit_unknown) return false;
  return done.error();
}

Result<bool> write_fresh_key(ProviderRegistry::Directory& directory, std::uint64_t version) {
  std::array<std::byte, 32> bytes;
  directory.options.random.fill(bytes);
  const std::string_view plain(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  auto handle = directory.seal(request_key_name, engine::sha256_hex(plain));
  if (!handle) return handle.error();
  return write_handle(directory, {std::move(*handle), version});
}

constexpr int request_key_attempts_max = 8;

}  // namespace

Result<std::string> RequestKey::value(ProviderRegistry::Directory& directory) {
  for (int attempt = 0; attempt < request_key_attempts_max; ++attempt) {
    const auto stored = read_handle(directory.options.storage);
    if (!stored) return stored.error();
    if (stored->version == 0) {
      if (const auto written = write_fresh_key(directory, 0); !written) return written.error();
      continue;  // whoever wrote it
    }
    {
      const std::lock_guard lock(mutex_);
      if (handle_ == stored->text) return value_;
    }
    auto opened = directory.open(request_key_name, stored->text);
    if (!opened) return opened;
    const std::lock_guard lock(mutex_);
    handle_ = stored->text;
    value_ = *opened;
    return opened;
  }
  return errc::contention;
}

Result<std::string> RequestKey::digest(ProviderRegistry::Directory& directory, std::string_view what) {
  return value(directory).transform([&](const std::string& key) { return engine::hmac_sha256_hex(key, what); });
}

Result<void> RequestKey::reseal(ProviderRegistry::Directory& directory) {
  for (int attempt = 0; attempt < request_key_attempts_max; ++attempt) {
    auto stored = read_handle(directory.options.storage);
    if (!stored) return stored.error();
    if (stored->version == 0) return {};
    const auto renewed = directory.reseal(request_key_name, stored->text);
    if (renewed && !*renewed) return {};
    if (!renewed && renewed.error().code() != errc::secret_unreadable) return renewed.error();
    const auto written = renewed ? write_handle(directory, *stored) : write_fresh_key(directory, stored->version);
    if (!written) return written.error();
    if (*written) return {};
  }
  return errc::contention;
}

}  // namespace openindex::providers
