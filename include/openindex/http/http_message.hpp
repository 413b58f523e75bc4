// HTTP requests and answers as plain values.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openindex/core/clock.hpp>

namespace openindex {
inline namespace v0 {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};      ///< Absolute, `https://` or, where the client's policy allows it, `http://`.
  HttpHeaders headers = {};  ///< Names and values without CR, LF or NUL; a client refuses others.
  std::string body = {};

  Duration connect_timeout{10'000};
  Duration timeout{600'000};                           ///< From start to last byte.
  std::size_t response_bytes_max = 16u * 1024 * 1024;  ///< A larger answer is `http_too_large`.

  /// Told each part of the answer's body as it arrives, cut anywhere, whatever the status; `done` still gets the whole.
  /// Called on a thread of the client's, never after `done`; it is quick and does not throw. Empty: nobody watches. A
  /// client that cannot do it may leave it out.
  std::function<void(std::string_view part)> on_body = {};
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers = {};
  std::string body = {};

  /// Return the first header of that name, compared without case; empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    for (const auto& [key, value] : headers) {
      if (key.size() != name.size()) continue;
      bool same = true;
      for (std::size_t i = 0; i < key.size() && same; ++i) same = lower(key[i]) == lower(name[i]);
      if (same) return value;
    }
    return {};
  }
};

}  // namespace v0
}  // namespace openindex
