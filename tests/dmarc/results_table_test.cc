// Every word SPF and two signatures can end in, aligned or not, through the whole inspection of a message: which of
// them makes DMARC pass, keeps it undecided or leaves it failed.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>

#include "inspect/inspect.h"
#include "support/fake_resolver.h"
#include "support/signer.h"

namespace sesame::dmarc {
namespace {

using test::Signer;

constexpr std::array kSpfWords = {spf::Result::none,     spf::Result::neutral,  spf::Result::pass,
                                  spf::Result::fail,     spf::Result::softfail, spf::Result::temperror,
                                  spf::Result::permerror};
// none: no signature.
constexpr std::array kDkimWords = {dkim::Result::none,     dkim::Result::pass,    dkim::Result::fail,
                                   dkim::Result::policy,   dkim::Result::neutral, dkim::Result::temperror,
                                   dkim::Result::permerror};
constexpr std::array kPlaces = {true, false};  // aligned with the author domain or not

std::string organization(bool aligned) {
  return aligned ? "example.com" : "example.net";
}
std::string sender_domain(spf::Result word, bool aligned) {
  return std::string(to_string(word)) + "." + organization(aligned);
}

std::string zone() {
  constexpr std::array<const char*, 7> kRecords = {"x",           "v=spf1 ?all", "v=spf1 +all",    "v=spf1 -all",
                                                   "v=spf1 ~all", "!SERVFAIL",   "v=spf1 nonsense"};
  std::string text = "_dmarc.example.com TXT v=DMARC1; p=reject\n";
  for (const bool aligned : kPlaces) {
    for (std::size_t i = 0; i < kSpfWords.size(); ++i)
      text += sender_domain(kSpfWords[i], aligned) + " TXT " + kRecords[i] + "\n";
    for (const char* selector : {"pass", "fail", "policy", "neutral"})
      text +=
          std::string(selector) + "._domainkey." + organization(aligned) + " TXT " + Signer::ed25519().record() + "\n";
    text += "temperror._domainkey." + organization(aligned) + " TXT !SERVFAIL\n";
  }
  return text;
}

// A signature of the message below that will end in this word.
mail::Fields signature(dkim::Result word, bool aligned) {
  auto tags = "v=1; a=ed25519-sha256; h=from; d=" + organization(aligned) + "; s=" + to_string(word) + ";";
  std::string body = "Hi\r\n";
  if (word == dkim::Result::neutral) tags += " c=unheard/of;";
  if (word == dkim::Result::fail) body = "Another\r\n";
  if (word == dkim::Result::policy) {
    tags += " l=2;";
    body = "Hi";
  }
  const auto message = test::sign_simple(
      Signer::ed25519(),
      {.tags = tags, .signed_lines = {"From: a@example.com\r\n"}, .header = "", .body = body, .body_after = ""});
  const auto colon = message.find(':');
  return {{message.substr(0, colon), message.substr(colon + 1, message.find("\r\n") - colon - 1)}};
}

struct Said {
  spf::Result spf;
  bool spf_aligned;
  std::array<dkim::Result, 2> dkim;
  std::array<bool, 2> dkim_aligned;
};

// RFC 9989 Sections 5.3.5 and 5.3.6: one aligned pass is enough; without one, an aligned answer that is missing leaves
// it open; everything else, errors that will stay among it, did not pass.
Result expected(const Said& said) {
  bool pass = said.spf_aligned && said.spf == spf::Result::pass;
  bool open = said.spf_aligned && said.spf == spf::Result::temperror;
  for (std::size_t i = 0; i < 2; ++i) {
    pass = pass || (said.dkim_aligned[i] && said.dkim[i] == dkim::Result::pass);
    open = open || (said.dkim_aligned[i] && said.dkim[i] == dkim::Result::temperror);
  }
  return pass ? Result::pass : open ? Result::temperror : Result::fail;
}

class Inspector {
 public:
  Inspector() {
    runtime_->config = config::defaults();
    runtime_->config.rules.authserv_id = "mx.example.org";
    runtime_->resolver = std::make_shared<test::FakeResolver>(std::string_view(zone_));
    runtime_->suffixes = PublicSuffixList::system();
    for (const auto word : kDkimWords)
      for (const bool aligned : kPlaces) signatures_[{word, aligned}] = signature(word, aligned);
  }

  policy::Report judge(const Said& said) const {
    mail::Envelope envelope;
    envelope.client = IpAddress::parse("192.0.2.1");
    envelope.helo = "mail.example.org";
    envelope.mail_from = "a@" + sender_domain(said.spf, said.spf_aligned);
    inspect::Inspection inspection(runtime_, policy::Direction::inbound, envelope);
    for (std::size_t i = 0; i < 2; ++i)
      if (said.dkim[i] != dkim::Result::none)
        inspection.field(signatures_.at({said.dkim[i], said.dkim_aligned[i]}).front());
    inspection.field({"From", " a@example.com"});
    inspection.end_of_header();
    inspection.body("Hi\r\n");
    return inspection.finish();
  }

 private:
  const std::string zone_ = zone();
  std::shared_ptr<inspect::Runtime> runtime_ = std::make_shared<inspect::Runtime>();
  std::map<std::pair<dkim::Result, bool>, mail::Fields> signatures_;
};

std::string shown(const Said& said) {
  std::string text = std::string("spf ") + to_string(said.spf) + (said.spf_aligned ? " aligned" : "");
  for (std::size_t i = 0; i < 2; ++i)
    text += std::string(", dkim ") + to_string(said.dkim[i]) + (said.dkim_aligned[i] ? " aligned" : "");
  return text;
}

// The words are those meant, and DMARC says what follows from them; by both standards.
bool holds(const Said& said, const policy::Report& report) {
  EXPECT_EQ(report.spf_mail_from->result, said.spf) << shown(said);
  std::vector<dkim::Result> words;
  for (const auto& outcome : report.dkim) words.push_back(outcome.result);
  std::vector<dkim::Result> want;
  for (const auto word : said.dkim)
    if (word != dkim::Result::none) want.push_back(word);
  EXPECT_EQ(words, want) << shown(said);
  EXPECT_EQ(report.dmarc.result, expected(said)) << shown(said);
  EXPECT_EQ(report.dmarc_rfc7489.result, expected(said)) << shown(said);
  return !testing::Test::HasFailure();
}

TEST(ResultsTable, EveryWordOfSpfAndTwoSignaturesHasItsResult) {
  const Inspector inspector;
  int combinations = 0;
  for (const auto spf : kSpfWords)
    for (const auto first : kDkimWords)
      for (const auto second : kDkimWords)
        for (int places = 0; places < 8; ++places) {
          const Said said{spf, (places & 1) != 0, {first, second}, {(places & 2) != 0, (places & 4) != 0}};
          ASSERT_TRUE(holds(said, inspector.judge(said)));
          ++combinations;
        }
  EXPECT_EQ(combinations, 7 * 7 * 7 * 8);
}

}  // namespace
}  // namespace sesame::dmarc
