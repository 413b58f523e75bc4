#include "adapters/postgres/connection.hpp"

#include <locale.h>
#include <poll.h>

#include <array>
#include <utility>

#include "adapters/postgres/failure.hpp"

namespace openindex::postgres {
namespace {

/// Enters the mode in which commands follow each other without waiting, and leaves it again.
class Pipeline {
 public:
  explicit Pipeline(PGconn* connection) : connection_(connection), entered_(PQenterPipelineMode(connection) == 1) {}
  ~Pipeline() {
    if (entered_) PQexitPipelineMode(connection_);
  }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  [[nodiscard]] bool entered() const { return entered_; }

 private:
  PGconn* connection_;
  bool entered_;
};

/// libpq in English, on this thread, as long as this lives: what it refuses itself has a text and no code.
class InEnglish {
 public:
  InEnglish() : before_(uselocale(english())) {}
  ~InEnglish() { uselocale(before_); }
  InEnglish(const InEnglish&) = delete;
  InEnglish& operator=(const InEnglish&) = delete;

 private:
  static locale_t english() {
    static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
    return locale;
  }

  locale_t before_;
};

/// Connect, or not. libpq tells the code of a server's refusal only in its text, only when it is asked to, and can only
/// be asked behind the first attempt.
PGconn* connect(const char* const* words, const char* const* values) {
  const InEnglish in_english;
  auto* connection = PQconnectdbParams(words, values, 1);
  if (PQstatus(connection) == CONNECTION_OK || !has_words_of_server(connection)) return connection;
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  PQreset(connection);
  PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
  return connection;
}

std::string_view password_of(PGconn* connection) {
  const char* password = PQpass(connection);
  return password != nullptr ? password : "";
}

bool says_utf8(const char* encoding) { return encoding != nullptr && std::string_view(encoding) == "UTF8"; }

bool succeeded(ExecStatusType status) { return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK; }

std::string doing(const Statement& statement) {
  constexpr std::size_t shown_bytes = 60;
  return statement.sql.size() <= shown_bytes ? statement.sql : statement.sql.substr(0, shown_bytes) + "...";
}

}  // namespace

std::int64_t Rows::integer(int row, int column) const {
  std::uint64_t number = 0;
  for (const char byte : text(row, column)) number = (number << 8) | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(number);
}

std::string_view Rows::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

bool Rows::boolean(int row, int column) const { return text(row, column) == std::string_view("\1", 1); }

storage::FieldView Rows::field(int row, int column, IndexType type) const {
  if (type == IndexType::text) return text(row, column);
  return integer(row, column);
}

Result<void> Connection::check_conninfo(const std::string& conninfo) {
  // What libpq has to say quotes the string, and with it perhaps the password.
  auto* options = PQconninfoParse(conninfo.c_str(), nullptr);
  if (options == nullptr || conninfo.find('\0') != std::string::npos) {
    PQconninfoFree(options);
    return Error(errc::invalid_argument, "The connection string is none that libpq can read.")
        .with("field", "conninfo");
  }
  PQconninfoFree(options);
  return {};
}

Result<std::unique_ptr<Connection>> Connection::open(const Target& target) {
  // Later words win: the string decides over the first two, the last one over the string.
  const std::array words = {"connect_timeout", "fallback_application_name", "dbname", "client_encoding",
                            static_cast<const char*>(nullptr)};
  const std::array values = {"10", "openindex", target.conninfo.c_str(), "UTF8", static_cast<const char*>(nullptr)};
  std::unique_ptr<Connection> connection(new Connection(connect(words.data(), values.data()), true));
  auto* raw = connection->connection_;
  if (PQstatus(raw) != CONNECTION_OK) return error_of(raw, "connecting", password_of(raw));
  PQsetNoticeProcessor(
      raw, [](void*, const char*) {}, nullptr);
  if (!says_utf8(PQparameterStatus(raw, "server_encoding"))) {
    return Error(errc::invalid_argument, "The database must have the encoding UTF8.").with("field", "conninfo");
  }
  if (auto prepared = connection->prepare(target.prepared); !prepared) return prepared.error();
  return connection;
}

std::unique_ptr<Connection> Connection::borrow(PGconn* connection) {
  return std::unique_ptr<Connection>(new Connection(connection, false));
}

Connection::~Connection() {
  if (owned_) PQfinish(connection_);
}

Result<void> Connection::prepare(std::span<const Statement* const> statements) {
  if (statements.empty()) return {};
  const Pipeline pipeline(connection_);
  std::vector<Command> commands;
  bool sent = pipeline.entered();
  for (const auto* statement : statements) {
    commands.push_back({statement, {}});
    sent = sent && PQsendPrepare(connection_, statement->name.c_str(), statement->sql.c_str(),
                                 static_cast<int>(statement->types.size()), statement->types.data()) == 1;
  }
  if (!sent || PQpipelineSync(connection_) != 1) return error_of(connection_, "preparing", password_of(connection_));
  Reply reply;
  read(reply, commands);
  if (reply.error) return *reply.error;
  prepared_ = true;
  return {};
}

bool Connection::send(const Command& command) {
  const auto raw = command.parameters.raw();
  const auto& statement = *command.statement;
  constexpr int binary = 1;
  if (prepared_ && !statement.name.empty()) {
    return PQsendQueryPrepared(connection_, statement.name.c_str(), command.parameters.count(), raw.values.data(),
                               raw.lengths.data(), raw.formats.data(), binary) == 1;
  }
  return PQsendQueryParams(connection_, statement.sql.c_str(), command.parameters.count(),
                           command.parameters.types().data(), raw.values.data(), raw.lengths.data(), raw.formats.data(),
                           binary) == 1;
}

Reply Connection::run(std::span<const Command> commands) {
  Reply reply;
  const auto fail = [&](std::string_view what) {
    reply.error = error_of(connection_, what, password_of(connection_));
    reply.lost = lost_ = true;
  };
  const Pipeline pipeline(connection_);
  if (!pipeline.entered()) {
    fail("beginning a pipeline");
    return reply;
  }
  for (const auto& command : commands) {
    if (send(command)) continue;
    fail(doing(*command.statement));
    return reply;
  }
  if (PQpipelineSync(connection_) != 1) {
    fail("sending");
    return reply;
  }
  read(reply, commands);
  return reply;
}

/// Read up to the mark that ends the pipeline. Between two commands there is one null pointer; when there are more, or
/// the connection is lost, the mark never comes: libpq then gives the same answer for ever.
void Connection::read(Reply& reply, std::span<const Command> commands) {
  std::size_t at = 0;
  bool may_be_null = false;
  for (;;) {
    auto* result = PQgetResult(connection_);
    if (result == nullptr) {
      if (std::exchange(may_be_null, false)) continue;
      lost_ = true;
      break;
    }
    may_be_null = true;
    const auto status = PQresultStatus(result);
    Rows rows(result);
    if (status == PGRES_PIPELINE_SYNC) break;
    if (succeeded(status) && !reply.error) {
      reply.rows.push_back(std::move(rows));
      ++at;
    } else if (!reply.error) {
      reply.error = error_of(result, at < commands.size() ? doing(*commands[at].statement) : "a pipeline");
      if (ends_connection(result)) lost_ = true;
    }
    if (lost_ || PQstatus(connection_) == CONNECTION_BAD) break;
  }
  // Nobody asks a connection of ours for notifications here: they would pile up.
  while (auto* unasked = owned_ && !listens_ ? PQnotifies(connection_) : nullptr) PQfreemem(unasked);
  if (PQstatus(connection_) == CONNECTION_BAD) lost_ = true;
  reply.lost = lost_;
  if (lost_ && !reply.error) reply.error = error_of(connection_, "reading", password_of(connection_));
}

Result<Rows> Connection::query(const Command& command) {
  auto reply = run(std::span(&command, 1));
  if (reply.error) return *reply.error;
  return std::move(reply.rows.front());
}

std::vector<std::string> Connection::take_notifications() {
  if (PQconsumeInput(connection_) == 0) lost_ = true;
  std::vector<std::string> payloads;
  while (auto* notification = PQnotifies(connection_)) {
    payloads.emplace_back(notification->extra);
    PQfreemem(notification);
  }
  return payloads;
}

bool Connection::is_lost() {
  if (lost_ || PQstatus(connection_) != CONNECTION_OK) return lost_ = true;
  // Nobody asked anything, so a server that speaks says farewell, or has gone already.
  pollfd readable{PQsocket(connection_), POLLIN, 0};
  return lost_ = poll(&readable, 1, 0) != 0;
}

}  // namespace openindex::postgres
