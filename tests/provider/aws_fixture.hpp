// What AWS answers to a question for a role, and a host's identity that the test plays.
#pragma once

#include <string>
#include <vector>

#include <openindex/core/clock.hpp>
#include <openindex/provider/aws_identity.hpp>

namespace openindex::test {

/// Credentials `ASIA<mark>`, `role/secret+<mark>` and `role-session-<mark>==`.
inline std::string role_answer(const std::string& mark, Time expires_at, const std::string& action = "AssumeRole") {
  return "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <" + action +
         "Result>\n    <AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn</Arn></AssumedRoleUser>\n"
         "    <Credentials><AccessKeyId>ASIA" +
         mark + "</AccessKeyId><SecretAccessKey>role/secret+" + mark + "</SecretAccessKey><SessionToken>role-session-" +
         mark + "==</SessionToken><Expiration>" + to_rfc3339(expires_at) + "</Expiration></Credentials>\n  </" +
         action + "Result>\n  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>\n</" + action +
         "Response>\n";
}

class PlayedIdentity final : public AwsIdentity {
 public:
  Result<AwsCredentials> given = AwsCredentials{"AKIAHOST", "host-secret-MARKER", "host-session-MARKER", {}};
  int asked = 0;
  std::vector<std::string> refusals;
  bool throws = false;

  Result<AwsCredentials> credentials() override {
    ++asked;
    if (throws) throw std::string("MARKER");
    return given;
  }
  void refused(std::string_view access_key) override {
    refusals.emplace_back(access_key);
    if (throws) throw std::string("MARKER");
  }
};

}  // namespace openindex::test
