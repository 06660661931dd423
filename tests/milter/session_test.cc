#include "milter/session.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fake_mta.h"
#include "mail.h"
#include "support/fake_resolver.h"

namespace sesame::milter {
namespace {

using policy::Level;
using test::FakeMta;
using test::FieldList;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

ses::Identity identity(const std::string& name) {
  ses::Identity result;
  result.name = name;
  result.region = "us-east-1";
  result.dkim.signing_enabled = false;
  return result;
}

config::Config configuration() {
  auto config = config::defaults();
  config.rules.authserv_id = "mx.example.net";
  config.rules.own_ids = {"mx.example.net"};
  config.ses.region = "us-east-1";
  config.ses.identities = {identity("tag.example"), identity("hold.example"), identity("reject.example")};
  config.rules.overrides = {{"tag.example", {Level::tag, Level::tag}},
                            {"hold.example", {Level::hold, Level::hold}},
                            {"reject.example", {Level::reject, Level::reject}}};
  config.directions.outbound_daemon_names = {"submission"};
  config.directions.ignore_networks = {*Network::parse("203.0.113.0/24")};
  config.directions.ignore_from_domains = {"ignored.example"};
  return config;
}

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    path_ = std::filesystem::temp_directory_path() / ("sesame-session-" + std::to_string(::getpid()) + ".log");
    std::filesystem::remove(path_);
    config::Log settings;
    settings.destination = path_;
    settings.level = "debug";
    EXPECT_TRUE(log_.open(settings));
  }
  ~SessionTest() override { std::filesystem::remove(path_); }

  static Snapshot runtime(config::Config config) {
    auto result = std::make_shared<inspect::Runtime>();
    result->accounts = std::make_shared<ses::Accounts>(config.ses, ses::Snapshot{}, 0);
    result->config = std::move(config);
    result->resolver = std::make_shared<test::FakeResolver>(test::kZone);
    result->suffixes = dmarc::PublicSuffixList::system();
    return result;
  }

  // A session of an MTA as Postfix is, with a client that is inbound.
  std::unique_ptr<Session> connected(std::string_view client = "192.0.2.1", const std::string& daemon = "") {
    auto session = std::make_unique<Session>(service_, Peer{});
    session->connect({IpAddress::parse(client), "mail.clean.example", "OK", daemon});
    session->helo("mail.clean.example");
    return session;
  }

  static Next header(Session& session, const FieldList& fields) {
    for (const auto& [name, value] : fields)
      if (const auto next = session.field(name, value); next != Next::proceed) return next;
    return session.end_of_header();
  }

  static Next send(Session& session, const std::string& from, const FieldList& fields, MtaEdits& mta,
                   const std::string& auth_user = "") {
    const auto path = "<" + from + ">";
    auto next = session.mail({path}, auth_user);
    if (next == Next::proceed) next = session.recipient("<bob@example.net>");
    if (next == Next::proceed) next = header(session, fields);
    if (next == Next::proceed) next = session.body(test::kSignedBody);
    return next == Next::accept ? next : session.end_of_message("4QUEUE1", mta);
  }

  std::string logged() const {
    std::ifstream in(path_);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  std::filesystem::path path_;
  Log log_;
  RuntimeStore store_{runtime(configuration())};
  Service service_{store_, log_};
};

FieldList from(const std::string& address) {
  return {{"From", " <" + address + ">"}, {"Subject", " x"}};
}

TEST_F(SessionTest, WhatTheMtaSaysOfTheClientsNameIsPassedOn) {
  const std::tuple<const char*, const char*> cases[] = {{"OK", "iprev=pass (mail.clean.example)"},
                                                        {"FORGED", "iprev=fail policy.iprev"},
                                                        {"TEMP", "iprev=temperror policy.iprev"},
                                                        {"FAIL", "iprev=permerror policy.iprev"}};
  for (const auto& [resolved, want] : cases) {
    FakeMta mta;
    Session session(service_, Peer{});
    session.connect({IpAddress::parse("192.0.2.1"), "mail.clean.example", resolved, ""});
    session.helo("mail.clean.example");
    send(session, "a@clean.example", from("a@clean.example"), mta);
    ASSERT_EQ(mta.calls.size(), 1u);
    EXPECT_THAT(mta.calls[0], HasSubstr(want));
  }
}

TEST_F(SessionTest, InboundMailGetsItsResultsOnTop) {
  FakeMta mta;
  EXPECT_EQ(send(*connected(), "a@clean.example", from("a@clean.example"), mta), Next::proceed);
  ASSERT_EQ(mta.calls.size(), 1u);
  EXPECT_THAT(mta.calls[0], StartsWith("insert Authentication-Results:mx.example.net"));
  EXPECT_THAT(mta.calls[0], HasSubstr("spf=pass"));
  EXPECT_THAT(mta.calls[0], HasSubstr("dmarc=pass"));
  EXPECT_THAT(logged(), HasSubstr("queue_id=4QUEUE1"));
}

TEST_F(SessionTest, FieldsReachTheVerifierOctetForOctet) {
  FakeMta mta;
  EXPECT_EQ(send(*connected(), "a@clean.example", test::signed_fields(), mta), Next::proceed);
  ASSERT_FALSE(mta.calls.empty());
  EXPECT_THAT(mta.calls.back(), HasSubstr("dkim=pass"));
}

TEST_F(SessionTest, TheLeadingSpaceIsPutBackWhereTheMtaTakesItAway) {
  Session session(service_, Peer{Peer::LeadingSpace::stripped});
  session.connect({IpAddress::parse("192.0.2.1"), "mail.clean.example", "OK", ""});
  auto fields = test::signed_fields();
  for (auto& [name, value] : fields) value.erase(0, 1);
  FakeMta mta;
  EXPECT_EQ(send(session, "a@clean.example", fields, mta), Next::proceed);
  ASSERT_FALSE(mta.calls.empty());
  EXPECT_THAT(mta.calls.back(), HasSubstr("dkim=pass"));
}

TEST_F(SessionTest, ForgedResultsAreRemovedLastFirst) {
  auto fields = from("a@clean.example");
  fields.push_back({"Authentication-Results", " mx.example.net; dmarc=pass"});
  fields.push_back({"Authentication-Results", " other.example; dmarc=pass"});
  fields.push_back({"authentication-results", " MX.example.net; spf=pass"});
  FakeMta mta;
  EXPECT_EQ(send(*connected(), "a@clean.example", fields, mta), Next::proceed);
  ASSERT_EQ(mta.calls.size(), 3u);
  EXPECT_EQ(mta.calls[0], "remove Authentication-Results 3");
  EXPECT_EQ(mta.calls[1], "remove Authentication-Results 1");
  EXPECT_THAT(mta.calls[2], StartsWith("insert Authentication-Results:"));
}

TEST_F(SessionTest, TheLadderActsByDomain) {
  const auto session = connected();
  FakeMta tag, hold, reject;
  EXPECT_EQ(send(*session, "a@tag.example", from("a@tag.example"), tag, "alice"), Next::proceed);
  ASSERT_EQ(tag.calls.size(), 1u);
  EXPECT_THAT(tag.calls[0], StartsWith("insert Sesame-Prediction:"));
  EXPECT_EQ(send(*session, "a@hold.example", from("a@hold.example"), hold, "alice"), Next::proceed);
  EXPECT_THAT(hold.calls, Contains(StartsWith("quarantine ")));
  EXPECT_EQ(send(*session, "a@reject.example", from("a@reject.example"), reject, "alice"), Next::reject);
  EXPECT_THAT(reject.calls, ElementsAre(StartsWith("reply 550 5.7.")));
}

TEST_F(SessionTest, DirectionIsDecidedForEachMessage) {
  const auto session = connected();
  FakeMta first, second;
  send(*session, "a@tag.example", from("a@tag.example"), first, "alice");
  send(*session, "a@tag.example", from("a@tag.example"), second);
  EXPECT_THAT(first.calls, ElementsAre(StartsWith("insert Sesame-Prediction:")));
  EXPECT_THAT(second.calls, ElementsAre(StartsWith("insert Authentication-Results:")));
}

TEST_F(SessionTest, ADaemonNameMakesMailOutbound) {
  FakeMta mta;
  send(*connected("192.0.2.1", "submission"), "a@tag.example", from("a@tag.example"), mta);
  EXPECT_THAT(mta.calls, ElementsAre(StartsWith("insert Sesame-Prediction:")));
}

TEST_F(SessionTest, AnIgnoredNetworkEndsAtMail) {
  FakeMta mta;
  const auto session = connected("203.0.113.9");
  EXPECT_EQ(session->mail({"<a@clean.example>"}, ""), Next::accept);
  EXPECT_EQ(service_.messages.count(), 0u);
  EXPECT_EQ(session->end_of_message("4QUEUE1", mta), Next::accept);
  EXPECT_THAT(mta.calls, IsEmpty());
}

TEST_F(SessionTest, AnIgnoredAuthorEndsAtTheEndOfTheHeader) {
  const auto session = connected();
  EXPECT_EQ(session->mail({"<a@clean.example>"}, ""), Next::proceed);
  EXPECT_EQ(header(*session, from("a@sub.ignored.example")), Next::accept);
  EXPECT_EQ(service_.messages.count(), 0u);
}

TEST_F(SessionTest, AnAbortedMessageLeavesNothingToTheNext) {
  const auto session = connected();
  session->mail({"<a@reject.example>"}, "alice");
  session->recipient("<x@example.net>");
  session->field("From", " <a@reject.example>");
  session->end_of_header();
  session->body("half");
  session->abort();
  EXPECT_EQ(service_.messages.count(), 0u);
  FakeMta mta;
  EXPECT_EQ(send(*session, "a@clean.example", from("a@clean.example"), mta), Next::proceed);
  EXPECT_THAT(mta.calls, ElementsAre(HasSubstr("dmarc=pass")));
  EXPECT_THAT(logged(), Not(HasSubstr("reject.example")));
}

TEST_F(SessionTest, AMessageWithoutAnEndLeavesNothingToTheNext) {
  const auto session = connected();
  session->mail({"<a@reject.example>"}, "alice");
  session->field("From", " <a@reject.example>");
  FakeMta mta;
  EXPECT_EQ(send(*session, "a@clean.example", from("a@clean.example"), mta), Next::proceed);
  EXPECT_THAT(mta.calls, ElementsAre(HasSubstr("dmarc=pass")));
}

TEST_F(SessionTest, StepsWithoutAMessageAreAccepted) {
  FakeMta mta;
  Session session(service_, Peer{});
  session.abort();
  EXPECT_EQ(session.recipient("<a@b.example>"), Next::accept);
  EXPECT_EQ(session.field("From", " x"), Next::accept);
  EXPECT_EQ(session.end_of_header(), Next::accept);
  EXPECT_EQ(session.body("x"), Next::accept);
  EXPECT_EQ(session.end_of_message("", mta), Next::accept);
  EXPECT_THAT(mta.calls, IsEmpty());
}

TEST_F(SessionTest, AConnectionKeepsTheRuntimeItBeganWith) {
  const auto before = connected();
  auto config = configuration();
  config.rules.authserv_id = "new.example.net";
  store_.replace(runtime(config));
  const auto after = connected();
  FakeMta first, second;
  send(*before, "a@clean.example", from("a@clean.example"), first);
  send(*after, "a@clean.example", from("a@clean.example"), second);
  EXPECT_THAT(first.calls, ElementsAre(StartsWith("insert Authentication-Results:mx.example.net")));
  EXPECT_THAT(second.calls, ElementsAre(StartsWith("insert Authentication-Results:new.example.net")));
}

TEST_F(SessionTest, AMessageIsUnderWayFromMailToItsEnd) {
  FakeMta mta;
  const auto session = connected();
  EXPECT_EQ(service_.messages.count(), 0u);
  EXPECT_EQ(service_.connections.count(), 1u);
  session->mail({"<a@clean.example>"}, "");
  EXPECT_EQ(service_.messages.count(), 1u);
  header(*session, from("a@clean.example"));
  session->end_of_message("4QUEUE1", mta);
  EXPECT_EQ(service_.messages.count(), 0u);
  EXPECT_EQ(service_.judged, 1u);
  session->mail({"<a@clean.example>"}, "");
}

TEST_F(SessionTest, AClosedConnectionCountsNoMore) {
  connected()->mail({"<a@clean.example>"}, "");
  EXPECT_EQ(service_.messages.count(), 0u);
  EXPECT_EQ(service_.connections.count(), 0u);
}

TEST_F(SessionTest, ARefusedEditLetsTheMessagePassAndIsLogged) {
  FakeMta mta;
  mta.refuse_call = 1;
  EXPECT_EQ(send(*connected(), "a@clean.example", from("a@clean.example"), mta), Next::accept);
  EXPECT_EQ(service_.failures, 1u);
  EXPECT_THAT(logged(), HasSubstr("queue_id=4QUEUE1 step=edits"));
}

config::Config mending() {
  auto config = configuration();
  config.rules.repair = {true, true, true, {*Network::parse("192.0.2.99")}, true};
  return config;
}

FieldList to_be_mended(const std::string& address) {
  auto fields = from(address);
  fields.push_back({"SUBJECT", " x"});
  fields.push_back({"Sesame-Prediction", " mx.example.net; ses-relay=pass"});
  fields.push_back({"X-ses-Source-ARN ", " arn:aws:ses:us-east-1:111122223333:identity/other.example"});
  return fields;
}

TEST_F(SessionTest, RepairsAreOffUnlessConfigured) {
  FakeMta mta;
  EXPECT_EQ(send(*connected(), "a@other.example", to_be_mended("a@other.example"), mta, "alice"), Next::proceed);
  EXPECT_THAT(mta.calls, IsEmpty());
  EXPECT_THAT(logged(), Not(HasSubstr("repairs=")));
}

TEST_F(SessionTest, RepairsAreDoneAndLoggedWhateverTheAction) {
  store_.replace(runtime(mending()));
  FakeMta tag, accept, trusted;
  EXPECT_EQ(send(*connected(), "a@tag.example", to_be_mended("a@tag.example"), tag, "alice"), Next::proceed);
  EXPECT_THAT(tag.calls, ElementsAre("remove SUBJECT 2", "remove Sesame-Prediction 1", "remove X-ses-Source-ARN 1",
                                     StartsWith("insert Sesame-Prediction:mx.example.net")));
  EXPECT_THAT(logged(),
              HasSubstr("repairs=duplicate:SUBJECT:2,own-field:Sesame-Prediction:1,ses-field:X-ses-Source-ARN:1"));
  EXPECT_EQ(send(*connected(), "a@other.example", to_be_mended("a@other.example"), accept, "alice"), Next::proceed);
  EXPECT_THAT(accept.calls, ElementsAre("remove SUBJECT 2", "remove Sesame-Prediction 1", "remove X-ses-Source-ARN 1"));
  EXPECT_EQ(send(*connected("192.0.2.99"), "a@tag.example", to_be_mended("a@tag.example"), trusted, "alice"),
            Next::proceed);
  EXPECT_THAT(trusted.calls, ElementsAre("remove SUBJECT 2", "remove Sesame-Prediction 1"))
      << "the identity of another account: nothing is known, nothing is tagged";
}

TEST_F(SessionTest, WhatIsRejectedIsNotMended) {
  store_.replace(runtime(mending()));
  FakeMta mta;
  EXPECT_EQ(send(*connected(), "a@reject.example", to_be_mended("a@reject.example"), mta, "alice"), Next::reject);
  EXPECT_THAT(mta.calls, ElementsAre(StartsWith("reply 550 5.7.")));
  EXPECT_THAT(logged(), Not(HasSubstr("repairs=")));
}

TEST_F(SessionTest, ARefusedRepairIsNotLoggedAsDoneAndNothingIsPredicted) {
  store_.replace(runtime(mending()));
  FakeMta mta;
  mta.refuse_call = 2;
  EXPECT_EQ(send(*connected(), "a@tag.example", to_be_mended("a@tag.example"), mta, "alice"), Next::accept);
  EXPECT_EQ(mta.calls.size(), 2u);
  EXPECT_THAT(logged(), Not(HasSubstr("repairs=")));
  EXPECT_THAT(logged(), HasSubstr("verdict=unknown"));
  EXPECT_THAT(logged(), HasSubstr("action=accept"));
  EXPECT_THAT(logged(), HasSubstr("queue_id=4QUEUE1 step=edits"));
}

struct ThrowingMta final : MtaEdits {
  bool remove(const std::string&, std::size_t) override { throw std::runtime_error("remove"); }
  bool insert_at_top(const std::string&, const std::string&) override { throw std::runtime_error("out of ink"); }
  bool quarantine(const std::string&) override { throw 1; }
  bool reply(const std::string&, const std::string&, const std::string&) override { throw 1; }
};

TEST_F(SessionTest, AnExceptionLetsTheMessagePassAndIsLogged) {
  ThrowingMta mta;
  const auto session = connected();
  const auto step = [&] { return send(*session, "a@clean.example", from("a@clean.example"), mta); };
  EXPECT_EQ(guarded(
                *session, "end of message", [] { return "4QUEUE1"; }, step),
            Next::accept);
  EXPECT_EQ(service_.failures, 1u);
  EXPECT_EQ(service_.messages.count(), 0u);
  EXPECT_THAT(logged(), HasSubstr("queue_id=4QUEUE1 step=end of message"));
  EXPECT_THAT(logged(), HasSubstr("out of ink"));
  EXPECT_EQ(guarded(
                *session, "reply", [] { return ""; }, []() -> Next { throw 1; }),
            Next::accept)
      << "not a std::exception";
}

// Steps whose answers nobody waits for go on after one that went wrong.
TEST_F(SessionTest, NothingIsJudgedOfAMessageThatWasGivenUp) {
  const auto session = connected();
  session->mail({"<a@clean.example>"}, "");
  guarded(
      *session, "recipient", [] { return ""; }, []() -> Next { throw 1; });
  EXPECT_EQ(session->recipient("<bob@example.net>"), Next::accept);
  EXPECT_EQ(header(*session, from("a@clean.example")), Next::accept);
  EXPECT_EQ(session->body("x"), Next::accept);
  EXPECT_EQ(service_.messages.count(), 0u);
  FakeMta mta, next;
  EXPECT_EQ(session->end_of_message("4QUEUE1", mta), Next::accept);
  EXPECT_THAT(mta.calls, IsEmpty());
  EXPECT_EQ(service_.failures, 1u);
  EXPECT_EQ(send(*session, "a@clean.example", from("a@clean.example"), next), Next::proceed);
  EXPECT_THAT(next.calls, ElementsAre(HasSubstr("dmarc=pass")));
}

TEST_F(SessionTest, TheNextHopOfTheRecipientsLeadsToTheRegion) {
  auto config = configuration();
  config.ses.routes = {{"", "", "smtp.eu.example", "second", "eu-west-1", "gold"}};
  auto second = identity("hold.example");
  second.account = "second";
  second.region = "eu-west-1";
  config.ses.identities.push_back(second);
  store_.replace(runtime(config));
  const auto session = connected();
  FakeMta mta;
  const auto send_by = [&](std::vector<std::string_view> next_hops, const char* queue_id) {
    session->mail({"<a@hold.example>"}, "alice");
    for (const auto next_hop : next_hops) session->recipient("<bob@example.net>", next_hop);
    header(*session, from("a@hold.example"));
    session->end_of_message(queue_id, mta);
    auto text = logged();
    return text.substr(text.find(std::string("queue_id=") + queue_id));
  };
  EXPECT_THAT(
      send_by({"[SMTP.eu.example]:587"}, "4Q1"),
      testing::AllOf(HasSubstr("account=second region=eu-west-1 configuration_set=gold"), HasSubstr("verdict=fail")));
  EXPECT_THAT(send_by({"[smtp.us.example]:587"}, "4Q2"), HasSubstr("region=us-east-1"));
  EXPECT_THAT(send_by({""}, "4Q3"), HasSubstr("region=us-east-1"));
  EXPECT_THAT(send_by({"smtp.us.example", "smtp.eu.example:25", "smtp.us.example"}, "4Q4"), HasSubstr("verdict=fail"))
      << "it fails either way";
}

TEST_F(SessionTest, ADifferentFateForEachNextHopIsNone) {
  auto config = configuration();
  config.ses.routes = {{"", "", "smtp.eu.example", "", "eu-west-1", ""}};
  auto elsewhere = identity("elsewhere.example");
  elsewhere.region = "eu-west-1";
  config.ses.identities.push_back(elsewhere);
  store_.replace(runtime(config));
  const auto session = connected();
  for (const auto* other : {"[smtp.eu.example]", ""}) {
    FakeMta mta;
    session->mail({"<a@reject.example>"}, "alice");
    session->recipient("<bob@example.net>", "[smtp.us.example]");
    session->recipient("<eve@example.net>", other);
    header(*session, from("a@reject.example"));
    EXPECT_EQ(session->end_of_message("4Q1", mta), Next::proceed) << "SES would refuse one and the other fails";
    EXPECT_THAT(mta.calls, IsEmpty());
    EXPECT_THAT(logged(), HasSubstr("verdict=unknown"));
    EXPECT_THAT(logged(), HasSubstr("depends on the relay"));
  }
}

TEST_F(SessionTest, MailParametersAreNoPartOfTheSender) {
  FakeMta mta;
  const auto session = connected();
  session->mail({"<a@clean.example>", "BODY=8BITMIME", "smtputf8"}, "");
  header(*session, from("a@clean.example"));
  session->end_of_message("4QUEUE1", mta);
  session->mail({}, "");
  header(*session, from("a@clean.example"));
  EXPECT_EQ(session->end_of_message("4QUEUE2", mta), Next::proceed);
  EXPECT_THAT(logged(), HasSubstr("mail_from=<a@clean.example>"));
  EXPECT_THAT(logged(), HasSubstr("mail_from=<>"));
}

}  // namespace
}  // namespace sesame::milter
