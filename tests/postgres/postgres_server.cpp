#include "postgres/postgres_server.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace openindex {
namespace {

/// Who runs servers when we are root.
const passwd* server_user() {
  if (geteuid() != 0) return nullptr;
  const auto* user = getpwnam("postgres");
  return user != nullptr ? user : getpwnam("nobody");
}

void become_server_user() {
  const auto* user = server_user();
  if (user == nullptr) return;
  if (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) _exit(126);
}

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

/// Give a moment to whatever is being waited for.
void pause_briefly() { poll(nullptr, 0, 5); }

/// Held by one process at a time.
class FileLock {
 public:
  explicit FileLock(const std::string& path) : file_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    require(file_ >= 0 && flock(file_, LOCK_EX) == 0, path + " cannot be locked");
  }
  ~FileLock() { close(file_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int file_;
};

void give_to_server(const std::filesystem::path& path) {
  const auto* user = server_user();
  if (user == nullptr) return;
  require(chown(path.c_str(), user->pw_uid, user->pw_gid) == 0, path.string() + " cannot be given away");
}

}  // namespace

void keep_for_server(const std::filesystem::path& file) {
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  give_to_server(file);
}

ServerFolder::ServerFolder(const std::filesystem::path& parent) {
  const auto folder = parent.empty() ? std::filesystem::temp_directory_path() : parent;
  std::string name = (folder / "openindex-pg-XXXXXX").string();
  require(mkdtemp(name.data()) != nullptr, "no folder can be made in " + folder.string());
  path_ = name;
  give_to_server(path_);
}

ServerFolder::~ServerFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

ServerProcess::ServerProcess(std::vector<std::string> command, const std::filesystem::path& log) {
  std::vector<char*> words;
  for (auto& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  const auto log_path = log.string();
  id_ = fork();
  require(id_ >= 0, "no process can be made");
  if (id_ > 0) return;
  become_server_user();
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  const int out = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int in = open("/dev/null", O_RDONLY);
  dup2(in, 0), dup2(out, 1), dup2(out, 2);
  if (chdir("/") != 0) _exit(126);
  execv(words[0], words.data());
  _exit(127);
}

ServerProcess::~ServerProcess() {
  if (id_ > 0) end(SIGKILL);
}

bool ServerProcess::has_ended() {
  if (id_ > 0 && waitpid(id_, &status_, WNOHANG) == id_) id_ = -1;
  return id_ <= 0;
}

void ServerProcess::end(int signal) {
  if (has_ended()) return;
  ::kill(id_, signal);
  wait();
}

int ServerProcess::wait() {
  if (id_ > 0) waitpid(id_, &status_, 0);
  id_ = -1;
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
}

std::filesystem::path PostgresServer::programs() {
  std::filesystem::path newest;
  int newest_version = 0;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", missing)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version <= newest_version || !std::filesystem::exists(entry.path() / "bin" / "initdb", missing)) continue;
    newest = entry.path() / "bin";
    newest_version = version;
  }
  return newest;
}

PostgresServer::PostgresServer(std::vector<std::string> settings, const std::filesystem::path& parent)
    : folder_(parent), settings_(std::move(settings)) {
  make_cluster();
  start();
}

PostgresServer::PostgresServer(const PostgresServer& primary, std::vector<std::string> settings)
    : settings_(std::move(settings)) {
  run({"pg_basebackup", "-D", data().string(), "-d", primary.conninfo() + " application_name=standby", "-R", "-X",
       "stream", "-c", "fast", "--no-sync"});
  start();
}

PostgresServer::~PostgresServer() {
  if (process_) process_->end(SIGQUIT);
}

// Making a cluster takes a second of work. With OPENINDEX_POSTGRES_CLUSTER in the environment the first one is kept
// there, as it is before any server has run on it, and copied for the others.
void PostgresServer::make_cluster() const {
  const auto initialise = [&] {
    run({"initdb", "-D", data().string(), "--no-sync", "--auth=trust", "-E", "UTF8", "--locale=C", "-U", "openindex"});
  };
  const char* place = std::getenv("OPENINDEX_POSTGRES_CLUSTER");
  if (place == nullptr) return initialise();
  const std::filesystem::path kept = place + ("-" + programs().parent_path().filename().string());
  const FileLock alone(kept.string() + ".lock");
  if (!std::filesystem::exists(kept)) {
    initialise();
    const std::filesystem::path unfinished = kept.string() + ".unfinished";
    std::filesystem::remove_all(unfinished);
    std::filesystem::copy(data(), unfinished, std::filesystem::copy_options::recursive);
    std::filesystem::rename(unfinished, kept);
    return;
  }
  std::filesystem::copy(kept, data(), std::filesystem::copy_options::recursive);
  give_to_server(data());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data())) give_to_server(entry.path());
}

void PostgresServer::run(std::vector<std::string> command) const {
  command.front() = (programs() / command.front()).string();
  const auto log = folder_.path() / "programs.log";
  const auto name = command.front();
  const int code = ServerProcess(std::move(command), log).wait();
  require(code == 0, name + " failed: see " + log.string());
}

void PostgresServer::start() {
  std::vector<std::string> command = {(programs() / "postgres").string(),
                                      "-D",
                                      data().string(),
                                      "-c",
                                      "listen_addresses=",
                                      "-c",
                                      "unix_socket_directories=" + folder_.path().string(),
                                      "-c",
                                      "fsync=off",
                                      "-c",
                                      "shared_buffers=32MB",
                                      "-c",
                                      "max_wal_size=256MB"};
  for (const auto& setting : settings_) command.insert(command.end(), {"-c", setting});
  process_ = std::make_unique<ServerProcess>(std::move(command), folder_.path() / "server.log");
  while (PQping(conninfo().c_str()) != PQPING_OK) {
    require(!process_->has_ended(), "the server does not start: see " + folder_.path().string());
    pause_briefly();
  }
}

void PostgresServer::stop_immediately() { process_->end(SIGQUIT); }

void PostgresServer::stop_fast() { process_->end(SIGINT); }

void PostgresServer::kill() {
  // Its children notice that it is gone and end by themselves; SIGKILL to all of them is quicker.
  const auto children =
      "/proc/" + std::to_string(process_->id()) + "/task/" + std::to_string(process_->id()) + "/children";
  std::vector<pid_t> ids;
  if (auto* file = std::fopen(children.c_str(), "r")) {
    for (int id = 0; std::fscanf(file, "%d", &id) == 1;) ids.push_back(id);
    std::fclose(file);
  }
  process_->end(SIGKILL);
  for (const auto id : ids) ::kill(id, SIGKILL);
}

std::string PostgresServer::conninfo() const {
  std::string words = "host=" + folder_.path().string() + " user=openindex dbname=postgres";
  for (const auto& setting : settings_) words += setting.starts_with("port=") ? " " + setting : "";
  return words;
}

PostgresOptions PostgresServer::options(std::string schema) const {
  PostgresOptions options;
  options.conninfo = conninfo();
  options.schema = std::move(schema);
  return options;
}

PlainPostgres::PlainPostgres(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
  require(PQstatus(connection_) == CONNECTION_OK, PQerrorMessage(connection_));
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
}

std::vector<std::string> PlainPostgres::column(const std::string& sql) {
  auto* result = PQexec(connection_, sql.c_str());
  const auto status = PQresultStatus(result);
  const bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  std::vector<std::string> values;
  for (int row = 0; done && row < PQntuples(result); ++row) values.emplace_back(PQgetvalue(result, row, 0));
  PQclear(result);
  require(done, PQerrorMessage(connection_));
  return values;
}

std::string PlainPostgres::refused(const std::string& sql) {
  auto* result = PQexec(connection_, sql.c_str());
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  std::string text = state != nullptr ? state : "";
  PQclear(result);
  return text;
}

}  // namespace openindex
