#include "engine/audit_receipt.hpp"

#include <algorithm>
#include <optional>

#include <openssl/crypto.h>

#include "engine/chain_check.hpp"
#include "engine/digest.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::engine {
namespace {

constexpr std::string_view receipt_format = "openindex-audit-receipt";
constexpr std::string_view head_format = "openindex-audit-head";
constexpr std::size_t digest_digits = 64;

std::string write_head(std::string_view format, const AuditHead& head) {
  json::Writer out;
  out.begin_object().key("format").string(format).key("version").number(std::uint64_t{1});
  out.key("stream").string(head.stream).key("count").number(head.count).key("head").string(head.digest).end_object();
  return std::move(out).str();
}

// Only what write_head would have written: one head has one spelling, so every byte of it counts.
std::optional<AuditHead> read_head(std::string_view format, std::string_view line) {
  auto in = json::Stored::read(line, "head");
  if (!in) return std::nullopt;
  AuditHead head{in->text("stream"), in->natural("count"), in->text("head")};
  if (write_head(format, head) != line) return std::nullopt;
  return head;
}

/// A head to which the last member was added: a digest of something.
struct Signed {
  AuditHead head;
  std::string line;  ///< Without the last member.
  std::string_view digest;
};

std::string signed_line(std::string line, std::string_view name, std::string_view digest) {
  line.pop_back();
  return line.append(",\"").append(name).append("\":\"").append(digest).append("\"}");
}

std::optional<Signed> read_signed(std::string_view format, std::string_view name, std::string_view line) {
  const std::size_t tail = name.size() + digest_digits + 7;  // ,"name":"…"}
  if (line.size() <= tail) return std::nullopt;
  std::string head_line = std::string(line.substr(0, line.size() - tail)) + "}";
  auto head = read_head(format, head_line);
  const std::string_view digest = line.substr(line.size() - digest_digits - 2, digest_digits);
  if (!head || signed_line(head_line, name, digest) != line) return std::nullopt;
  return Signed{std::move(*head), std::move(head_line), digest};
}

/// The lines of a receipt, and what its first and last line say.
struct Receipt {
  explicit Receipt(std::string_view text);

  std::vector<std::string_view> lines;
  std::optional<AuditHead> opening;
  std::optional<Signed> closing;
  bool whole = false;       ///< All bytes before the last line are what the last line says.
  bool cut_off = false;     ///< There is no line feed at the end.
  std::size_t entries = 0;  ///< Lines between the first and the last; the last line counts when it does not close.
};

Receipt::Receipt(std::string_view text) : lines(lines_of(text)), cut_off(!text.ends_with('\n')) {
  if (lines.empty()) return;
  if (lines.size() > 1 || !cut_off) opening = read_head(receipt_format, lines.front());
  if (!cut_off) closing = read_signed(receipt_format, "sha256", lines.back());
  if (closing) whole = sha256_hex(text.substr(0, text.size() - lines.back().size() - 1)) == closing->digest;
  entries = lines.size() - (closing && lines.size() > 1 ? 2 : 1);
}

Error broken_line(std::size_t line, std::string what) {
  return Error(errc::receipt_broken, std::move(what)).with("line", std::to_string(line));
}

Error broken_entry(std::uint64_t entry, std::string what) {
  return broken_line(entry + 1, std::move(what)).with("entry", std::to_string(entry));
}

// The first and the last line say the same. If they disagree, the one to blame is the one that the digest over
// everything before the last line does not vouch for.
Result<AuditHead> agree(const Receipt& receipt) {
  const auto& [lines, opening, closing, whole, cut_off, entries] = receipt;
  if (!opening) return broken_line(1, "The first line is not the header of a receipt of version 1");
  if (!closing || *opening == closing->head) return *opening;
  if (whole) return broken_line(lines.size(), "The last line of the receipt was changed");
  return broken_line(1, "The header of the receipt was changed");
}

Result<void> check_entries(const Receipt& receipt, const AuditHead& head) {
  ChainCheck check;
  for (std::uint64_t number = 1; number <= head.count; ++number) {
    if (number > receipt.entries) return broken_entry(number, "The receipt ends before this entry");
    if (receipt.cut_off && number + 1 == receipt.lines.size()) {
      return broken_entry(number, "The receipt is cut off in this entry");
    }
    if (!check.take(receipt.lines[number])) break;
  }
  if (const auto fault = check.finish({head.count, head.digest})) return broken_entry(fault->entry, fault->what);
  return {};
}

Result<void> check_end(const Receipt& receipt, const AuditHead& head) {
  const std::size_t last = head.count + 2;
  if (receipt.lines.size() > last) {
    const bool ended = read_signed(receipt_format, "sha256", receipt.lines[last - 1]).has_value();
    return broken_line(ended ? last + 1 : last, "This line does not belong to the receipt");
  }
  if (receipt.lines.size() < last) return broken_line(last, "The last line of the receipt is missing");
  if (!receipt.whole) return broken_line(last, "The last line of the receipt was changed or cut off");
  return {};
}

}  // namespace

std::string begin_receipt(const AuditHead& head) { return write_head(receipt_format, head) + "\n"; }

void end_receipt(std::string& receipt, const AuditHead& head) {
  const std::string digest = sha256_hex(receipt);
  receipt.append(signed_line(write_head(receipt_format, head), "sha256", digest)).push_back('\n');
}

std::vector<std::string_view> lines_of(std::string_view receipt) {
  std::vector<std::string_view> lines;
  while (!receipt.empty()) {
    const std::string_view line = receipt.substr(0, receipt.find('\n'));
    lines.push_back(line);
    receipt.remove_prefix(std::min(receipt.size(), line.size() + 1));
  }
  return lines;
}

}  // namespace openindex::engine

namespace openindex {
inline namespace v0 {

using namespace openindex::engine;

Result<AuditHead> verify_receipt(std::string_view text) {
  const Receipt receipt(text);
  auto head = agree(receipt);
  if (!head) return head;
  if (auto sound = check_entries(receipt, *head); !sound) return sound.error();
  if (auto sound = check_end(receipt, *head); !sound) return sound.error();
  return head;
}

std::string seal_head(const AuditHead& head, std::span<const std::byte, 32> key) {
  const std::string line = write_head(head_format, head);
  const std::string_view bytes(reinterpret_cast<const char*>(key.data()), key.size());
  return signed_line(line, "hmac", hmac_sha256_hex(bytes, line));
}

Result<AuditHead> open_sealed_head(std::string_view line, std::span<const std::byte, 32> key) {
  const auto sealed = read_signed(head_format, "hmac", line);
  if (!sealed) return Error(errc::receipt_broken, "This is not a sealed audit head of version 1");
  const std::string_view bytes(reinterpret_cast<const char*>(key.data()), key.size());
  const std::string expected = hmac_sha256_hex(bytes, sealed->line);
  if (CRYPTO_memcmp(expected.data(), sealed->digest.data(), digest_digits) != 0) {
    return Error(errc::receipt_broken, "The audit head was changed, or sealed with another key");
  }
  return sealed->head;
}

}  // namespace v0
}  // namespace openindex
