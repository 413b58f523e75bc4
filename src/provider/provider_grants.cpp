// Credentials of requests that are not those of the configuration, but given for them.
#include <exception>
#include <new>
#include <utility>

#include "provider/aws_sts.hpp"
#include "provider/google_account.hpp"
#include "provider/provider_config.hpp"
#include "provider/provider_directory.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using providers::Grant;
using providers::ProviderRecord;

Result<Grant> read_google_grant(const HttpResponse& response, Time now) {
  auto token = providers::read_token(response, now);
  if (!token) return token.error();
  return Grant{std::move(token->text), {}, {}, token->expires_at};
}

Grant grant_of(AwsCredentials credentials) {
  return {std::move(credentials.secret_key), std::move(credentials.access_key), std::move(credentials.session_token),
          credentials.expires_at.value_or(Time::max())};
}

Result<Grant> read_role_grant(const HttpResponse& response, Time now) {
  return providers::read_role(response, now).transform(grant_of);
}

Error no_identity(std::string_view connection) {
  return Error(errc::invalid_argument, "connectionType " + std::string(connection) +
                                           " acts in the host's name at AWS, and the host does not allow it: it must "
                                           "set ProviderRegistry::Options::aws_identity")
      .with("key", "connectionType");
}

// Whoever had credentials has them again in a moment, more often than not; nobody need be called for that.
Error absent_for_now(const Error& error) {
  switch (error.code()) {
    case errc::secret_unreadable:
    case errc::provider_unauthorized:
    case errc::provider_rejected_request:
      return Error(errc::http_unreachable,
                   error.message() + "; there were credentials before, they are asked for again")
          .caused_by(error);
    default:
      return error;
  }
}

}  // namespace

// The host's code may throw, and its words may name what they should not: they go no further than here.
Result<AwsCredentials> ProviderRegistry::Directory::host_credentials(std::string_view connection) {
  if (options.aws_identity == nullptr) return no_identity(connection);
  try {
    auto credentials = options.aws_identity->credentials();
    if (credentials && !providers::are_sound(*credentials)) {
      credentials = Error(errc::secret_unreadable, "The host's identity at AWS gives no access key with its secret");
    }
    if (credentials) had_host_credentials_ = true;
    return credentials || !had_host_credentials_ ? credentials : absent_for_now(credentials.error());
  } catch (const std::bad_alloc&) {
    throw;
  } catch (...) {
    return Error(errc::host_callback_failed, "The host's identity at AWS threw an exception");
  }
}

Result<void> ProviderRegistry::Directory::authorize(Settings& settings, const ProviderRecord& record,
                                                    const ProviderType& type) {
  for (const ProviderKey& row : type.keys) {
    const auto value = settings.values[row.name];
    if (row.form == KeyForm::google_key && !value.empty()) return authorize_google(settings, record, value);
    if (row.form == KeyForm::role_arn) return authorize_aws(settings, record);
  }
  return {};
}

// A grant that is kept is used for as long as it lasts, also beside a login for the next one.
bool ProviderRegistry::Directory::is_login_due(Settings& settings, const ProviderRecord& record, Time now) {
  auto kept = grants_.find(record.id, record.version, now);
  if (!kept) return true;
  settings.grant = std::move(kept->grant);
  return kept->is_due;
}

// A Google account's key is no credential of a call, but of a token for it.
Result<void> ProviderRegistry::Directory::authorize_google(Settings& settings, const ProviderRecord& record,
                                                           std::string_view account) {
  const Time now = options.clock.now();
  if (!is_login_due(settings, record, now)) return {};
  auto read = providers::read_google_account(account);
  if (!read) return read.error();
  auto request = providers::token_request(*read, now);
  if (!request) return request.error();
  settings.login = providers::ProviderLogin{record.id, record.version, std::move(*request), read_google_grant};
  return {};
}

// With an access key of its own, the configuration has the credential.
Result<void> ProviderRegistry::Directory::authorize_aws(Settings& settings, const ProviderRecord& record) {
  const auto connection = settings.values["connectionType"];
  const bool is_host = providers::is_same(connection, "CONDUCTOR_ROLE");
  if (connection.empty() || providers::is_same(connection, "ACCESS_KEY")) return {};
  if (!is_host && !providers::is_same(connection, "EXTERNAL_ROLE")) {
    return Error(errc::invalid_argument, "connectionType is none of ACCESS_KEY, EXTERNAL_ROLE and CONDUCTOR_ROLE")
        .with("key", "connectionType");
  }
  const Time now = options.clock.now();
  if (!is_host && !is_login_due(settings, record, now)) return {};
  auto own = host_credentials(connection);
  if (!own && settings.grant) return {};  // which is still good; the next attempt is not far
  if (!own) return own.error();
  if (is_host) {
    settings.grant = grant_of(std::move(*own));
    return {};
  }
  const std::string session = "openindex-" + record.id.str();
  const providers::AwsRole role{settings.values["roleArn"], session, settings.values["externalId"]};
  auto request = providers::role_request(role, settings.values["region"], *own, now);
  if (!request) return request.error();
  settings.login = providers::ProviderLogin{record.id, record.version, std::move(*request), read_role_grant,
                                            std::move(own->access_key)};
  return {};
}

Result<void> ProviderRegistry::Directory::keep_grant(const providers::ProviderLogin& login,
                                                     const Result<HttpResponse>& answer) {
  if (!answer) return answer.error();
  const Time now = options.clock.now();
  auto grant = login.read(*answer, now);
  if (!grant) {
    if (providers::is_about_host(grant.error())) refused(login.provider, login.host_key, {});
    return grant.error();
  }
  grants_.keep(login, std::move(*grant), now);
  return {};
}

void ProviderRegistry::Directory::refused(const ProviderId& provider, std::string_view access_key,
                                          std::string_view secret) {
  grants_.forget(provider, secret);
  if (options.aws_identity == nullptr || access_key.empty()) return;
  try {
    options.aws_identity->refused(access_key);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (...) {
    return;  // it gives the same credentials again, and AWS says so
  }
}

}  // namespace v0
}  // namespace openindex
