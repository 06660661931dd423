// Advisory locks of a session, and one row of sesame_meta.
#include "history/fleet.h"
#include "history/postgres_connection.h"
#include "history/postgres_tables.h"

namespace sesame::history {
namespace {

using postgres::Connection;

class PostgresFleet final : public Fleet {
 public:
  explicit PostgresFleet(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Result<bool> hold() override {
    // While the session lives, so does its lock.
    const auto answer =
        postgres::number_of(*connection_, held_ ? "SELECT 1" : "SELECT pg_try_advisory_lock(1399157601, 3)");
    if (!answer) return tl::unexpected(answer.error());
    held_ = *answer != 0;
    return held_;
  }

  Result<void> publish(const std::string& text) override {
    return connection_->ask(
        "INSERT INTO sesame_meta (name, value) VALUES ('watch', $1) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        {text}, nullptr);
  }

  Result<std::string> read() override {
    std::string text;
    auto asked = connection_->ask("SELECT value FROM sesame_meta WHERE name = 'watch'", {},
                                  [&text](const Cells& cells) { text = cells.text(0); });
    if (!asked) return tl::unexpected(asked.error());
    return text;
  }

 private:
  const std::unique_ptr<Connection> connection_;
  bool held_ = false;
};

}  // namespace

Result<std::unique_ptr<Fleet>> join_fleet(const std::string& url) {
  auto opened = Connection::open(url, Connection::Use::write);
  if (!opened) return tl::unexpected(opened.error());
  if (auto made = postgres::make_tables(**opened); !made) return tl::unexpected(made.error());
  return std::make_unique<PostgresFleet>(*std::move(opened));
}

}  // namespace sesame::history
