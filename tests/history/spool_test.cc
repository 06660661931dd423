// What waits on this host's disk for a store that is away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "history_case.h"

namespace sesame::test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

struct Spooled {
  Scratch scratch;
  std::string path = scratch.file("spool.sqlite");
  std::unique_ptr<history::Spool> spool;

  Spooled() { open(); }
  void open() {
    spool.reset();
    auto opened = history::open_spool(path);
    expect_done(opened);
    if (opened) spool = std::move(*opened);
  }
  std::vector<std::int64_t> oldest(std::size_t most) {
    const auto rows = spool->oldest(most);
    expect_done(rows);
    std::vector<std::int64_t> sequences;
    for (const auto& row : *rows) sequences.push_back(row.sequence);
    return sequences;
  }
};

}  // namespace

TEST(Spool, GivesWhatItWasGivenInOrder) {
  Spooled spooled;
  // The order in which they came, whatever their times and numbers.
  expect_done(spooled.spool->add(rows_of(5, 2)));
  expect_done(spooled.spool->add(rows_of(1, 3)));
  EXPECT_THAT(spooled.oldest(10), ElementsAre(5, 6, 1, 2, 3));
  EXPECT_THAT(spooled.oldest(2), ElementsAre(5, 6));
  expect_done(spooled.spool->remove(*spooled.spool->oldest(3)));
  EXPECT_THAT(spooled.oldest(10), ElementsAre(2, 3));
  EXPECT_EQ(*spooled.spool->size(), 2u);
}

TEST(Spool, KeepsEveryColumn) {
  Spooled spooled;
  auto row = row_of(1);
  row.alignment = history::Alignment::spf;
  row.disposition = "reject";
  row.forwarder = "lists.example.org";
  row.code = "key-missing";
  expect_done(spooled.spool->add({&row, 1}));
  const auto back = spooled.spool->oldest(1)->front();
  const auto all = [](const history::Row& r) {
    return std::tie(r.origin, r.sequence, r.time, r.host, r.queue_id, r.direction, r.from_domain, r.mail_from,
                    r.message_id, r.client, r.verdict, r.alignment, r.disposition, r.forwarder, r.action, r.code,
                    r.codes, r.account, r.region, r.identity, r.why, r.waited_us, r.took_us, r.story);
  };
  EXPECT_EQ(all(back), all(row));
}

TEST(Spool, OutlivesTheProcess) {
  Spooled spooled;
  expect_done(spooled.spool->add(rows_of(1, 3)));
  spooled.open();
  EXPECT_THAT(spooled.oldest(10), ElementsAre(1, 2, 3));
}

TEST(Spool, TheSameRowsAreThereOnce) {
  Spooled spooled;
  expect_done(spooled.spool->add(rows_of(1, 3)));
  expect_done(spooled.spool->add(rows_of(1, 4)));
  EXPECT_THAT(spooled.oldest(10), ElementsAre(1, 2, 3, 4));
}

TEST(Spool, BeyondItsSizeTheOldestGo) {
  Spooled spooled;
  for (int i = 0; i < 4; ++i) expect_done(spooled.spool->add(rows_of(1 + 1000 * i, 1000)));
  EXPECT_EQ(*spooled.spool->shrink(1'000'000'000), 0u);
  const auto gone = *spooled.spool->shrink(2'000'000);
  EXPECT_GT(gone, 0u);
  EXPECT_LT(gone, 4000u);
  EXPECT_EQ(*spooled.spool->size(), 4000 - gone);
  EXPECT_THAT(spooled.oldest(1), ElementsAre(static_cast<std::int64_t>(gone) + 1));
}

TEST(Spool, AnEmptyOneIsSmallAgain) {
  Spooled spooled;
  expect_done(spooled.spool->add(rows_of(1, 2000)));
  while (*spooled.spool->size() > 0) expect_done(spooled.spool->remove(*spooled.spool->oldest(500)));
  spooled.open();
  spooled.spool.reset();
  EXPECT_LT(std::filesystem::file_size(spooled.path), 100'000u);
}

TEST(Spool, ARemovedFileIsBegunAnew) {
  Spooled spooled;
  expect_done(spooled.spool->add(rows_of(1, 3)));
  std::filesystem::remove(spooled.path);
  EXPECT_THAT(spooled.oldest(10), IsEmpty());
  expect_done(spooled.spool->add(rows_of(4, 1)));
  EXPECT_THAT(spooled.oldest(10), ElementsAre(4));
}

TEST(Spool, AHistoryIsNoSpool) {
  Kept kept;
  kept.write({row_of(1)});
  const auto opened = history::open_spool(kept.path);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("is not a spool, but a database of another program"));
}

}  // namespace sesame::test
