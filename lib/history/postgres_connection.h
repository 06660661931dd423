// PostgreSQL behind an object that cleans up after itself and waits for nobody for ever. Inside this folder only; what
// includes libpq-fe.h has a name that begins with postgres.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "history/reader.h"
#include "util/result.h"

struct pg_conn;
struct pg_result;

namespace sesame::history::postgres {

// For one thread at a time. An error tells nothing of a password, and nothing of what a row holds.
class Connection {
 public:
  enum class Use { write, read };
  // Waits for the server at most ten seconds, which the hosts that the URL names share, unless the URL says otherwise.
  static Result<std::unique_ptr<Connection>> open(const std::string& url, Use use);
  ~Connection();

  // Statements without parameters and without an answer.
  Result<void> run(const char* statements);
  // One statement; its parameters are $1, $2, ... Each row is given to `row` as it comes.
  Result<void> ask(std::string_view sql, const std::vector<Parameter>& parameters,
                   const std::function<void(const Cells&)>& row);
  // COPY ... FROM STDIN in PostgreSQL's text format.
  Result<void> copy(const char* statement, std::string_view data);

  // The last error was about values, which the server would refuse again: another row may be none the worse.
  bool refused_values() const;
  // Nothing more can be asked.
  bool is_broken() const;

 private:
  Connection() = default;
  Result<void> configure(Use use);
  // Sends what waits to be sent and waits for an answer.
  Result<void> wait(short events);
  Result<void> flush();
  struct Clear {
    void operator()(pg_result* answer) const;
  };
  using Answer = std::unique_ptr<pg_result, Clear>;
  Result<Answer> next();                                              // null: there are no more
  Result<void> finish(const std::function<void(const Cells&)>& row);  // all answers that are still to come
  tl::unexpected<Error> broken(const std::string& why);               // of the connection
  tl::unexpected<Error> refused(const pg_result* answer);             // of a statement
  std::string reason() const;

  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, Finish> connection_;
  std::string password_;
  std::string state_;  // SQLSTATE of the last error; "" of the connection's own
  std::chrono::seconds patience_{};
  bool broken_ = false;
};

// One number. An error also when there is no row.
Result<std::int64_t> number_of(Connection& connection, std::string_view sql);

}  // namespace sesame::history::postgres
