// An HTTP client that plays what AWS gives credentials by, and a file in a folder of its own.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <openindex/core/clock.hpp>
#include <openindex/http/http_client.hpp>

namespace openindex::test {

class PlayedNetwork final : public HttpClient {
 public:
  std::map<std::string, Result<HttpResponse>> answers;  ///< By method and URL, `GET http://…`.
  std::vector<HttpRequest> requests;
  std::function<void()> before_answer = [] {};
  bool is_silent = false;                        ///< Answers wait for `speak`.
  std::vector<std::function<void()>> held = {};  ///< What `speak` will say.
  std::vector<HttpTicket> cancelled;

  HttpTicket send(HttpRequest request, HttpDone done) override {
    requests.push_back(request);
    before_answer();
    const std::string what = request.method + " " + request.url;
    auto say = [this, what, done = std::move(done)] {
      const auto found = answers.find(what);
      done(found == answers.end() ? Result<HttpResponse>(errc::http_unreachable) : found->second);
    };
    if (is_silent) {
      held.emplace_back(std::move(say));
    } else {
      say();
    }
    return requests.size();
  }
  void cancel(HttpTicket ticket) noexcept override { cancelled.push_back(ticket); }

  /// Answer what has been asked in silence, and everything from now on.
  void speak() {
    is_silent = false;
    for (const auto& say : std::exchange(held, {})) say();
  }

  void answer(const std::string& what, std::string body, int status = 200) {
    answers.insert_or_assign(what, HttpResponse{status, {}, std::move(body)});
  }
  [[nodiscard]] std::string sent(std::string_view name) const {
    for (const auto& [key, value] : requests.back().headers) {
      if (key == name) return value;
    }
    return {};
  }
};

/// Credentials `ASIA<mark>`, `secret-<mark>-MARKER` and `session-<mark>-MARKER`.
inline std::string agent_answer(const std::string& mark, Time expires_at) {
  return R"({"Code":"Success","AccessKeyId":"ASIA)" + mark + R"(","SecretAccessKey":"secret-)" + mark +
         R"(-MARKER","Token":"session-)" + mark + R"(-MARKER","Expiration":")" + to_rfc3339(expires_at) + R"("})";
}

/// Lets the metadata service of a machine give these credentials.
inline void answer_metadata(PlayedNetwork& network, const std::string& credentials) {
  network.answer("PUT http://169.254.169.254/latest/api/token", "metadata-token-MARKER");
  network.answer("GET http://169.254.169.254/latest/meta-data/iam/security-credentials/", "bot role\n");
  network.answer("GET http://169.254.169.254/latest/meta-data/iam/security-credentials/bot%20role", credentials);
}

class NamedFile {
 public:
  explicit NamedFile(const std::string& text) {
    std::string pattern = (std::filesystem::temp_directory_path() / "openindex-aws-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    write(text);
  }
  ~NamedFile() { std::filesystem::remove_all(folder_); }
  NamedFile(const NamedFile&) = delete;
  NamedFile& operator=(const NamedFile&) = delete;

  void write(const std::string& text) const { std::ofstream(path()) << text; }
  [[nodiscard]] std::string path() const { return (folder_ / "token").string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace openindex::test
