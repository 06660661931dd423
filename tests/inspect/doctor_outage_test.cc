// What `sesame doctor` tells of records that were gone, and of what SES makes of that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "inspect/render_doctor.h"

namespace sesame::inspect {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'700'000'000, kHour = 3600;

struct OutageCase {
  std::string name;
  std::int64_t missing;   // hours ago; 0 = only some servers lack it
  std::int64_t restored;  // hours ago; 0 = it lasts
  std::string text;
  std::string phase;
};
void PrintTo(const OutageCase& c, std::ostream* out) {
  *out << c.name;
}

ses::Examination examination_of(const OutageCase& c) {
  ses::Outage outage{{"t1._domainkey.example.com"}, kNow - std::max<std::int64_t>(c.missing, 1) * kHour, {}, {}};
  if (c.missing > 0) outage.missing_since = outage.first_bad;
  if (c.restored > 0) outage.restored = kNow - c.restored * kHour;
  ses::Examination examination;
  examination.subject = examination.domain = "example.com";
  examination.time = kNow;
  examination.history.emplace();
  examination.dkim_clocks = ses::dkim_clocks(outage, std::nullopt, kNow);
  examination.history->dkim_outage = outage;
  return examination;
}

// Without the line breaks that the width asks for.
std::string joined(const std::string& text) {
  std::string result;
  for (const char c : text)
    if ((c != ' ' && c != '\n') || (!result.empty() && result.back() != ' ')) result += c == '\n' ? ' ' : c;
  return result;
}

class DoctorOutage : public testing::TestWithParam<OutageCase> {};

TEST_P(DoctorOutage, IsToldWithItsDeadlines) {
  const auto& c = GetParam();
  const auto examination = examination_of(c);
  EXPECT_THAT(joined(doctor_text({&examination, 1})), HasSubstr("t1._domainkey.example.com at " + c.text));
  const auto told = json::parse(doctor_json({&examination, 1}, Shape::one))["observed"]["dkim_outage"];
  EXPECT_EQ(told["ses"], c.phase);
  EXPECT_EQ(told["names"], json::array({"t1._domainkey.example.com"}));
  EXPECT_EQ(told["restored"].is_null(), c.restored == 0);
}

const std::vector<OutageCase> kCases = {
    {"Gone", 24, 0,
     "no name server since 2023-11-13T22:13:20Z; SES may have stopped signing, and will have by 2023-11-16T22:13:20Z; "
     "revocation about 2023-11-18T22:13:20Z, at the latest 2023-11-21T22:13:20Z",
     "may have stopped"},
    {"Stopped", 80, 0, "no name server since 2023-11-11T14:13:20Z; SES has stopped signing; revocation about ",
     "has stopped"},
    {"PerhapsRevoked", 125, 0,
     "no name server since 2023-11-09T17:13:20Z; SES has stopped signing, and may have revoked the set-up",
     "may be revoked"},
    {"Restored", 48, 24,
     "no name server from 2023-11-12T22:13:20Z to 2023-11-13T22:13:20Z; until 2023-11-16T22:13:20Z SES may not have "
     "seen that they are back",
     "may have stopped"},
    {"Revoked", 240, 24, "no name server from 2023-11-04T22:13:20Z to 2023-11-13T22:13:20Z; SES has revoked the set-up",
     "revoked"},
    {"LongOver", 240, 239,
     "no name server from 2023-11-04T22:13:20Z to 2023-11-04T23:13:20Z; nothing follows from it any more", "as usual"},
};
INSTANTIATE_TEST_SUITE_P(Doctor, DoctorOutage, testing::ValuesIn(kCases),
                         [](const auto& each) { return each.param.name; });

TEST(DoctorOutage, OfSomeServersIsTold) {
  const auto examination = examination_of({"", 0, 0, "", ""});
  EXPECT_THAT(joined(doctor_text({&examination, 1})),
              HasSubstr("t1._domainkey.example.com not at all name servers since 2023-11-14T21:13:20Z; SES may have "
                        "stopped signing; revocation about 2023-11-19T21:13:20Z at the earliest"));
}

// SES may never miss what some server always has.
TEST(DoctorOutage, OfSomeServersHasNoLatestMoment) {
  const auto some = examination_of({"", 0, 0, "", ""}), gone = examination_of({"", 24, 0, "", ""});
  const auto told = [](const ses::Examination& examination) {
    return json::parse(doctor_json({&examination, 1}, Shape::one))["observed"]["dkim_outage"];
  };
  for (const char* span : {"ses_stops", "ses_ends"}) {
    EXPECT_TRUE(told(some)[span]["earliest"].is_string());
    EXPECT_TRUE(told(some)[span]["latest"].is_null());
    EXPECT_TRUE(told(gone)[span]["latest"].is_string());
  }
}

// `servers` fail for TXT of three names, over UDP and TCP.
std::vector<ses::ServerFault> faults_of(int servers) {
  std::vector<ses::ServerFault> faults;
  for (const char* token : {"t1", "t2", "t3"})
    for (int server = 1; server <= servers; ++server)
      for (const char* transport : {"UDP", "TCP"}) {
        ses::ServerFault fault;
        fault.server = "ns" + std::to_string(server) + ".example.net";
        fault.name = std::string(token) + "._domainkey.example.com";
        fault.answer = "SERVFAIL";
        fault.transport = transport;
        fault.first = kNow - kHour, fault.last = kNow;
        fault.count = 5;
        faults.push_back(fault);
      }
  return faults;
}

TEST(DoctorObserved, TellsOfAServerOnceAndOfTheClockBefore) {
  auto examination = examination_of({"", 0, 0, "", ""});
  examination.history->present = faults_of(2);
  const auto text = joined(doctor_text({&examination, 1}));
  for (const char* server : {"ns1", "ns2"})
    EXPECT_THAT(text, HasSubstr(std::string("Now ") + server +
                                ".example.net: SERVFAIL to TXT of 3 DKIM names over UDP and TCP, 30 times since "
                                "2023-11-14T21:13:20Z, last at 2023-11-14T22:13:20Z"));
  const auto now = text.find(" Now ");
  EXPECT_LT(text.find(" DKIM "), now);
  EXPECT_EQ(text.find(" Now ", text.find(" Now ", now + 1) + 1), std::string::npos);
}

TEST(DoctorObserved, NamesTheOneNameAndKeepsAnswersApart) {
  auto examination = examination_of({"", 0, 0, "", ""});
  examination.history->dkim_outage.reset();
  auto& past = examination.history->past = {faults_of(1).front(), faults_of(1).front()};
  past.back().answer = "connection refused";
  past.back().transport = "TCP";
  const auto text = joined(doctor_text({&examination, 1}));
  EXPECT_THAT(text, HasSubstr("Before ns1.example.net: SERVFAIL to TXT t1._domainkey.example.com over UDP, 5 times"));
  EXPECT_THAT(text, HasSubstr("Before ns1.example.net: connection refused for TXT t1._domainkey.example.com over TCP"));
}

TEST(DoctorObserved, TellsOfAZoneThatFailsValidationAndOfAnotherDelegation) {
  auto examination = examination_of({"", 0, 0, "", ""});
  examination.history.emplace().bogus_zone = "example.com";
  examination.history->delegation = {{"ns1.example.net", "old.example.net"}, {"ns1.example.net"}, "", {}};
  const auto text = joined(doctor_text({&examination, 1}));
  EXPECT_THAT(text, HasSubstr("What was observed DNSSEC example.com fails validation"));
  EXPECT_THAT(text, HasSubstr("revokes the set-up 5 days later"));
  EXPECT_THAT(text, HasSubstr("Zone the parent delegates to ns1.example.net, old.example.net, the zone lists ns1."));
}

}  // namespace
}  // namespace sesame::inspect
