// The questions, asked of PostgreSQL.
#include "history/questions_case.h"
#include "server.h"

namespace sesame::test {

class PostgresBackend {
 public:
  PostgresBackend() {
    const auto url = history::tests::url_of(history::tests::new_database());
    store_ = value_of(history::open_postgres_store(url));
    reader_ = value_of(history::open_reader(url));
  }
  history::Store& store() { return *store_; }
  history::Reader& reader() { return *reader_; }

 private:
  std::unique_ptr<history::Store> store_;
  std::unique_ptr<history::Reader> reader_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, Questions, PostgresBackend);

}  // namespace sesame::test
