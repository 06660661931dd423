#include "ses/arrivals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace sesame::ses {
namespace {

using Proof = Sighting::Proof;
using Taken = Arrivals::Taken;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'700'000'000;

Identity identity(const std::string& name, const std::string& region = "us-east-1") {
  Identity result;
  result.name = name;
  result.region = region;
  return result;
}

Sighting sighting(const std::string& selector, std::int64_t time = kNow, Proof proof = Proof::delivery) {
  Sighting result;
  result.proof = proof;
  result.arrival.time = time;
  result.arrival.selector = selector;
  result.arrival.signed_domain = selector.empty() ? "" : "example.com";
  result.arrival.mail_from_domain = proof == Proof::delivery ? "bounce.example.com" : "";
  result.arrival.dkim_aligned = !selector.empty();
  return result;
}

std::string selector(const Arrivals& arrivals, const Identity& of) {
  const auto history = arrivals.history_of(of);
  return history.arrival ? history.arrival->selector : "none";
}

TEST(Arrivals, TheNewestIsKeptForEachIdentityAndRegion) {
  Arrivals arrivals("");
  const auto here = identity("example.com"), there = identity("example.com", "eu-west-1");
  EXPECT_EQ(selector(arrivals, here), "none");
  EXPECT_EQ(arrivals.observe(here, sighting("t1"), kNow), Taken::newest);
  EXPECT_EQ(arrivals.observe(there, sighting("e1"), kNow), Taken::newest);
  EXPECT_EQ(arrivals.observe(here, sighting("t2", kNow + 5), kNow + 5), Taken::newest);
  EXPECT_EQ(selector(arrivals, here), "t2");
  EXPECT_EQ(selector(arrivals, there), "e1");
  EXPECT_EQ(selector(arrivals, identity("example.net")), "none");
  EXPECT_EQ(selector(arrivals, identity("news@example.com")), "none") << "an address has settings of its own";
}

TEST(Arrivals, WhatIsSentAgainReplacesNothingNewer) {
  Arrivals arrivals("");
  const auto mine = identity("example.com");
  arrivals.observe(mine, sighting("new", kNow), kNow);
  EXPECT_EQ(arrivals.observe(mine, sighting("old", kNow - 3600), kNow + 1), Taken::older);
  EXPECT_EQ(selector(arrivals, mine), "new");
}

TEST(Arrivals, WhatSesSignedOverADayAgoIsNotLearnedFrom) {
  Arrivals arrivals("");
  const auto mine = identity("example.com");
  EXPECT_EQ(arrivals.observe(mine, sighting("t1", kNow - Arrivals::kFresh - 1), kNow), Taken::not_learned_from);
  EXPECT_EQ(arrivals.observe(mine, sighting("t1", kNow + 301), kNow), Taken::not_learned_from);
  EXPECT_EQ(selector(arrivals, mine), "none");
  EXPECT_EQ(arrivals.observe(mine, sighting("t1", kNow - Arrivals::kFresh), kNow), Taken::newest);
}

TEST(Arrivals, AClockSetBackDoesNotFreezeWhatIsKnown) {
  Arrivals arrivals("");
  const auto mine = identity("example.com");
  arrivals.observe(mine, sighting("future", kNow + 100'000), kNow + 100'000);
  EXPECT_EQ(arrivals.observe(mine, sighting("t1", kNow), kNow), Taken::newest);
  EXPECT_EQ(selector(arrivals, mine), "t1");
}

// Anybody can take a signature out of a message and send it on.
TEST(Arrivals, AMissingSignatureIsBelievedOnlyOfWhatSesDelivered) {
  Arrivals arrivals("");
  const auto mine = identity("example.com");
  arrivals.observe(mine, sighting("t1", kNow), kNow);
  EXPECT_EQ(arrivals.observe(mine, sighting("", kNow + 1, Proof::signature), kNow + 1), Taken::not_learned_from);
  EXPECT_EQ(arrivals.observe(mine, sighting("t9", kNow + 1, Proof::none), kNow + 1), Taken::not_learned_from);
  EXPECT_EQ(selector(arrivals, mine), "t1");
  EXPECT_EQ(arrivals.observe(mine, sighting("t2", kNow + 2, Proof::signature), kNow + 2), Taken::newest);
  EXPECT_EQ(arrivals.observe(mine, sighting("", kNow + 3, Proof::delivery), kNow + 3), Taken::newest);
  EXPECT_EQ(selector(arrivals, mine), "");
}

TEST(Arrivals, CopiesSentOnDoNotHideTheEnvelopeThatSesWrote) {
  Arrivals arrivals("");
  const auto mine = identity("example.com");
  const auto envelope = [&] { return arrivals.history_of(mine).arrival->mail_from_domain; };
  const auto copy = [](const char* of, std::int64_t time) { return sighting(of, time, Proof::signature); };
  arrivals.observe(mine, sighting("t1", kNow), kNow);
  EXPECT_EQ(arrivals.observe(mine, copy("t1", kNow), kNow + 1), Taken::older);
  EXPECT_EQ(arrivals.observe(mine, copy("t1", kNow + 9), kNow + 9), Taken::older);
  EXPECT_EQ(envelope(), "bounce.example.com");
  EXPECT_EQ(arrivals.observe(mine, copy("t2", kNow + 10), kNow + 10), Taken::newest) << "another selector is news";
  EXPECT_EQ(envelope(), "");
  arrivals.observe(mine, sighting("t2", kNow + 11), kNow + 11);
  const auto later = kNow + 12 + Arrivals::kFresh;
  EXPECT_EQ(arrivals.observe(mine, copy("t2", later), later), Taken::newest) << "what is known is old";
}

TEST(Arrivals, MessagesAreCounted) {
  Arrivals arrivals("");
  const auto mine = identity("example.com");
  auto broken = sighting("", kNow + 1);
  broken.arrival.broken_domain = "example.com";
  broken.arrival.spf_aligned = true;
  arrivals.observe(mine, sighting("t1"), kNow);
  arrivals.observe(mine, broken, kNow + 1);
  const auto counts = arrivals.history_of(mine).arrivals;
  EXPECT_EQ(counts.seen, 2u);
  EXPECT_EQ(counts.dkim_aligned, 1u);
  EXPECT_EQ(counts.spf_aligned, 1u);
  EXPECT_EQ(counts.broken, 1u);
}

TEST(Arrivals, OfTooManyTheLeastRecentlySeenGoes) {
  Arrivals arrivals("", 2);
  const auto a = identity("a.example"), b = identity("b.example"), c = identity("c.example");
  arrivals.observe(a, sighting("a"), kNow);
  arrivals.observe(b, sighting("b"), kNow + 1);
  arrivals.observe(a, sighting("a"), kNow + 2);
  arrivals.observe(c, sighting("c"), kNow + 3);
  EXPECT_EQ(selector(arrivals, a), "a");
  EXPECT_EQ(selector(arrivals, b), "none");
  EXPECT_EQ(selector(arrivals, c), "c");
}

TEST(Arrivals, ManyThreadsMayTellAndAsk) {
  Arrivals arrivals("");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) {
        arrivals.observe(identity("example.com"), sighting("t1", kNow + n), kNow + n);
        selector(arrivals, identity("example.com"));
      }
    });
  threads.clear();
  EXPECT_EQ(arrivals.history_of(identity("example.com")).arrivals.seen, 2000u);
}

class ArrivalsFile : public testing::Test {
 protected:
  ArrivalsFile() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  ~ArrivalsFile() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) const { std::ofstream(path_) << text; }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path_).rdbuf();
    return out.str();
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("sesame-arrivals-" + std::to_string(::getpid()));
  const std::string path_ = folder_ / "arrivals.json";
};

TEST_F(ArrivalsFile, EverythingComesBack) {
  Arrivals first(path_);
  ASSERT_TRUE(first.load()) << "no file is no error";
  auto mine = identity("example.com");
  mine.account = "main";
  auto seen = sighting("t1", kNow - 7);
  seen.arrival.broken_domain = "example.com";
  seen.arrival.broken_reason = "body hash differs";
  seen.arrival.spf_aligned = true;
  seen.arrival.region = "us-east-1";
  first.observe(mine, seen, kNow);
  ASSERT_TRUE(first.save());
  Arrivals second(path_);
  ASSERT_TRUE(second.load());
  const auto history = second.history_of(mine);
  ASSERT_TRUE(history.arrival);
  EXPECT_EQ(history.arrival->time, kNow - 7);
  EXPECT_EQ(history.arrival->signed_domain, "example.com");
  EXPECT_EQ(history.arrival->selector, "t1");
  EXPECT_EQ(history.arrival->broken_domain, "example.com");
  EXPECT_EQ(history.arrival->broken_reason, "body hash differs");
  EXPECT_EQ(history.arrival->mail_from_domain, "bounce.example.com");
  EXPECT_TRUE(history.arrival->dkim_aligned);
  EXPECT_TRUE(history.arrival->spf_aligned);
  EXPECT_EQ(history.arrival->region, "us-east-1");
  EXPECT_EQ(history.arrivals.seen, 1u);
  EXPECT_EQ(history.arrivals.broken, 1u);
  EXPECT_FALSE(second.history_of(identity("example.com")).arrival) << "another account";
}

TEST_F(ArrivalsFile, OnlyWhatChangedIsWrittenAndNoOtherFileIsLeft) {
  Arrivals arrivals(path_);
  ASSERT_TRUE(arrivals.save());
  EXPECT_FALSE(std::filesystem::exists(path_));
  arrivals.observe(identity("example.com"), sighting("t1"), kNow);
  ASSERT_TRUE(arrivals.save());
  EXPECT_THAT(text(), HasSubstr("\"t1\""));
  write("mine");
  ASSERT_TRUE(arrivals.save());
  EXPECT_EQ(text(), "mine");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(ArrivalsFile, AFileThatCannotBeReadIsToldAndChangesNothing) {
  const char* cases[] = {"",
                         "{",
                         "[]",
                         R"({"version": 2, "arrivals": []})",
                         R"({"version": 1})",
                         R"({"version": 1, "arrivals": [7]})",
                         R"({"version": 1, "arrivals": [{"identity": "example.com", "newest": {}}]})",
                         R"({"version": 1, "arrivals": [{"identity": "example.com", "newest": {"time": "soon"}}]})"};
  Arrivals arrivals(path_);
  arrivals.observe(identity("example.com"), sighting("t1"), kNow);
  for (const char* each : cases) {
    write(each);
    const auto loaded = arrivals.load();
    ASSERT_FALSE(loaded) << each;
    EXPECT_THAT(loaded.error().message, HasSubstr(path_));
    EXPECT_EQ(selector(arrivals, identity("example.com")), "t1") << each;
  }
}

TEST_F(ArrivalsFile, ADirectoryOrAnOversizedFileIsAnErrorAndNoCrash) {
  EXPECT_FALSE(Arrivals(folder_).load());
  write(std::string((16u << 20) + 1, ' '));
  EXPECT_FALSE(Arrivals(path_).load());
}

TEST_F(ArrivalsFile, MoreEntriesThanAreKeptAreNotRead) {
  {
    Arrivals many(path_);
    for (const char* name : {"a.example", "b.example", "c.example"}) many.observe(identity(name), sighting("t"), kNow);
    ASSERT_TRUE(many.save());
  }
  Arrivals few(path_, 2);
  ASSERT_TRUE(few.load());
  EXPECT_EQ(selector(few, identity("b.example")), "t");
  EXPECT_EQ(selector(few, identity("c.example")), "none");
}

TEST_F(ArrivalsFile, WhereItCannotBeWrittenItIsKeptInMemory) {
  Arrivals arrivals(folder_ / "absent" / "arrivals.json");
  ASSERT_TRUE(arrivals.load());
  arrivals.observe(identity("example.com"), sighting("t1"), kNow);
  EXPECT_FALSE(arrivals.save());
  EXPECT_EQ(selector(arrivals, identity("example.com")), "t1");
  std::filesystem::create_directory(folder_ / "absent");
  EXPECT_TRUE(arrivals.save()) << "what could not be written is written later";
  EXPECT_TRUE(std::filesystem::exists(folder_ / "absent" / "arrivals.json"));
}

}  // namespace
}  // namespace sesame::ses
