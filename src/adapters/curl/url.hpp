// A URL as curl itself will read it, so that what is checked is what is connected to.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include <curl/curl.h>

namespace openindex::curl_http {

/// Compare names of headers and hosts: ASCII letters of either case are the same.
inline bool same_text(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

class Url {
 public:
  [[nodiscard]] bool parse(const std::string& text) {
    return text.find('\0') == std::string::npos &&
           curl_url_set(handle_.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }

  /// Return one part; empty when there is none.
  [[nodiscard]] std::string part(CURLUPart which) const {
    char* text = nullptr;
    if (curl_url_get(handle_.get(), which, &text, 0) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
  }

 private:
  struct Cleanup {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
  };
  std::unique_ptr<CURLU, Cleanup> handle_{curl_url()};
};

}  // namespace openindex::curl_http
