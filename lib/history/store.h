// Where rows are kept: SQLite or PostgreSQL behind one interface. Inside this folder only; tests use it, too.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "history/history.h"
#include "history/reader.h"
#include "sqlite/patience.h"
#include "util/result.h"

namespace sesame::history {

// For one thread at a time. Throws nothing.
class Store {
 public:
  virtual ~Store() = default;
  // All of them in one transaction, or none. Rows that are there already (origin and sequence) are not written again,
  // and not counted again.
  virtual Result<void> write(std::span<const Row> rows) = 0;
  // What write() left out since the last call, because the store would never take it: it must not hold up the rest.
  struct Refused {
    std::size_t rows = 0;
    std::string why;  // of the last one
  };
  virtual Refused take_refused() { return {}; }
  // Forgets rows from before `before` (microseconds), and the oldest ones beyond `max_size` octets (0 = any size). A
  // part of them only where there are many, so that nobody is kept waiting for long: true when there is more to forget.
  virtual Result<bool> prune(std::int64_t before, std::size_t max_size) = 0;
};

// Makes the file and its tables where they are not there; and begins anew when the file is moved or removed meanwhile.
Result<std::unique_ptr<Store>> open_sqlite_store(
    const std::string& path, std::shared_ptr<const sqlite::Patience> patience = std::make_shared<sqlite::Patience>());
// `url` is libpq's; makes the tables where they are not there. Waits for the server at most ten seconds.
Result<std::unique_ptr<Store>> open_postgres_store(const std::string& url);

// What waits for a store that is away, in an SQLite file, in the order in which it came.
class Spool {
 public:
  virtual ~Spool() = default;
  virtual Result<void> add(std::span<const Row> rows) = 0;
  virtual Result<std::vector<Row>> oldest(std::size_t most) = 0;
  // Forgets these, which oldest() gave.
  virtual Result<void> remove(std::span<const Row> rows) = 0;
  virtual Result<std::uint64_t> size() = 0;                        // rows
  virtual Result<std::uint64_t> shrink(std::size_t max_size) = 0;  // the oldest go; how many
};
Result<std::unique_ptr<Spool>> open_spool(
    const std::string& path, std::shared_ptr<const sqlite::Patience> patience = std::make_shared<sqlite::Patience>());

// What open_reader() gives, for either kind.
Result<std::unique_ptr<Reader>> open_sqlite_reader(const std::string& path);
Result<std::unique_ptr<Reader>> open_postgres_reader(const std::string& url);

}  // namespace sesame::history
