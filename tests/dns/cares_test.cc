// The resolver as the daemon has it, c-ares and cache, against a server on loopback with every fault.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "dns/caching_resolver.h"
#include "dns/cares_upstream.h"
#include "support/dns_server.h"

namespace sesame::dns {
namespace {

using test::DnsServer;
using test::Zone;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

// Short enough for tests that wait for silence, long enough that a busy machine still answers in time.
CaresOptions asking(std::vector<std::string> servers, std::chrono::milliseconds timeout = 2000ms, int tries = 2,
                    std::chrono::milliseconds patience = 0ms) {
  return {.servers = std::move(servers), .timeout = timeout, .tries = tries, .patience = patience};
}

struct Asker {
  explicit Asker(const CaresOptions& options)
      : resolver(make_cares_upstream(options).value(), CacheOptions{}, system_clock()) {}

  AnswerPtr operator()(std::string_view name, Type type = Type::txt, Duration wait = 60s) {
    return resolver.lookup(name, type, std::chrono::steady_clock::now() + wait);
  }

  CachingResolver resolver;
};

// What the server was asked, but for whether it lives.
std::vector<std::string> questions(const DnsServer& server) {
  auto queries = server.queries();
  std::erase_if(queries, [](const std::string& query) { return query.starts_with("NS  "); });
  return queries;
}

TEST(Cares, AnswersEveryType) {
  const DnsServer server(
      "example.com TXT v=spf1 -all\nexample.com MX 10 Mail.example.com\nexample.com MX 0 .\nexample.com A 192.0.2.1\n"
      "example.com AAAA 2001:db8::1\nexample.com NS ns.example.com\n1.2.0.192.in-addr.arpa PTR mail.example.com\n"
      "www.example.com CNAME example.com");
  Asker ask(asking({server.host_port()}));
  EXPECT_THAT(ask("example.com")->texts, ElementsAre("v=spf1 -all"));
  EXPECT_THAT(ask("example.com", Type::mx)->exchanges, SizeIs(2));
  EXPECT_EQ(ask("example.com", Type::mx)->exchanges[0].host, "mail.example.com");
  EXPECT_EQ(ask("example.com", Type::mx)->exchanges[1].host, "");
  EXPECT_EQ(ask("example.com", Type::a)->addresses.at(0).to_string(), "192.0.2.1");
  EXPECT_EQ(ask("example.com", Type::aaaa)->addresses.at(0).to_string(), "2001:db8::1");
  EXPECT_THAT(ask("example.com", Type::ns)->names, ElementsAre("ns.example.com"));
  EXPECT_THAT(ask("1.2.0.192.in-addr.arpa", Type::ptr)->names, ElementsAre("mail.example.com"));
  EXPECT_THAT(ask("www.example.com", Type::cname)->names, ElementsAre("example.com"));
}

TEST(Cares, OddNamesReachTheServerAsTheyAre) {
  DnsServer server("x.test A 192.0.2.1");
  const std::string odd = "a b\"\\$@\xe9;.x.test";
  server.with_zone([&](Zone& zone) { zone = Zone::from_json(R"({"a b\"\\$@é;.x.test": {"TXT": ["odd"]}})"); });
  Asker ask(asking({server.host_port()}));
  EXPECT_EQ(ask(odd)->status, Status::nxdomain);
  EXPECT_THAT(ask("a b\"\\$@\xc3\xa9;.x.test")->texts, ElementsAre("odd"));
}

TEST(Cares, FailuresAreKeptApart) {
  const DnsServer server(
      "servfail.test TXT !SERVFAIL\nrefused.test TXT !REFUSED\nformerr.test TXT !FORMERR\nnotimp.test TXT !NOTIMP\n"
      "nx.test TXT !NXDOMAIN\nempty.test TXT !NODATA\nbelow.empty2.test A 192.0.2.1\n"
      "alias.test CNAME servfail.test");
  Asker ask(asking({server.host_port()}));
  EXPECT_EQ(ask("servfail.test")->status, Status::servfail);
  EXPECT_EQ(ask("refused.test")->status, Status::refused);
  EXPECT_EQ(ask("formerr.test")->status, Status::formerr);
  EXPECT_EQ(ask("notimp.test")->status, Status::notimp);
  EXPECT_EQ(ask("nx.test")->status, Status::nxdomain);
  EXPECT_EQ(ask("empty.test")->status, Status::nodata);
  EXPECT_EQ(ask("empty2.test")->status, Status::nodata);
  EXPECT_EQ(ask("nowhere.test")->status, Status::nxdomain);
  EXPECT_EQ(ask("alias.test")->status, Status::servfail);
}

TEST(Cares, SilenceIsTimeout) {
  const DnsServer server("silent.test TXT !TIMEOUT");
  Asker ask(asking({server.host_port()}, 50ms, 2));
  EXPECT_EQ(ask("silent.test")->status, Status::timeout);
  EXPECT_THAT(questions(server), SizeIs(2));
}

TEST(Cares, NobodyThereIsTimeout) {
  DnsServer server("a.test TXT x");
  server.stop();
  Asker ask(asking({server.host_port()}, 200ms, 2));
  EXPECT_EQ(ask("a.test")->status, Status::timeout);
}

TEST(Cares, FaultsThatEndAreSurvivedByAskingAgain) {
  const DnsServer server("a.test TXT !SERVFAIL 1\na.test TXT x\nb.test TXT !TIMEOUT 1\nb.test TXT y");
  Asker ask(asking({server.host_port()}, 300ms, 3));
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  EXPECT_THAT(ask("b.test")->texts, ElementsAre("y"));
}

TEST(Cares, AnAnswerThatComesAfterTheNextTryBeganCounts) {
  for (const int tries : {1, 2, 5}) {
    const DnsServer server("late.test TXT !SLOW 500\nlate.test TXT x");
    Asker ask(asking({server.host_port()}, 50ms, tries, 60s));
    EXPECT_THAT(ask("late.test")->texts, ElementsAre("x")) << tries;
    EXPECT_THAT(questions(server), Each("TXT late.test udp"));
  }
}

TEST(Cares, AnAnswerOverTcpMayBeLateToo) {
  const DnsServer server("late.test TXT !SLOW 300\nlate.test TXT !TRUNCATE\nlate.test TXT x");
  Asker ask(asking({server.host_port()}, 50ms, 2, 60s));
  EXPECT_EQ(ask("late.test")->status, Status::ok);
}

TEST(Cares, OfSeveralLateServersTheFirstToAnswerCounts) {
  const DnsServer one("a.test TXT !SLOW 60000\na.test TXT one"), two("a.test TXT !SLOW 400\na.test TXT two");
  Asker ask(asking({one.host_port(), two.host_port()}, 50ms, 2, 50s));
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("two"));
}

TEST(Cares, ALateAnswerOutranksTheFailureOfAnotherServer) {
  const DnsServer broken("a.test * !SERVFAIL"), late("a.test TXT !SLOW 400\na.test TXT x");
  for (const auto& servers :
       {std::vector{broken.host_port(), late.host_port()}, std::vector{late.host_port(), broken.host_port()}})
    EXPECT_THAT(Asker(asking(servers, 50ms, 2, 60s))("a.test")->texts, ElementsAre("x"));
}

TEST(Cares, AfterALostTryTheNextIsAnsweredWithoutPatience) {
  const DnsServer server("a.test TXT !TIMEOUT 1\na.test TXT x");
  Asker ask(asking({server.host_port()}, 100ms, 2, 600s));
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  EXPECT_THAT(questions(server), SizeIs(2));
}

TEST(Cares, PatienceWithASilentServerEnds) {
  const DnsServer server("silent.test TXT !TIMEOUT");
  Asker ask(asking({server.host_port()}, 50ms, 2, 400ms));
  EXPECT_EQ(ask("silent.test", Type::txt, 600s)->status, Status::timeout);
  EXPECT_THAT(questions(server), SizeIs(2));
}

TEST(Cares, TruncatedAnswersAreFetchedOverTcp) {
  const DnsServer server("cut.test TXT !TRUNCATE\ncut.test TXT whole");
  Asker ask(asking({server.host_port()}));
  EXPECT_THAT(ask("cut.test")->texts, ElementsAre("whole"));
  EXPECT_THAT(server.queries(), ElementsAre("TXT cut.test udp", "TXT cut.test tcp"));
}

TEST(Cares, EdnsSavesTcpForAnswersUpToItsSize) {
  const std::string text(1000, 'x');
  const DnsServer server("big.test TXT " + text);
  Asker ask(asking({server.host_port()}));
  EXPECT_THAT(ask("big.test")->texts, ElementsAre(text));
  EXPECT_THAT(server.queries(), ElementsAre("TXT big.test udp"));
}

TEST(Cares, ServersOlderThanEdnsAreUnderstood) {
  const std::string text(600, 'x');
  const DnsServer server("a.test TXT a\nb.test TXT b\nc.test TXT c\nd.test TXT " + text,
                         {.edns = test::EdnsManner::refuse});
  Asker ask(asking({server.host_port()}, 2000ms, 1));
  for (const auto* name : {"a.test", "b.test", "c.test", "d.test"}) EXPECT_EQ(ask(name)->status, Status::ok) << name;
  EXPECT_THAT(server.queries(), testing::Contains("TXT c.test udp").Times(1));
  EXPECT_THAT(ask("d.test")->texts, ElementsAre(text));
}

TEST(Cares, LargeAnswersComeWhole) {
  std::string key;
  for (int i = 0; i < 600; ++i) key += "0123456789";
  std::string many;
  for (int i = 0; i < 25; ++i)
    many += "many.test TXT \"record " + std::to_string(i) + " " + std::string(150, 'r') + "\"\n";
  const DnsServer server("key.test TXT " + key + "\n" + many);
  Asker ask(asking({server.host_port()}));
  EXPECT_THAT(ask("key.test")->texts, ElementsAre(key));
  const auto answer = ask("many.test");
  ASSERT_THAT(answer->texts, SizeIs(25));
  EXPECT_THAT(answer->texts[24], testing::StartsWith("record 24 "));
}

TEST(Cares, QuestionsOnTheirWayWhenEdnsIsRefusedLoseNoTry) {
  std::string zone;
  for (int i = 0; i < 20; ++i) zone += "n" + std::to_string(i) + ".test TXT x\n";
  const DnsServer server(zone, {.edns = test::EdnsManner::refuse});
  Asker ask(asking({server.host_port()}, 30s, 1));
  for (int i = 0; i < 20; ++i) ask.resolver.prefetch("n" + std::to_string(i) + ".test", Type::txt);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask("n" + std::to_string(i) + ".test")->status, Status::ok) << i;
}

std::string chain(int links) {
  std::string zone;
  for (int i = 0; i < links; ++i) zone += "l" + std::to_string(i) + ".test CNAME l" + std::to_string(i + 1) + ".test\n";
  return zone + "l" + std::to_string(links) + ".test TXT end\n";
}

TEST(Cares, CnameChains) {
  const DnsServer server(chain(13) + "loop.test CNAME loop2.test\nloop2.test CNAME loop.test\n" +
                         "gone.test CNAME nowhere.test\nempty.test CNAME host.test\nhost.test A 192.0.2.1");
  Asker ask(asking({server.host_port()}));
  const auto eight = ask("l5.test");
  EXPECT_EQ(eight->status, Status::ok);
  EXPECT_THAT(eight->cnames, SizeIs(8));
  EXPECT_EQ(eight->name, "l5.test");
  EXPECT_EQ(ask("l0.test")->status, Status::cname_limit);
  EXPECT_EQ(ask("loop.test")->status, Status::cname_limit);
  EXPECT_EQ(ask("gone.test")->status, Status::nxdomain);
  EXPECT_THAT(ask("gone.test")->cnames, ElementsAre("nowhere.test"));
  EXPECT_EQ(ask("empty.test")->status, Status::nodata);
}

TEST(Cares, TheNextServerIsAskedWhenOneFails) {
  DnsServer dead("x.test TXT x");
  dead.stop();
  const DnsServer silent("a.test * !TIMEOUT"), broken("a.test * !SERVFAIL"), refusing("a.test * !REFUSED"),
      good("a.test TXT x");
  for (const auto* first : std::initializer_list<const DnsServer*>{&dead, &silent, &broken, &refusing}) {
    Asker ask(asking({first->host_port(), good.host_port()}, 300ms));
    EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  }
}

TEST(Cares, WhenAllFailTheStatusTellsHow) {
  const DnsServer one("s.test * !SERVFAIL\nr.test * !REFUSED\nt.test * !TIMEOUT");
  const DnsServer two("s.test * !SERVFAIL\nr.test * !REFUSED\nt.test * !TIMEOUT");
  Asker ask(asking({one.host_port(), two.host_port()}, 100ms));
  EXPECT_EQ(ask("s.test")->status, Status::servfail);
  EXPECT_EQ(ask("r.test")->status, Status::refused);
  EXPECT_EQ(ask("t.test")->status, Status::timeout);
  EXPECT_THAT(two.queries(), testing::Contains("TXT s.test udp"));
}

TEST(Cares, WhatAServerSaidOutranksTheSilenceOfTheOther) {
  const DnsServer one("a.test * !SERVFAIL"), two("a.test * !TIMEOUT");
  for (const auto& servers :
       {std::vector{one.host_port(), two.host_port()}, std::vector{two.host_port(), one.host_port()}})
    EXPECT_EQ(Asker(asking(servers, 600ms, 1))("a.test")->status, Status::servfail);
}

TEST(Cares, ASilentServerIsNotTheFirstToBeAskedAgain) {
  const DnsServer silent("a.test * !TIMEOUT\nb.test * !TIMEOUT"), good("a.test TXT x\nb.test TXT y");
  Asker ask(asking({silent.host_port(), good.host_port()}, 1000ms));
  EXPECT_EQ(ask("a.test")->status, Status::ok);
  EXPECT_EQ(ask("b.test")->status, Status::ok);
  EXPECT_THAT(questions(silent), ElementsAre("TXT a.test udp"));
}

TEST(Cares, AKilledServerIsUsedAgainOnceItLives) {
  DnsServer server("a.test TXT x\nb.test TXT y\nbig.test TXT !TRUNCATE\nbig.test TXT z");
  Asker ask(asking({server.host_port()}, 300ms));
  EXPECT_EQ(ask("a.test")->status, Status::ok);
  EXPECT_EQ(ask("big.test")->status, Status::ok);
  server.stop();
  EXPECT_EQ(ask("b.test")->status, Status::timeout);
  EXPECT_EQ(ask("a.test")->status, Status::ok);  // kept
  server.start();
  // Failures are remembered until the server is known to live.
  auto status = Status::timeout;
  for (int i = 0; i < 600 && status != Status::ok; ++i) {
    std::this_thread::sleep_for(100ms);
    status = ask("b.test")->status;
  }
  EXPECT_EQ(status, Status::ok);
}

TEST(Cares, IdenticalQuestionsReachTheServerOnce) {
  const DnsServer server("slow.test TXT !SLOW 200\nslow.test TXT x");
  Asker ask(asking({server.host_port()}, 10s));
  std::vector<std::thread> askers;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 10; ++i) askers.emplace_back([&] { answered += ask("slow.test")->status == Status::ok; });
  for (auto& asker : askers) asker.join();
  EXPECT_EQ(answered, 10);
  EXPECT_THAT(server.queries(), ElementsAre("TXT slow.test udp"));
}

TEST(Cares, ASlowAnswerHoldsUpNoOther) {
  const DnsServer server("slow.test TXT !SLOW 60000\nfast.test TXT x");
  Asker ask(asking({server.host_port()}, 120s, 1));
  ask.resolver.prefetch("slow.test", Type::txt);
  EXPECT_EQ(ask("fast.test")->status, Status::ok);
  EXPECT_EQ(ask("slow.test", Type::txt, 0s)->status, Status::timeout);
}

TEST(Cares, TheDeadlineIsHonouredAndTheLateAnswerKept) {
  const DnsServer server("slow.test TXT !SLOW 300\nslow.test TXT x");
  Asker ask(asking({server.host_port()}, 10s));
  EXPECT_EQ(ask("slow.test", Type::txt, 5ms)->status, Status::timeout);
  EXPECT_EQ(ask("slow.test")->status, Status::ok);
  EXPECT_THAT(server.queries(), SizeIs(1));
}

TEST(Cares, AbsenceIsKept) {
  DnsServer server("host.test A 192.0.2.1");
  Asker ask(asking({server.host_port()}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask("host.test")->status, Status::nodata);
    EXPECT_EQ(ask("none.test")->status, Status::nxdomain);
  }
  EXPECT_EQ(ask("none.test")->ttl, 60u);
  EXPECT_THAT(server.queries(), SizeIs(2));
}

TEST(Cares, AbsenceMayBeToldNotToBeKept) {
  const DnsServer server("host.test A 192.0.2.1", {.ttls = {.positive = 300, .negative = 0}});
  Asker ask(asking({server.host_port()}));
  EXPECT_EQ(ask("none.test")->status, Status::nxdomain);
  EXPECT_EQ(ask("none.test")->status, Status::nxdomain);
  EXPECT_THAT(server.queries(), SizeIs(2));
}

// Counts the answers to questions put straight to the upstream.
struct Tally {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Status> statuses;

  std::function<void(Answer)> done() {
    return [this](const Answer& answer) {
      const std::lock_guard lock(mutex);
      statuses.push_back(answer.status);
      changed.notify_all();
    };
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 60s, [&] { return statuses.size() >= count; });
  }
};

TEST(Cares, EveryQuestionIsAnsweredWhenItEnds) {
  const DnsServer server("silent.test * !TIMEOUT");
  Tally tally;
  {
    auto options = asking({server.host_port()}, 60s);
    options.max_in_flight = 10;
    auto upstream = make_cares_upstream(options).value();
    for (int i = 0; i < 25; ++i) upstream->ask("silent.test", Type::txt, tally.done());
  }
  EXPECT_THAT(tally.statuses, SizeIs(25));
  EXPECT_THAT(tally.statuses, Each(Status::timeout));
}

TEST(Cares, AnEndingUpstreamTakesNoQuestionThatComesOfItsLastAnswers) {
  const DnsServer server("silent.test * !TIMEOUT");
  Tally tally;
  {
    auto upstream = make_cares_upstream(asking({server.host_port()}, 60s)).value();
    auto* again = upstream.get();
    upstream->ask("silent.test", Type::txt,
                  [&tally, again](const Answer&) { again->ask("other.test", Type::txt, tally.done()); });
  }
  EXPECT_THAT(tally.statuses, ElementsAre(Status::timeout));
}

TEST(Cares, TheResolverEndsWithQuestionsOpen) {
  const DnsServer server("silent.test * !TIMEOUT");
  Asker ask(asking({server.host_port()}, 60s));
  for (const auto type : {Type::txt, Type::a, Type::mx}) ask.resolver.prefetch("silent.test", type);
  EXPECT_EQ(ask("silent.test", Type::aaaa, 1ms)->status, Status::timeout);
}

TEST(Cares, QuestionsOverTheLimitWaitTheirTurn) {
  std::string zone;
  for (int i = 0; i < 300; ++i) zone += "n" + std::to_string(i) + ".test TXT x\n";
  const DnsServer server(zone);
  auto options = asking({server.host_port()}, 10s);
  options.max_in_flight = 4;
  Tally tally;
  auto upstream = make_cares_upstream(options).value();
  for (int i = 0; i < 300; ++i) upstream->ask("n" + std::to_string(i) + ".test", Type::txt, tally.done());
  ASSERT_TRUE(tally.wait_for(300));
  EXPECT_THAT(tally.statuses, Each(Status::ok));
}

TEST(Cares, QuestionsOverTheQueueAreTurnedAway) {
  const DnsServer server("silent.test * !TIMEOUT");
  auto options = asking({server.host_port()}, 60s);
  options.max_in_flight = 1;
  options.max_waiting = 5;
  Tally tally;
  auto upstream = make_cares_upstream(options).value();
  for (int i = 0; i < 20; ++i) upstream->ask("silent.test", Type::txt, tally.done());
  // One is on the wire and five wait; the thread may take one more while they come.
  EXPECT_TRUE(tally.wait_for(14));
}

TEST(Cares, WhereAllTriesFailPatienceIsNotNeeded) {
  DnsServer dead("a.test TXT x");
  dead.stop();
  const DnsServer broken("a.test * !SERVFAIL");
  const std::pair<std::vector<std::string>, Status> cases[] = {
      {{dead.host_port()}, Status::timeout},
      {{dead.host_port(), dead.host_port()}, Status::timeout},
      {{broken.host_port()}, Status::servfail},
      {{dead.host_port(), broken.host_port()}, Status::servfail}};
  for (const auto& [servers, status] : cases) {
    Tally tally;
    auto upstream = make_cares_upstream(asking(servers, 600s, 2, 600s)).value();
    upstream->ask("a.test", Type::txt, tally.done());
    ASSERT_TRUE(tally.wait_for(1));
    EXPECT_THAT(tally.statuses, ElementsAre(status));
  }
}

TEST(Cares, QuestionsThatWaitForLateAnswersHoldUpNoOther) {
  const DnsServer server("silent.test * !TIMEOUT\ngood.test TXT x");
  Tally silent, good;
  {
    auto options = asking({server.host_port()}, 20ms, 2, 600s);
    options.max_in_flight = 1;
    auto upstream = make_cares_upstream(options).value();
    for (int i = 0; i < 10; ++i) upstream->ask("silent.test", Type::txt, silent.done());
    upstream->ask("good.test", Type::txt, good.done());
    ASSERT_TRUE(good.wait_for(1));
    EXPECT_THAT(good.statuses, ElementsAre(Status::ok));
    EXPECT_THAT(silent.statuses, IsEmpty());
  }
  EXPECT_THAT(silent.statuses, SizeIs(10));
  EXPECT_THAT(silent.statuses, Each(Status::timeout));
}

TEST(Cares, TriesOpenAreBounded) {
  const DnsServer server("silent.test * !TIMEOUT");
  auto options = asking({server.host_port()}, 20ms, 1, 1000ms);
  options.max_in_flight = 2;
  options.max_unanswered = 4;
  Tally tally;
  auto upstream = make_cares_upstream(options).value();
  for (int i = 0; i < 8; ++i) upstream->ask("silent.test", Type::txt, tally.done());
  // The fifth is asked once the first is given up, and all come to an end.
  ASSERT_TRUE(tally.wait_for(1));
  EXPECT_LT(questions(server).size(), 8u);
  ASSERT_TRUE(tally.wait_for(8));
  EXPECT_THAT(tally.statuses, Each(Status::timeout));
}

// RFC 5452 Section 5: of several identifiers open for one question, one is guessed the sooner.
TEST(Cares, AllTriesOfAQuestionHaveOneIdentifier) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fd, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
  const timeval longest{.tv_sec = 60, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  Asker ask(asking({"127.0.0.1:" + std::to_string(ntohs(address.sin_port))}, 20ms, 3, 60s));
  ask.resolver.prefetch("a.test", Type::txt);
  std::vector<std::string> ids;
  while (ids.size() < 3) {
    std::array<char, 512> packet{};
    ASSERT_GT(recv(fd, packet.data(), packet.size(), 0), 12);
    if (packet[12] != 0) ids.emplace_back(packet.data(), 2);  // else it is asked whether it lives
  }
  EXPECT_THAT(ids, Each(ids[0]));
  close(fd);
}

TEST(Cares, ManyThreadsManyNames) {
  std::string zone;
  for (int i = 0; i < 50; ++i) zone += "n" + std::to_string(i) + ".test TXT t" + std::to_string(i) + "\n";
  const DnsServer server(zone);
  Asker ask(asking({server.host_port()}, 10s));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> askers;
  for (int t = 0; t < 4; ++t) {
    askers.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const auto n = std::to_string((i * 7 + t * 13) % 50);
        if (ask("n" + n + ".test")->texts != std::vector<std::string>{"t" + n}) ++wrong;
      }
    });
  }
  for (auto& asker : askers) asker.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_THAT(server.queries(), SizeIs(50));
}

TEST(Servers, WhatCannotBeUnderstoodIsNamed) {
  for (const std::string text :
       {"", "dns.example.com", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:53x", "192.0.2.300",
        "[2001:db8::1", "[2001:db8::1]x", "[2001:db8::1]:", "[192.0.2.1]:53", "2001:db8::1::53", "192.0.2.1 ", "[]"}) {
    const auto upstream = make_cares_upstream(asking({"192.0.2.1", text}));
    ASSERT_FALSE(upstream) << text;
    EXPECT_THAT(upstream.error().message, HasSubstr("\"" + text + "\""));
  }
}

TEST(Servers, BothFamiliesWithAndWithoutPort) {
  for (const std::string text : {"192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:5353"})
    EXPECT_TRUE(make_cares_upstream(asking({text}))) << text;
  EXPECT_TRUE(make_cares_upstream(asking({})));
}

}  // namespace
}  // namespace sesame::dns
