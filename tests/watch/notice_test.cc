// What notices say, to people and to programs, whatever stands in DNS.
#include "watch/notice.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "util/text.h"
#include "watch/mail_text.h"
#include "watch/titles.h"
#include "watch/wording.h"

namespace sesame::watch {
namespace {

using nlohmann::json;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Kind = Notice::Kind;

constexpr std::int64_t kNow = 1'800'000'000;  // 2027-01-15 08:00 UTC

RecordState record(State state, Part part = Part::dkim) {
  RecordState record;
  record.key = {.account = "111122223333",
                .identity = "example.com",
                .region = "us-east-1",
                .part = part,
                .name = part == Part::dkim ? "t1._domainkey.example.com" : "bounce.example.com"};
  record.state = state;
  record.since = kNow - 600;
  if (state == State::healthy) return record;
  record.code = "dkim-records-flap";
  record.reason = "ns2.example.net (192.0.2.53) answers SERVFAIL for TXT t1._domainkey.example.com over UDP";
  record.first_bad = kNow - 600;
  record.faults = {
      {"ns2.example.net (192.0.2.53)", record.key.name, dns::Type::txt, "SERVFAIL", "UDP", kNow - 600, kNow, 3}};
  return record;
}

Notice change(const RecordState& after) {
  Notice notice;
  notice.time = kNow;
  notice.account = after.key.account;
  notice.identity = after.key.identity;
  notice.region = after.key.region;
  auto before = after;
  before.state = State::healthy;
  notice.changes = {{before, after}};
  const std::vector<RecordState> records = {after};
  const std::vector<Deadline> deadlines = {
      {Deadline::Kind::revocation, kNow - 600 + 5 * 86400, kNow - 600 + 8 * 86400}};
  notice.deadline = deadlines[0];
  word_change(notice, {records, deadlines});
  return notice;
}

std::vector<std::size_t> line_lengths(const std::string& text) {
  std::vector<std::size_t> lengths;
  for (const auto line : split(text, '\n')) lengths.push_back(line.size());
  return lengths;
}

bool is_plain(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
}

TEST(Kinds, HaveOneSpellingEach) {
  for (const auto kind :
       {Kind::change, Kind::reminder, Kind::silence, Kind::restored, Kind::digest, Kind::unreachable, Kind::reachable})
    EXPECT_EQ(parse_kind(to_string(kind)), kind);
  EXPECT_FALSE(parse_kind("other"));
}

TEST(Text, TellsWhatWhereSinceWhenTheClockAndTheFix) {
  const auto notice = change(record(State::degraded));
  EXPECT_EQ(notice.title, "example.com: ns2.example.net (192.0.2.53) answered SERVFAIL for TXT: DKIM is degraded");
  // As one line: wherever it is folded.
  std::string text;
  for (const auto word : split(notice.text, '\n')) text += std::string(trim(word)) + " ";
  for (const auto* part :
       {"t1._domainkey.example.com: degraded since 2027-01-15 07:50 UTC",
        "ns2.example.net (192.0.2.53) answers SERVFAIL", "(dkim-records-flap)", "What SES does about it:",
        "not before 2027-01-20 07:50 UTC", "What to do:", "Mend the name servers named above", "Keep the tokens",
        "Identity example.com, account 111122223333, region us-east-1", "sesame watch --timeline example.com"})
    EXPECT_THAT(text, HasSubstr(part));
}

std::string as_one_line(const std::string& text) {
  std::string line;
  for (const auto part : split(text, '\n')) line += std::string(trim(part)) + " ";
  return line;
}

// example.com's second and third record are at fault as the first.
std::vector<RecordState> three_alike() {
  std::vector<RecordState> records;
  for (const auto* name : {"t1._domainkey.example.com", "t2._domainkey.example.com", "t3._domainkey.example.com"}) {
    auto one = record(State::degraded);
    one.key.name = one.faults[0].name = name;
    one.reason = fmt::format("ns2.example.net (192.0.2.53) answered SERVFAIL for TXT {} over UDP", name);
    records.push_back(one);
  }
  return records;
}

TEST(Text, TellsRecordsThatAreAlikeTogether) {
  auto records = three_alike();
  auto notice = change(records[0]);
  for (std::size_t i = 1; i < records.size(); ++i) notice.changes.push_back({notice.changes[0].before, records[i]});
  word_change(notice, {records, {}});
  EXPECT_THAT(as_one_line(notice.text),
              HasSubstr("- DKIM (3 records: t1._domainkey.example.com, t2._domainkey.example.com, "
                        "t3._domainkey.example.com): degraded since 2027-01-15 07:50 UTC. ns2.example.net (192.0.2.53) "
                        "answered SERVFAIL for TXT over UDP. (dkim-records-flap)"));
  EXPECT_THAT(json::parse(to_json(notice))["changes"], SizeIs(3));
  // Of another server, or since another time: by itself.
  notice.changes[1].after.reason = "ns9.example.net answered SERVFAIL for TXT t2._domainkey.example.com over UDP";
  notice.changes[2].after.since -= 3600;
  word_change(notice, {records, {}});
  for (const auto& each : notice.changes)
    EXPECT_THAT(as_one_line(notice.text), HasSubstr("- DKIM, " + each.after.key.name + ": degraded since"));
}

TEST(Text, OfWhatStillIsAtFaultIsToldTogether) {
  auto records = three_alike();
  auto notice = change(records[0]);
  word_change(notice, {records, {}});
  EXPECT_THAT(as_one_line(notice.text), HasSubstr("Still at fault: - DKIM (2 records: t2._domainkey.example.com, "
                                                  "t3._domainkey.example.com): degraded"));
}

TEST(Title, BeginsWithDomainAndServerAndFitsASubject) {
  const std::string longest =
      std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + ".example";
  struct Case {
    const char* what;
    std::string identity, server, answer, title;
  };
  const Case cases[] = {
      {"plain", "example.com", "ns2.example.net (192.0.2.53)", "SERVFAIL",
       "example.com: ns2.example.net (192.0.2.53) answered SERVFAIL for TXT: DKIM is missing"},
      {"silent", "example.com", "ns2.example.net (192.0.2.53)", "no answer in 3 s",
       "example.com: ns2.example.net (192.0.2.53) gave no answer in 3 s to TXT: DKIM is missing"},
      {"a long name of a server goes without its address", std::string(20, 'a') + ".example.com",
       "ns-1234.awsdns-12.co.uk.example.net (2001:db8::1234)", "NXDOMAIN",
       std::string(20, 'a') +
           ".example.com: ns-1234.awsdns-12.co.uk.example.net answered NXDOMAIN for TXT: DKIM is missing"},
      {"all are long", longest, "ns." + longest + " (192.0.2.53)", "CNAME " + longest,
       std::string(29, 'a') + "...: ns." + std::string(18, 'a') +
           "... answered CNAME aaaaaaa... for TXT: DKIM is missing"},
  };
  for (const auto& c : cases) {
    auto state = record(State::missing);
    state.key.identity = c.identity;
    state.reason = c.server + " is named";
    state.faults[0].server = c.server;
    state.faults[0].answer = c.answer;
    const auto title = change(state).title;
    EXPECT_EQ(title, c.title) << c.what;
    EXPECT_LE(title.size(), 120U) << c.what;
  }
}

TEST(Title, CountsServersThatSayTheSame) {
  auto state = record(State::missing);
  for (const auto* server : {"ns1.example.net (192.0.2.52)", "ns3.example.net (192.0.2.54)"}) {
    state.faults.push_back(state.faults[0]);
    state.faults.back().server = server;
  }
  EXPECT_EQ(change(state).title,
            "example.com: ns2.example.net (192.0.2.53), like 2 others, answered SERVFAIL for TXT: DKIM is missing");
  // What is over is not told.
  state.last_bad = kNow;
  state.faults[1].last = state.faults[2].last = kNow - 300;
  EXPECT_EQ(change(state).title,
            "example.com: ns2.example.net (192.0.2.53) answered SERVFAIL for TXT: DKIM is missing");
}

TEST(Title, OfWhatIsNoServersDoingTellsTheReason) {
  auto state = record(State::degraded, Part::zone);
  state.reason =
      "the parent delegates example.com to ns1.example.net, its own zone lists ns3.example.net, ns4.example.net";
  EXPECT_EQ(change(state).title,
            "example.com: zone is degraded: the parent delegates example.com to ns1.example.net, its own zone lists "
            "ns3.example.ne...");
  EXPECT_EQ(change(record(State::healthy)).title, "example.com: DKIM is healthy again");
  EXPECT_THAT(change(record(State::recovering)).title, StartsWith("example.com: DKIM is recovering"));
}

TEST(Title, OfADeadlineIsShortHoweverLongTheName) {
  const Deadline deadline{Deadline::Kind::mail_from_fallback, kNow + 3600, kNow + 7200};
  EXPECT_LE(reminder_title(std::string(250, 'x'), kNow, {Moment::Which::near, deadline, kNow}).size(), 120U);
  EXPECT_EQ(reminder_title("example.com", kNow, {Moment::Which::near, deadline, kNow}),
            "example.com: SES may stop using the MAIL FROM domain in 60 minutes, at 2027-01-15 09:00 UTC");
}

TEST(Connection, DoesNotSayThatTheNameServersAreSilent) {
  Notice notice;
  notice.time = kNow;
  for (const auto kind : {Kind::silence, Kind::restored}) {
    notice.kind = kind;
    notice.text.clear();
    word_connection(notice, kNow - 600);
    EXPECT_THAT(as_one_line(notice.text), HasSubstr("the resolver of this host, and perhaps every name server,"));
  }
}

TEST(Text, OfEachPartSaysWhatToPublish) {
  const std::pair<Part, const char*> cases[] = {
      {Part::dkim, "Publish the records again exactly as SES gave them."},
      {Part::mail_from_mx, "10 feedback-smtp.us-east-1.amazonses.com"},
      {Part::mail_from_spf, "\"v=spf1 include:amazonses.com ~all\""},
      {Part::dmarc, "DMARC record"},
      {Part::zone, "Mend the delegation"},
      {Part::amazon, "None of your records is at fault"},
  };
  for (const auto& [part, fix] : cases) {
    const auto notice = change(record(State::missing, part));
    std::string text;
    for (const auto word : split(notice.text, '\n'))
      text += std::string(trim(word)) + " ";
    EXPECT_THAT(text, HasSubstr(fix)) << to_string(part);
  }
}

TEST(Text, HasLinesOfAtMost78Octets) {
  auto state = record(State::missing);
  state.key.name = std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + ".example.com";
  state.reason = std::string(1000, 'x') + " and so on";
  const auto notice = change(state);
  EXPECT_THAT(line_lengths(notice.text), Each(::testing::Le(78U)));
  EXPECT_EQ(notice.title.find('\n'), std::string::npos);
  EXPECT_LE(notice.title.size(), 120U);
}

TEST(Text, IsPlainWhateverDnsSays) {
  auto state = record(State::missing);
  state.reason = "\x1b[2Jns1 says \xff\xfe\r\nBcc: victim@example.org\n.\n\xe2\x80\xae";
  state.key.name = "t1\n\x07._domainkey.example.com";
  state.faults[0].server = "ns\x01\r\n.example";
  const auto notice = change(state);
  EXPECT_TRUE(is_plain(notice.text)) << notice.text;
  EXPECT_TRUE(is_plain(notice.title));
  EXPECT_THAT(notice.text, Not(HasSubstr("\nBcc:")));
  Notice digest;
  digest.time = kNow;
  digest.changes = notice.changes;
  word_digest(digest, {}, 180);
  EXPECT_TRUE(is_plain(digest.text + digest.title)) << digest.text;
}

TEST(Wrap, KeepsWordsWholeWhereTheyFit) {
  EXPECT_EQ(wrap("", "- ", "  "), "");
  EXPECT_EQ(wrap("a b", "- ", "  "), "- a b\n");
  const auto text = wrap(std::string(70, 'a') + " bbbbbbbb " + std::string(160, 'c'), "- ", "  ");
  EXPECT_EQ(text, "- " + std::string(70, 'a') + "\n  bbbbbbbb\n  " + std::string(76, 'c') + "\n  " +
                      std::string(76, 'c') + "\n  " + std::string(8, 'c') + "\n");
}

TEST(Span, IsRounded) {
  EXPECT_EQ(span_of(0), "0 minutes");
  EXPECT_EQ(span_of(61), "1 minute");
  EXPECT_EQ(span_of(12 * 3600 - 20), "12 hours");
  EXPECT_EQ(span_of(5 * 86400), "5 days");
}

TEST(Json, HasTheDocumentedMembers) {
  const auto notice = change(record(State::degraded));
  const auto object = json::parse(to_json(notice));
  EXPECT_EQ(object["kind"], "change");
  EXPECT_EQ(object["time"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(object["account"], "111122223333");
  EXPECT_EQ(object["identity"], "example.com");
  EXPECT_EQ(object["region"], "us-east-1");
  EXPECT_EQ(object["identities"], 1);
  EXPECT_EQ(object["title"], notice.title);
  EXPECT_EQ(object["text"], notice.text);
  EXPECT_EQ(object["changes_total"], 1);
  const auto& change = object["changes"][0];
  EXPECT_EQ(change["part"], "DKIM");
  EXPECT_EQ(change["name"], "t1._domainkey.example.com");
  EXPECT_EQ(change["from"], "healthy");
  EXPECT_EQ(change["to"], "degraded");
  EXPECT_EQ(change["since"], "2027-01-15T07:50:00Z");
  EXPECT_EQ(change["code"], "dkim-records-flap");
  EXPECT_EQ(change["faults"][0]["server"], "ns2.example.net (192.0.2.53)");
  EXPECT_EQ(change["faults"][0]["type"], "TXT");
  EXPECT_EQ(change["faults"][0]["count"], 3);
  EXPECT_EQ(object["deadline"]["kind"], "revocation");
  EXPECT_EQ(object["deadline"]["earliest"], "2027-01-20T07:50:00Z");
  EXPECT_EQ(object["deadline"]["latest"], "2027-01-23T07:50:00Z");
}

TEST(Json, IsOneLineOfAsciiWhateverDnsSays) {
  auto state = record(State::missing);
  state.reason = std::string("\xff\xfe\0\x1b\n\"}", 7);
  auto notice = change(state);
  notice.title = "\xc3\x28 \xe2\x82\xac \n";
  const auto text = to_json(notice);
  EXPECT_TRUE(is_plain(text));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_FALSE(json::parse(text, nullptr, false).is_discarded());
}

TEST(Json, IsBounded) {
  auto state = record(State::missing);
  state.reason = std::string(10'000, 'x');
  state.faults.assign(500, state.faults[0]);
  auto notice = change(state);
  EXPECT_LT(to_json(notice).size(), 65536U);
  notice.kind = Kind::digest;
  notice.changes[0].before.faults.clear();
  notice.changes[0].after.faults.resize(3);
  const auto one = notice.changes[0];
  notice.changes.assign(500, one);
  const auto object = json::parse(to_json(notice));
  EXPECT_THAT(object["changes"], SizeIs(12));
  EXPECT_EQ(object["changes_total"], 500);
}

// The header of a mail, unfolded.
std::vector<std::string> fields(const std::string& mail) {
  std::vector<std::string> all;
  for (const auto line : split(std::string_view(mail).substr(0, mail.find("\n\n")), '\n')) {
    if (line.starts_with(' '))
      all.back() += line;
    else
      all.emplace_back(line);
  }
  return all;
}

TEST(Mail, HasTheFieldsOfRfc5322) {
  const auto mail = mail_text(change(record(State::degraded)), "sesame@example.com", "postmaster@example.org", "1@h");
  const auto header = fields(mail);
  EXPECT_EQ(header[0], "From: Sesame <sesame@example.com>");
  EXPECT_EQ(header[1], "To: <postmaster@example.org>");
  EXPECT_THAT(header[2], StartsWith("Subject: Sesame: example.com: ns2.example.net (192.0.2.53) answered SERVFAIL"));
  EXPECT_EQ(header[3], "Date: Fri, 15 Jan 2027 08:00:00 +0000");
  EXPECT_EQ(header[4], "Message-ID: <1@h>");
  EXPECT_EQ(header[5], "Auto-Submitted: auto-generated");
  EXPECT_THAT(header, SizeIs(9));
  EXPECT_THAT(line_lengths(mail), Each(::testing::Le(78U)));
}

TEST(Mail, HasNoFromWhereNoneIsSet) {
  EXPECT_THAT(mail_text(change(record(State::degraded)), "", "p@example.org", "1@h"), StartsWith("To: <p@"));
}

TEST(Mail, LetsNothingFromDnsIntoItsHeader) {
  for (const std::string hostile :
       {"x\r\nBcc: victim@example.org", "x\n\nbody", "x\r\n\r\n<html>", "x\nBcc: v@example.org", "\n", "\r",
        "x\x0b\x0c"
        "Bcc: a",
        "x =?utf-8?B?QmNjOiB2QGV4YW1wbGUub3Jn?= y"}) {
    auto notice = change(record(State::degraded));
    notice.title = hostile;
    notice.text = hostile + "\n.\nFrom: x";
    const auto mail = mail_text(notice, "sesame@example.com", "p@example.org", "1@h");
    const auto header = fields(mail);
    EXPECT_THAT(header, SizeIs(9)) << hostile;
    for (const auto& field : header) {
      EXPECT_THAT(field, Not(StartsWith("Bcc"))) << hostile;
      EXPECT_THAT(field, Not(HasSubstr("=?utf-8"))) << hostile;
      EXPECT_EQ(field.find('\r'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace sesame::watch
