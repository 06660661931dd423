// What the memory of the watch keeps, and what it says when it cannot.
#include "watch/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "remembered.h"
#include "sqlite/sqlite.h"

namespace sesame::test {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using watch::Memory;
using watch::Quality;
using watch::State;
using Access = watch::Memory::Access;

namespace {

std::vector<watch::Run> runs_of(Remembered& memory, const std::string& domain = "example.com", std::int64_t since = 0) {
  auto runs = memory->runs(domain, since);
  EXPECT_TRUE(runs) << (runs ? "" : runs.error().message);
  return runs.value_or(std::vector<watch::Run>{});
}

void take(Remembered& memory, const watch::Look& look, const std::vector<watch::RecordState>& states = {},
          const std::vector<watch::Change>& changes = {}) {
  const auto done = memory->record(look, states, changes);
  ASSERT_TRUE(done) << done.error().message;
}

// An SQLite file as its header has it: offsets 60 (user_version) and 68 (application_id), big-endian.
void overwrite(const std::string& path, std::streamoff offset, std::string_view bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offset);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string error_of(const std::string& path, Access access) {
  const auto opened = Memory::open(path, access);
  return opened ? "" : opened.error().message;
}

watch::RecordState full_state() {
  auto state = state_of(State::missing, kStart + 60);
  state.checked = kStart + 120;
  state.code = "dkim-cname-missing";
  state.reason = "ns2.example.com (192.0.2.53) says NXDOMAIN";
  state.good_looks = 3;
  state.first_bad = kStart + 1;
  state.last_bad = kStart + 2;
  state.missing_since = kStart + 3;
  state.missing_until = kStart + 4;
  state.earlier = {kStart - 2, kStart - 1};
  state.faults.push_back(
      {"ns2.example.com (192.0.2.53)", kKeyName, dns::Type::cname, "NXDOMAIN", "TCP", kStart + 5, kStart + 6, 7});
  return state;
}

void expect_equal(const watch::RecordState& a, const watch::RecordState& b) {
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.since, b.since);
  EXPECT_EQ(a.checked, b.checked);
  EXPECT_EQ(a.code, b.code);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.good_looks, b.good_looks);
  EXPECT_EQ(a.first_bad, b.first_bad);
  EXPECT_EQ(a.last_bad, b.last_bad);
  EXPECT_EQ(a.missing_since, b.missing_since);
  EXPECT_EQ(a.missing_until, b.missing_until);
  ASSERT_EQ(a.earlier.has_value(), b.earlier.has_value());
  if (a.earlier) {
    EXPECT_EQ(std::pair(a.earlier->since, a.earlier->until), std::pair(b.earlier->since, b.earlier->until));
  }
  ASSERT_EQ(a.faults.size(), b.faults.size());
  for (std::size_t i = 0; i < a.faults.size(); ++i) {
    const auto &x = a.faults[i], &y = b.faults[i];
    EXPECT_EQ(std::tie(x.server, x.name, x.type, x.answer, x.transport, x.first, x.last, x.count),
              std::tie(y.server, y.name, y.type, y.answer, y.transport, y.first, y.last, y.count));
  }
}

}  // namespace

TEST(Runs, EqualAnswersInARowAreOne) {
  Remembered memory;
  for (int i = 0; i < 5; ++i)
    take(memory, look_at(kStart + i * 600, {{kFirst, Quality::good, "a key", dns::Transport::udp,
                                             std::chrono::milliseconds(i == 2 ? 90 : 5)}}));
  const auto runs = runs_of(memory);
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0].key, key_of());
  EXPECT_EQ(runs[0].first, kStart);
  EXPECT_EQ(runs[0].observation.time, kStart + 2400);
  EXPECT_EQ(runs[0].count, 5u);
  EXPECT_EQ(runs[0].slowest, std::chrono::milliseconds(90));
  EXPECT_EQ(runs[0].observation.latency, std::chrono::milliseconds(5));
  EXPECT_EQ(runs[0].observation.name, kKeyName);
  EXPECT_EQ(runs[0].observation.type, dns::Type::txt);
  EXPECT_EQ(runs[0].observation.server, kFirst.name);
  EXPECT_EQ(runs[0].observation.address, kFirst.address);
  EXPECT_EQ(runs[0].observation.ttl, 300u);
}

TEST(Runs, AnotherAnswerBeginsAnother) {
  Remembered memory;
  const Said good{kSecond}, bad{kSecond, Quality::failing, "SERVFAIL"};
  std::int64_t time = kStart;
  for (const auto& said : {good, good, bad, bad, bad, good}) take(memory, look_at(time += 600, {said}));
  const auto runs = runs_of(memory);
  ASSERT_THAT(runs, SizeIs(3));
  EXPECT_EQ(runs[0].count, 2u);
  EXPECT_EQ(runs[1].count, 3u);
  EXPECT_EQ(runs[1].observation.quality, Quality::failing);
  EXPECT_EQ(runs[1].observation.answer, "SERVFAIL");
  EXPECT_EQ(runs[2].count, 1u);
}

TEST(Runs, AreApartByServerAndTransport) {
  Remembered memory;
  for (int i = 0; i < 3; ++i)
    take(memory,
         look_at(
             kStart + i,
             {{kFirst}, {kFirst, Quality::good, "a key of 2048 bits", dns::Transport::tcp}, {kSecond}, {kResolver}}));
  const auto runs = runs_of(memory);
  ASSERT_THAT(runs, SizeIs(4));
  for (const auto& run : runs) EXPECT_EQ(run.count, 3u);
}

TEST(Runs, TwoAnswersInOneLookAreTwoThatGoOn) {
  Remembered memory;
  for (int i = 0; i < 3; ++i)
    take(memory, look_at(kStart + i, {{kResolver}, {kResolver, Quality::failing, "SERVFAIL"}}));
  EXPECT_THAT(runs_of(memory), SizeIs(2));
}

TEST(Runs, GoOnAfterARestart) {
  Remembered memory;
  take(memory, look_at(kStart, {{kFirst}}));
  memory.close();
  auto again = Memory::open(memory.path(), Access::read_write);
  ASSERT_TRUE(again) << again.error().message;
  ASSERT_TRUE((*again)->record(look_at(kStart + 600, {{kFirst}}), {}, {}));
  const auto runs = (*again)->runs("example.com", 0);
  ASSERT_TRUE(runs);
  ASSERT_THAT(*runs, SizeIs(1));
  EXPECT_EQ(runs->front().count, 2u);
}

TEST(Runs, AreOfTheDomainAndSince) {
  Remembered memory;
  const auto address = subject_of("user@example.com"), other = subject_of("example.org");
  take(memory, look_at(kStart, {{kFirst}}));
  take(memory, look_at(kStart + 1, {{kFirst}}, address));
  take(memory, look_at(kStart + 2, {{kFirst}}, other));
  EXPECT_THAT(runs_of(memory, "example.com"), SizeIs(2));
  EXPECT_THAT(runs_of(memory, "user@example.com"), SizeIs(1));
  EXPECT_THAT(runs_of(memory, "example.org"), SizeIs(1));
  EXPECT_THAT(runs_of(memory, "example.net"), IsEmpty());
  EXPECT_THAT(runs_of(memory, ""), SizeIs(3));
  EXPECT_THAT(runs_of(memory, "example.com", kStart + 1), SizeIs(1));
}

TEST(Runs, HoldNothingAgainstServersThatCouldNotBeAsked) {
  Remembered memory;
  take(memory, look_at(kStart, {{kFirst}, {kResolver}}));
  auto silent =
      look_at(kStart + 600, {{kFirst, Quality::failing, "no answer"}, {kResolver, Quality::failing, "no answer"}});
  silent.nothing_answers = true;
  take(memory, silent);
  silent.time += 600;
  take(memory, silent);
  auto blocked = look_at(kStart + 1800, {{kFirst, Quality::failing, "no answer"}, {kResolver}});
  blocked.servers_unreachable = true;
  take(memory, blocked);
  take(memory, look_at(kStart + 2400, {{kFirst}, {kResolver}}));

  const auto runs = runs_of(memory);
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].count, 2u);  // the name server
  EXPECT_EQ(runs[1].count, 3u);  // the resolver, which did answer when the way to the others was blocked
  const auto blind = memory->blindnesses("example.com", 0);
  ASSERT_TRUE(blind);
  ASSERT_THAT(*blind, SizeIs(2));
  EXPECT_EQ((*blind)[0].kind, watch::Blindness::Kind::nothing_answers);
  EXPECT_EQ((*blind)[0].count, 2u);
  EXPECT_EQ((*blind)[0].first, kStart + 600);
  EXPECT_EQ((*blind)[0].last, kStart + 1200);
  EXPECT_EQ((*blind)[1].kind, watch::Blindness::Kind::servers_unreachable);
}

TEST(States, LoseNothing) {
  Remembered memory;
  const auto state = full_state();
  take(memory, look_at(kStart, {}), {state});
  const auto found = memory->states();
  ASSERT_TRUE(found);
  ASSERT_THAT(*found, SizeIs(1));
  expect_equal(found->front(), state);
}

TEST(States, WithoutTimesHaveNone) {
  Remembered memory;
  take(memory, look_at(kStart, {}), {state_of(State::healthy, kStart)});
  const auto found = memory->states();
  ASSERT_TRUE(found);
  ASSERT_THAT(*found, SizeIs(1));
  expect_equal(found->front(), state_of(State::healthy, kStart));
}

TEST(States, AreReplacedByTheNextLookAtTheSubject) {
  Remembered memory;
  const auto other = subject_of("example.org");
  take(memory, look_at(kStart, {}), {full_state()});
  take(memory, look_at(kStart, {}, other), {state_of(State::degraded, kStart, other)});
  take(memory, look_at(kStart + 1, {}), {state_of(State::healthy, kStart + 1)});
  const auto found = memory->states();
  ASSERT_TRUE(found);
  ASSERT_THAT(*found, SizeIs(2));
  EXPECT_EQ((*found)[0].state, State::healthy);
  EXPECT_EQ((*found)[1].state, State::degraded);
}

TEST(States, AreForgottenByName) {
  Remembered memory;
  take(memory, look_at(kStart, {}), {full_state()});
  const auto other = subject_of("example.org");
  take(memory, look_at(kStart, {}, other), {state_of(State::degraded, kStart, other)});
  ASSERT_TRUE(memory->forget_states(std::vector{key_of()}));
  const auto found = memory->states();
  ASSERT_TRUE(found);
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_EQ(found->front().key.identity, "example.org");
}

TEST(Events, TellOfEachChange) {
  Remembered memory;
  const auto healthy = state_of(State::healthy, kStart), missing = full_state();
  take(memory, look_at(kStart + 60, {}), {missing}, {{healthy, missing}});
  const auto events = memory->events("example.com", 0);
  ASSERT_TRUE(events);
  ASSERT_THAT(*events, SizeIs(1));
  const auto& event = events->front();
  EXPECT_EQ(event.time, kStart + 60);
  EXPECT_EQ(event.key, key_of());
  EXPECT_EQ(event.from, State::healthy);
  EXPECT_EQ(event.to, State::missing);
  EXPECT_EQ(event.code, "dkim-cname-missing");
  EXPECT_THAT(event.reason, HasSubstr("192.0.2.53"));
}

TEST(Notices, AreKeptWhole) {
  Remembered memory;
  watch::Notice notice;
  notice.time = kStart;
  notice.account = "main";
  notice.identity = "user@example.com";
  notice.region = "us-east-1";
  notice.changes.push_back({state_of(State::healthy, kStart), full_state()});
  notice.deadline = watch::Deadline{watch::Deadline::Kind::revocation, kStart + 1, kStart + 2};
  notice.title = "DKIM of example.com is missing";
  notice.text = "Two\nlines \"quoted\"\n";
  ASSERT_TRUE(memory->record(notice));
  const auto found = memory->notices("example.com", 0);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(1));
  const auto& same = found->front();
  EXPECT_EQ(watch::to_json(same), watch::to_json(notice));
  EXPECT_EQ(same.text, notice.text);
  ASSERT_THAT(same.changes, SizeIs(1));
  expect_equal(same.changes[0].after, full_state());
  expect_equal(same.changes[0].before, state_of(State::healthy, kStart));
  ASSERT_TRUE(same.deadline);
  EXPECT_EQ(same.deadline->latest, kStart + 2);
}

TEST(Notices, OfNoIdentityConcernAllButThoseADigestDoesNotName) {
  Remembered memory;
  watch::Notice silence;
  silence.kind = watch::Notice::Kind::silence;
  ASSERT_TRUE(memory->record(silence));
  watch::Notice digest;
  digest.kind = watch::Notice::Kind::digest;
  digest.identities = 40;
  digest.changes.push_back({full_state(), full_state()});
  ASSERT_TRUE(memory->record(digest));
  const auto count = [&memory](const std::string& domain) { return memory->notices(domain, 0).value().size(); };
  EXPECT_EQ(count("example.com"), 2u);
  EXPECT_EQ(count("example.org"), 1u);
  EXPECT_EQ(count(""), 2u);
}

TEST(Silences, AnAcknowledgementEndsWhenAllIsHealthyAgain) {
  Remembered memory;
  const watch::Silence acknowledged{"main", "example.com", "us-east-1", watch::Silence::Kind::acknowledged, kStart, 0};
  const watch::Silence silenced{"main", "example.com", "us-east-1", watch::Silence::Kind::silenced, kStart, kStart + 9};
  ASSERT_TRUE(memory->record(acknowledged));
  ASSERT_TRUE(memory->record(silenced));
  take(memory, look_at(kStart + 1, {}), {state_of(State::degraded, kStart)});
  EXPECT_THAT(memory->silences().value(), SizeIs(2));
  take(memory, look_at(kStart + 2, {}), {state_of(State::healthy, kStart + 2)});
  const auto left = memory->silences().value();
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].kind, watch::Silence::Kind::silenced);
  EXPECT_EQ(left[0].until, kStart + 9);
  EXPECT_THAT(memory->silences("example.com", 0).value(), SizeIs(2));
}

TEST(Silences, ANewOneReplacesTheOld) {
  Remembered memory;
  watch::Silence silence{"main", "example.com", "us-east-1", watch::Silence::Kind::silenced, kStart, kStart + 9};
  ASSERT_TRUE(memory->record(silence));
  silence.made = silence.until = kStart + 3;
  ASSERT_TRUE(memory->record(silence));
  const auto left = memory->silences().value();
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].until, kStart + 3);
}

// Also where no watch has taken it over yet, and only of whom it is said.
TEST(Confirmations, AreStruckOutOfTheStates) {
  Remembered memory;
  const auto other = subject_of("example.org");
  for (const auto& subject : {subject_of(), other}) {
    auto state = state_of(State::recovering, kStart + 60, subject);
    state.first_bad = state.missing_since = kStart;
    state.last_bad = state.missing_until = kStart + 50;
    state.faults.push_back({"ns2.example.com (192.0.2.53)", kKeyName, dns::Type::cname, "NXDOMAIN", "TCP"});
    take(memory, look_at(kStart + 60, {}, subject), {state});
  }
  const auto kept = [&] { return memory->states().value_or(std::vector<watch::RecordState>{}); };
  using Kind = watch::Silence::Kind;
  // Before the end of the fault, and of another account.
  ASSERT_TRUE(memory->record(watch::Silence{"main", "example.com", "us-east-1", Kind::confirmed, kStart + 49, 0}));
  ASSERT_TRUE(memory->record(watch::Silence{"second", "example.com", "us-east-1", Kind::confirmed, kStart + 90, 0}));
  ASSERT_THAT(kept(), SizeIs(2));
  EXPECT_TRUE(kept()[0].missing_since);
  ASSERT_TRUE(memory->record(watch::Silence{"main", "example.com", "us-east-1", Kind::confirmed, kStart + 90, 0}));
  ASSERT_THAT(kept(), SizeIs(2));
  EXPECT_EQ(kept()[0].state, State::recovering);
  EXPECT_FALSE(kept()[0].first_bad || kept()[0].last_bad || kept()[0].missing_since || kept()[0].missing_until);
  EXPECT_THAT(kept()[0].faults, IsEmpty());
  EXPECT_EQ(kept()[1].missing_since, kStart);
  const auto said = memory->silences("example.com", 0).value();
  ASSERT_FALSE(said.empty());
  EXPECT_STREQ(to_string(said.back().kind), "confirmed");
}

TEST(Confirmations, AreForgottenInTime) {
  Remembered memory;
  ASSERT_TRUE(
      memory->record(watch::Silence{"main", "example.com", "us-east-1", watch::Silence::Kind::confirmed, kStart, 0}));
  ASSERT_TRUE(memory->prune(kStart));
  EXPECT_THAT(memory->silences().value(), SizeIs(1));
  ASSERT_TRUE(memory->prune(kStart + 1));
  EXPECT_THAT(memory->silences().value(), IsEmpty());
}

TEST(Sights, AreOfTheLastLookThatCouldTell) {
  Remembered memory;
  auto look = look_at(kStart, {});
  look.delegation = ses::DelegationMismatch{{"ns1.example.com"}, {"ns3.example.com"}, kKeyName, {"ns1.example.com"}};
  look.bogus_zone = "example.com";
  take(memory, look);
  auto silent = look_at(kStart + 600, {});
  silent.nothing_answers = true;
  take(memory, silent);
  const auto sights = memory->sights("example.com").value();
  ASSERT_THAT(sights, SizeIs(1));
  EXPECT_EQ(sights[0].time, kStart);
  EXPECT_EQ(sights[0].looked, kStart + 600);
  EXPECT_THAT(sights[0].zones, testing::ElementsAre("example.com"));
  ASSERT_TRUE(sights[0].delegation);
  EXPECT_THAT(sights[0].delegation->child, testing::ElementsAre("ns3.example.com"));
  EXPECT_EQ(sights[0].bogus_zone, "example.com");
  EXPECT_EQ(memory->last_look().value(), kStart + 600);
}

// Servers that answer otherwise at each look.
TEST(Prune, LeavesTheNewestOfTooManyRuns) {
  Remembered memory;
  constexpr int kServers = 1000, kLooks = 23;
  const auto other = subject_of("example.org");
  take(memory, look_at(kStart, {{kFirst}}, other));
  take(memory, look_at(kStart + 1, {{kFirst, Quality::failing, "SERVFAIL"}}, other));
  for (int look = 0; look < kLooks; ++look) {
    std::vector<Said> said;
    for (int server = 0; server < kServers; ++server)
      said.push_back({{"ns" + std::to_string(server) + ".example.com", "192.0.2.53"},
                      look % 2 == 0 ? Quality::good : Quality::failing});
    take(memory, look_at(kStart + look, said));
  }
  EXPECT_THAT(runs_of(memory), SizeIs(kServers * kLooks));
  ASSERT_TRUE(memory->prune(0));
  const auto left = runs_of(memory);
  // Those that go on are not among them.
  EXPECT_THAT(left, SizeIs(watch::kMaxEndedRuns + kServers));
  EXPECT_EQ(left.front().first, kStart + kLooks - 1 - static_cast<int>(watch::kMaxEndedRuns) / kServers);
  EXPECT_THAT(runs_of(memory, "example.org"), SizeIs(2));
}

TEST(Prune, ForgetsWhatEndedAndKeepsWhatLasts) {
  Remembered memory;
  EXPECT_EQ(memory->last_look().value(), 0);
  const Said good{kSecond}, bad{kSecond, Quality::failing, "SERVFAIL"};
  auto degraded = state_of(State::degraded, kStart + 600);
  degraded.first_bad = kStart + 600;
  const auto healthy = state_of(State::healthy, kStart);
  // Of a fault long over, and of one that lasts.
  const auto other = subject_of("example.org");
  const auto well = state_of(State::healthy, kStart, other), ill = state_of(State::degraded, kStart, other);
  take(memory, look_at(kStart, {good}, other), {ill}, {{well, ill}});
  take(memory, look_at(kStart + 600, {bad}, other), {well}, {{ill, well}});
  take(memory, look_at(kStart, {good}), {healthy});
  take(memory, look_at(kStart + 600, {bad}), {degraded}, {{healthy, degraded}});
  watch::Notice notice;
  notice.time = kStart + 600;
  notice.account = "main";
  notice.region = "us-east-1";
  for (const char* identity : {"example.com", "example.org"}) {
    notice.identity = identity;
    ASSERT_TRUE(memory->record(notice));
  }
  ASSERT_TRUE(memory->record(
      watch::Silence{"main", "example.com", "us-east-1", watch::Silence::Kind::acknowledged, kStart + 600, 0}));
  ASSERT_TRUE(memory->record(
      watch::Silence{"main", "example.com", "us-east-1", watch::Silence::Kind::silenced, kStart + 600, kStart + 601}));
  take(memory, look_at(kStart + 90000, {bad}), {degraded});

  ASSERT_TRUE(memory->prune(kStart + 80000));
  const auto runs = runs_of(memory);
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0].first, kStart + 600);
  EXPECT_THAT(runs_of(memory, "example.org"), IsEmpty());
  EXPECT_THAT(memory->events("example.com", 0).value(), SizeIs(1));
  EXPECT_THAT(memory->events("example.org", 0).value(), IsEmpty());
  EXPECT_THAT(memory->notices("example.com", 0).value(), SizeIs(1));
  EXPECT_THAT(memory->notices("example.org", 0).value(), IsEmpty());
  EXPECT_THAT(memory->states().value(), SizeIs(2));
  ASSERT_THAT(memory->silences().value(), SizeIs(1));
}

TEST(MemoryFile, HasItsModeWhateverTheUmask) {
  const auto umask_before = ::umask(0);
  const Remembered memory;
  ::umask(umask_before);
  ASSERT_TRUE(memory.is_open());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat found = {};
    ASSERT_EQ(::stat((memory.path() + suffix).c_str(), &found), 0) << suffix;
    EXPECT_EQ(found.st_mode & 07777, 0640u) << suffix;
  }
}

TEST(MemoryFile, ThatIsNotThereIsAnErrorForReaders) {
  const ScratchDirectory directory;
  EXPECT_THAT(error_of(directory.file("none"), Access::read_only), StartsWith(directory.file("none") + ": "));
  EXPECT_FALSE(std::filesystem::exists(directory.file("none")));
}

TEST(MemoryFile, InNoDirectoryIsAnError) {
  const ScratchDirectory directory;
  EXPECT_THAT(error_of(directory.file("none/watch"), Access::read_write), HasSubstr("No such file or directory"));
  EXPECT_THAT(error_of("", Access::read_write), HasSubstr("empty"));
}

TEST(MemoryFile, OfAnotherKindIsLeftAlone) {
  const ScratchDirectory directory;
  const auto path = directory.file("passwd");
  const std::string contents =
      "root:x:0:0:root:/root:/bin/bash and more than a header of SQLite has, so much\n" + std::string(200, 'x');
  std::ofstream(path) << contents;
  for (const auto access : {Access::read_write, Access::read_only})
    EXPECT_THAT(error_of(path, access), HasSubstr("is no SQLite database"));
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), contents);
  EXPECT_THAT(error_of(directory.file("."), Access::read_write), HasSubstr("no regular file"));
}

TEST(MemoryFile, OfAnotherProgramOrVersionIsAnError) {
  Remembered memory;
  memory.close();
  overwrite(memory.path(), 60, std::string_view("\0\0\0\2", 4));
  for (const auto access : {Access::read_write, Access::read_only})
    EXPECT_THAT(error_of(memory.path(), access), HasSubstr("another version of Sesame: its schema is 2"));
  overwrite(memory.path(), 68, "ABCD");
  for (const auto access : {Access::read_write, Access::read_only})
    EXPECT_THAT(error_of(memory.path(), access), HasSubstr("another program"));
}

TEST(MemoryFile, ThatNobodyWroteYetSaysSo) {
  const ScratchDirectory directory;
  std::ofstream(directory.file("empty")).flush();
  EXPECT_THAT(error_of(directory.file("empty"), Access::read_only), HasSubstr("no watch has written"));
  EXPECT_EQ(error_of(directory.file("empty"), Access::read_write), "");
}

TEST(MemoryFile, IsReadWhileItIsWritten) {
  Remembered memory;
  const auto reader = Memory::open(memory.path(), Access::read_only);
  ASSERT_TRUE(reader) << reader.error().message;
  take(memory, look_at(kStart, {{kFirst}}));
  EXPECT_THAT((*reader)->runs("example.com", 0).value(), SizeIs(1));
  const auto done = (*reader)->record(look_at(kStart, {{kFirst}}), {}, {});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, StartsWith(memory.path() + ": may not be written"));
}

TEST(MemoryFile, TakesSilencesOfAnotherProcessMeanwhile) {
  Remembered memory;
  const auto command = Memory::open(memory.path(), Access::read_write);
  ASSERT_TRUE(command);
  ASSERT_TRUE((*command)->record(watch::Silence{"main", "example.com", "us-east-1"}));
  EXPECT_THAT(memory->silences().value(), SizeIs(1));
}

TEST(MemoryFile, ThatIsDamagedIsAnErrorAndNoCrash) {
  Remembered memory;
  for (int i = 0; i < 200; ++i)
    take(memory, look_at(kStart + i, {{kFirst, Quality::good, std::string(100, 'a') + std::to_string(i)}}));
  memory.close();
  for (std::streamoff page = 1; page < 6; ++page) overwrite(memory.path(), page * 4096, std::string(2000, '\x7f'));
  const auto opened = Memory::open(memory.path(), Access::read_write);
  if (opened) {
    const auto runs = (*opened)->runs("example.com", 0);
    ASSERT_FALSE(runs);
    EXPECT_THAT(runs.error().message, StartsWith(memory.path() + ": is damaged"));
    EXPECT_FALSE((*opened)->record(look_at(kStart, {{kFirst}}), {}, {}));
  } else {
    EXPECT_THAT(opened.error().message, StartsWith(memory.path() + ": is damaged"));
  }
}

// As a disk that takes no more: what was begun is undone, and what was there stays.
TEST(MemoryFile, ThatCannotGrowIsAnErrorUntilItCan) {
  Remembered memory;
  take(memory, look_at(kStart, {{kFirst}}));
  struct rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit tight = {4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto look = look_at(kStart + 600, {{kFirst}, {kSecond, Quality::failing, std::string(400, 'x')}});
  const auto done = memory->record(look, std::vector{full_state()}, {});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, StartsWith(memory.path() + ": "));
  ASSERT_THAT(runs_of(memory), SizeIs(1));
  EXPECT_EQ(runs_of(memory)[0].count, 1u);
  take(memory, look_at(kStart + 1200, {{kFirst}}));
  EXPECT_EQ(runs_of(memory)[0].count, 2u);
}

TEST(MemoryFile, ServesSeveralThreads) {
  Remembered memory;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&memory, thread] {
        const auto subject = subject_of("d" + std::to_string(thread) + ".example");
        for (int i = 0; i < 20; ++i) {
          EXPECT_TRUE(memory->record(look_at(kStart + i, {{kFirst}}, subject), {}, {}));
          EXPECT_TRUE(memory->states());
        }
      });
  }
  const auto runs = runs_of(memory, "");
  ASSERT_THAT(runs, SizeIs(4));
  for (const auto& run : runs) EXPECT_EQ(run.count, 20u);
}

TEST(Prune, FindsWhatIsOldWithoutReadingTheRest) {
  const ScratchDirectory directory;
  const auto path = directory.file("watch.sqlite");
  ASSERT_TRUE(Memory::open(path, Access::read_write));
  using sqlite::Connection;
  const auto connection = Connection::open(path, Connection::Access::read_only, std::make_shared<sqlite::Patience>());
  ASSERT_TRUE(connection);
  sqlite::Query plan(**connection, "EXPLAIN QUERY PLAN SELECT id FROM run WHERE last < 1");
  ASSERT_TRUE(plan.next().value_or(false));
  EXPECT_THAT(plan.text(3), HasSubstr("run_by_last"));
}

}  // namespace sesame::test
