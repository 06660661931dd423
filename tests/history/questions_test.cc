// The questions, asked of SQLite.
#include "history_case.h"
#include "questions_case.h"

namespace sesame::test {

class SqliteBackend {
 public:
  SqliteBackend() {
    auto opened = history::open_reader(kept_.path);
    expect_done(opened);
    if (opened) reader_ = *std::move(opened);
  }
  history::Store& store() { return *kept_.store; }
  history::Reader& reader() { return *reader_; }

 private:
  Kept kept_;
  std::unique_ptr<history::Reader> reader_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, Questions, SqliteBackend);

}  // namespace sesame::test
