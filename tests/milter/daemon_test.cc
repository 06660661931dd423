// The real daemon, spoken to as an MTA does.
#include "daemon.h"

#include <gmock/gmock.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "mail.h"

namespace sesame::test {
namespace {

using Final = MilterResult::Final;
using Kind = MilterEdit::Kind;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::uint32_t kQuarantine = 0x20, kNoUnknown = 0x100, kNoData = 0x200, kSkip = 0x400,
                        kLeadingSpace = 0x100000;
// Steps that are not answered.
constexpr std::uint32_t kQuietHeader = 0x80, kQuietConnect = 0x1000, kQuietHelo = 0x2000, kQuietMail = 0x4000,
                        kQuietRcpt = 0x8000, kQuietEndOfHeader = 0x40000, kQuietBody = 0x80000;
constexpr std::uint32_t kAlwaysQuiet = kQuietHeader | kQuietConnect | kQuietHelo | kQuietRcpt | kQuietBody;
constexpr std::uint32_t kLeftOut = kNoUnknown | kNoData;
// With an MTA that waits for every answer it is known when a step has been taken.
const MilterOffer kEveryAnswer = {.protocol = kLeadingSpace};

MilterMessage inbound(const std::string& from, const std::string& queue_id = "4QUEUE1") {
  MilterMessage message;
  message.mail = {"<" + from + ">"};
  message.fields = {{"From", " <" + from + ">"}, {"Subject", " x"}};
  message.mail_macros = {{"{mail_addr}", from}};
  message.queue_id = queue_id;
  return message;
}

MilterMessage outbound(const std::string& from, const std::string& queue_id = "4QUEUE1") {
  auto message = inbound(from, queue_id);
  message.mail_macros.push_back({"{auth_authen}", "alice"});
  return message;
}

void expect_results(const MilterResult& result, const std::string& part) {
  EXPECT_EQ(result.final, Final::proceed);
  ASSERT_FALSE(result.edits.empty());
  const auto& edit = result.edits.back();
  EXPECT_EQ(edit.kind, Kind::insert);
  EXPECT_EQ(edit.index, 0u);
  EXPECT_EQ(edit.name, "Authentication-Results");
  EXPECT_THAT(edit.value, StartsWith(" mx.example.net;"));
  EXPECT_THAT(edit.value, HasSubstr(part));
  EXPECT_THAT(edit.value, Not(HasSubstr("\r")));
}

TEST(Negotiation, AsksForWhatItNeedsAndNoMore) {
  Daemon daemon;
  const MilterClient client(daemon.socket());
  EXPECT_EQ(client.actions(), 0x131u);  // add, change and remove fields, quarantine, name macros
  EXPECT_EQ(client.protocol(), kLeadingSpace | kLeftOut | kAlwaysQuiet | kQuietMail | kQuietEndOfHeader);
}

TEST(Negotiation, StepsThatMayEndTheFilteringAreAnswered) {
  const Daemon networks("[ignore]\nnetworks = [\"203.0.113.0/24\"]\n");
  EXPECT_EQ(MilterClient(networks.socket()).protocol(), kLeadingSpace | kLeftOut | kAlwaysQuiet | kQuietEndOfHeader);
  EXPECT_EQ(networks.connect("203.0.113.9")->mail({"<a@clean.example>"}).final, Final::accept);
  const Daemon authors("[ignore]\nfrom_domains = [\"clean.example\"]\n");
  EXPECT_EQ(MilterClient(authors.socket()).protocol(), kLeadingSpace | kLeftOut | kAlwaysQuiet | kQuietMail);
  const auto client = authors.connect();
  client->envelope(inbound("a@clean.example"));
  client->header("From", " <a@clean.example>");
  EXPECT_EQ(client->end_of_header().final, Final::accept);
}

TEST(Negotiation, WhateverAnMtaOffersTheVerdictIsTheSame) {
  Daemon daemon;
  const struct {
    std::uint32_t version, offered, agreed;
  } cases[] = {
      {6, 0, 0},
      {6, kSkip | kQuietBody, kQuietBody},
      {6, kQuietHeader | kNoData, kQuietHeader | kNoData},
      {6, kLeadingSpace | kQuietConnect | kQuietRcpt | kSkip, kLeadingSpace | kQuietConnect | kQuietRcpt},
      {6, 0x1fffff, kLeadingSpace | kLeftOut | kAlwaysQuiet | kQuietMail | kQuietEndOfHeader},
      {2, 0x7f, 0},
  };
  for (const auto& [version, offered, agreed] : cases) {
    MilterClient client(daemon.socket(), {.version = version, .protocol = offered});
    EXPECT_EQ(client.protocol(), agreed) << std::hex << offered;
    MilterMessage message;
    message.fields = signed_fields();
    message.body = kSignedBody;
    if ((agreed & kLeadingSpace) == 0)
      for (auto& [name, value] : message.fields) value.erase(0, 1);
    const auto stays = [&] {
      client.connect("mail.clean.example", "192.0.2.1");
      client.helo("mail.clean.example");
      for (int i = 0; i < 2; ++i) {
        const auto result = client.send(message);
        ASSERT_THAT(result.edits, SizeIs(1)) << std::hex << offered;
        EXPECT_THAT(result.edits[0].value, HasSubstr("dkim=pass")) << std::hex << offered;
      }
    };
    stays();
    client.quit_for_next();
    stays();
  }
}

TEST(Negotiation, WhatWasAgreedHoldsWhenAReloadWouldAgreeOnSomethingElse) {
  Daemon daemon;
  MilterClient network(daemon.socket()), author(daemon.socket()), judged(daemon.socket());
  daemon.write_config("[ignore]\nnetworks = [\"203.0.113.0/24\"]\nfrom_domains = [\"ours.example\"]\n");
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: done"));
  network.connect("mail.clean.example", "203.0.113.9");
  author.connect("mail.clean.example", "192.0.2.1");
  judged.connect("mail.clean.example", "192.0.2.1");
  for (int i = 0; i < 2; ++i) {
    for (const auto& result : {network.send(inbound("a@clean.example")), author.send(inbound("a@ours.example"))}) {
      EXPECT_EQ(result.final, Final::accept);
      EXPECT_THAT(result.edits, IsEmpty());
    }
  }
  EXPECT_THAT(daemon.log(), Not(HasSubstr("queue_id=")));
  expect_results(judged.send(inbound("a@clean.example")), "dmarc=pass");
}

TEST(Negotiation, AsksAtMailForAMacroThatAlwaysHasAValue) {
  Daemon daemon;
  const MilterClient client(daemon.socket());
  EXPECT_THAT(client.symbol_lists(),
              testing::Contains(testing::Pair(2u, AllOf(HasSubstr("{mail_addr}"), HasSubstr("{auth_authen}")))));
  EXPECT_THAT(client.symbol_lists(),
              testing::Contains(testing::Pair(3u, AllOf(HasSubstr("{rcpt_addr}"), HasSubstr("{rcpt_host}")))));
  EXPECT_THAT(client.symbol_lists(), testing::Contains(testing::Pair(5u, HasSubstr("i"))));
}

TEST(Negotiation, AnMtaWithoutLeadingSpaceGetsTheSameVerdict) {
  Daemon daemon;
  MilterOffer offer;
  offer.protocol &= ~(kLeadingSpace | kSkip);
  MilterClient client(daemon.socket(), offer);
  client.connect("mail.clean.example", "192.0.2.1");
  client.helo("mail.clean.example");
  MilterMessage message;
  message.fields = signed_fields();
  for (auto& [name, value] : message.fields) value.erase(0, 1);
  message.body = kSignedBody;
  const auto result = client.send(message);
  ASSERT_THAT(result.edits, SizeIs(1));
  EXPECT_THAT(result.edits[0].value, StartsWith("mx.example.net;")) << "this MTA puts the space itself";
  EXPECT_THAT(result.edits[0].value, HasSubstr("dkim=pass"));
}

TEST(Negotiation, AnMtaWithoutQuarantineKeepsTheMail) {
  Daemon daemon;
  MilterOffer offer;
  offer.actions &= ~kQuarantine;
  MilterClient client(daemon.socket(), offer);
  client.connect("localhost", "127.0.0.1");
  EXPECT_EQ(client.send(outbound("a@hold.example")).final, Final::accept);
  EXPECT_TRUE(daemon.logs("step=edits"));
}

TEST(Outbound, PassIsLoggedAndLeftAlone) {
  Daemon daemon;
  const auto result = daemon.connect()->send(outbound("a@ours.example"));
  EXPECT_EQ(result.final, Final::proceed);
  EXPECT_THAT(result.edits, IsEmpty());
  EXPECT_TRUE(daemon.logs("verdict=pass"));
  EXPECT_THAT(daemon.log(), HasSubstr("queue_id=4QUEUE1 direction=outbound from_domain=ours.example"));
}

TEST(Outbound, TheLadderActsByDomain) {
  Daemon daemon;
  const auto client = daemon.connect();
  const auto observed = client->send(outbound("a@fail.example"));
  EXPECT_EQ(observed.final, Final::proceed);
  EXPECT_THAT(observed.edits, IsEmpty());

  const auto tagged = client->send(outbound("a@tag.example"));
  EXPECT_EQ(tagged.final, Final::proceed);
  ASSERT_THAT(tagged.edits, SizeIs(1));
  EXPECT_EQ(tagged.edits[0].name, "Sesame-Prediction");
  EXPECT_EQ(tagged.edits[0].index, 0u);
  EXPECT_THAT(tagged.edits[0].value, Not(HasSubstr("dmarc=pass")));

  const auto held = client->send(outbound("a@hold.example"));
  EXPECT_EQ(held.final, Final::proceed);
  ASSERT_THAT(held.edits, SizeIs(2));
  EXPECT_EQ(held.edits[1].kind, Kind::quarantine);
  EXPECT_THAT(held.edits[1].value, HasSubstr("hold.example"));

  const auto rejected = client->send(outbound("a@reject.example"));
  EXPECT_EQ(rejected.final, Final::reply);
  EXPECT_THAT(rejected.edits, IsEmpty());
  EXPECT_THAT(rejected.reply, AllOf(StartsWith("550 5.7."), HasSubstr("reject.example")));
}

TEST(Inbound, ResultsAreInsertedOnTop) {
  Daemon daemon;
  expect_results(daemon.connect()->send(inbound("a@clean.example")), "dmarc=pass");
}

TEST(Inbound, FieldsReachTheVerifierOctetForOctet) {
  Daemon daemon;
  MilterMessage message;
  message.fields = signed_fields();
  message.body = kSignedBody;
  expect_results(daemon.connect()->send(message), "dkim=pass");
}

TEST(Inbound, ForgedResultsAreRemovedLastFirst) {
  Daemon daemon;
  auto message = inbound("a@clean.example");
  message.fields.push_back({"Authentication-Results", " mx.example.net; dmarc=pass"});
  message.fields.push_back({"Authentication-Results", " other.example; dmarc=pass"});
  message.fields.push_back({"AUTHENTICATION-RESULTS", "\n\tMX.example.net; spf=pass"});
  const auto result = daemon.connect()->send(message);
  ASSERT_THAT(result.edits, SizeIs(3));
  const auto removal = [](std::uint32_t index) {
    return MilterEdit{Kind::change, index, "Authentication-Results", ""};
  };
  EXPECT_EQ(result.edits[0], removal(3));
  EXPECT_EQ(result.edits[1], removal(1));
  expect_results(result, "dmarc=pass");
}

TEST(Inbound, PercentInAReplyIsNotAFormat) {
  Daemon daemon("[inbound]\non_policy_reject = \"reject\"\non_bad_author = \"reject\"\n");
  auto message = inbound("a@clean.example");
  message.fields[0].second = " 100%s <a@clean.example> %n";
  const auto result = daemon.connect()->send(message);
  ASSERT_EQ(result.final, Final::reply);
  EXPECT_THAT(result.reply, StartsWith("550 5.7."));
  std::string text = result.reply;
  for (std::size_t at = 0; (at = text.find("%%", at)) != std::string::npos;) text.erase(at, 2);
  EXPECT_THAT(text, Not(HasSubstr("%")));
  EXPECT_TRUE(daemon.runs());
}

TEST(Inbound, AnAddressOfIpv6IsUsed) {
  Daemon daemon;
  daemon.dns().with_zone([](Zone& zone) {
    zone.add("six.example TXT v=spf1 ip6:2001:db8::/32 -all\n_dmarc.six.example TXT v=DMARC1; p=reject");
  });
  expect_results(daemon.connect("2001:db8::1")->send(inbound("a@six.example")), "spf=pass");
}

TEST(Author, ManyAndNoneGetAVerdictWithAReason) {
  Daemon daemon;
  const auto client = daemon.connect();
  auto two = inbound("a@clean.example", "4TWO");
  two.fields.push_back({"From", " <b@other.example>"});
  expect_results(client->send(two), "dmarc=permerror");
  EXPECT_TRUE(daemon.logs("2 From fields"));
  auto none = inbound("a@clean.example", "4NONE");
  none.fields.erase(none.fields.begin());
  expect_results(client->send(none), "dmarc=permerror");
  EXPECT_TRUE(daemon.logs("no From field"));
}

TEST(Connection, VerdictsOfItsMessagesAreApart) {
  Daemon daemon;
  const auto client = daemon.connect();
  EXPECT_EQ(client->send(outbound("a@reject.example", "4FIRST")).final, Final::reply);
  expect_results(client->send(inbound("a@clean.example", "4SECOND")), "dmarc=pass");
  auto third = inbound("a@clean.example", "");
  third.mail_macros = {{"{mail_addr}", "a@clean.example"}};
  expect_results(client->send(third), "dmarc=pass");
  EXPECT_TRUE(daemon.logs("queue_id=4SECOND direction=inbound"));
  EXPECT_THAT(daemon.log(), HasSubstr("queue_id=\"\" direction=inbound")) << "no queue id of the message before";
}

TEST(Connection, AnAbortMidBodyLeavesNothingToTheNextMessage) {
  Daemon daemon;
  const auto client = daemon.connect();
  const auto aborted = outbound("a@reject.example", "4ABORTED");
  client->envelope(aborted);
  client->data();
  for (const auto& [name, value] : aborted.fields) client->header(name, value);
  client->end_of_header();
  client->body("half a body");
  client->abort();
  expect_results(client->send(inbound("a@clean.example", "4NEXT")), "dmarc=pass");
  EXPECT_THAT(daemon.log(), Not(HasSubstr("4ABORTED")));
}

TEST(Connection, AnMtaMayBeginANewOneOnTheSameChannel) {
  Daemon daemon;
  const auto client = daemon.connect();
  EXPECT_THAT(client->send(outbound("a@tag.example")).edits, SizeIs(1));
  client->quit_for_next();
  client->connect("mail.clean.example", "192.0.2.1");
  client->helo("mail.clean.example");
  expect_results(client->send(inbound("a@clean.example")), "dmarc=pass");
}

TEST(Connection, AClientThatVanishesHarmsNobody) {
  Daemon daemon;
  for (int i = 0; i < 5; ++i) {
    const auto client = daemon.connect();
    client->envelope(inbound("a@clean.example"));
    client->header("From", " <a@clean.example>");
    client->vanish();
  }
  expect_results(daemon.connect()->send(inbound("a@clean.example")), "dmarc=pass");
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait_for_exit(), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("for 0 messages under way")) << "those of the vanished clients are over";
}

TEST(Connection, FiftyAtOnceAreServed) {
  Daemon daemon;
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 50; ++i)
    threads.emplace_back([&daemon, &good, i] {
      try {
        const auto client = daemon.connect();
        const bool rejects = i % 2 == 0;
        for (int n = 0; n < 4; ++n) {
          const auto result = client->send(rejects ? outbound("a@reject.example") : inbound("a@clean.example"));
          if (result.final == (rejects ? Final::reply : Final::proceed)) ++good;
        }
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
}

TEST(Size, AFieldOfAMegabyteGetsAVerdict) {
  Daemon daemon;
  auto message = inbound("a@clean.example");
  message.fields.push_back({"X-Big", " " + std::string(1u << 20, 'x')});
  const auto client = daemon.connect();
  expect_results(client->send(message), "dmarc=permerror");
  EXPECT_TRUE(daemon.logs("limits.header_size"));
  expect_results(client->send(inbound("a@clean.example")), "dmarc=pass");
}

TEST(Size, TenThousandFieldsGetAVerdict) {
  Daemon daemon;
  auto message = inbound("a@clean.example");
  for (int i = 0; i < 10000; ++i) message.fields.push_back({"X-Many", " x"});
  expect_results(daemon.connect()->send(message), "dmarc=pass");
}

TEST(Size, ALongBodyIsRead) {
  Daemon daemon;
  auto message = inbound("a@clean.example");
  message.fields = signed_fields();
  message.body = std::string(4u << 20, 'x');
  expect_results(daemon.connect()->send(message), "dkim=fail");
}

TEST(Dns, ADeadServerLosesNoMail) {
  Daemon daemon;
  const auto client = daemon.connect();
  expect_results(client->send(inbound("a@dead.example")), "dmarc=temperror");
  EXPECT_TRUE(daemon.logs("dns_failed="));
  EXPECT_THAT(daemon.log(), HasSubstr("dead.example"));
  daemon.dns().stop();
  const auto result = client->send(outbound("a@hold.example"));
  EXPECT_EQ(result.final, Final::proceed);
  EXPECT_THAT(result.edits, IsEmpty()) << "unknown is never acted upon";
}

TEST(Reload, AGoodFileServesNewConnections) {
  Daemon daemon;
  const auto before = daemon.connect();
  daemon.write_config("[[outbound.override]]\ndomain = \"fail.example\"\nfail = \"reject\"\n");
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: done"));
  EXPECT_EQ(before->send(outbound("a@fail.example")).final, Final::proceed) << "keeps what it began with";
  EXPECT_EQ(daemon.connect()->send(outbound("a@fail.example")).final, Final::reply);
}

TEST(Reload, ABadFileKeepsTheOldOneAndSaysWhy) {
  Daemon daemon;
  daemon.write_config("[outbound]\nfial = \"reject\"\n");
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: the configuration stays as it was"));
  EXPECT_THAT(daemon.log(), HasSubstr("fial"));
  EXPECT_EQ(daemon.connect()->send(outbound("a@reject.example")).final, Final::reply);
  daemon.signal(SIGHUP);
  daemon.signal(SIGHUP);
  EXPECT_EQ(daemon.connect()->send(outbound("a@reject.example")).final, Final::reply);
}

// libmilter has a thread of its own that stops everything when sigwait(3) gives it a SIGHUP.
TEST(Reload, NoOtherThreadTakesTheSignal) {
  Daemon daemon;
  daemon.signal_other_threads(SIGHUP);
  for (int i = 0; i < 3; ++i) expect_results(daemon.connect()->send(inbound("a@clean.example")), "dmarc=pass");
  EXPECT_TRUE(daemon.runs());
}

TEST(Reload, ManyInARowStopNothing) {
  Daemon daemon;
  for (int i = 0; i < 200; ++i) {
    daemon.signal(SIGHUP);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  ASSERT_TRUE(daemon.runs());
  expect_results(daemon.connect()->send(inbound("a@clean.example")), "dmarc=pass");
  EXPECT_THAT(daemon.log(), Not(HasSubstr("stop:")));
}

TEST(Reload, TheLogFollowsARotation) {
  Daemon daemon;
  std::filesystem::rename(daemon.path("log"), daemon.path("log.1"));
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: done"));
  EXPECT_THAT(daemon.log(), Not(HasSubstr("start:")));
}

TEST(Stop, AMessageUnderWayIsFinished) {
  Daemon daemon;
  const auto client = daemon.connect("192.0.2.1", kEveryAnswer);
  const auto message = inbound("a@clean.example", "4LAST");
  client->envelope(message);
  daemon.signal(SIGTERM);
  ASSERT_TRUE(daemon.logs("for 1 messages under way"));
  EXPECT_THROW(MilterClient another(daemon.socket()), std::runtime_error);
  expect_results(client->content(message), "dmarc=pass");
  client->quit();
  client->vanish();
  EXPECT_EQ(daemon.wait_for_exit(), 0);
  EXPECT_THAT(daemon.log(), AllOf(HasSubstr("queue_id=4LAST"), HasSubstr("stop: judged=1 failures=0")));
  EXPECT_FALSE(std::filesystem::exists(daemon.path("socket")));
}

TEST(Stop, AnIdleConnectionHoldsNothingUp) {
  Daemon daemon;
  const auto client = daemon.connect();
  client->send(inbound("a@clean.example"));
  daemon.signal(SIGINT);
  EXPECT_EQ(daemon.wait_for_exit(), 0);
}

TEST(Stop, AMessageThatNeverEndsIsGivenUpAtTheDeadline) {
  Daemon daemon;
  const auto client = daemon.connect("192.0.2.1", kEveryAnswer);
  client->envelope(inbound("a@clean.example"));
  std::ifstream in(daemon.path("sesame.toml"));
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  text.replace(text.find("drain = 20"), 10, "drain = 1");
  std::ofstream(daemon.path("sesame.toml")) << text;
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: done"));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait_for_exit(), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("1 messages under way are left to the MTA"));
}

TEST(Start, TheLogSaysWhatIsServed) {
  Daemon daemon;
  EXPECT_THAT(daemon.log(), AllOf(HasSubstr("start: version="), HasSubstr("socket=" + daemon.socket()),
                                  HasSubstr("identities=5"), HasSubstr("dns=127.0.0.1:")));
}

TEST(Start, TheSocketIsForOwnerAndGroup) {
  Daemon daemon;
  struct stat found {};
  ASSERT_EQ(::stat(daemon.path("socket").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777u, 0660u);
}

TEST(Start, BecomesTheConfiguredUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  Daemon daemon("", "user = \"nobody\"");
  const passwd* nobody = ::getpwnam("nobody");
  ASSERT_NE(nobody, nullptr);
  const auto uid = std::to_string(nobody->pw_uid), gid = std::to_string(nobody->pw_gid);
  const auto status = daemon.status();
  EXPECT_THAT(status, HasSubstr("Uid:\t" + uid + "\t" + uid + "\t" + uid + "\t" + uid));
  EXPECT_THAT(status, HasSubstr("Gid:\t" + gid + "\t" + gid + "\t" + gid + "\t" + gid));
  EXPECT_THAT(status, HasSubstr("Groups:\t" + gid + " "));
  struct stat found {};
  ASSERT_EQ(::stat(daemon.path("socket").c_str(), &found), 0);
  EXPECT_EQ(found.st_uid, nobody->pw_uid);
  expect_results(daemon.connect()->send(inbound("a@clean.example")), "dmarc=pass");
  std::filesystem::rename(daemon.path("log"), daemon.path("log.1"));
  daemon.signal(SIGHUP);
  EXPECT_TRUE(daemon.logs("reload: done")) << "the log can be opened again without being root";
}

TEST(Start, AUserThatIsNotThereIsAnError) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  Daemon daemon;
  daemon.write_config("", "user = \"sesame-nobody-there\"");
  const auto ran = run_daemon({"--config", daemon.path("sesame.toml"), "--socket", "unix:" + daemon.path("second")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.output, HasSubstr("sesame-nobody-there"));
}

TEST(Start, TheTestOfTheSettingsLooksUpTheUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  Daemon daemon;
  daemon.write_config("", "user = \"sesame-nobody-there\"");
  EXPECT_EQ(run_daemon({"--config", daemon.path("sesame.toml"), "--test-config"}).status, 2);
}

TEST(Start, ASocketOfTheCommandLineIsCheckedAsTheSettingIs) {
  Daemon daemon;
  for (const std::string socket : {"foo", "unix:relative", "inet:99999@127.0.0.1"}) {
    const auto ran = run_daemon({"--config", daemon.path("sesame.toml"), "--socket", socket});
    EXPECT_EQ(ran.status, 2) << socket;
    EXPECT_THAT(ran.output, HasSubstr("inet:PORT@HOST")) << socket;
  }
}

TEST(Start, APortThatCannotBeOpenedIsAnError) {
  Daemon daemon;
  const auto port = std::to_string(20000 + ::getpid() % 20000);
  const auto ran = run_daemon({"--config", daemon.path("sesame.toml"), "--socket", "inet:" + port + "@192.0.2.77"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("cannot open the socket inet:" + port));
}

TEST(Start, ASocketSomebodyListensOnIsLeftAlone) {
  Daemon daemon;
  const auto second = run_daemon({"--config", daemon.path("sesame.toml")});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.output, HasSubstr("somebody listens on it already"));
  expect_results(daemon.connect()->send(inbound("a@clean.example")), "dmarc=pass");
}

TEST(Start, AStaleSocketIsReplaced) {
  Daemon daemon;
  daemon.signal(SIGKILL);
  daemon.wait_for_exit();
  ASSERT_TRUE(std::filesystem::exists(daemon.path("socket")));
  daemon.start();
  expect_results(daemon.connect()->send(inbound("a@clean.example")), "dmarc=pass");
}

TEST(Start, AFileThatIsNoSocketIsLeftAlone) {
  Daemon daemon;
  std::ofstream(daemon.path("file")) << "precious";
  const auto second = run_daemon({"--config", daemon.path("sesame.toml"), "--socket", "unix:" + daemon.path("file")});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.output, HasSubstr("is not a socket"));
  EXPECT_TRUE(std::filesystem::exists(daemon.path("file")));
}

TEST(CommandLine, TestConfigJudgesTheFile) {
  Daemon daemon;
  EXPECT_EQ(run_daemon({"--config", daemon.path("sesame.toml"), "--test-config"}).status, 0);
  daemon.write_config("[outbound]\nfail = \"perhaps\"\n");
  const auto bad = run_daemon({"--config", daemon.path("sesame.toml"), "--test-config"});
  EXPECT_EQ(bad.status, 2);
  EXPECT_THAT(bad.output, HasSubstr("outbound.fail"));
}

TEST(CommandLine, BadUsageIsTwoAndHelpAndVersionAreZero) {
  EXPECT_EQ(run_daemon({"--nonsense"}).status, 2);
  EXPECT_EQ(run_daemon({"--help"}).status, 0);
  const auto version = run_daemon({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.output, StartsWith("sesame-milter "));
  EXPECT_EQ(run_daemon({"--config", "/nonexistent/sesame.toml"}).status, 2);
}

}  // namespace
}  // namespace sesame::test
