// What PostgreSQL's and libpq's failures mean to our callers.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include <openindex/core/error.hpp>
#include <openindex/storage/change_set.hpp>

namespace openindex::postgres {

/// A failed result as an error; context `sqlstate` and `doing`. `doing` is the step that failed, for people.
Error error_of(const PGresult* result, std::string_view doing);

/// A failed connection as an error. `password`, if there is one, is cut out of what libpq says.
Error error_of(PGconn* connection, std::string_view doing, std::string_view password = {});

/// Whether a server has said a part of why a connection was refused.
bool has_words_of_server(PGconn* connection);

/// Whether the server ends the connection with this result.
bool ends_connection(const PGresult* result);

/// Whether a refused connection may be accepted a moment later: the server is away, and not of another opinion.
bool may_pass(const Error& refusal);

/// Whether somebody else was in the way: trying again meets another state.
bool is_transient(const Error& error);

/// Somebody else has locked a record; as the server says it of a wait that was too long.
Error locked(const RecordId& id);

/// Whether a lock was in the way, and nothing else.
bool met_lock(const Error& error);

}  // namespace openindex::postgres
