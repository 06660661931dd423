#include "ses/sighting.h"

#include <gtest/gtest.h>

#include "ses/relay.h"
#include "support/fake_resolver.h"

namespace sesame::ses {
namespace {

using Proof = Sighting::Proof;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr const char* kId = "0100abcdef-000000";

// News of example.com as SES in eu-west-1 delivers it: signed twice, from the custom MAIL FROM.
struct Mail {
  Mail() {
    header("X-SES-Outgoing", "2026.01.01-198.51.100.7");
    header("Message-ID", std::string("<") + kId + "@eu-west-1.amazonses.com>");
    header("From", "News <news@example.com>");
    sign("example.com", "t1", dkim::Result::pass);
    sign("amazonses.com", "amazon", dkim::Result::pass);
    envelope.mail_from = std::string(kId) + "@bounce.example.com";
    envelope.client = IpAddress::parse("198.51.100.7");
    spf.result = spf::Result::pass;
    spf.domain = "bounce.example.com";
    resolver.zone().add(
        "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 -all\n"
        "t1._domainkey.example.com CNAME t1.dkim.amazonses.com\n"
        "t1.dkim.amazonses.com TXT p=AAAA\n"
        "byo._domainkey.example.com TXT p=AAAA\n"
        "esp._domainkey.example.com CNAME key.other.example\n"
        "key.other.example TXT p=AAAA\n");
  }

  void header(const std::string& name, const std::string& value) { fields.push_back({name, " " + value}); }
  void remove(std::string_view name) {
    mail::Fields others;
    for (const auto& field : fields)
      if (!mail::is_named(field, name)) others.push_back(field);
    fields = std::move(others);
  }
  dkim::Outcome& sign(const std::string& domain, const std::string& selector, dkim::Result result) {
    dkim::Outcome outcome;
    outcome.result = result;
    outcome.domain = domain;
    outcome.selector = selector;
    if (result == dkim::Result::fail) outcome.reason = "body hash differs";
    outcome.signed_fields = {"from", "subject", "message-id", "date"};
    outcome.signed_at = kNow - 60;
    dkim.push_back(outcome);
    return dkim.back();
  }
  std::optional<Sighting> sight() {
    const auto author = mail::find_author(fields);
    return ses::sight({envelope, fields, author, dkim, &spf, true, true, kNow, resolver, Deadline::max()});
  }

  mail::Envelope envelope;
  mail::Fields fields;
  std::vector<dkim::Outcome> dkim;
  spf::Outcome spf;
  test::FakeResolver resolver{""};
};

TEST(Sighting, WhatSesDeliversShowsSelectorEnvelopeTimeAndRegion) {
  const auto seen = Mail().sight();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->proof, Proof::delivery);
  EXPECT_EQ(seen->arrival.signed_domain, "example.com");
  EXPECT_EQ(seen->arrival.selector, "t1");
  EXPECT_EQ(seen->arrival.broken_domain, "");
  EXPECT_EQ(seen->arrival.mail_from_domain, "bounce.example.com");
  EXPECT_EQ(seen->arrival.time, kNow - 60);
  EXPECT_EQ(seen->arrival.region, "eu-west-1");
}

TEST(Sighting, MailThatDoesNotSayThatItCameThroughSesIsNoneWhoeverSigned) {
  Mail mail;
  mail.remove("X-SES-Outgoing");
  EXPECT_FALSE(mail.sight());
}

TEST(Sighting, TheFieldAloneProvesNothingAndWithoutAmazonsSignatureIsNone) {
  Mail mail;
  mail.dkim.pop_back();
  EXPECT_FALSE(mail.sight());
  mail.sign("amazonses.com", "amazon", dkim::Result::fail);
  mail.envelope.mail_from = "somebody@example.com";
  ASSERT_TRUE(mail.sight());
  EXPECT_EQ(mail.sight()->proof, Proof::none);
}

TEST(Sighting, OnlyASingleAuthorIsOne) {
  Mail two_fields, two_mailboxes;
  two_fields.header("From", "other@example.com");
  two_mailboxes.remove("From");
  two_mailboxes.header("From", "news@example.com, other@example.com");
  EXPECT_FALSE(two_fields.sight());
  EXPECT_FALSE(two_mailboxes.sight());
}

TEST(Sighting, TheEnvelopeIsSesOwnOnlyWithItsIdAndSpfPassingForADomainItMayUse) {
  const auto sender_of = [](auto&& change) {
    Mail mail;
    change(mail);
    return mail.sight()->arrival.mail_from_domain;
  };
  EXPECT_EQ(sender_of([](Mail& mail) { mail.envelope.mail_from = "other@bounce.example.com"; }), "");
  EXPECT_EQ(sender_of([](Mail& mail) { mail.spf.result = spf::Result::softfail; }), "");
  EXPECT_EQ(sender_of([](Mail& mail) { mail.spf.identity = spf::Identity::helo; }), "");
  EXPECT_EQ(sender_of([](Mail& mail) { mail.header("Message-ID", "<second@example.com>"); }), "");
  EXPECT_EQ(sender_of([](Mail& mail) { mail.envelope.mail_from = std::string(kId) + "@eu-west-1.amazonses.com"; }),
            "eu-west-1.amazonses.com");
}

// Somebody else's SPF passes for whatever he sends from his own domain.
TEST(Sighting, AStrangersEnvelopeIsNotSes) {
  Mail mail;
  mail.envelope.mail_from = std::string(kId) + "@attack.example";
  mail.spf.domain = "attack.example";
  const auto author = mail::find_author(mail.fields);
  const auto seen =
      ses::sight({mail.envelope, mail.fields, author, mail.dkim, &mail.spf, true, false, kNow, mail.resolver, {}});
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->proof, Proof::signature);
  EXPECT_EQ(seen->arrival.mail_from_domain, "");
}

TEST(Sighting, TheRegionIsKnownOnlyWhereItIsProven) {
  Mail mail;
  mail.envelope.mail_from = "forwarder@other.example";
  EXPECT_EQ(mail.sight()->arrival.region, "eu-west-1");
  mail.dkim[1].signed_fields = {"from"};
  EXPECT_EQ(mail.sight()->arrival.region, "");
}

TEST(Sighting, MessageIdsTellTheRegion) {
  const std::pair<const char*, const char*> cases[] = {{"<id@email.amazonses.com>", "us-east-1"},
                                                       {"<id@ap-south-2.amazonses.com>", "ap-south-2"},
                                                       {"<id@amazonses.com>", ""},
                                                       {"<id@a.b.amazonses.com>", ""},
                                                       {"<id@eu-west-1.example.com>", ""},
                                                       {"id@eu-west-1.amazonses.com", ""}};
  for (const auto& [value, region] : cases)
    EXPECT_EQ(region_of(mail::Fields{{"Message-ID", std::string(" ") + value}}), region) << value;
}

struct KeyCase {
  const char* about;
  const char* selector;
  std::int64_t signed_at;
  std::vector<std::string> signed_fields;
  const char* seen;
};

TEST(Sighting, ASignatureIsBySesWithAmazonsKeyOrWithOursMadeTogetherWithAmazons) {
  const std::vector<std::string> usual = {"from", "message-id", "date"};
  const KeyCase cases[] = {
      {"Easy DKIM", "t1", kNow - 60, usual, "t1"},
      {"BYODKIM", "byo", kNow - 60, usual, "byo"},
      {"upstream of SES", "byo", kNow - 60, {"from", "subject"}, ""},
      {"at another time", "byo", kNow - 600, usual, ""},
      {"another relay's key", "esp", kNow - 60, usual, ""},
      {"no key any more", "gone", kNow - 60, usual, ""},
  };
  for (const auto& each : cases) {
    Mail mail;
    auto& own = mail.dkim[0];
    own.selector = each.selector;
    own.signed_at = each.signed_at;
    own.signed_fields = each.signed_fields;
    EXPECT_EQ(mail.sight()->arrival.selector, each.seen) << each.about;
  }
  Mail below;
  std::swap(below.dkim[0], below.dkim[1]);
  below.dkim[1].selector = "byo";
  EXPECT_EQ(below.sight()->arrival.selector, "") << "SES writes its own on top";
}

TEST(Sighting, SignaturesOfOthersAreNotTheAuthors) {
  for (const char* domain : {"example.net", "news.example.com", "com"}) {
    Mail mail;
    mail.dkim[0].domain = domain;
    mail.resolver.zone().add(std::string("t1._domainkey.") + domain + " CNAME t1.dkim.amazonses.com\n");
    EXPECT_EQ(mail.sight()->arrival.signed_domain, "") << domain;
  }
}

TEST(Sighting, ACustomMailFromDomainAllowsOtherHostsThanAmazons) {
  Mail mail;
  mail.envelope.client = IpAddress::parse("192.0.2.25");
  for (auto& each : mail.dkim) each.result = dkim::Result::fail, each.reason = "body hash differs";
  ASSERT_TRUE(mail.sight());
  EXPECT_EQ(mail.sight()->proof, Proof::none);
  EXPECT_EQ(mail.sight()->arrival.mail_from_domain, "");
}

TEST(Sighting, ABrokenSignatureSaysWhichHash) {
  Mail mail;
  mail.dkim[0].result = mail.dkim[1].result = dkim::Result::fail;
  mail.dkim[0].reason = mail.dkim[1].reason = "body hash differs";
  const auto seen = mail.sight();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->proof, Proof::delivery);
  EXPECT_EQ(seen->arrival.broken_domain, "example.com");
  EXPECT_EQ(seen->arrival.broken_reason, "body hash differs");
  EXPECT_EQ(seen->arrival.time, kNow) << "the time of a signature that does not verify proves nothing";
}

TEST(Sighting, WhatIsUndecidedOrInTestingIsNeitherPassedNorBroken) {
  Mail temporary, testing, expired;
  temporary.dkim[0].result = dkim::Result::temperror;
  testing.dkim[0].testing = true;
  expired.dkim[0].result = dkim::Result::fail;
  expired.dkim[0].reason = "time: expired at 1";
  for (auto* mail : {&temporary, &testing, &expired}) {
    EXPECT_EQ(mail->sight()->arrival.signed_domain, "");
    EXPECT_EQ(mail->sight()->arrival.broken_domain, "");
  }
}

TEST(Sighting, ASignatureThatPassesMakesABogusOneBesideItNoMatter) {
  Mail mail;
  mail.dkim.insert(mail.dkim.begin(), mail.dkim[0]);
  mail.dkim[0].result = dkim::Result::fail;
  mail.dkim[0].reason = "header hash differs (signature does not verify)";
  EXPECT_EQ(mail.sight()->arrival.signed_domain, "example.com");
  EXPECT_EQ(mail.sight()->arrival.broken_domain, "");
}

TEST(Sighting, DecoysCostFewLookUps) {
  Mail mail;
  mail.dkim.insert(mail.dkim.begin(), 100, mail.dkim[0]);
  for (std::size_t i = 0; i < 100; ++i) {
    mail.dkim[i].result = dkim::Result::fail;
    mail.dkim[i].reason = "body hash differs";
    mail.dkim[i].selector = "decoy" + std::to_string(i);
  }
  ASSERT_TRUE(mail.sight());
  EXPECT_LE(mail.resolver.asked().size(), 5u);
}

}  // namespace
}  // namespace sesame::ses
