#include "dns/answer_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "dns/answer_text.h"
#include "dns/cache_fixture.h"

namespace sesame::dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct AnswerStore : CacheTest {
  AnswerStore() {
    std::string name = std::filesystem::temp_directory_path() / "sesame-store-XXXXXX";
    if (mkdtemp(name.data())) directory = name;
    path = directory / "dns-cache";
  }
  ~AnswerStore() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }

  void write(std::string_view text) const { std::ofstream(path, std::ios::binary) << text; }
  std::string read() const {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  void save() { EXPECT_TRUE(save_answers(resolver, path, clock)); }

  std::filesystem::path directory;
  std::string path;
};

// Another daemon, later.
struct Restarted {
  explicit Restarted(const Clock& clock, const CacheOptions& options = {})
      : resolver(std::unique_ptr<Upstream>(&upstream), options, clock) {}
  AnswerPtr ask(std::string_view name, Type type = Type::txt) { return resolver.lookup(name, type, Deadline::max()); }
  ScriptedUpstream& upstream = *new ScriptedUpstream;
  CachingResolver resolver;
};

TEST_F(AnswerStore, ARestartAsksNothingAgain) {
  std::string octets = "v=spf1 \x01\n\"";
  for (int i = 0x80; i < 0x100; ++i) octets += static_cast<char>(i);
  auto secure = text(octets, 300, {"b.test"});
  secure.texts.emplace_back();
  secure.authenticated = true;
  upstream.script("a.test", secure);
  Answer addresses = of(Status::ok, 300);
  addresses.addresses = {*IpAddress::parse("192.0.2.1"), *IpAddress::parse("192.0.2.2")};
  upstream.script("v4.test", addresses);
  addresses.addresses = {*IpAddress::parse("2001:db8::1")};
  upstream.script("v6.test", addresses);
  Answer exchanges = of(Status::ok, 300);
  exchanges.exchanges = {{10, "mx.test"}, {0, ""}};
  upstream.script("mx.test", exchanges);
  Answer names = of(Status::ok, 300);
  names.names = {"ns1.test", "x\xff.test"};
  upstream.script("ns.test", names);
  upstream.script("none.test", of(Status::nxdomain, 300));
  upstream.script("empty.test", of(Status::nodata, 300));
  const std::vector<std::pair<std::string, Type>> questions = {
      {"a.test", Type::txt},    {"v4.test", Type::a},     {"v6.test", Type::aaaa},
      {"mx.test", Type::mx},    {"ns.test", Type::ns},    {"ns.test", Type::ptr},
      {"ns.test", Type::cname}, {"none.test", Type::txt}, {"empty.test", Type::mx}};
  for (const auto& [name, type] : questions) resolver.lookup(name, type, Deadline::max());
  const auto saved = save_answers(resolver, path, clock);
  ASSERT_TRUE(saved) << saved.error().message;
  EXPECT_EQ(*saved, questions.size());

  Restarted later(clock);
  const auto loaded = load_answers(later.resolver, path, clock);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(*loaded, questions.size());
  for (const auto& [name, type] : questions) {
    const auto before = resolver.lookup(name, type, Deadline::max());
    const auto after = later.ask(name, type);
    EXPECT_EQ(after->status, before->status) << name;
    EXPECT_EQ(after->name, name);
    EXPECT_EQ(after->type, type);
    EXPECT_EQ(after->texts, before->texts);
    EXPECT_EQ(after->addresses, before->addresses);
    EXPECT_EQ(after->names, before->names);
    EXPECT_EQ(after->cnames, before->cnames);
    EXPECT_EQ(after->ttl, before->ttl);
    EXPECT_EQ(after->received, before->received);
    EXPECT_EQ(after->authenticated, before->authenticated);
    EXPECT_FALSE(after->stale);
  }
  EXPECT_EQ(later.ask("mx.test", Type::mx)->exchanges.at(0).host, "mx.test");
  EXPECT_EQ(later.ask("mx.test", Type::mx)->exchanges.at(0).preference, 10);
  EXPECT_THAT(later.upstream.asked(), IsEmpty());
}

TEST_F(AnswerStore, TheTimeInBetweenCounts) {
  upstream.script("long.test", text("x", 3000));
  upstream.script("short.test", text("x", 100));
  upstream.script("gone.test", text("x", 10));
  for (const auto* name : {"long.test", "short.test", "gone.test"}) ask(name);
  clock.pass(5);
  save();
  // The machine was off: its monotonic clock knows nothing of that.
  clock.shift(1000);
  Restarted later(clock, CacheOptions{.max_stale = std::chrono::seconds(910)});
  EXPECT_EQ(*load_answers(later.resolver, path, clock), 2u);
  EXPECT_FALSE(later.ask("long.test")->stale);
  EXPECT_TRUE(later.ask("short.test")->stale);
  EXPECT_EQ(later.ask("gone.test")->status, Status::timeout);
  clock.pass(1994);
  EXPECT_FALSE(later.ask("long.test")->stale);
  clock.pass(1);
  EXPECT_TRUE(later.ask("long.test")->stale);
}

TEST_F(AnswerStore, WhatCameFromTheFutureIsLeftOut) {
  upstream.script("a.test", text("x", 300));
  ask("a.test");
  save();
  clock.shift(-200);
  Restarted soon(clock);
  EXPECT_EQ(*load_answers(soon.resolver, path, clock), 1u);
  EXPECT_EQ(soon.ask("a.test")->received, clock.steady_now());
  clock.shift(-200);
  Restarted wrong(clock);
  EXPECT_EQ(*load_answers(wrong.resolver, path, clock), 0u);
}

TEST_F(AnswerStore, FailuresAndWhatIsTooOldAreNotSaved) {
  upstream.script("a.test", text("x", 100));
  ask("a.test");
  ask("dead.test");
  EXPECT_EQ(*save_answers(resolver, path, clock), 1u);
  clock.pass(100 + 86400);
  EXPECT_EQ(*save_answers(resolver, path, clock), 0u);
}

TEST_F(AnswerStore, WhatIsInUseStaysSoAndOutlivesTheRest) {
  upstream.script("ours.test", text("x", 3000));
  ask("ours.test");
  ask("ours.test");
  for (int i = 0; i < 50; ++i) {
    const auto name = std::to_string(i) + ".test";
    upstream.script(name, text(std::string(100, 'x'), 3000));
    clock.pass(std::chrono::milliseconds(1));
    ask(name);
  }
  save();
  Restarted smaller(clock, CacheOptions{.max_bytes = 4096});
  ASSERT_TRUE(load_answers(smaller.resolver, path, clock));
  EXPECT_LE(smaller.resolver.counters().bytes, 4096u);
  EXPECT_EQ(smaller.resolver.entries().back().answer->name, "ours.test");
  EXPECT_TRUE(smaller.resolver.entries().back().in_use);
  EXPECT_EQ(smaller.ask("ours.test")->status, Status::ok);
  EXPECT_EQ(smaller.ask("49.test")->status, Status::ok);
  EXPECT_EQ(smaller.ask("0.test")->status, Status::timeout);
}

TEST_F(AnswerStore, ALoadKeepsToTheLimitsOfToday) {
  upstream.script("a.test", text("x", 3000));
  upstream.script("none.test", of(Status::nxdomain, 3000));
  upstream.script("chain.test", text("x", 3000, {"1.test", "2.test", "3.test"}));
  for (const auto* name : {"a.test", "none.test", "chain.test"}) ask(name);
  save();
  Restarted later(clock, CacheOptions{.max_ttl = 60, .max_negative_ttl = 20, .max_cnames = 2});
  EXPECT_EQ(*load_answers(later.resolver, path, clock), 2u);
  EXPECT_EQ(later.ask("a.test")->ttl, 60u);
  EXPECT_EQ(later.ask("none.test")->ttl, 20u);
}

TEST_F(AnswerStore, ALoadReplacesNothingThatIsNewer) {
  upstream.script("a.test", text("old", 3000));
  ask("a.test");
  save();
  Restarted later(clock);
  later.upstream.script("a.test", text("new", 3000));
  later.ask("a.test");
  EXPECT_EQ(*load_answers(later.resolver, path, clock), 0u);
  EXPECT_THAT(later.ask("a.test")->texts, ElementsAre("new"));
}

TEST_F(AnswerStore, NoFileAndAnEmptyOneHoldNothing) {
  EXPECT_EQ(*load_answers(resolver, path, clock), 0u);
  write("");
  EXPECT_EQ(*load_answers(resolver, path, clock), 0u);
  EXPECT_TRUE(save_answers(resolver, path, clock));
  EXPECT_EQ(*load_answers(resolver, path, clock), 0u);
}

TEST_F(AnswerStore, TheFileIsReplacedWholeAndForNobodyElse) {
  upstream.script("a.test", text("x", 300));
  ask("a.test");
  save();
  save();
  struct stat found = {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0640u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
}

constexpr const char* kTitle = "sesame DNS answers, version 1\n";
constexpr const char* kGood = R"({"name":"a.test","type":"TXT","status":"NOERROR","ttl":300,"expires":1701000300,)"
                              R"("records":["x"]})"
                              "\n";

TEST_F(AnswerStore, ADamagedForeignOrLaterFileIsAnErrorAndChangesNothing) {
  const std::string good = std::string(kTitle) + kGood;
  write(good + "end\n");
  EXPECT_EQ(*load_answers(resolver, path, clock), 1u);
  struct Case {
    std::string text;
    const char* why;
  };
  for (const auto& each : std::vector<Case>{
           {"root:x:0:0:root:/root:/bin/bash\n", "is not a file of DNS answers"},
           {"sesame DNS answers, version x\n", "is not a file of DNS answers"},
           {"sesame DNS answers, version 2\nwho knows\n", "later version"},
           {kTitle, "its end is missing"},
           {good, "its end is missing"},
           {good + "end\nmore\n", "line 3"},
           {good + "{\"name\":\n" + "end\n", "line 3"},
           {good + "\n" + "end\n", "line 3"},
           {good + "[]\n" + "end\n", "line 3"},
           {good.substr(0, good.size() - 9) + "\nend\n", "line 2"},
       }) {
    write(each.text);
    Restarted later(clock);
    const auto loaded = load_answers(later.resolver, path, clock);
    ASSERT_FALSE(loaded) << each.text;
    EXPECT_THAT(loaded.error().message, StartsWith(path));
    EXPECT_THAT(loaded.error().message, HasSubstr(each.why));
    EXPECT_THAT(later.resolver.entries(), IsEmpty());
    EXPECT_EQ(read(), each.text);
  }
}

TEST_F(AnswerStore, WhatIsNotOursIsNotReplaced) {
  for (const std::string other : {"root:x:0:0:root:/root:/bin/bash\n", "sesame DNS answers, version 2\n", "\n"}) {
    write(other);
    const auto saved = save_answers(resolver, path, clock);
    ASSERT_FALSE(saved) << other;
    EXPECT_THAT(saved.error().message, StartsWith(path));
    EXPECT_EQ(read(), other);
  }
  // Damage below the title is mended.
  write(std::string(kTitle) + "damage");
  EXPECT_TRUE(save_answers(resolver, path, clock));
  std::filesystem::remove(path);
  std::filesystem::create_symlink(directory / "elsewhere", path);
  EXPECT_FALSE(save_answers(resolver, path, clock));
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_FALSE(save_answers(resolver, path, clock));
  EXPECT_FALSE(load_answers(resolver, path, clock));
}

TEST_F(AnswerStore, ADirectoryThatIsMissingIsAnErrorThatNamesIt) {
  const auto saved = save_answers(resolver, directory / "missing" / "file", clock);
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().message, HasSubstr("missing"));
}

// What a server may say and a file may not hold is left out, or a stranger could spoil the file.
TEST_F(AnswerStore, AnAnswerThatCouldNotBeReadAgainIsNotWritten) {
  Answer odd = of(Status::ok, 300);
  odd.names = {"Not.Canonical."};
  upstream.script("odd.test", odd);
  upstream.script("good.test", text("x", 300));
  resolver.lookup("odd.test", Type::ptr, Deadline::max());
  ask("good.test");
  EXPECT_EQ(*save_answers(resolver, path, clock), 1u);
  Restarted later(clock);
  EXPECT_EQ(*load_answers(later.resolver, path, clock), 1u);
}

TEST(AnswerText, TakesNothingThatNoServerCouldHaveSaid) {
  const auto line = [](std::string_view fields) {
    return R"({"name":"a.test","type":"TXT","status":"NOERROR","ttl":300,"expires":1701000300,"records":["x"])" +
           std::string(fields) + "}";
  };
  ASSERT_TRUE(from_line(line("")));
  EXPECT_TRUE(from_line(line(R"(,"what later versions may add":1)")));
  const std::string label(64, 'x');
  for (const std::string& fields : std::vector<std::string>{R"(,"name":"A.test")",
                                                            R"(,"name":"a..test")",
                                                            R"(,"name":"a.test.")",
                                                            R"(,"name":")" + label + R"(.test")",
                                                            R"(,"name":7)",
                                                            R"(,"name":"\u0100.test")",
                                                            R"(,"type":"SOA")",
                                                            R"(,"type":"ANY")",
                                                            R"(,"type":16)",
                                                            R"(,"status":"SERVFAIL")",
                                                            R"(,"status":"no answer")",
                                                            R"(,"status":"NXDOMAIN")",
                                                            R"(,"status":"NODATA")",
                                                            R"(,"ttl":-1)",
                                                            R"(,"ttl":2147483648)",
                                                            R"(,"ttl":1.5)",
                                                            R"(,"ttl":"300")",
                                                            R"(,"expires":-1)",
                                                            R"(,"expires":18446744073709551615)",
                                                            R"(,"expires":null)",
                                                            R"(,"records":[])",
                                                            R"(,"records":"x")",
                                                            R"(,"records":[1])",
                                                            R"(,"records":["\u0100"])",
                                                            R"(,"records":[")" + std::string(65536, 'x') + R"("])",
                                                            R"(,"type":"A")",
                                                            R"(,"type":"A","records":["2001:db8::1"])",
                                                            R"(,"type":"AAAA","records":["192.0.2.1"])",
                                                            R"(,"type":"MX","records":["mx.test"])",
                                                            R"(,"type":"MX","records":["65536 mx.test"])",
                                                            R"(,"type":"MX","records":["1 MX.test"])",
                                                            R"(,"type":"NS","records":["a..test"])",
                                                            R"(,"cnames":"b.test")",
                                                            R"(,"cnames":["B.test"])",
                                                            R"(,"cnames":[1])"})
    EXPECT_FALSE(from_line(line(fields))) << fields;
  std::string many = R"("x")";
  for (int i = 0; i < 6000; ++i) many += R"(,"x")";
  EXPECT_FALSE(from_line(line(R"(,"records":[)" + many + "]")));
  EXPECT_FALSE(from_line(line(R"(,"cnames":[)" + many + "]")));
  EXPECT_FALSE(from_line("{\"name\":\"\xff\"}"));
  EXPECT_FALSE(from_line(std::string(100000, '[')));
}

using Restore = CacheTest;

TEST_F(Restore, CarriesTheCacheOverToChangedSettings) {
  upstream.script("a.test", text("x", 3000));
  upstream.script("b.test", text("x", 10));
  ask("a.test");
  ask("a.test");
  ask("b.test");
  clock.pass(10);
  Restarted changed(clock, CacheOptions{.min_ttl = 1000, .max_ttl = 100});
  EXPECT_EQ(changed.resolver.restore(resolver.entries()), 2u);
  EXPECT_EQ(changed.ask("a.test")->ttl, 100u);
  // A higher floor makes nothing young again.
  EXPECT_TRUE(changed.ask("b.test")->stale);
  EXPECT_EQ(changed.resolver.restore(resolver.entries()), 0u);
}

TEST_F(Restore, KeepsWhatFailedMeanwhile) {
  upstream.script("a.test", text("x", 10));
  ask("a.test");
  clock.pass(10);
  Restarted changed(clock);
  EXPECT_EQ(changed.ask("a.test")->status, Status::timeout);
  EXPECT_EQ(changed.resolver.restore(resolver.entries()), 1u);
  EXPECT_TRUE(changed.ask("a.test")->stale);
  EXPECT_THAT(changed.upstream.asked(), testing::SizeIs(1));
}

}  // namespace
}  // namespace sesame::dns
