// A judged message as the history keeps it.
#include "inspect/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <nlohmann/json.hpp>

#include "inspect/inspect.h"
#include "inspect/render.h"
#include "support/fake_resolver.h"
#include "support/stale_resolver.h"

namespace sesame::inspect {
namespace {

using history::Alignment;
using policy::Direction;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

nlohmann::json story_of(const history::Row& row) {
  return nlohmann::json::parse(row.story);
}

history::Row row_of(const policy::Report& report, const policy::Decision& decision = {}) {
  return record_of(report, decision, {.waited_us = 17, .whole_us = 42}, 1'750'000'000'123'456)->row();
}

policy::Report received(dmarc::Result result) {
  policy::Report report;
  report.direction = Direction::inbound;
  report.author.fields = 1;
  report.author.mailboxes = {{"a", "example.com"}};
  report.author.domains = {"example.com"};
  report.dmarc.result = result;
  report.dmarc.discovery.domain = "example.com";
  return report;
}

policy::Report sent(ses::Verdict verdict) {
  auto report = received(dmarc::Result::none);
  report.direction = Direction::outbound;
  report.prediction = ses::Prediction{};
  report.prediction->verdict = verdict;
  return report;
}

dns::AnswerPtr text_answer(const std::string& name, const std::string& text) {
  dns::Answer answer = dns::bare_answer(name, dns::Type::txt, dns::Status::ok);
  answer.texts = {text};
  answer.ttl = 300;
  return std::make_shared<const dns::Answer>(answer);
}

struct Judged {
  policy::Report report;
  policy::Decision decision;
};

// Received from 203.0.113.7, with an answer past its time to live among those it rests on.
Judged judge_spoof() {
  static test::FakeResolver fresh(
      "example.com TXT v=spf1 ip4:192.0.2.0/24 -all\n_dmarc.example.com TXT v=DMARC1; p=quarantine\n"
      "k._domainkey.example.com CNAME k.example.net\nk.example.net TXT v=DKIM1; p=\n");
  auto runtime = std::make_shared<Runtime>();
  runtime->config = config::defaults();
  runtime->resolver = std::make_shared<test::StaleResolver>(fresh, std::vector<std::string>{"TXT example.com"});
  runtime->suffixes = dmarc::PublicSuffixList::system();
  mail::Envelope envelope;
  envelope.client = IpAddress::parse("203.0.113.7");
  envelope.mail_from = "a@example.com";
  envelope.queue_id = "4QUEUE1";
  Inspection inspection(runtime, Direction::inbound, envelope);
  inspection.field({"From", " a@example.com"});
  inspection.field({"Message-ID", " <1@example.com>"});
  inspection.field({"DKIM-Signature",
                    " v=1; a=rsa-sha256; d=example.com; s=k; h=from; "
                    "bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA"});
  inspection.end_of_header();
  Judged judged{inspection.finish(), {}};
  judged.decision = policy::decide(judged.report, runtime->config.rules);
  return judged;
}

TEST(Row, TellsOfAReceivedMessageWhatTheLogTells) {
  const auto [report, decision] = judge_spoof();
  const auto row = row_of(report, decision);
  EXPECT_EQ(row.time, 1'750'000'000'123'456);
  EXPECT_EQ(row.queue_id, "4QUEUE1");
  EXPECT_EQ(row.direction, "inbound");
  EXPECT_EQ(row.from_domain, "example.com");
  EXPECT_EQ(row.mail_from, "a@example.com");
  EXPECT_EQ(row.message_id, "<1@example.com>");
  EXPECT_EQ(row.client, "203.0.113.7");
  EXPECT_EQ(row.verdict, "fail");
  EXPECT_EQ(row.alignment, Alignment::none);
  EXPECT_EQ(row.disposition, "quarantine");
  EXPECT_EQ(row.action, "observe");
  EXPECT_EQ(row.why, policy::why(report));
  EXPECT_EQ(row.waited_us, 17);
  EXPECT_EQ(row.took_us, 42);
  auto story = story_of(row);
  story.erase("records");
  EXPECT_EQ(story, nlohmann::json::parse(log_json(report, decision)));
}

TEST(Story, HoldsEveryAnswerOfDns) {
  const auto [report, decision] = judge_spoof();
  const auto records = story_of(row_of(report, decision)).at("records");
  const auto of = [&](const char* name) {
    for (const auto& each : records)
      if (each.at("name") == name && each.at("type") == "TXT") return each;
    return nlohmann::json();
  };
  EXPECT_EQ(records.size(), report.answers.size());
  EXPECT_EQ(of("_dmarc.example.com").at("data"), nlohmann::json({"v=DMARC1; p=quarantine"}));
  EXPECT_EQ(of("_dmarc.example.com").at("stale"), false);
  EXPECT_EQ(of("example.com").at("stale"), true);
  EXPECT_EQ(of("example.com").at("status"), "NOERROR");
  EXPECT_GT(of("example.com").at("ttl"), 0);
  EXPECT_EQ(of("k._domainkey.example.com").at("cnames"), nlohmann::json({"k.example.net"}));
}

TEST(Row, AlignmentOfSentMailIsThatOfUsableLegsInTheNewerStandard) {
  const auto alignment = [](Tri dkim_usable, Tri dkim_aligned, Tri spf_usable, Tri spf_aligned) {
    auto report = sent(ses::Verdict::unknown);
    auto& prediction = *report.prediction;
    prediction.dkim.usable = dkim_usable;
    prediction.dkim.aligned = {dkim_aligned, Tri::yes};
    prediction.spf.usable = spf_usable;
    prediction.spf.aligned = {spf_aligned, Tri::yes};
    return row_of(report).alignment;
  };
  using enum Tri;
  EXPECT_EQ(alignment(yes, yes, yes, yes), Alignment::both);
  EXPECT_EQ(alignment(yes, yes, yes, no), Alignment::dkim);
  EXPECT_EQ(alignment(yes, yes, unknown, yes), Alignment::dkim);
  EXPECT_EQ(alignment(no, yes, yes, yes), Alignment::spf);
  EXPECT_EQ(alignment(unknown, yes, yes, yes), Alignment::spf);
  EXPECT_EQ(alignment(no, yes, yes, no), Alignment::none);
  EXPECT_EQ(alignment(yes, unknown, no, yes), Alignment::unknown);
  EXPECT_EQ(alignment(no, unknown, no, unknown), Alignment::none);
}

TEST(Row, AlignmentOfReceivedMailIsNeverNoneWhereNobodyLooked) {
  auto report = received(dmarc::Result::temperror);
  EXPECT_EQ(row_of(report).alignment, Alignment::unknown);
  report = received(dmarc::Result::none);
  EXPECT_EQ(row_of(report).alignment, Alignment::unknown);
  report.dkim.emplace_back();
  report.dkim[0].result = dkim::Result::pass;
  report.dkim[0].domain = "other.example";
  EXPECT_EQ(row_of(report).alignment, Alignment::unknown);
  report.dkim[0].domain = "example.com";
  EXPECT_EQ(row_of(report).alignment, Alignment::dkim);
  report = received(dmarc::Result::fail);
  EXPECT_EQ(row_of(report).alignment, Alignment::none);
  report = received(dmarc::Result::pass);
  report.dmarc.dkim_aligned = report.dmarc.spf_aligned = Tri::yes;
  EXPECT_EQ(row_of(report).alignment, Alignment::both);
}

TEST(Row, TheFindingThatDecidesIsNamedAndAPassHasNone) {
  auto report = sent(ses::Verdict::fail);
  report.prediction->findings = {ses::make_finding(ses::Code::dkim_no_key, {}),
                                 ses::make_finding(ses::Code::mailfrom_default, {}),
                                 ses::make_finding(ses::Code::dkim_no_key, {})};
  report.prediction->account = "main";
  report.prediction->region = "us-east-1";
  report.prediction->identity = "example.com";
  const auto row = row_of(report);
  EXPECT_EQ(row.verdict, "fail");
  EXPECT_EQ(row.code, "dkim-no-key");
  EXPECT_EQ(row.codes, "dkim-no-key,mailfrom-default");
  EXPECT_EQ(row.account + " " + row.region + " " + row.identity, "main us-east-1 example.com");
  EXPECT_EQ(row.disposition, "");
  report.prediction->verdict = ses::Verdict::pass;
  EXPECT_EQ(row_of(report).code, "");
}

TEST(Row, SentMailWithoutAPredictionIsUnknown) {
  auto report = sent(ses::Verdict::pass);
  report.prediction.reset();
  const auto row = row_of(report);
  EXPECT_EQ(row.verdict, "unknown");
  EXPECT_EQ(row.alignment, Alignment::unknown);
}

TEST(Row, AForwarderIsTheSealerForWhoseWordThePolicyWasNotApplied) {
  policy::Decision decision;
  decision.trusted_forwarder = "lists.example";
  EXPECT_EQ(row_of(received(dmarc::Result::fail), decision).forwarder, "lists.example");
}

TEST(Row, TextsOfAMessageAreBoundedAndPrintable) {
  auto report = received(dmarc::Result::fail);
  report.envelope.mail_from = std::string(5000, '\xff');
  report.envelope.queue_id = "\x1b[31m" + std::string(600, 'x');
  report.message_id = std::string(600, 'y');
  const auto row = row_of(report);
  for (const auto* text : {&row.mail_from, &row.queue_id, &row.message_id}) {
    EXPECT_LE(text->size(), history::kMaxText);
    EXPECT_THAT(*text, EndsWith("..."));
    for (const char c : *text) EXPECT_TRUE(c >= ' ' && c <= '~');
  }
}

// Rows wait in memory while a store is away. Where the allocator counts nothing, as under a sanitizer, this shows
// nothing.
TEST(Record, HoldsNothingThatNoRowTells) {
  constexpr int kMessages = 50, kSignatures = 80, kNames = 1000;
  std::vector<std::unique_ptr<const history::Source>> waiting;
  const auto before = ::mallinfo2().uordblks;
  for (int i = 0; i < kMessages; ++i) {
    auto report = received(dmarc::Result::fail);
    report.envelope.recipients.assign(kNames, "user@example.com");
    report.dkim.resize(kSignatures);
    for (auto& signature : report.dkim) signature.signed_fields.assign(kNames, "from");
    waiting.push_back(record_of(std::move(report), {}, {}, 0));
  }
  const auto held = ::mallinfo2().uordblks - before;
  std::size_t reckoned = 0;
  for (const auto& each : waiting) reckoned += each->octets();
  EXPECT_LT(held, 2 * reckoned + 1'000'000);
}

TEST(Story, TooManyRecordsAreLeftOutWhole) {
  auto report = received(dmarc::Result::fail);
  report.answers = {text_answer("a.example", "short")};
  EXPECT_EQ(story_of(row_of(report)).at("records").size(), 1u);
  for (int i = 0; i < 40; ++i) report.answers.push_back(text_answer("a.example", std::string(2000, 'x')));
  const auto row = row_of(report);
  EXPECT_LE(row.story.size(), history::kMaxStory);
  const auto story = story_of(row);
  EXPECT_FALSE(story.contains("records"));
  EXPECT_EQ(story.at("left_out"), "records");
  EXPECT_EQ(story.at("dmarc").at("result"), "fail");
}

TEST(Story, AnEventWithoutBoundsIsLeftOut) {
  auto report = received(dmarc::Result::fail);
  report.envelope.queue_id = "4QUEUE1";
  report.dkim.resize(1);
  report.dkim[0].identity = std::string(200'000, '"');
  const auto row = row_of(report);
  EXPECT_LE(row.story.size(), history::kMaxStory);
  EXPECT_EQ(story_of(row).at("left_out"), "event");
  EXPECT_EQ(story_of(row).at("queue_id"), "4QUEUE1");
}

TEST(Story, OctetsOfDnsThatAreNoTextAreShown) {
  auto report = received(dmarc::Result::none);
  report.answers = {text_answer("a.example", "v=\xff\"<script>\n")};
  EXPECT_EQ(story_of(row_of(report)).at("records").at(0).at("data"), nlohmann::json({"v=\\xff\"<script>\\x0a"}));
}

}  // namespace
}  // namespace sesame::inspect
