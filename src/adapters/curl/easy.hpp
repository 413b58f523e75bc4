// What every easy handle of ours is told, whatever it is for.
#pragma once

#include <curl/curl.h>

#include <openindex/adapters/curl_http_client.hpp>

namespace openindex::curl_http {

/// Set libcurl up, once in a process; false when that fails.
bool curl_ready() noexcept;

/// Verify certificates, take nothing from the environment, follow nothing. The handle must not outlive the options.
void set_trust(CURL* easy, const CurlOptions& options, bool plain);

/// Tell whether a transfer failed for its certificate or its TLS.
bool is_tls_failure(CURLcode code) noexcept;

/// Milliseconds as curl reads them: 0 is its default there, which would be longer than asked for.
long to_curl_ms(Duration time) noexcept;

}  // namespace openindex::curl_http
