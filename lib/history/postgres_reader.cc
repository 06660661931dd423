// Questions asked of the database that hosts share.
#include "history/postgres_connection.h"
#include "history/postgres_tables.h"
#include "history/store.h"

namespace sesame::history {
namespace {

using postgres::Connection;

class PostgresReader final : public Reader {
 public:
  explicit PostgresReader(std::string url) : url_(std::move(url)) {}

  Result<void> connect() {
    if (connection_ && !connection_->is_broken()) return {};
    connection_.reset();
    auto opened = Connection::open(url_, Connection::Use::read);
    if (!opened) return tl::unexpected(opened.error());
    if (auto checked = postgres::check_tables(**opened); !checked) return checked;
    connection_ = *std::move(opened);
    return {};
  }

  Result<void> ask(std::string_view sql, const std::vector<Parameter>& parameters,
                   const std::function<void(const Cells&)>& row) override {
    // One that was idle may have ended without a word.
    const bool old = connection_ != nullptr;
    bool given = false;
    const auto give = [&](const Cells& cells) {
      given = true;
      row(cells);
    };
    if (auto connected = connect(); !connected) return connected;
    auto done = connection_->ask(sql, parameters, give);
    if (done || !old || given || !connection_->is_broken()) return done;
    if (auto connected = connect(); !connected) return connected;
    return connection_->ask(sql, parameters, row);
  }

 private:
  const std::string url_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

Result<std::unique_ptr<Reader>> open_postgres_reader(const std::string& url) {
  auto reader = std::make_unique<PostgresReader>(url);
  if (auto connected = reader->connect(); !connected) return tl::unexpected(connected.error());
  return reader;
}

}  // namespace sesame::history
