#include "ses/contradiction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ses/world.h"

namespace sesame::ses {
namespace {

using testing::HasSubstr;

// Mail of example.com as it was foreseen, to be spoiled.
struct Case : test::SesWorld {
  Case() {
    arrival.time = now - 3600;
    arrival.signed_domain = "example.com";
    arrival.selector = "t1";
    arrival.mail_from_domain = "bounce.example.com";
    arrival.region = "us-east-1";
    arrival.dkim_aligned = arrival.spf_aligned = true;
  }
  std::string how() {
    const auto author = mail::find_author(fields);
    std::vector<Account> known = others;
    known.push_back(account);
    const Surroundings surroundings{resolver, account, Deadline::max(), dmarc::PublicSuffixList::system(), now,
                                    known,    {},      nullptr};
    const auto prediction = ses::predict(surroundings, {envelope, fields, author, {}});
    const auto finding = contradiction(surroundings, prediction, arrival);
    EXPECT_EQ(finding ? finding->code : Code::prediction_contradicted, Code::prediction_contradicted);
    return finding ? finding->text : "";
  }
  void unsigned_mail() { arrival.signed_domain = arrival.selector = ""; }

  Arrival arrival;
  std::vector<Account> others;
};

TEST(Contradiction, WhatWasForeseenIsNone) {
  EXPECT_EQ(Case().how(), "");
}

TEST(Contradiction, ASignatureThatShouldHaveBeenThere) {
  Case mail;
  mail.unsigned_mail();
  EXPECT_THAT(mail.how(), HasSubstr("without a signature d=example.com"));
}

TEST(Contradiction, WhatAnybodyMayHaveTakenAwayIsNotMissed) {
  Case mail;
  mail.unsigned_mail();
  mail.arrival.mail_from_domain = "";
  EXPECT_EQ(mail.how(), "");
}

TEST(Contradiction, ABrokenSignatureWasMade) {
  Case mail;
  mail.unsigned_mail();
  mail.arrival.broken_domain = "example.com";
  mail.arrival.broken_reason = "body hash differs";
  EXPECT_EQ(mail.how(), "");
}

TEST(Contradiction, ASignatureThoughSesIsSaidNotToSign) {
  Case disabled, failed;
  disabled.identity().dkim.signing_enabled = false;
  failed.identity().dkim.status = Status::failed;
  EXPECT_THAT(disabled.how(), HasSubstr("signed with d=example.com s=t1, though"));
  EXPECT_THAT(failed.how(), HasSubstr("signed with d=example.com s=t1, though"));
}

// The records may have gone since; what SES does is not what DNS has.
TEST(Contradiction, RecordsThatAreGoneContradictNothing) {
  Case mail;
  for (const char* name : {"t1._domainkey.example.com", "t2._domainkey.example.com", "t3._domainkey.example.com"})
    mail.resolver.zone().remove(name);
  mail.identity().dkim.status.reset();
  EXPECT_EQ(mail.how(), "");
}

TEST(Contradiction, ASelectorThatIsNoneOfThoseKnown) {
  Case mail;
  mail.arrival.selector = "t9";
  EXPECT_THAT(mail.how(), HasSubstr("s=t9, which is none of its selectors known here"));
}

TEST(Contradiction, AnotherEnvelopeDomain) {
  Case fell_back, custom;
  fell_back.arrival.mail_from_domain = "amazonses.com";
  EXPECT_THAT(fell_back.how(), HasSubstr("from an envelope sender of amazonses.com, and not of bounce.example.com"));
  custom.identity().mail_from = {};
  EXPECT_THAT(custom.how(), HasSubstr("from an envelope sender of bounce.example.com, and not of amazonses.com"));
}

TEST(Contradiction, BothAreToldInOneSentence) {
  Case mail;
  mail.unsigned_mail();
  mail.arrival.mail_from_domain = "amazonses.com";
  EXPECT_THAT(mail.how(), HasSubstr("without a signature d=example.com, and from an envelope sender of amazonses.com"));
}

TEST(Contradiction, WhatIsUndecidedContradictsNothing) {
  Case mail;
  mail.unsigned_mail();
  mail.arrival.mail_from_domain = "amazonses.com";
  mail.identity().dkim.status.reset();
  mail.replace("t1._domainkey.example.com", "t1._domainkey.example.com TXT !SERVFAIL");
  mail.replace("bounce.example.com", "bounce.example.com * !SERVFAIL");
  EXPECT_EQ(mail.how(), "");
}

TEST(Contradiction, AnotherRegionsMailTellsNothing) {
  Case mail;
  mail.unsigned_mail();
  mail.arrival.region = "eu-west-1";
  EXPECT_EQ(mail.how(), "");
  mail.arrival.region = "";
  EXPECT_NE(mail.how(), "");
}

TEST(Contradiction, WhatTheApiToldLaterHolds) {
  Case mail;
  mail.unsigned_mail();
  mail.identity().as_of = mail.arrival.time + 1;
  EXPECT_EQ(mail.how(), "");
  mail.identity().as_of = mail.arrival.time - 1;
  EXPECT_NE(mail.how(), "");
}

TEST(Contradiction, AnOldArrivalTellsNothing) {
  Case mail;
  mail.unsigned_mail();
  mail.arrival.time = mail.now - kArrivalMaxAge;
  EXPECT_NE(mail.how(), "");
  --mail.arrival.time;
  EXPECT_EQ(mail.how(), "");
}

TEST(Contradiction, WhereTwoAccountsSendForADomainOnlyTheSelectorTellsWhose) {
  Case mail;
  auto other = mail.account;
  other.name = "other";
  other.identities.edit().front().dkim.tokens = {"o1", "o2", "o3"};
  mail.others = {other};
  mail.arrival.mail_from_domain = "amazonses.com";
  EXPECT_NE(mail.how(), "") << "ours, by its selector";
  mail.arrival.selector = "o1";
  EXPECT_EQ(mail.how(), "");
  mail.unsigned_mail();
  EXPECT_EQ(mail.how(), "");
}

}  // namespace
}  // namespace sesame::ses
