// A record in one block of bytes: its name, its index entries, its body. Entries compare byte by byte in index order.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <openindex/storage/storage.hpp>

#include "storage/scan_cursor.hpp"

namespace openindex::memory {

constexpr std::size_t number_of(Index index) { return static_cast<std::size_t>(index); }

/// A record's kind and key, where they stand, with the hash of both.
struct NameView {
  NameView(std::string_view its_kind, std::string_view its_key);
  explicit NameView(const RecordId& id) : NameView(id.kind, id.key) {}

  std::string_view kind;
  std::string_view key;
  std::size_t hash;

  friend bool operator==(const NameView& a, const NameView& b) {
    return a.hash == b.hash && a.key == b.key && a.kind == b.kind;
  }
};

/// Immutable once shared, so that a reader copies it after letting go of the lock.
class StoredRecord {
 public:
  /// @pre within the bounds that `check_bounds` checks: an index field holds no control character
  explicit StoredRecord(const Put& put);

  /// Before it is shared only.
  void set_version(std::uint64_t version) noexcept { version_ = version; }
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

  [[nodiscard]] bool is_named(const NameView& name) const { return key() == name.key && kind() == name.kind; }

  /// What it feeds into an index; empty: nothing. Its name for `Index::key`.
  [[nodiscard]] std::string_view entry(Index index) const { return entry(number_of(index)); }
  [[nodiscard]] std::string_view entry(std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return {bytes_.data() + begin, ends_[index] - begin};
  }

  /// One value of its place in an index: a field, or behind those the kind and the key.
  [[nodiscard]] storage::FieldView field(Index index, std::size_t position) const;
  [[nodiscard]] storage::Place place(Index index) const;

  [[nodiscard]] Record unpack() const;

 private:
  [[nodiscard]] std::string_view kind() const { return {bytes_.data(), kind_bytes_}; }
  [[nodiscard]] std::string_view key() const;
  [[nodiscard]] std::string_view body() const { return std::string_view(bytes_).substr(ends_.back()); }

  std::string bytes_;
  std::uint64_t version_ = 1;
  std::uint32_t kind_bytes_;
  std::array<std::uint32_t, index_count> ends_;  ///< Where each entry ends and the next one begins.
};

using SharedRecord = std::shared_ptr<const StoredRecord>;

/// Write values of a request as entries are written; the values may be of any bytes.
std::string packed(std::span<const IndexValue> values);

}  // namespace openindex::memory
