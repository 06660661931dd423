// Sequences of looks, and what becomes of the records and their deadlines.
#include "watch/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "ses/clocks.h"

namespace sesame::watch {
namespace {

using dns::Transport;
using dns::Type;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t kStart = 1'700'000'000, kMinute = 60, kHour = 3600, kDay = 24 * kHour;
constexpr std::int64_t kInterval = 10 * kMinute;

// example.com at two name servers, with one token.
Subject subject() {
  return {"example.com",
          "",
          "us-east-1",
          "example.com",
          {{Part::dkim, "t1._domainkey.example.com", {Type::cname, Type::txt}, "t1.dkim.amazonses.com"},
           {Part::mail_from_mx, "bounce.example.com", {Type::mx}, "10 feedback-smtp.us-east-1.amazonses.com"},
           {Part::dmarc, "_dmarc.example.com", {Type::txt}, ""},
           {Part::zone, "example.com", {Type::ns, Type::soa}, ""}}};
}

bool by_resolver_alone(Part part) {
  return part == Part::dmarc || part == Part::amazon;
}

// A look at which all is well, to be spoiled.
Look good_look(std::int64_t time) {
  Look look;
  look.subject = subject();
  look.time = time;
  look.zones = {"example.com"};
  for (const auto& record : look.subject.records) {
    RecordLook each{record, {}};
    for (const auto type : record.types) {
      each.observations.push_back(
          {time, record.part, record.name, type, "", "", Transport::udp, Quality::good, "fine"});
      if (by_resolver_alone(record.part)) continue;
      for (const auto& [server, address] :
           {std::pair("ns1.example.com", "192.0.2.52"), std::pair("ns2.example.com", "192.0.2.53")})
        for (const auto transport : {Transport::udp, Transport::tcp})
          each.observations.push_back(
              {time, record.part, record.name, type, server, address, transport, Quality::good, "fine"});
    }
    look.records.push_back(std::move(each));
  }
  return look;
}

using Spoil = std::function<void(Look&)>;
using Chosen = std::function<bool(const Observation&)>;

Spoil spoil(Part part, Quality quality, const std::string& answer, Chosen chosen) {
  return [=](Look& look) {
    for (auto& record : look.records)
      for (auto& seen : record.observations)
        if (record.record.part == part && chosen(seen)) {
          seen.quality = quality;
          seen.answer = answer;
        }
  };
}

bool anywhere(const Observation&) {
  return true;
}
bool at_servers(const Observation& seen) {
  return !seen.from_resolver();
}
bool at_ns2(const Observation& seen) {
  return seen.server == "ns2.example.com";
}
bool by_resolver(const Observation& seen) {
  return seen.from_resolver();
}
bool in_txt(const Observation& seen) {
  return seen.type == Type::txt;
}

const Spoil kGood = [](Look&) {};
const Spoil kGone = spoil(Part::dkim, Quality::absent, "NXDOMAIN", anywhere);
const Spoil kOneFails = spoil(Part::dkim, Quality::failing, "SERVFAIL",
                              [](const Observation& seen) { return at_ns2(seen) && in_txt(seen); });

// The watch of one identity, with the time in the test's hand.
class Watch {
 public:
  std::vector<Change> look(const Spoil& change = kGood) {
    auto seen = good_look(now);
    change(seen);
    now += kInterval;
    return ledger.take(seen);
  }
  // Looks of one kind for so long.
  void go_on(std::int64_t duration, const Spoil& change) {
    for (const auto end = now + duration; now < end;) {
      auto seen = good_look(now);
      change(seen);
      now = std::min(end, now + kHour);
      ledger.take(seen);
    }
  }
  RecordState of(Part part) const {
    for (const auto& record : ledger.states_of("", "example.com", "us-east-1"))
      if (record.key.part == part) return record;
    ADD_FAILURE() << "there is no such record";
    return {};
  }
  std::vector<Deadline> deadlines() const {
    return deadlines_of(ledger.states_of("", "example.com", "us-east-1"), now);
  }
  ses::History history() const {
    ses::Identity identity;
    identity.name = "example.com";
    identity.region = "us-east-1";
    return ledger.history_of(identity);
  }

  Ledger ledger;
  std::int64_t now = kStart;
};

struct FaultCase {
  std::string name;
  Spoil spoil;
  Part part;
  State state;
  std::string code;
  std::string reason;  // a part of it
};
void PrintTo(const FaultCase& c, std::ostream* out) {
  *out << c.name;
}

class Fault : public testing::TestWithParam<FaultCase> {};

TEST_P(Fault, IsToldOnceWithItsServer) {
  const auto& c = GetParam();
  Watch watch;
  EXPECT_THAT(watch.look(), IsEmpty());
  const auto changes = watch.look(c.spoil);
  const auto mine =
      std::ranges::find_if(changes, [&](const Change& change) { return change.after.key.part == c.part; });
  ASSERT_NE(mine, changes.end());
  EXPECT_STREQ(to_string(mine->before.state), "healthy");
  EXPECT_STREQ(to_string(mine->after.state), to_string(c.state));
  EXPECT_EQ(mine->after.code, c.code);
  EXPECT_THAT(mine->after.reason, HasSubstr(c.reason));
  EXPECT_EQ(mine->after.first_bad, kStart + kInterval);
  EXPECT_THAT(watch.look(c.spoil), IsEmpty()) << "told again";
}

const std::vector<FaultCase> kFaults = {
    {"OneServerFailsForTxt", kOneFails, Part::dkim, State::degraded, "dkim-records-flap",
     "ns2.example.com (192.0.2.53) answered SERVFAIL for TXT t1._domainkey.example.com over UDP"},
    {"OneServerLacksIt", spoil(Part::dkim, Quality::absent, "NXDOMAIN", at_ns2), Part::dkim, State::degraded,
     "dkim-records-flap", "ns2.example.com (192.0.2.53) answered NXDOMAIN"},
    {"TxtFailsEverywhere",
     spoil(Part::dkim, Quality::failing, "SERVFAIL", [](const auto& seen) { return in_txt(seen); }), Part::dkim,
     State::degraded, "dkim-txt-servfail",
     "both name servers answered SERVFAIL for TXT t1._domainkey.example.com over UDP and TCP, and 1 other fault"},
    {"NotAuthoritative", spoil(Part::mail_from_mx, Quality::failing, "not authoritative", at_ns2), Part::mail_from_mx,
     State::degraded, "mailfrom-mx",
     "ns2.example.com (192.0.2.53) is not authoritative for MX bounce.example.com over UDP and TCP"},
    {"Refused",
     spoil(Part::mail_from_mx, Quality::failing, "connection refused",
           [](const auto& seen) { return at_ns2(seen) && seen.transport == Transport::tcp; }),
     Part::mail_from_mx, State::degraded, "mailfrom-mx",
     "ns2.example.com (192.0.2.53) refused the connection for MX bounce.example.com over TCP"},
    {"NoKey", [](Look& look) { look.no_key = true; }, Part::dkim, State::degraded, "dkim-no-key",
     "no DKIM selector of example.com holds a key"},
    {"NoPlainAlias",
     [](Look& look) {
       look.proxied = {"t1._domainkey.example.com"};
       spoil(Part::dkim, Quality::wrong, "TXT \"p=\", without the CNAME", anywhere)(look);
     },
     Part::dkim, State::missing, "dkim-cname-proxied", "without the CNAME"},
    {"OneServerIsSilent", spoil(Part::dkim, Quality::failing, "no answer in 3 s", at_ns2), Part::dkim, State::degraded,
     "dkim-records-flap", "ns2.example.com (192.0.2.53) gave no answer in 3 s to CNAME"},
    {"OneServerDropsTcp",
     spoil(Part::dkim, Quality::failing, "no answer in 3 s",
           [](const auto& seen) { return at_ns2(seen) && seen.transport == Transport::tcp; }),
     Part::dkim, State::degraded, "dkim-temperror-partial", "over TCP"},
    {"Gone", kGone, Part::dkim, State::missing, "dkim-cname-missing", "no name server that answers has it: "},
    {"GoneWhereItCanBeAsked",
     [](Look& look) {
       spoil(Part::dkim, Quality::absent, "NXDOMAIN", anywhere)(look);
       spoil(Part::dkim, Quality::failing, "no answer in 3 s", at_ns2)(look);
     },
     Part::dkim, State::missing, "dkim-cname-missing", "ns1.example.com (192.0.2.52) answered NXDOMAIN"},
    {"GoneThoughTheResolverRemembersIt", spoil(Part::dkim, Quality::absent, "NXDOMAIN", at_servers), Part::dkim,
     State::missing, "dkim-cname-missing", "answered NXDOMAIN"},
    {"WrongTarget", spoil(Part::dkim, Quality::wrong, "CNAME t1.example.net", anywhere), Part::dkim, State::missing,
     "dkim-cname-target", "answered CNAME t1.example.net"},
    {"OurResolverAlone", spoil(Part::dkim, Quality::failing, "SERVFAIL", by_resolver), Part::dkim, State::degraded,
     "dkim-temperror-partial", "the resolver of this host answered SERVFAIL"},
    {"OurResolverAloneForTxt",
     spoil(Part::dkim, Quality::failing, "SERVFAIL",
           [](const auto& seen) { return by_resolver(seen) && in_txt(seen); }),
     Part::dkim, State::degraded, "dkim-txt-servfail", "though every name server has what it should"},
    {"Bogus",
     [](Look& look) {
       look.bogus_zone = "example.com";
       spoil(Part::dkim, Quality::failing, "SERVFAIL", by_resolver)(look);
     },
     Part::dkim, State::degraded, "dns-dnssec-bogus", "since example.com fails DNSSEC validation"},
    {"BogusZone", [](Look& look) { look.bogus_zone = "example.com"; }, Part::zone, State::degraded, "dns-dnssec-bogus",
     "example.com fails DNSSEC validation"},
    {"OldSerial",
     spoil(Part::zone, Quality::old, "serial 7, others have 9",
           [](const auto& seen) { return at_ns2(seen) && seen.type == Type::soa; }),
     Part::zone, State::degraded, "dkim-records-flap", "ns2.example.com (192.0.2.53) has serial 7, others have 9"},
    {"Delegation",
     [](Look& look) {
       look.delegation = {{"ns1.example.com", "ns2.example.com"},
                          {"ns1.example.com"},
                          "t1._domainkey.example.com",
                          {"ns1.example.com"}};
     },
     Part::zone, State::degraded, "dns-delegation-mismatch",
     "the parent delegates example.com to ns1.example.com, ns2.example.com, its own zone lists ns1.example.com; "
     "t1._domainkey.example.com is only on ns1.example.com"},
    {"Mx", spoil(Part::mail_from_mx, Quality::absent, "no MX", anywhere), Part::mail_from_mx, State::missing,
     "mailfrom-mx", "answered no MX for MX bounce.example.com"},
    {"MxAtOneServer", spoil(Part::mail_from_mx, Quality::failing, "REFUSED", at_ns2), Part::mail_from_mx,
     State::degraded, "mailfrom-mx", "answered REFUSED"},
    {"Policy", spoil(Part::dmarc, Quality::absent, "NXDOMAIN", anywhere), Part::dmarc, State::missing, "dmarc-absent",
     "answered NXDOMAIN"},
    {"PolicyUnknown", spoil(Part::dmarc, Quality::failing, "SERVFAIL", anywhere), Part::dmarc, State::degraded,
     "dmarc-temperror", "answered SERVFAIL"},
    {"ServersUnreachableAndTheResolverFails",
     [](Look& look) {
       look.servers_unreachable = true;
       spoil(Part::dkim, Quality::failing, "no answer in 3 s", at_servers)(look);
       spoil(Part::dkim, Quality::absent, "NXDOMAIN", by_resolver)(look);
     },
     Part::dkim, State::missing, "dkim-cname-missing", "and no name server can be asked directly"},
    {"ZoneUnknownAndTheResolverFindsNothing",
     [](Look& look) {
       kGone(look);
       for (auto& record : look.records) std::erase_if(record.observations, at_servers);
     },
     Part::dkim, State::degraded, "dkim-temperror-partial", "the resolver of this host answered NXDOMAIN"},
    {"ZoneGoneAsTheResolverSays",
     [](Look& look) {
       kGone(look);
       spoil(Part::zone, Quality::absent, "NXDOMAIN", anywhere)(look);
       for (auto& record : look.records) std::erase_if(record.observations, at_servers);
     },
     Part::dkim, State::missing, "dkim-cname-missing", "the resolver of this host answered NXDOMAIN"},
    {"GoneAtOneServerWhileTheOtherIsSilentButTheResolverHasIt",
     [](Look& look) {
       spoil(Part::dkim, Quality::absent, "NXDOMAIN", at_servers)(look);
       spoil(Part::dkim, Quality::failing, "no answer in 3 s", at_ns2)(look);
     },
     Part::dkim, State::degraded, "dkim-records-flap", "ns1.example.com (192.0.2.52) answered NXDOMAIN"},
};

INSTANTIATE_TEST_SUITE_P(Ledger, Fault, testing::ValuesIn(kFaults), [](const auto& each) { return each.param.name; });

TEST(Ledger, ThatNothingAnswersChangesNothing) {
  Watch watch;
  watch.look(kGone);
  const auto before = watch.of(Part::dkim);
  EXPECT_THAT(watch.look([](Look& look) {
    look.nothing_answers = true;
    for (auto& record : look.records)
      for (auto& seen : record.observations) seen.quality = Quality::failing;
  }),
              IsEmpty());
  EXPECT_EQ(watch.of(Part::dkim).checked, before.checked);
  EXPECT_EQ(watch.of(Part::dkim).missing_since, before.missing_since);
}

TEST(Ledger, ServersThatCannotBeReachedAreNotHeldAgainstTheRecords) {
  Watch watch;
  watch.look();
  EXPECT_THAT(watch.look([](Look& look) {
    look.servers_unreachable = true;
    for (auto& record : look.records)
      for (auto& seen : record.observations)
        if (at_servers(seen)) seen.quality = Quality::failing;
  }),
              IsEmpty());
}

// With name servers out of reach, `change` is all that the resolver says.
Spoil unreachable(const Spoil& change) {
  return [=](Look& look) {
    look.servers_unreachable = true;
    spoil(Part::dkim, Quality::failing, "no answer in 3 s", at_servers)(look);
    change(look);
  };
}

TEST(Ledger, TheResolverAloneDoesNotEndAFaultThatNameServersHad) {
  Watch watch;
  watch.look();
  for (const auto& fault : {kOneFails, kGone}) {
    watch.look(fault);
    const auto before = watch.of(Part::dkim);
    for (int i = 0; i < 4; ++i) EXPECT_THAT(watch.look(unreachable(kGood)), IsEmpty());
    const auto after = watch.of(Part::dkim);
    EXPECT_EQ(after.state, before.state);
    EXPECT_EQ(after.checked, before.checked);
    EXPECT_EQ(after.reason, before.reason);
  }
  watch.look();
  EXPECT_EQ(watch.of(Part::dkim).state, State::recovering);
  for (int i = 0; i < 4; ++i) watch.look(unreachable(kGood));
  EXPECT_EQ(watch.of(Part::dkim).state, State::recovering);
}

TEST(Ledger, TheResolverEndsWhatWasItsOwnFault) {
  Watch watch;
  watch.look();
  const auto fails = spoil(Part::dkim, Quality::failing, "SERVFAIL", by_resolver);
  watch.look(unreachable(fails));
  EXPECT_EQ(watch.of(Part::dkim).state, State::degraded);
  for (int i = 0; i < 3; ++i) watch.look(unreachable(kGood));
  EXPECT_EQ(watch.of(Part::dkim).state, State::healthy);
}

TEST(Ledger, ASerialThatMayBeOldDoesNotEndTheZonesFault) {
  const auto soa = [](const Observation& seen) { return at_ns2(seen) && seen.type == Type::soa; };
  const auto old = spoil(Part::zone, Quality::old, "serial 7, others have 9", soa);
  const Spoil behind = [soa](Look& look) {
    for (auto& record : look.records)
      for (auto& seen : record.observations) seen.behind = record.record.part == Part::zone && soa(seen);
  };
  Watch watch;
  EXPECT_THAT(watch.look(behind), IsEmpty());
  EXPECT_EQ(watch.of(Part::zone).checked, kStart) << "that is no reason to know nothing";
  watch.look(old);
  for (int i = 0; i < 4; ++i) EXPECT_THAT(watch.look(behind), IsEmpty());
  EXPECT_EQ(watch.of(Part::zone).state, State::degraded);
  EXPECT_THAT(watch.look(), SizeIs(1));
}

TEST(Ledger, LackOfAKeyDoesNotStartSesClock) {
  Watch watch;
  watch.look();
  watch.look([](Look& look) { look.no_key = true; });
  EXPECT_EQ(watch.of(Part::dkim).code, "dkim-no-key");
  EXPECT_THAT(watch.deadlines(), IsEmpty());
}

TEST(Ledger, TellsAllServersThatFailInTheSameWay) {
  const struct {
    int servers, failing;
    const char* code;
    const char* reason;
  } cases[] = {
      {4, 4, "dkim-txt-servfail", "all 4 name servers answered SERVFAIL for TXT t1._domainkey.example.com over UDP"},
      {4, 2, "dkim-txt-servfail", "ns1.test (192.0.2.1) and ns2.test (192.0.2.2) answered SERVFAIL for TXT"},
      {4, 3, "dkim-txt-servfail", "ns1.test (192.0.2.1), ns2.test (192.0.2.2) and ns3.test (192.0.2.3) answered"},
      {6, 5, "dkim-txt-servfail",
       "ns1.test (192.0.2.1), ns2.test (192.0.2.2), ns3.test (192.0.2.3) and 2 more answered SERVFAIL for TXT"},
      {4, 1, "dkim-records-flap", "ns1.test (192.0.2.1) answered SERVFAIL for TXT t1._domainkey.example.com over UDP"},
  };
  for (const auto& c : cases) {
    Watch watch;
    watch.look();
    watch.look([&](Look& look) {
      auto& seen = look.records.front().observations;
      std::erase_if(seen, at_servers);
      for (int i = 1; i <= c.servers; ++i)
        for (const auto type : {Type::cname, Type::txt}) {
          const bool fails = type == Type::txt && i <= c.failing;
          const auto n = std::to_string(i);
          seen.push_back({watch.now, Part::dkim, "t1._domainkey.example.com", type, "ns" + n + ".test", "192.0.2." + n,
                          Transport::udp, fails ? Quality::failing : Quality::good, fails ? "SERVFAIL" : "fine"});
        }
    });
    EXPECT_EQ(watch.of(Part::dkim).code, c.code) << c.reason;
    EXPECT_EQ(watch.of(Part::dkim).reason.substr(0, std::string(c.reason).size()), c.reason);
    EXPECT_THAT(watch.of(Part::dkim).reason, testing::Not(HasSubstr("other fault")));
  }
}

TEST(Ledger, APolicyThatWasNeverHereIsNotMissed) {
  Watch watch;
  const auto none = spoil(Part::dmarc, Quality::absent, "NXDOMAIN", anywhere);
  EXPECT_THAT(watch.look(none), IsEmpty());
  EXPECT_THAT(watch.look(none), IsEmpty());
  EXPECT_THAT(watch.look(spoil(Part::dmarc, Quality::wrong, "two policies", anywhere)), SizeIs(1));
}

TEST(Ledger, ThreeGoodLooksInARowMakeItHealthyAgain) {
  Watch watch;
  watch.look();
  std::vector<std::string> states;
  for (const auto& change : {kOneFails, kGood, kGood, kOneFails, kGood, kGood, kGood, kGood}) {
    watch.look(change);
    states.emplace_back(to_string(watch.of(Part::dkim).state));
  }
  EXPECT_THAT(states, ElementsAre("degraded", "recovering", "recovering", "degraded", "recovering", "recovering",
                                  "healthy", "healthy"));
  EXPECT_EQ(watch.of(Part::dkim).reason, "");
  EXPECT_EQ(watch.of(Part::dkim).code, "");
}

TEST(Ledger, WhileItRecoversTheFaultIsPast) {
  Watch watch;
  watch.look();
  watch.look(kOneFails);
  EXPECT_THAT(watch.history().present, SizeIs(2));  // over UDP and TCP
  watch.look();
  const auto record = watch.of(Part::dkim);
  EXPECT_EQ(record.code, "dkim-past-fault");
  EXPECT_THAT(record.reason, HasSubstr("ns2.example.com (192.0.2.53)"));
  EXPECT_THAT(watch.history().present, IsEmpty());
  EXPECT_THAT(watch.history().past, SizeIs(2));
  EXPECT_THAT(watch.deadlines(), IsEmpty());
}

TEST(Ledger, FaultsAreCountedByServerNameTypeAndTransport) {
  Watch watch;
  for (int i = 0; i < 3; ++i) watch.look(kOneFails);
  const auto faults = watch.of(Part::dkim).faults;
  ASSERT_THAT(faults, SizeIs(2));
  EXPECT_EQ(faults[0].server, "ns2.example.com (192.0.2.53)");
  EXPECT_EQ(faults[0].answer, "SERVFAIL");
  EXPECT_EQ(faults[0].transport, "UDP");
  EXPECT_EQ(faults[0].count, 3u);
  EXPECT_EQ(faults[0].first, kStart);
  EXPECT_EQ(faults[0].last, kStart + 2 * kInterval);
}

// The resolver's moment of weakness, and TCP that is never asked for, are no faults that SES comes upon.
TEST(Deadlines, NothingThatSesDoesNotSeeCounts) {
  for (const auto& [change, present] :
       {std::pair(spoil(Part::dkim, Quality::failing, "SERVFAIL", by_resolver), 0u),
        std::pair(spoil(Part::dkim, Quality::failing, "no answer in 3 s",
                        [](const Observation& seen) { return at_ns2(seen) && seen.transport == Transport::tcp; }),
                  2u)}) {
    Watch watch;
    watch.look(change);
    EXPECT_EQ(watch.of(Part::dkim).state, State::degraded);
    EXPECT_THAT(watch.deadlines(), IsEmpty());
    EXPECT_EQ(watch.history().dkim_outage, std::nullopt);
    EXPECT_THAT(watch.history().present, SizeIs(present));
  }
}

MATCHER_P3(IsDeadline, kind, earliest, latest, "") {
  return arg.kind == kind && arg.earliest == earliest && arg.latest == latest;
}

TEST(Deadlines, OfARecordThatIsGone) {
  Watch watch;
  watch.look(kOneFails);
  watch.look(kGone);
  const auto gone = kStart + kInterval;
  EXPECT_THAT(watch.deadlines(),
              ElementsAre(IsDeadline(Deadline::Kind::signing_stops, kStart, gone + 72 * kHour),
                          IsDeadline(Deadline::Kind::revocation, kStart + 5 * kDay, gone + 72 * kHour + 5 * kDay)));
  const auto outage = watch.history().dkim_outage;
  ASSERT_TRUE(outage);
  EXPECT_THAT(outage->names, ElementsAre("t1._domainkey.example.com"));
  EXPECT_EQ(outage->first_bad, kStart);
  EXPECT_EQ(outage->missing_since, gone);
  EXPECT_EQ(outage->restored, std::nullopt);
}

TEST(Deadlines, OfAServerThatFails) {
  Watch watch;
  watch.look(kOneFails);
  EXPECT_THAT(watch.deadlines(), ElementsAre(IsDeadline(Deadline::Kind::signing_stops, kStart, std::nullopt),
                                             IsDeadline(Deadline::Kind::revocation, kStart + 5 * kDay, std::nullopt)));
}

TEST(Deadlines, OfTheMailFromDomain) {
  Watch watch;
  watch.look(spoil(Part::mail_from_mx, Quality::absent, "no MX", anywhere));
  EXPECT_THAT(watch.deadlines(),
              ElementsAre(IsDeadline(Deadline::Kind::mail_from_fallback, kStart, kStart + 72 * kHour)));
  EXPECT_TRUE(watch.history().mail_from_outage);
  EXPECT_FALSE(watch.history().dkim_outage);
}

TEST(Deadlines, ThatNobodyAnswersDoesNotEndAnAbsence) {
  Watch watch;
  watch.look(kGone);
  watch.go_on(70 * kHour, kGone);
  watch.look(spoil(Part::dkim, Quality::failing, "no answer in 3 s", anywhere));
  EXPECT_EQ(watch.of(Part::dkim).state, State::missing);
  EXPECT_EQ(watch.of(Part::dkim).missing_since, kStart);
}

// A record that nobody could ask for may have been mended: it is not counted as gone any longer.
TEST(Ledger, WhatNobodyCouldAskForIsNotGoneForCertain) {
  const auto blind = [](Look& look) { look.nothing_answers = true; };
  for (const auto& silence : {Spoil(blind), spoil(Part::dkim, Quality::failing, "no answer in 3 s", anywhere)}) {
    Watch watch;
    watch.go_on(kDay, kGone);
    watch.go_on(4 * kHour, silence);
    EXPECT_TRUE(watch.history().dkim_outage->missing_since);
    watch.go_on(3 * kDay, silence);
    const auto outage = watch.history().dkim_outage;
    ASSERT_TRUE(outage);
    EXPECT_FALSE(outage->missing_since);
    EXPECT_EQ(ses::dkim_clocks(*outage, std::nullopt, watch.now).goes_on, Tri::unknown);
    const auto again = watch.now;
    watch.look(kGone);
    EXPECT_EQ(watch.history().dkim_outage->missing_since, again);
    EXPECT_EQ(watch.history().dkim_outage->first_bad, kStart);
  }
}

TEST(Ledger, WhatWasRevokedStaysSoThoughNobodyCanBeAsked) {
  Watch watch;
  watch.go_on(9 * kDay, kGone);
  watch.go_on(kDay, [](Look& look) { look.nothing_answers = true; });
  EXPECT_EQ(ses::dkim_clocks(*watch.history().dkim_outage, std::nullopt, watch.now).phase, ses::Clocks::Phase::revoked);
}

// Removed and restored, with a restart between, and what SES has made of it by its clocks.
struct AbsenceCase {
  std::string name;
  std::int64_t gone;  // seconds
  std::int64_t back;  // seconds since
  ses::Clocks::Phase phase;
};
void PrintTo(const AbsenceCase& c, std::ostream* out) {
  *out << c.name;
}

class Absence : public testing::TestWithParam<AbsenceCase> {};

TEST_P(Absence, IsNotForgottenWhenTheRecordIsBack) {
  const auto& c = GetParam();
  Watch watch;
  watch.look();
  const auto start = watch.now;
  watch.go_on(c.gone, kGone);
  if (c.back > 0) watch.go_on(c.back, kGood);
  const auto before = watch.history().dkim_outage;
  ASSERT_TRUE(before);
  Watch restarted;
  restarted.ledger.restore(watch.ledger.states());
  const auto outage = restarted.history().dkim_outage;
  ASSERT_TRUE(outage);
  EXPECT_EQ(outage->missing_since, start);
  EXPECT_EQ(outage->restored, before->restored);
  EXPECT_EQ(outage->restored.has_value(), c.back > 0);
  if (c.back > 4 * kHour) {
    EXPECT_EQ(watch.of(Part::dkim).state, State::healthy);
  }
  EXPECT_STREQ(to_string(ses::dkim_clocks(*outage, std::nullopt, watch.now).phase), to_string(c.phase));
}

using Phase = ses::Clocks::Phase;
const std::vector<AbsenceCase> kAbsences = {
    {"ForAnHour", kHour, 0, Phase::may_have_stopped},
    {"ForFourDays", 4 * kDay, 0, Phase::has_stopped},
    {"ForSixDays", 6 * kDay, 0, Phase::may_be_revoked},
    {"ForNineDays", 9 * kDay, 0, Phase::revoked},
    {"RestoredWithinFiveDays", 4 * kDay, kDay, Phase::may_have_stopped},
    {"RestoredWithinFiveDaysLongAgo", 4 * kDay, 4 * kDay, Phase::as_usual},
    {"RestoredAfterSixDays", 6 * kDay, 10 * kDay, Phase::may_be_revoked},
    {"RestoredAfterNineDays", 9 * kDay, 10 * kDay, Phase::revoked},
};
INSTANTIATE_TEST_SUITE_P(Ledger, Absence, testing::ValuesIn(kAbsences),
                         [](const auto& each) { return each.param.name; });

TEST(Ledger, AfterARevocationANewFaultDoesNotMendIt) {
  Watch watch;
  watch.go_on(9 * kDay, kGone);
  watch.go_on(kDay, kGood);
  watch.go_on(kHour, kOneFails);
  watch.go_on(kHour, kGone);
  watch.go_on(kDay, kGood);
  const auto outage = watch.history().dkim_outage;
  ASSERT_TRUE(outage);
  EXPECT_EQ(ses::dkim_clocks(*outage, std::nullopt, watch.now).phase, Phase::revoked);
}

TEST(Ledger, AnAbsenceThatHadNoConsequencesGivesWayToTheNext) {
  Watch watch;
  watch.go_on(kDay, kGone);
  watch.go_on(10 * kDay, kGood);
  const auto second = watch.now;
  watch.look(kGone);
  EXPECT_EQ(watch.history().dkim_outage->missing_since, second);
}

// A short absence does not mend what a long one before it led to, also after a restart.
TEST(Ledger, AnAbsenceThatMayHaveHadConsequencesOutlastsAShortOne) {
  Watch watch;
  watch.look();
  const auto first = watch.now;
  watch.go_on(6 * kDay, kGone);
  watch.go_on(kDay, kGood);
  const auto second = watch.now;
  watch.go_on(kHour, kGone);
  EXPECT_EQ(watch.history().dkim_outage->missing_since, second);
  EXPECT_FALSE(watch.history().dkim_outage->restored);
  watch.go_on(20 * kDay, kGood);
  Watch restarted;
  restarted.ledger.restore(watch.ledger.states());
  for (const auto& outage : {watch.history().dkim_outage, restarted.history().dkim_outage}) {
    ASSERT_TRUE(outage);
    EXPECT_EQ(outage->missing_since, first);
    EXPECT_EQ(outage->restored, first + 6 * kDay);
    EXPECT_EQ(ses::dkim_clocks(*outage, std::nullopt, watch.now).phase, Phase::may_be_revoked);
  }
}

bool confirm(Watch& watch) {
  return watch.ledger.confirm("", "example.com", "us-east-1", watch.now);
}

TEST(Confirmation, EndsWhatTheRecordsLivedThrough) {
  for (const auto gone : {kHour, 6 * kDay, 9 * kDay}) {
    Watch watch;
    watch.go_on(6 * kDay, kGone);
    watch.go_on(kDay, kGood);
    watch.go_on(gone, kGone);
    watch.look();  // recovering
    ASSERT_TRUE(watch.history().dkim_outage);
    EXPECT_TRUE(confirm(watch));
    EXPECT_FALSE(watch.history().dkim_outage) << gone;
    EXPECT_THAT(watch.history().past, IsEmpty());
    EXPECT_FALSE(confirm(watch));
    watch.go_on(5 * kHour, kGood);
    EXPECT_EQ(watch.of(Part::dkim).state, State::healthy);
  }
}

TEST(Confirmation, OfTheNextFaultSaysNothing) {
  Watch watch;
  watch.go_on(9 * kDay, kGone);
  watch.look();
  const auto confirmed = watch.now;
  EXPECT_TRUE(confirm(watch));
  watch.now += kInterval;
  const auto next = watch.now;
  watch.go_on(kDay, kGone);
  // Read again, as by who starts.
  EXPECT_FALSE(watch.ledger.confirm("", "example.com", "us-east-1", confirmed));
  const auto outage = watch.history().dkim_outage;
  ASSERT_TRUE(outage);
  EXPECT_EQ(outage->first_bad, next);
  EXPECT_EQ(outage->missing_since, next);
  EXPECT_EQ(watch.of(Part::dkim).first_bad, next);
}

TEST(Confirmation, DoesNothingWhileARecordIsAtFault) {
  for (const auto& fault : {kGone, kOneFails}) {
    Watch watch;
    watch.go_on(9 * kDay, kGone);
    watch.go_on(kDay, kGood);
    watch.look(fault);
    EXPECT_FALSE(confirm(watch));
    EXPECT_TRUE(watch.history().dkim_outage);
  }
}

TEST(Confirmation, OfDkimSaysNothingOfAMailFromDomainAtFault) {
  Watch watch;
  const auto no_mx = spoil(Part::mail_from_mx, Quality::absent, "no MX", anywhere);
  watch.go_on(9 * kDay, [&](Look& look) { kGone(look), no_mx(look); });
  watch.go_on(kHour, no_mx);
  EXPECT_TRUE(confirm(watch));
  EXPECT_FALSE(watch.history().dkim_outage);
  EXPECT_TRUE(watch.history().mail_from_outage);
  watch.look();
  EXPECT_TRUE(confirm(watch));
  EXPECT_FALSE(watch.history().mail_from_outage);
}

// What nobody saw is not known: gaps in the watching, and clocks that are wrong.
struct GapCase {
  std::string name;
  std::function<void(Watch&)> live;
  ses::Clocks::Phase phase;
  Tri goes_on;
  std::optional<std::int64_t> first_bad = kStart;  // of the outage; nothing: any
};
void PrintTo(const GapCase& c, std::ostream* out) {
  *out << c.name;
}

class Gap : public testing::TestWithParam<GapCase> {};

TEST_P(Gap, IsNoAbsence) {
  const auto& c = GetParam();
  Watch watch;
  c.live(watch);
  const auto outage = watch.history().dkim_outage;
  ASSERT_TRUE(outage);
  const auto clocks = ses::dkim_clocks(*outage, std::nullopt, watch.now);
  EXPECT_STREQ(to_string(clocks.phase), to_string(c.phase));
  EXPECT_EQ(clocks.goes_on, c.goes_on);
  if (c.first_bad) {
    EXPECT_EQ(outage->first_bad, *c.first_bad);
  }
}

const Spoil kBlackout = [](Look& look) { look.nothing_answers = true; };
const Spoil kSilence = spoil(Part::dkim, Quality::failing, "no answer in 3 s", anywhere);

void restart(Watch& watch, std::int64_t later) {
  watch.now += later;
  watch.ledger.restore(watch.ledger.states(), {}, watch.now);
}

void look_at(Watch& watch, std::int64_t time, const Spoil& change) {
  watch.now = time;
  watch.look(change);
}

// Seen to be gone for an hour; then what is given, for so long; then all is well.
std::function<void(Watch&)> gone_then(std::int64_t duration, const Spoil& change, std::int64_t well = 5 * kHour) {
  return [=](Watch& watch) {
    for (int i = 0; i < 6; ++i) watch.look(kGone);
    watch.go_on(duration, change);
    if (well > 0) watch.go_on(well, kGood);
  };
}

const std::vector<GapCase> kGaps = {
    {"OffForNineDaysThenGood",
     [](Watch& watch) {
       watch.go_on(kHour, kGone);
       restart(watch, 9 * kDay);
       watch.go_on(5 * kHour, kGood);
     },
     Phase::as_usual, Tri::yes},
    {"NothingAnswersForNineDays", gone_then(9 * kDay, kBlackout, 0), Phase::may_be_revoked, Tri::unknown},
    {"NothingAnswersForNineDaysThenGood", gone_then(9 * kDay, kBlackout), Phase::as_usual, Tri::yes},
    {"ServersSilentForNineDays", gone_then(9 * kDay, kSilence, 0), Phase::may_be_revoked, Tri::unknown},
    {"ServersSilentForNineDaysThenGood", gone_then(9 * kDay, kSilence), Phase::as_usual, Tri::yes},
    {"OffForFourDaysThenStillGone",
     [](Watch& watch) {
       watch.go_on(kHour, kGone);
       restart(watch, 4 * kDay);
       watch.look(kGone);
     },
     Phase::may_have_stopped, Tri::unknown},
    {"OffForFourDaysBeforeTheFirstLook",
     [](Watch& watch) {
       watch.go_on(kHour, kGone);
       restart(watch, 4 * kDay);
     },
     Phase::may_have_stopped, Tri::unknown},
    {"OffForNineDaysBeforeTheFirstLook",
     [](Watch& watch) {
       watch.go_on(kHour, kGone);
       restart(watch, 9 * kDay);
     },
     Phase::may_be_revoked, Tri::unknown},
    {"OffForNineDaysAfterSix",
     [](Watch& watch) {
       watch.go_on(6 * kDay, kGone);
       restart(watch, 9 * kDay);
       watch.look(kGone);
     },
     Phase::may_be_revoked, Tri::unknown},
    {"FoundGoneBeforeTheClockWasSet",
     [](Watch& watch) {
       look_at(watch, 1000, kGone);
       look_at(watch, kStart, kGone);
     },
     Phase::may_have_stopped, Tri::unknown},
    {"FoundGoneByAClockAhead",
     [](Watch& watch) {
       look_at(watch, kStart + 400 * kDay, kGone);
       look_at(watch, kStart, kGone);
     },
     Phase::may_have_stopped, Tri::unknown},
    {"FoundGoneByAClockAheadThenGood",
     [](Watch& watch) {
       look_at(watch, kStart + 400 * kDay, kGone);
       look_at(watch, kStart, kGood);
       EXPECT_EQ(watch.history().dkim_outage->restored, kStart);
       watch.go_on(4 * kDay, kGood);
     },
     Phase::as_usual, Tri::yes},
    {"ClockAheadForOneLook",
     [](Watch& watch) {
       watch.go_on(kHour, kGone);
       look_at(watch, kStart + 400 * kDay, kGone);
       look_at(watch, kStart + 2 * kHour, kGone);
     },
     Phase::may_have_stopped, Tri::unknown},
    {"ClockPutBack",
     [](Watch& watch) {
       watch.go_on(4 * kDay, kGone);
       look_at(watch, kStart + 2 * kDay, kGone);
       EXPECT_EQ(watch.history().dkim_outage->missing_since, kStart + 2 * kDay);
       watch.go_on(2 * kDay, kGone);
     },
     Phase::may_have_stopped, Tri::unknown},
    // What is certain stays so.
    {"LooksEveryTenMinutesForNineDays",
     [](Watch& watch) {
       while (watch.now < kStart + 9 * kDay) watch.look(kGone);
     },
     Phase::revoked, Tri::no},
    {"LooksEveryTenMinutesForNineDaysThenGood",
     [](Watch& watch) {
       while (watch.now < kStart + 9 * kDay) watch.look(kGone);
       watch.go_on(20 * kDay, kGood);
     },
     Phase::revoked, Tri::no},
    {"RestartsOfAnHour",
     [](Watch& watch) {
       while (watch.now < kStart + 9 * kDay) {
         watch.go_on(3 * kHour, kGone);
         restart(watch, kHour);
       }
     },
     Phase::revoked, Tri::no},
    {"OffForNineDaysAfterNine",
     [](Watch& watch) {
       watch.go_on(9 * kDay, kGone);
       restart(watch, 9 * kDay);
       EXPECT_TRUE(watch.history().dkim_outage->missing_since);
       watch.look(kGone);
       watch.go_on(kDay, kGood);
     },
     Phase::revoked, Tri::no},
    {"ClockNotSetForOneLookOfFourDays",
     [](Watch& watch) {
       watch.go_on(4 * kDay, kGone);
       const auto now = watch.now;
       look_at(watch, 1000, kGone);
       look_at(watch, now, kGone);
     },
     Phase::has_stopped, Tri::no},
    {"ClockPutBackAfterNineDays",
     [](Watch& watch) {
       watch.go_on(9 * kDay, kGone);
       look_at(watch, kStart + 2 * kDay, kGood);
     },
     Phase::revoked, Tri::no, std::nullopt},
};
INSTANTIATE_TEST_SUITE_P(Ledger, Gap, testing::ValuesIn(kGaps), [](const auto& each) { return each.param.name; });

// Each of two records is gone for four days, one after the other: SES never found all it needs.
TEST(Ledger, AbsencesOfSeveralRecordsWithoutABreakAreOne) {
  auto two = good_look(kStart);
  two.subject.records.push_back(two.subject.records.front());
  two.subject.records.back().name = "t2._domainkey.example.com";
  Ledger ledger;
  const auto take = [&](std::int64_t time, const std::string& gone) {
    auto look = good_look(time);
    look.subject = two.subject;
    look.records.push_back(look.records.front());
    look.records.back().record.name = "t2._domainkey.example.com";
    for (auto& record : look.records)
      for (auto& seen : record.observations) {
        seen.name = record.record.name;
        if (seen.name == gone) seen.quality = Quality::absent;
      }
    ledger.take(look);
  };
  for (auto time = kStart; time <= kStart + 8 * kDay; time += kHour)
    take(time, time < kStart + 4 * kDay ? "t1._domainkey.example.com" : "t2._domainkey.example.com");
  ses::Identity identity;
  identity.name = "example.com", identity.region = "us-east-1";
  const auto outage = ledger.history_of(identity).dkim_outage;
  ASSERT_TRUE(outage);
  EXPECT_EQ(outage->missing_since, kStart);
  EXPECT_THAT(outage->names, ElementsAre("t2._domainkey.example.com"));
}

TEST(Ledger, KeepsOnlyWhatIsWatched) {
  Watch watch;
  watch.look(kGone);
  auto fewer = subject();
  fewer.records.erase(fewer.records.begin());
  watch.ledger.keep_only(std::vector{fewer});
  EXPECT_THAT(watch.ledger.states(), SizeIs(3));
  EXPECT_FALSE(watch.history().dkim_outage);
  watch.ledger.keep_only({});
  EXPECT_THAT(watch.ledger.states(), IsEmpty());
}

TEST(Ledger, KnowsTheZonesAgain) {
  Watch watch;
  watch.look();
  Watch restarted;
  Sight sight{"", "example.com", "us-east-1", "example.com", kStart, kStart, {"example.com"}, {}, "example.com"};
  sight.delegation.emplace().child = {"ns3.example.com"};
  auto other = sight;
  other.identity = "example.org";
  restarted.ledger.restore(watch.ledger.states(), std::vector{other, sight});
  const auto history = restarted.history();
  EXPECT_EQ(history.bogus_zone, "example.com");
  ASSERT_TRUE(history.delegation);
  EXPECT_THAT(history.delegation->child, ElementsAre("ns3.example.com"));
  EXPECT_THAT(restarted.ledger.states(), SizeIs(4));
}

TEST(Ledger, TellsNothingOfOthers) {
  Watch watch;
  watch.look(kGone);
  ses::Identity other;
  other.name = "example.com", other.region = "eu-west-1";
  EXPECT_FALSE(watch.ledger.history_of(other).dkim_outage);
}

TEST(State, WordsAreReadBack) {
  for (const auto state : {State::healthy, State::degraded, State::missing, State::recovering})
    EXPECT_EQ(parse_state(to_string(state)), state);
  EXPECT_FALSE(parse_state("well"));
}

}  // namespace
}  // namespace sesame::watch
