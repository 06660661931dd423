#include "history/postgres_connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "util/text.h"

namespace sesame::history::postgres {
namespace {

constexpr int kConnect = 10;                   // seconds
constexpr std::chrono::seconds kWriting{30};   // without a word from the server
constexpr std::chrono::seconds kReading{310};  // likewise
constexpr std::size_t kChunk = std::size_t{64} << 10;
constexpr std::size_t kMaxReason = 300;  // octets
// pg_type.dat
constexpr Oid kBool = 16, kInt8 = 20, kText = 25;

// What a statement may take is less than what is waited for it, so that the server ends it first. A transaction whose
// client is gone, and the locks of a session whose host is, end within a minute: both ends see to it.
constexpr const char* kSession =
    "SET client_min_messages = warning;"
    "SET default_transaction_isolation = 'read committed';"
    "SET idle_in_transaction_session_timeout = 60000;"
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;";
constexpr const char* kWriter = "SET statement_timeout = 25000; SET lock_timeout = 20000;";
constexpr const char* kReader = "SET statement_timeout = 300000; SET default_transaction_read_only = on;";

class Row final : public Cells {
 public:
  Row(const PGresult* answer, int row) : answer_(answer), row_(row) {}
  std::int64_t number(int column) const override {
    const std::string_view digits = view(column);
    if (PQftype(answer_, column) == kBool) return digits == "t" ? 1 : 0;
    std::int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }
  std::string text(int column) const override { return std::string(view(column)); }

 private:
  std::string_view view(int column) const {
    return {PQgetvalue(answer_, row_, column), static_cast<std::size_t>(PQgetlength(answer_, row_, column))};
  }
  const PGresult* answer_;
  int row_;
};

// libpq takes an "@" or "/" in a password for the end of it, and tells the rest as the name of a host.
bool has_stray_mark(const std::string& url) {
  const auto begin = url.find("://");
  if (begin == std::string::npos) return false;
  const auto place = url.substr(begin + 3, url.find('?', begin) - begin - 3);
  const auto at = place.find('@');
  return at != std::string::npos && (place.rfind('@') != at || place.find('/') < at);
}

struct Address {
  std::string password;
  int hosts = 1;
};

// libpq's errors quote the URL, password and all: only what stands before the quotation is told.
Result<Address> parse(const std::string& url) {
  if (has_stray_mark(url))
    return failure("PostgreSQL: the URL has an \"@\" or \"/\" too many: in a user or password write %40 and %2F");
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(url.c_str(), &message),
                                                                             &PQconninfoFree);
  if (!options) {
    const std::string_view words = message ? message : "there is no memory for it";
    auto what = printable(trim(words.substr(0, words.find('"'))), kMaxReason);
    PQfreemem(message);
    while (!what.empty() && (what.back() == ':' || what.back() == ' ')) what.pop_back();
    return failure("PostgreSQL: the URL cannot be used: " + what);
  }
  Address address;
  for (const auto* option = options.get(); option->keyword; ++option) {
    const std::string_view keyword = option->keyword, value = option->val ? option->val : "";
    if (keyword == "password") address.password = value;
    if (keyword == "host") address.hosts = 1 + static_cast<int>(std::count(value.begin(), value.end(), ','));
  }
  return address;
}

std::string without(std::string text, const std::string& secret) {
  for (auto at = std::string::npos; !secret.empty() && (at = text.find(secret)) != std::string::npos;)
    text.erase(at, secret.size());
  return text;
}

}  // namespace

void Connection::Finish::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

void Connection::Clear::operator()(pg_result* answer) const {
  PQclear(answer);
}

Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const std::string& url, Use use) {
  const auto address = parse(url);
  if (!address) return tl::unexpected(address.error());
  const auto seconds = std::to_string(std::max(2, kConnect / address->hosts));
  // What stands before the URL is a default, what stands after it holds whatever the URL says.
  const std::pair<const char*, const char*> settings[] = {{"connect_timeout", seconds.c_str()},
                                                          {"keepalives_idle", "10"},
                                                          {"keepalives_interval", "5"},
                                                          {"keepalives_count", "3"},
                                                          {"tcp_user_timeout", "20000"},
                                                          {"fallback_application_name", "sesame"},
                                                          {"dbname", url.c_str()},
                                                          {"client_encoding", "UTF8"}};
  std::vector<const char*> names, values;
  for (const auto& [name, value] : settings) {
    names.push_back(name);
    values.push_back(value);
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  std::unique_ptr<Connection> made(new Connection);
  made->password_ = address->password;
  made->patience_ = use == Use::write ? kWriting : kReading;
  made->connection_.reset(PQconnectdbParams(names.data(), values.data(), 1));
  if (!made->connection_) return failure("PostgreSQL: there is no memory for a connection");
  if (PQstatus(made->connection_.get()) != CONNECTION_OK) return made->broken(made->reason());
  if (auto done = made->configure(use); !done) return tl::unexpected(done.error());
  return made;
}

Result<void> Connection::configure(Use use) {
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(connection_.get(), 1) != 0) return broken(reason());
  if (auto done = run(kSession); !done) return done;
  return run(use == Use::write ? kWriter : kReader);
}

std::string Connection::reason() const {
  // The first line; what follows are guesses of libpq's.
  const std::string text = PQerrorMessage(connection_.get());
  const auto line = without(text.substr(0, text.find('\n')), password_);
  return line.empty() ? "the connection ended" : printable(line, kMaxReason);
}

tl::unexpected<Error> Connection::broken(const std::string& why) {
  broken_ = true;
  state_.clear();
  return failure("PostgreSQL: " + why);
}

// Its detail would quote the row.
tl::unexpected<Error> Connection::refused(const pg_result* answer) {
  const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  const char* words = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
  if (!state || !words || is_broken()) return broken(reason());
  state_ = state;
  return failure(fmt::format("PostgreSQL: {} ({})", printable(without(words, password_), kMaxReason), state_));
}

bool Connection::is_broken() const {
  return broken_ || PQstatus(connection_.get()) != CONNECTION_OK;
}

// Data exceptions, and limits such as the size of an index entry.
bool Connection::refused_values() const {
  return !is_broken() && (state_.starts_with("22") || state_.starts_with("54"));
}

Result<void> Connection::wait(short events) {
  pollfd socket{PQsocket(connection_.get()), events, 0};
  const auto until = std::chrono::steady_clock::now() + patience_;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    const int ready = left <= 0 ? 0 : poll(&socket, 1, static_cast<int>(left));
    if (ready > 0) return {};
    if (ready == 0) return broken(fmt::format("the server has said nothing for {} s", patience_.count()));
    if (errno != EINTR) return broken(errno_text(errno));
  }
}

Result<void> Connection::flush() {
  while (true) {
    const int state = PQflush(connection_.get());
    if (state == 0) return {};
    if (state < 0) return broken(reason());
    if (auto done = wait(POLLIN | POLLOUT); !done) return done;
    if (PQconsumeInput(connection_.get()) == 0) return broken(reason());
  }
}

Result<Connection::Answer> Connection::next() {
  if (auto done = flush(); !done) return tl::unexpected(done.error());
  while (PQisBusy(connection_.get()) == 1) {
    if (auto done = wait(POLLIN); !done) return tl::unexpected(done.error());
    if (PQconsumeInput(connection_.get()) == 0) return broken(reason());
  }
  return Answer(PQgetResult(connection_.get()));
}

Result<void> Connection::finish(const std::function<void(const Cells&)>& row) {
  std::optional<Error> error;
  while (true) {
    auto answer = next();
    if (!answer) return tl::unexpected(answer.error());
    if (!*answer) break;
    switch (PQresultStatus(answer->get())) {
      case PGRES_SINGLE_TUPLE:
      case PGRES_TUPLES_OK:
        for (int i = 0; row && !error && i < PQntuples(answer->get()); ++i) row(Row(answer->get(), i));
        break;
      case PGRES_COMMAND_OK:
      case PGRES_EMPTY_QUERY:
        break;
      case PGRES_FATAL_ERROR:
        if (!error) error = refused(answer->get()).value();
        if (is_broken()) return tl::unexpected(*error);
        break;
      default:
        // Such as a COPY that nobody asked for: it would never end.
        return broken("an answer that does not belong to the question");
    }
  }
  if (error) return tl::unexpected(*error);
  return {};
}

Result<void> Connection::run(const char* statements) {
  if (PQsendQuery(connection_.get(), statements) == 0) return broken(reason());
  return finish(nullptr);
}

Result<void> Connection::ask(std::string_view sql, const std::vector<Parameter>& parameters,
                             const std::function<void(const Cells&)>& row) {
  std::vector<Oid> types;
  std::vector<std::string> texts;
  for (const auto& each : parameters) {
    const auto* number = std::get_if<std::int64_t>(&each);
    types.push_back(number ? kInt8 : kText);
    texts.push_back(number ? std::to_string(*number) : std::get<std::string>(each));
    // It would end there, and mean something else. No row has one.
    if (texts.back().find('\0') != std::string::npos) return failure("PostgreSQL: a text with a NUL finds nothing");
  }
  std::vector<const char*> values;
  for (const auto& text : texts) values.push_back(text.c_str());
  const auto count = static_cast<int>(values.size());
  if (PQsendQueryParams(connection_.get(), std::string(sql).c_str(), count, types.data(), values.data(), nullptr,
                        nullptr, 0) == 0)
    return broken(reason());
  PQsetSingleRowMode(connection_.get());
  return finish(row);
}

Result<void> Connection::copy(const char* statement, std::string_view data) {
  if (PQsendQuery(connection_.get(), statement) == 0) return broken(reason());
  auto answer = next();
  if (!answer) return tl::unexpected(answer.error());
  if (PQresultStatus(answer->get()) != PGRES_COPY_IN) {
    const auto error = refused(answer->get());
    if (is_broken()) return error;
    (void)finish(nullptr);
    return error;
  }
  while (!data.empty()) {
    const auto chunk = data.substr(0, kChunk);
    const int taken = PQputCopyData(connection_.get(), chunk.data(), static_cast<int>(chunk.size()));
    if (taken < 0) return broken(reason());
    if (taken > 0) data.remove_prefix(chunk.size());
    if (auto done = flush(); !done) return done;
  }
  int ended = 0;
  while ((ended = PQputCopyEnd(connection_.get(), nullptr)) == 0)
    if (auto done = flush(); !done) return done;
  if (ended < 0) return broken(reason());
  return finish(nullptr);
}

Result<std::int64_t> number_of(Connection& connection, std::string_view sql) {
  std::optional<std::int64_t> found;
  auto asked = connection.ask(sql, {}, [&found](const Cells& cells) { found = cells.number(0); });
  if (!asked) return tl::unexpected(asked.error());
  if (!found) return failure("PostgreSQL: an answer without a row");
  return *found;
}

}  // namespace sesame::history::postgres
