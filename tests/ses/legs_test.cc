// What the findings of the legs say: which record, since when, what SES saw.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "ses/world.h"

namespace sesame::test {
namespace {

using ses::Code;
using ses::Severity;
using ses::Status;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kHour = 3600, kDay = 24 * kHour;

ses::Finding found(const ses::Prediction& prediction, Code code) {
  const auto at = std::ranges::find(prediction.findings, code, &ses::Finding::code);
  if (at != prediction.findings.end()) return *at;
  ADD_FAILURE() << "no " << ses::to_string(code) << ": " << prediction.why;
  return {};
}

struct TextCase {
  std::string name;
  Code code;
  std::function<void(SesWorld&)> change;
  std::vector<std::string> text;    // in the sentence or the advice
  std::vector<std::string> absent;  // in neither
};

void PrintTo(const TextCase& c, std::ostream* out) {
  *out << c.name;
}

class LegText : public testing::TestWithParam<TextCase> {};

TEST_P(LegText, Says) {
  const auto& c = GetParam();
  SesWorld world;
  world.identity().mail_from.status.reset();
  c.change(world);
  const auto finding = found(world.predict(), c.code);
  const auto all = finding.text + ". " + finding.advice;
  for (const auto& part : c.text) EXPECT_THAT(all, HasSubstr(part));
  for (const auto& part : c.absent) EXPECT_THAT(all, Not(HasSubstr(part)));
}

std::function<void(SesWorld&)> state(Status status, std::function<void(SesWorld&, ses::Identity&)> more) {
  return [status, more](SesWorld& w) {
    w.identity().dkim.status = status;
    more(w, w.identity());
  };
}

std::function<void(SesWorld&)> mx(const std::string& host) {
  return [host](SesWorld& w) {
    w.replace("bounce.example.com", "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
    if (!host.empty()) w.dns("bounce.example.com MX " + host);
  };
}

std::function<void(SesWorld&)> spf(const std::string& lines) {
  return [lines](SesWorld& w) {
    w.replace("bounce.example.com", "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com");
    w.dns(lines);
  };
}

// now is 2023-11-14T22:13:20Z.
std::vector<TextCase> state_texts() {
  return {
      {"AgeFromTheKeys",
       Code::dkim_pending,
       state(Status::pending,
             [](SesWorld& w, auto& i) {
               i.dkim.last_key_generation = w.now - 31 * kHour - 60;
               i.status_since = w.now - kHour;
             }),
       {"PENDING, 31 of 72 h"},
       {"restart"}},
      {"AgeFromTheStatusWhereTheKeysAreOld",
       Code::dkim_pending,
       state(Status::pending,
             [](SesWorld& w, auto& i) {
               i.dkim.last_key_generation = w.now - 90 * kDay;
               i.status_since = w.now - 5 * kHour;
             }),
       {"5 of 72 h"},
       {}},
      {"AgeBeyondTheSearch",
       Code::dkim_pending,
       state(Status::pending, [](SesWorld& w, auto& i) { i.status_since = w.now - 80 * kHour; }),
       {"for 80 h: SES gives up after 72"},
       {"of 72 h"}},
      {"AgeNotKnown", Code::dkim_pending, state(Status::pending, [](auto&, auto&) {}), {"(status PENDING);"}, {" h"}},
      {"WhatSesSaw",
       Code::dkim_failed,
       state(Status::failed,
             [](SesWorld& w, auto& i) {
               i.verification.error_type = "HOST_NOT_FOUND";
               i.verification.primary_name_server = "ns1.example.com";
               i.verification.soa_serial = 2023111401;
               i.verification.last_checked = w.now - kHour;
             }),
       {"SES saw HOST_NOT_FOUND (no such name, or no answer), zone of ns1.example.com with serial 2023111401, at "
        "2023-11-14T21:13:20Z"},
       {}},
      {"WhatSesSawInAWordNotKnownHere",
       Code::dkim_pending,
       state(Status::pending, [](auto&, auto& i) { i.verification.error_type = "NEW_ERROR"; }),
       {"SES saw NEW_ERROR"},
       {"(no such name"}},
      {"NothingSeen", Code::dkim_failed, state(Status::failed, [](auto&, auto&) {}), {}, {"saw"}},
      {"LostSince",
       Code::dkim_lost,
       state(Status::temporary_failure, [](SesWorld& w, auto& i) { i.status_since = w.now - kDay; }),
       {"TEMPORARY_FAILURE, since 2023-11-13T22:13:20Z", "within 5 days (until about 2023-11-18T22:13:20Z)"},
       {}},
      {"LostSinceTheLastSuccess",
       Code::dkim_lost,
       state(Status::failed, [](SesWorld& w, auto& i) { i.verification.last_success = w.now - 2 * kDay; }),
       {"FAILED, since 2023-11-12T22:13:20Z", "until about 2023-11-17T22:13:20Z"},
       {}},
      {"LostLongAgo",
       Code::dkim_lost,
       state(Status::temporary_failure, [](SesWorld& w, auto& i) { i.status_since = w.now - 6 * kDay; }),
       {"(they ended about 2023-11-13T22:13:20Z)"},
       {"until"}},
      {"LostWhenNobodyLooked", Code::dkim_lost, state(Status::temporary_failure, [](auto&, auto&) {}), {}, {"since"}},
      {"SwitchedFromAndTo",
       Code::dkim_switching,
       state(Status::pending,
             [](SesWorld& w, auto& i) {
               i.former = {"EXTERNAL", {"own"}, w.now - kHour};
             }),
       {"from EXTERNAL to AWS_SES, seen 2023-11-14T21:13:20Z"},
       {}},
      {"AgedStateIsHedged",
       Code::dkim_failed,
       state(Status::failed,
             [](SesWorld& w, auto& i) {
               i.aged = true;
               i.as_of = w.now - 3 * kDay;
             }),
       {"status FAILED, as of 2023-11-11T22:13:20Z, which may have changed", "if that still holds"},
       {}},
      {"AgedSwitch",
       Code::dkim_disabled,
       state(Status::success,
             [](auto&, auto& i) {
               i.aged = true;
               i.dkim.signing_enabled = false;
             }),
       {"was switched off for example.com, when last told, which may have changed"},
       {}},
      {"ReplicaNamesItsParent",
       Code::deed_replica,
       state(Status::failed,
             [](auto& w, auto& i) {
               i.dkim.origin = "AWS_SES_EU_WEST_1";
               i.verification.error_type = "REPLICATION_ACCESS_DENIED";
               auto parent = i;
               parent.region = "eu-west-1";
               parent.dkim.origin = "AWS_SES";
               w.account.identities.edit().push_back(parent);
             }),
       {"in us-east-1 is a replica of the one in eu-west-1", "REPLICATION_ACCESS_DENIED (status FAILED)"},
       {}},
      {"DoubledNameIsShownWithWhatToEnter",
       Code::dkim_name_doubled,
       [](SesWorld& w) {
         w.replace("t2._domainkey.example.com", "t2._domainkey.example.com.example.com CNAME t2.dkim.amazonses.com");
       },
       {"t2._domainkey.example.com.example.com", "t2._domainkey."},
       {"t1."}},
      {"WeakKeyNamesItsLength",
       Code::dkim_key_weak,
       [](SesWorld& w) {
         w.replace("t1.dkim.amazonses.com",
                   "t1.dkim.amazonses.com TXT "
                   "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC5G9ECvjg0SoRnyRSNJvXXgxbAiX8IFIF7IlTYBfIDbw+"
                   "iAwlP8LP0nrq8Eub0POqleBb1KznK8ERnAusAzgJblYfhr8Zy1mP16MK8MtogH23kz7rD/8d1Pb/"
                   "j1NDL36rGAy7zYNvESmqYwoajRG+I3LX8NVGLKJrERv88HZZLPwIDAQAB");
       },
       {"t1._domainkey.example.com has 1024 bits"},
       {}},
  };
}

std::vector<TextCase> mail_from_texts() {
  return {
      {"MxOfTheSmtpDomain",
       Code::mailfrom_mx,
       mx("10 feedback-smtp.us-east-1.amazonaws.com"),
       {"feedback-smtp.us-east-1.amazonaws.com (amazonaws.com, where amazonses.com belongs)",
        "10 feedback-smtp.us-east-1.amazonses.com"},
       {}},
      {"MxNull", Code::mailfrom_mx, mx("0 ."), {". (the null MX"}, {}},
      {"MxAbsent", Code::mailfrom_mx, mx(""), {"MX of bounce.example.com is absent"}, {}},
      {"MxWithoutARegion", Code::mailfrom_mx, mx("10 feedback-smtp.amazonses.com"), {"(without a region)"}, {}},
      {"MxOfAnotherRegion",
       Code::mailfrom_mx,
       mx("10 feedback-smtp.eu-west-1.amazonses.com"),
       {"feedback-smtp.eu-west-1.amazonses.com (another region)"},
       {}},
      {"SpfMissing",
       Code::mailfrom_spf,
       spf(""),
       {"gives none for addresses of SES: there is no SPF record", "TXT \"v=spf1 include:amazonses.com ~all\""},
       {}},
      {"SpfTwice",
       Code::mailfrom_spf,
       spf("bounce.example.com TXT v=spf1 include:amazonses.com -all\nbounce.example.com TXT v=spf1 -all"),
       {"permerror", "2 SPF records stand at the name", "one SPF record and no other"},
       {}},
      {"SpfWithoutInclude",
       Code::mailfrom_spf,
       spf("bounce.example.com TXT v=spf1 ip4:192.0.2.1 -all"),
       {"fail", "it does not include amazonses.com"},
       {}},
      {"SpfWithTheWrongInclude",
       Code::mailfrom_spf,
       spf("bounce.example.com TXT v=spf1 include:amazonaws.com ~all\namazonaws.com TXT v=spf1 -all"),
       {"softfail", "it includes amazonaws.com, where amazonses.com belongs"},
       {}},
      {"SpfTooManyTerms",
       Code::mailfrom_spf,
       spf("bounce.example.com TXT v=spf1 a a a a a a a a a a include:amazonses.com -all\n"
           "bounce.example.com A 192.0.2.77"),
       {"permerror", "10"},
       {"does not include"}},
      {"SpfWithoutAll",
       Code::mailfrom_spf,
       spf("bounce.example.com TXT v=spf1 include:amazonses.com"),
       {"gives neutral for addresses other than those of SES: its record has no \"all\""},
       {}},
      {"SpfForSomeAddresses",
       Code::mailfrom_spf,
       spf("bounce.example.com TXT v=spf1 ip4:198.51.100.0/24 -all"),
       {"fail for some addresses of SES: it does not include amazonses.com", "203.0.113.0"},
       {}},
      {"AgedFallback",
       Code::mailfrom_fallback,
       [](SesWorld& w) {
         w.identity().mail_from.status = Status::failed;
         w.identity().aged = true;
       },
       {"is FAILED, when last told, which may have changed; SES may use amazonses.com"},
       {}},
      {"AgedReject",
       Code::mailfrom_reject,
       [](SesWorld& w) {
         w.identity().mail_from.status = Status::failed;
         w.identity().mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
         w.identity().aged = true;
       },
       {"SES may refuse this message"},
       {}},
  };
}

ses::ServerFault server_fault(const SesWorld& w) {
  ses::ServerFault fault;
  fault.server = "ns2.example.com (192.0.2.53)";
  fault.name = "t1._domainkey.example.com";
  fault.answer = "SERVFAIL";
  fault.transport = "UDP";
  fault.first = w.now - kDay, fault.last = w.now - kHour;
  fault.count = 12;
  return fault;
}

// The same of so many servers, for this type.
std::vector<ses::ServerFault> faults_of(const SesWorld& w, std::size_t servers, std::size_t asked,
                                        dns::Type type = dns::Type::cname) {
  std::vector<ses::ServerFault> faults;
  for (std::size_t i = 1; i <= servers; ++i) {
    auto fault = server_fault(w);
    fault.server = "ns" + std::to_string(i) + ".example.com";
    fault.type = type;
    fault.asked = asked;
    faults.push_back(fault);
  }
  return faults;
}

std::function<void(SesWorld&)> at_servers(std::size_t servers, std::size_t asked, dns::Type type = dns::Type::cname) {
  return [=](SesWorld& w) {
    w.history.emplace();
    w.history->present = faults_of(w, servers, asked, type);
  };
}

std::function<void(SesWorld&)> answering(const std::string& answer) {
  return [answer](SesWorld& w) {
    at_servers(1, 0, dns::Type::txt)(w);
    w.history->present.front().answer = answer;
  };
}

// One server of several can be taken out of the delegation; the last cannot, nor can all.
std::vector<TextCase> server_texts() {
  const auto flap = Code::dkim_records_flap, txt = Code::dkim_txt_servfail;
  return {
      {"OneOfHowManyIsNotKnown",
       flap,
       at_servers(1, 0),
       {"A name server fails for the DKIM records of example.com: ns1.example.com answered SERVFAIL",
        "Mend the name server ns1.example.com, or remove it from the delegation while others answer well"},
       {"all"}},
      {"SomeOfMany",
       flap,
       at_servers(4, 6),
       {"4 of 6 name servers fail for", "ns1.example.com, ns2.example.com, ns3.example.com and 1 more; ns1.example.com",
        "and 3 other faults", "or remove them while others answer well"},
       {"A name server fails"}},
      {"SeveralOfHowManyIsNotKnown",
       flap,
       at_servers(4, 0),
       {"4 name servers fail for", "ns3.example.com and 1 more", "Mend the zone at its name servers"},
       {"A name server fails", "remove it"}},
      {"All",
       flap,
       at_servers(4, 4),
       {"All 4 name servers fail for", "Mend the zone, or the servers themselves"},
       {"A name server fails", "remove"}},
      {"TheOnlyOne", flap, at_servers(1, 1), {"The only name server fails for"}, {"remove"}},
      {"TxtAtAllOfThem",
       txt,
       at_servers(2, 2, dns::Type::txt),
       {"t1._domainkey.example.com: the CNAME answers but TXT fails (SERVFAIL from both name servers since "
        "2023-11-13T22:13:20Z)",
        "Have the DNS provider serve TXT through the CNAME"},
       {"remove"}},
      {"NoAnswer", flap, answering("no answer in 3 s"), {"ns1.example.com gave no answer in 3 s to TXT t1."}, {}},
      {"Refused", flap, answering("connection refused"), {"ns1.example.com refused the connection for TXT t1."}, {}},
      {"Lame", flap, answering("not authoritative"), {"ns1.example.com is not authoritative for TXT t1."}, {}},
      {"LameWithReferral",
       flap,
       answering("not authoritative, refers to example"),
       {"ns1.example.com is not authoritative (refers to example) for TXT t1."},
       {}},
      {"Unreachable", flap, answering("port unreachable"), {"ns1.example.com failed (port unreachable) for TXT"}, {}},
      {"OldSerial",
       flap,
       answering("serial 7, others have 9"),
       {"ns1.example.com has serial 7, others have 9 for TXT", "Make the name server ns1.example.com load the zone"},
       {"registrar", "delegation", "remove"}},
  };
}

std::vector<TextCase> history_texts() {
  return {
      {"FlapNamesServerQueryAndCount",
       Code::dkim_records_flap,
       [](SesWorld& w) {
         w.history.emplace();
         w.history->present = {server_fault(w), server_fault(w)};
         w.history->present.back().count = 1;
         w.identity().verification.error_type = "DNS_SERVER_ERROR";
       },
       {"ns2.example.com (192.0.2.53) answered SERVFAIL for TXT t1._domainkey.example.com (12 times since "
        "2023-11-13T22:13:20Z over UDP, and 1 other fault)",
        "SES saw DNS_SERVER_ERROR", "keep the tokens"},
       {}},
      {"PastFaultTellsWhenSesLastLooked",
       Code::dkim_past_fault,
       [](SesWorld& w) {
         w.history.emplace();
         w.history->past = {server_fault(w)};
         w.identity().dkim.status = Status::pending;
         w.identity().verification.last_checked = w.now - 2 * kHour;
       },
       {"answer everywhere now; at 2023-11-14T21:13:20Z ns2.example.com (192.0.2.53) answered SERVFAIL for TXT "
        "t1._domainkey.example.com; SES last looked at 2023-11-14T20:13:20Z"},
       {}},
      {"RecordsThatAreGoneTellByWhoseClock",
       Code::dkim_lost,
       [](SesWorld& w) {
         w.history.emplace();
         w.history->dkim_outage = {{"t1._domainkey.example.com"}, w.now - 80 * kHour, w.now - 80 * kHour, {}};
       },
       {"SES can no longer confirm the DKIM records of example.com (no name server has had t1._domainkey.example.com "
        "since 2023-11-11T14:13:20Z); by its own clock it had stopped signing by 2023-11-14T14:13:20Z at the latest: "
        "treat mail as unsigned. Mend the records at every name server within 5 days (between 2023-11-16T14:13:20Z "
        "and 2023-11-19T14:13:20Z), or SES revokes the set-up."},
       {}},
      {"RevocationByTheClockAsksToLookInSes",
       Code::dkim_revoked,
       [](SesWorld& w) {
         w.history.emplace();
         w.history->dkim_outage = {
             {"t1._domainkey.example.com"}, w.now - 240 * kHour, w.now - 240 * kHour, w.now - 24 * kHour};
       },
       {"SES has revoked the DKIM set-up of example.com (by its own clock: no name server had "
        "t1._domainkey.example.com from 2023-11-04T22:13:20Z to 2023-11-13T22:13:20Z); the tokens published for it no "
        "longer serve. Repeat the DKIM set-up in SES unless its status there is SUCCESS, which sesame sync tells here, "
        "compare"},
       {}},
      {"RecordsThatAreBackTellUntilWhenSesMayNotSeeThem",
       Code::dkim_past_fault,
       [](SesWorld& w) {
         w.history.emplace();
         w.history->dkim_outage = {
             {"t1._domainkey.example.com"}, w.now - 30 * kHour, w.now - 30 * kHour, w.now - 6 * kHour};
       },
       {"The DKIM records of example.com answer everywhere now; no name server had t1._domainkey.example.com from "
        "2023-11-13T16:13:20Z to 2023-11-14T16:13:20Z, and until 2023-11-17T16:13:20Z SES may not have seen that they "
        "are back"},
       {}},
      {"AnMxThatIsGoneTellsByWhoseClock",
       Code::mailfrom_fallback,
       [](SesWorld& w) {
         w.history.emplace();
         w.history->mail_from_outage = {{"bounce.example.com"}, w.now - 80 * kHour, w.now - 80 * kHour, {}};
         w.resolver.zone().remove("bounce.example.com");
       },
       {"The custom MAIL FROM bounce.example.com is by SES's own clock no longer in use (no name server has had its MX "
        "since 2023-11-11T14:13:20Z); SES uses amazonses.com instead"},
       {}},
      {"DelegationNamesBothSets",
       Code::dns_delegation_mismatch,
       [](SesWorld& w) {
         w.history.emplace();
         w.history->delegation = {{"ns1.example.com", "old.example.net"},
                                  {"ns1.example.com"},
                                  "t1._domainkey.example.com",
                                  {"ns1.example.com"}};
       },
       {"delegates example.com to ns1.example.com, old.example.net, its own zone lists ns1.example.com",
        "t1._domainkey.example.com exists only on ns1.example.com"},
       {}},
      {"ShareOfReceivers",
       Code::dkim_temperror_partial,
       [](SesWorld& w) {
         w.history.emplace();
         w.history->key_temperrors = {0.125, "ns2.example.com", "TCP"};
       },
       {"12 % of receivers", "ns2.example.com is slow or fails over TCP"},
       {}},
  };
}

std::string name_of(const testing::TestParamInfo<TextCase>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(State, LegText, testing::ValuesIn(state_texts()), name_of);
INSTANTIATE_TEST_SUITE_P(MailFrom, LegText, testing::ValuesIn(mail_from_texts()), name_of);
INSTANTIATE_TEST_SUITE_P(Servers, LegText, testing::ValuesIn(server_texts()), name_of);
INSTANTIATE_TEST_SUITE_P(History, LegText, testing::ValuesIn(history_texts()), name_of);

std::vector<TextCase> advice_texts() {
  const auto only = Code::only_amazonses_signature;
  const auto none = Code::dmarc_none_aligned;
  const auto without_mail_from = [](auto change) {
    return [change](SesWorld& w) { w.identity().mail_from = {}, change(w, w.identity()); };
  };
  const auto bare = [](SesWorld&, ses::Identity& i) { i.dkim.status = Status::not_started, i.dkim.tokens.clear(); };
  return {
      {"OnlyAmazonSetsUpWhatIsNotSetUp", only, without_mail_from(bare), {"Set up Easy DKIM for example.com"}, {"Mend"}},
      {"OnlyAmazonMendsWhatIsPending", only, state(Status::pending, [](auto&, auto&) {}), {"Mend DKIM"}, {"Set up"}},
      {"OnlyAmazonMendsWhatIsSwitchedOff",
       only,
       [](SesWorld& w) { w.identity().dkim.signing_enabled = false; },
       {"Mend DKIM"},
       {"Set up"}},
      {"OnlyAmazonMendsByodkim",
       only,
       state(Status::pending, [](auto&, auto& i) { i.dkim.origin = "EXTERNAL", i.dkim.tokens = {"own"}; }),
       {"Mend DKIM"},
       {"Set up"}},
      {"OnlyAmazonMendsAReplica",
       only,
       state(Status::failed, [](auto&, auto& i) { i.dkim.origin = "AWS_SES_EU_WEST_1", i.dkim.tokens.clear(); }),
       {"Mend DKIM"},
       {"Set up"}},
      {"NoneAlignedSetsUpWhatIsNotSetUp",
       none,
       without_mail_from(bare),
       {"Set up Easy DKIM for example.com first, then a custom MAIL FROM domain below it."},
       {"Mend"}},
      {"NoneAlignedMendsWhatIsSetUp",
       none,
       without_mail_from([](SesWorld&, ses::Identity& i) { i.dkim.status = Status::temporary_failure; }),
       {"Mend DKIM of example.com first"},
       {"Set up"}},
      {"NoneAlignedMendsMailFrom",
       none,
       [bare](SesWorld& w) {
         bare(w, w.identity());
         w.identity().mail_from.status = Status::failed;
       },
       {"Set up Easy DKIM for example.com first, then mend MAIL FROM bounce.example.com"},
       {"custom MAIL FROM domain"}},
      {"NoneAlignedForStrictAlignmentAlone",
       none,
       [](SesWorld& w) {
         w.from("news@news.example.com");
         w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s; aspf=s");
       },
       {"Verify news.example.com as an identity of its own", "adkim=r"},
       {"Set up", "Mend"}},
      {"StrictSpfRestsOnDkim",
       Code::spf_strict_never,
       [](SesWorld& w) { w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; aspf=s"); },
       {"Use aspf=r at _dmarc.example.com, or rely on DKIM."},
       {}},
      {"StrictSpfRestsNotOnDkimThatFails",
       Code::spf_strict_never,
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; aspf=s");
       },
       {"Use aspf=r at _dmarc.example.com."},
       {"rely"}},
      {"MxOfAnotherRegionIsLeft",
       Code::mailfrom_mx,
       mx("10 feedback-smtp.eu-west-1.amazonses.com"),
       {"SES allows that, and only its status decides", "Leave it as it is"},
       {"Publish", "needs"}},
      {"ReplicaOfAParentNotKnown",
       Code::deed_replica,
       state(Status::failed,
             [](auto&, auto& i) {
               i.dkim.origin = "AWS_SES_EU_WEST_1";
               i.verification.error_type = "REPLICATION_PRIMARY_NOT_FOUND";
             }),
       {"replica of the one in eu-west-1", "Check in eu-west-1"},
       {"AWS_SES_EU"}},
      {"AgedRejection",
       Code::mailfrom_reject,
       [](SesWorld& w) {
         w.identity().aged = true;
         w.identity().mail_from.status = Status::failed;
         w.identity().mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
       },
       {"the identity says REJECT_MESSAGE, and MAIL FROM bounce.example.com is FAILED, when last told, which may have"},
       {"changed and"}},
      {"SearchGivenUp",
       Code::dkim_pending,
       state(Status::pending, [](auto& w, auto& i) { i.status_since = w.now - 80 * kHour; }),
       {"SES may no longer look for the DKIM records"},
       {"still waits"}},
      {"SearchGoesOn",
       Code::dkim_pending,
       state(Status::pending, [](auto& w, auto& i) { i.status_since = w.now - 5 * kHour; }),
       {"SES still waits for the DKIM records"},
       {"no longer"}},
      {"TargetWhereTheZoneIsByRegion",
       Code::dkim_cname_target,
       [](SesWorld& w) {
         for (const std::string token : {"t1", "t2", "t3"}) {
           const auto name = token + "._domainkey.example.com";
           w.replace(name, name + " CNAME " + token + ".dkim.eu-south-1.amazonses.com");
         }
       },
       {"expected t1.dkim.amazonses.com by the region; SES may have given it another zone", "SigningHostedZone"},
       {}},
      {"TargetWhereTheOthersShowTheZone",
       Code::dkim_cname_target,
       [](SesWorld& w) {
         w.replace("t1._domainkey.example.com", "t1._domainkey.example.com CNAME t1.dkim.eu-south-1.amazonses.com");
       },
       {"expected t1.dkim.amazonses.com. Change the CNAME t1._domainkey.example.com to t1.dkim.amazonses.com."},
       {"SigningHostedZone"}},
      {"TargetWhereTheZoneWasTold",
       Code::dkim_cname_target,
       [](SesWorld& w) {
         w.identity().dkim.signing_hosted_zone = "dkim.amazonses.com";
         w.replace("t1._domainkey.example.com", "t1._domainkey.example.com CNAME t1.dkim.eu-south-1.amazonses.com");
       },
       {"expected t1.dkim.amazonses.com. Change the CNAME t1._domainkey.example.com to t1.dkim.amazonses.com."},
       {"SigningHostedZone"}},
  };
}

INSTANTIATE_TEST_SUITE_P(Advice, LegText, testing::ValuesIn(advice_texts()), name_of);

// Every message bears a signature of amazonses.com, and that of its own mail aligns.
TEST(AmazonsOwnMail, IsNotSaidToBeUnaligned) {
  SesWorld world;
  world.add_identity("amazonses.com").dkim.signing_enabled = false;
  world.dns("_dmarc.amazonses.com TXT v=DMARC1; p=reject");
  world.from("news@amazonses.com");
  world.envelope.mail_from = "news@amazonses.com";
  const auto prediction = world.predict();
  EXPECT_NE(prediction.verdict, ses::Verdict::fail) << prediction.why;
  EXPECT_EQ(std::ranges::count(prediction.findings, Code::only_amazonses_signature, &ses::Finding::code), 0);
}

TEST(LegSeverity, DefaultMailFromWeighsMoreWithoutDkim) {
  SesWorld world;
  world.identity().mail_from = {};
  EXPECT_EQ(found(world.predict(), Code::mailfrom_default).severity, Severity::warning);
  world.identity().dkim.signing_enabled = false;
  EXPECT_EQ(found(world.predict(), Code::mailfrom_default).severity, Severity::error);
}

TEST(LegSeverity, FallbackWeighsMoreWithoutDkim) {
  SesWorld world;
  world.identity().mail_from.status = Status::pending;
  EXPECT_EQ(found(world.predict(), Code::mailfrom_fallback).severity, Severity::warning);
  world.identity().dkim.status = Status::failed;
  EXPECT_EQ(found(world.predict(), Code::mailfrom_fallback).severity, Severity::error);
}

TEST(LegSeverity, PendingDkimWeighsMoreWhereItIsTheCauseOfAFail) {
  SesWorld world;
  world.identity().dkim.status = Status::pending;
  EXPECT_EQ(found(world.predict(), Code::dkim_pending).severity, Severity::warning);
  world.identity().mail_from = {};
  EXPECT_EQ(found(world.predict(), Code::dkim_pending).severity, Severity::error);
}

TEST(LegSeverity, AnAgedStateLeavesItOpen) {
  SesWorld world;
  world.identity().dkim.status = Status::failed;
  world.identity().aged = true;
  EXPECT_EQ(found(world.predict(), Code::dkim_failed).severity, Severity::unknown);
  for (const std::string token : {"t1", "t2", "t3"}) world.resolver.zone().remove(token + "._domainkey.example.com");
  EXPECT_EQ(found(world.predict(), Code::dkim_failed).severity, Severity::error) << "DNS says the same";
}

TEST(LegSeverity, AnMxOfAnotherRegionIsForInformation) {
  SesWorld world;
  mx("10 feedback-smtp.eu-west-1.amazonses.com")(world);
  EXPECT_EQ(found(world.predict(), Code::mailfrom_mx).severity, Severity::info);
}

TEST(LegReason, UnnamedTokensTellWhatWasSeen) {
  SesWorld world;
  world.identity().dkim.tokens.clear();
  world.history.emplace();
  world.history->arrival.emplace();
  world.history->arrival->time = world.now - kHour;
  world.history->arrival->signed_domain = "example.com";
  world.history->arrival->selector = "t3";
  EXPECT_THAT(world.predict().dkim.reason, HasSubstr("SES signed mail at 2023-11-14T21:13:20Z with selector t3"));
}

TEST(LegReason, AgedStateIsTheReasonWhereItLeavesTheLegOpen) {
  SesWorld world;
  world.identity().dkim.status = Status::failed;
  world.identity().aged = true;
  const auto dkim = world.predict().dkim;
  EXPECT_EQ(dkim.usable, Tri::unknown);
  EXPECT_EQ(dkim.reason, "DKIM of example.com in SES was FAILED, when last told, which may have changed");
}

// Questions are only asked where something is wrong.
TEST(LegQuestions, AHealthyDomainCostsOneQuestionASelector) {
  SesWorld world;
  world.predict();
  const auto asked = world.resolver.asked();
  EXPECT_EQ(std::ranges::count_if(asked, [](const auto& q) { return q.find("_domainkey") != std::string::npos; }), 3);
}

}  // namespace
}  // namespace sesame::test
