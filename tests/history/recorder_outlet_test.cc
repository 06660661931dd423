// What becomes of rows while a store, or the spool, cannot be had. Without threads; the test owns time.
#include "history/recorder_outlet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "history_case.h"

namespace sesame::test {

using history::Loudness;
using history::Outlet;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

namespace {

// A store whose faults are ours.
struct Shelf {
  std::vector<std::int64_t> sequences;
  std::vector<std::size_t> batches;
  bool away = false, full = false, prune_fails = false;
  int opened = 0, pruned = 0;
  std::int64_t before = 0;
  std::size_t max_size = 0;
  std::size_t refuses = 0;
};

class ShelfStore final : public history::Store {
 public:
  explicit ShelfStore(Shelf& shelf) : shelf_(shelf) {}
  Result<void> write(std::span<const history::Row> rows) override {
    if (shelf_.away) return failure("the server has gone away");
    if (shelf_.full) return failure("the disk is full");
    for (const auto& row : rows)
      if (std::ranges::find(shelf_.sequences, row.sequence) == shelf_.sequences.end())
        shelf_.sequences.push_back(row.sequence);
    shelf_.batches.push_back(rows.size());
    return {};
  }
  Refused take_refused() override { return {std::exchange(shelf_.refuses, 0), "the value is too long"}; }
  Result<bool> prune(std::int64_t before, std::size_t max_size) override {
    ++shelf_.pruned;
    shelf_.before = before;
    shelf_.max_size = max_size;
    if (shelf_.prune_fails) return failure("may not delete");
    return false;
  }

 private:
  Shelf& shelf_;
};

struct Place {
  explicit Place(std::string store = "postgresql://db.example.com/sesame") {
    options.store = std::move(store);
    options.keep = std::chrono::seconds(86400);
    options.max_size = 100'000'000;
    options.spool = scratch.file("spool.sqlite");
    openers.store = [this]() -> Result<std::unique_ptr<history::Store>> {
      ++shelf.opened;
      if (shelf.away) return failure("the server cannot be reached");
      return std::make_unique<ShelfStore>(shelf);
    };
    openers.spool = [this]() -> Result<std::unique_ptr<history::Spool>> {
      if (spool_fails) return failure("the spool is on fire");
      return history::open_spool(options.spool);
    };
    begin();
  }
  void begin() { outlet = std::make_unique<Outlet>(options, openers, clock, say); }
  void take(std::int64_t first, std::int64_t count) {
    for (auto& row : rows_of(first, count)) outlet->take(std::move(row));
  }
  void work(Outlet::Haste haste = Outlet::Haste::by_the_clock) {
    for (int i = 0; i < 100; ++i) {
      outlet->work(haste);
      if (!outlet->has_more()) return;
    }
    ADD_FAILURE() << "there is always more to do";
  }
  std::uint64_t spooled() const { return outlet->standing().spooled; }

  Scratch scratch;
  HistoryClock clock;
  Shelf shelf;
  bool spool_fails = false;
  history::Options options;
  history::Openers openers;
  std::vector<std::string> said;
  history::Say say = [this](Loudness, const std::string& text) { said.push_back(text); };
  std::unique_ptr<Outlet> outlet;
};

std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> all;
  for (auto n = first; n < first + count; ++n) all.push_back(n);
  return all;
}

}  // namespace

TEST(Outlet, WritesDirectlyWhileAllIsWell) {
  Place place;
  place.take(1, 3);
  place.work();
  EXPECT_THAT(place.shelf.sequences, ElementsAre(1, 2, 3));
  EXPECT_FALSE(std::filesystem::exists(place.options.spool));
  EXPECT_EQ(place.outlet->standing().kept, 3u);
  EXPECT_THAT(place.said, IsEmpty());
}

TEST(Outlet, WritesManyInParts) {
  Place place;
  place.take(1, 1200);
  place.work();
  EXPECT_THAT(place.shelf.batches, ElementsAre(500, 500, 200));
}

TEST(Outlet, WhatTheStoreDoesNotTakeIsSpooledAndSentInOrder) {
  Place place;
  place.take(1, 2);
  place.work();
  place.shelf.away = true;
  place.take(3, 1100);
  place.work();
  EXPECT_EQ(place.spooled(), 1100u);
  EXPECT_EQ(place.outlet->waiting(), 0u);
  EXPECT_EQ(place.outlet->oldest(), row_of(3).time);
  EXPECT_THAT(place.outlet->standing().trouble, HasSubstr("gone away"));
  place.take(1103, 2);
  place.work();
  place.shelf.away = false;
  place.clock.pass(60);
  place.take(1105, 1);
  place.work();
  EXPECT_EQ(place.shelf.sequences, numbers(1, 1105));
  EXPECT_EQ(place.spooled(), 0u);
  EXPECT_EQ(place.outlet->oldest(), 0);
  EXPECT_EQ(place.outlet->standing().lost, 0u);
  EXPECT_EQ(place.outlet->standing().trouble, "");
}

TEST(Outlet, TroubleIsToldWhenItBeginsAndWhenItIsOver) {
  Place place;
  place.shelf.away = true;
  for (int i = 0; i < 20; ++i) {
    place.take(1 + i, 1);
    place.work();
    place.clock.pass(30);
  }
  EXPECT_THAT(place.said, ElementsAre("rows cannot be written, and wait: the server cannot be reached"));
  place.shelf.away = false;
  place.clock.pass(60);
  place.work();
  ASSERT_THAT(place.said, SizeIs(2));
  EXPECT_EQ(place.said[1], "rows are written again, after 660 s");
}

TEST(Outlet, AStoreThatIsAwayIsTriedLessAndLessOften) {
  Place place;
  place.shelf.away = true;
  for (int i = 0; i < 600; ++i) {
    place.work();
    place.clock.pass(1);
  }
  // At 0, 1, 3, 7, 15, 31, 63, 123, ... 543 seconds.
  EXPECT_EQ(place.shelf.opened, 15);
  place.work(Outlet::Haste::now);
  EXPECT_EQ(place.shelf.opened, 16);
}

TEST(Outlet, WhatWasSpooledInAnEarlierRunGoesFirst) {
  Place place;
  place.shelf.away = true;
  place.take(1, 700);
  place.work();
  place.shelf.away = false;
  place.begin();
  place.take(701, 10);
  place.work();
  EXPECT_EQ(place.shelf.sequences, numbers(1, 710));
}

TEST(Outlet, WithoutASpoolRowsWaitInMemory) {
  Place place;
  place.options.spool = "";
  place.begin();
  place.shelf.away = true;
  place.take(1, 5);
  place.work();
  EXPECT_EQ(place.outlet->waiting(), 5u);
  EXPECT_GT(place.outlet->octets(), 5 * story_of(1).size());
  place.shelf.away = false;
  place.clock.pass(60);
  place.work();
  EXPECT_EQ(place.shelf.sequences, numbers(1, 5));
  EXPECT_EQ(place.outlet->octets(), 0u);
}

TEST(Outlet, ASpoolThatCannotBeUsedIsToldAndHoldsNothingUp) {
  Place place;
  place.spool_fails = true;
  place.shelf.away = true;
  place.take(1, 3);
  place.work();
  EXPECT_EQ(place.outlet->waiting(), 3u);
  EXPECT_THAT(place.said,
              ElementsAre(HasSubstr("cannot be reached"), "the spool cannot be used: the spool is on fire"));
  EXPECT_THAT(place.outlet->standing().trouble, HasSubstr("on fire"));
  place.shelf.away = false;
  place.clock.pass(60);
  place.work();
  EXPECT_EQ(place.shelf.sequences, numbers(1, 3));
  place.spool_fails = false;
  place.clock.pass(60);
  place.work();
  EXPECT_EQ(place.outlet->standing().trouble, "");
  EXPECT_THAT(place.said.back(), StartsWith("the spool can be used again"));
}

TEST(Outlet, ASpoolThatHasGrownTooLargeLosesTheOldest) {
  Place place;
  place.options.max_size = 1'048'576;
  place.begin();
  place.shelf.away = true;
  for (int i = 0; i < 6; ++i) {
    place.take(1 + 500 * i, 500);
    place.work();
  }
  const auto lost = place.outlet->standing().lost;
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(place.spooled() + lost, 3000u);
  ASSERT_THAT(place.said, SizeIs(2));
  EXPECT_THAT(place.said[1], HasSubstr("messages are missing in the history: the spool has grown to its limit"));
  place.shelf.away = false;
  place.clock.pass(60);
  place.work();
  EXPECT_EQ(place.shelf.sequences,
            numbers(static_cast<std::int64_t>(lost) + 1, 3000 - static_cast<std::int64_t>(lost)));
}

TEST(Outlet, LossesAreToldNowAndThenWithTheirCount) {
  Place place;
  for (int i = 0; i < 10; ++i) {
    place.outlet->lose(7, "no room");
    place.work();
    place.clock.pass(100);
  }
  EXPECT_THAT(place.said, ElementsAre("7 messages are missing in the history: no room",
                                      "42 messages are missing in the history: no room"));
  EXPECT_EQ(place.outlet->standing().lost, 70u);
}

TEST(Outlet, WhatTheStoreRefusesIsCountedAsLost) {
  Place place;
  place.shelf.refuses = 2;
  place.take(1, 5);
  place.work();
  EXPECT_EQ(place.outlet->standing().kept, 3u);
  EXPECT_EQ(place.outlet->standing().lost, 2u);
  EXPECT_THAT(place.said, ElementsAre(HasSubstr("the store refuses them: the value is too long")));
}

TEST(Outlet, WhatIsLeftAtTheEndIsLost) {
  Place place("/nonexistent/history.sqlite");
  place.shelf.full = true;
  place.take(1, 5);
  place.work();
  place.outlet->give_up();
  EXPECT_EQ(place.outlet->standing().lost, 5u);
  EXPECT_THAT(place.said.back(), "5 messages are missing in the history: the disk is full");
}

TEST(Outlet, ForgetsByAgeEachMinuteAndBySizeAsItGrows) {
  Place place("/nonexistent/history.sqlite");
  place.work();
  EXPECT_EQ(place.shelf.pruned, 1);
  EXPECT_EQ(place.shelf.before, (kStart - 86400) * kSecond);
  EXPECT_EQ(place.shelf.max_size, 100'000'000u);
  place.clock.pass(59);
  place.take(1, 999);
  place.work();
  EXPECT_EQ(place.shelf.pruned, 1);
  place.take(1000, 1);
  place.work();
  EXPECT_EQ(place.shelf.pruned, 2);
  place.clock.pass(60);
  place.work();
  EXPECT_EQ(place.shelf.pruned, 3);
}

TEST(Outlet, ADatabaseThatHostsShareHasNoSizeOfOurs) {
  Place place;
  place.take(1, 3000);
  place.work();
  EXPECT_EQ(place.shelf.pruned, 1);
  EXPECT_EQ(place.shelf.max_size, 0u);
}

TEST(Outlet, WhatCannotBeForgottenIsToldAndHoldsNothingUp) {
  Place place;
  place.shelf.prune_fails = true;
  for (int i = 1; i <= 5; ++i) {
    place.take(i, 1);
    place.work();
    place.clock.pass(120);
  }
  EXPECT_THAT(place.said, ElementsAre("old rows cannot be forgotten: may not delete"));
  EXPECT_EQ(place.shelf.sequences, numbers(1, 5));
}

// The process ends after rows were written, and before they are removed from the spool: they are sent again.
TEST(Outlet, WhatIsSentTwiceCountsOnce) {
  Place place;
  const auto path = place.scratch.file("shared.sqlite");
  bool away = true;
  bool ends = true;
  class Ending final : public history::Store {
   public:
    Ending(std::unique_ptr<history::Store> store, bool ends) : store_(std::move(store)), ends_(ends) {}
    Result<void> write(std::span<const history::Row> rows) override {
      auto done = store_->write(rows);
      if (ends_) ::_exit(done ? 0 : 1);
      return done;
    }
    Result<bool> prune(std::int64_t, std::size_t) override { return false; }

   private:
    std::unique_ptr<history::Store> store_;
    bool ends_;
  };
  place.openers.store = [&]() -> Result<std::unique_ptr<history::Store>> {
    if (away) return failure("away");
    return std::make_unique<Ending>(*history::open_sqlite_store(path), ends);
  };
  place.begin();
  place.take(1, 600);
  place.work();
  ASSERT_EQ(place.spooled(), 600u);
  place.outlet.reset();
  away = false;
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    place.begin();
    place.work();
    ::_exit(2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(number_in(path, "SELECT count(*) FROM sesame_message"), 500);
  ends = false;
  place.begin();
  place.work();
  EXPECT_EQ(sequences_in(path), numbers(1, 600));
  EXPECT_EQ(number_in(path, "SELECT sum(messages) FROM sesame_hour"), 600);
  EXPECT_EQ(place.spooled(), 0u);
}

}  // namespace sesame::test
