#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "ses/identity.h"
#include "ses/relay.h"

namespace sesame::ses {
namespace {

Account account_of(std::initializer_list<const char*> names) {
  Account account;
  account.region = "us-east-1";
  for (const auto* name : names) {
    Identity identity;
    identity.name = name;
    identity.region = "us-east-1";
    account.identities.edit().push_back(identity);
  }
  return account;
}

std::string covering(const Account& account, const char* local, const char* domain) {
  const auto* identity = account.covering({local, domain});
  return identity ? identity->name : "none";
}

TEST(Covering, TheMostSpecificWins) {
  const auto account = account_of({"example.com", "mail.example.com", "a@mail.example.com", "bexample.com"});
  EXPECT_EQ(covering(account, "a", "mail.example.com"), "a@mail.example.com");
  EXPECT_EQ(covering(account, "a+x", "mail.example.com"), "a@mail.example.com");
  EXPECT_EQ(covering(account, "A", "mail.example.com"), "mail.example.com");
  EXPECT_EQ(covering(account, "b", "deep.mail.example.com"), "mail.example.com");
  EXPECT_EQ(covering(account, "b", "example.com"), "example.com");
  EXPECT_EQ(covering(account, "b", "notexample.com"), "none");
}

TEST(Covering, WhatWasNotVerifiedLongAgoMayCoverByNow) {
  auto account = account_of({"example.com", "mail.example.com", "a@mail.example.com"});
  const auto may_cover = [&](const char* local) {
    const auto* identity = account.may_cover({local, "mail.example.com"});
    return identity ? identity->name : "none";
  };
  account.identities.edit()[2].verified_for_sending = false;
  EXPECT_EQ(may_cover("a"), "mail.example.com");
  account.identities.edit()[2].aged = true;
  EXPECT_EQ(covering(account, "a", "mail.example.com"), "mail.example.com");
  EXPECT_EQ(may_cover("a"), "a@mail.example.com");
  EXPECT_EQ(may_cover("b"), "mail.example.com");
  for (auto& identity : account.identities.edit()) identity.verified_for_sending = false;
  EXPECT_EQ(may_cover("b"), "none");
}

TEST(Covering, IsTheSameInASortedAccount) {
  auto account = account_of({"example.com", "a.mail.example.com", "mail.example.com", "A@mail.example.com", "zzz.test",
                             "a@mail.example.com", "example.com.test", "b@example.com"});
  for (const auto* unverified : {"mail.example.com", "b@example.com"})
    std::ranges::find(account.identities.edit(), unverified, &Identity::name)->verified_for_sending = false;
  auto elsewhere = account.identities.edit().front();
  elsewhere.name = "deep.mail.example.com";
  elsewhere.region = "eu-west-1";
  account.identities.edit().push_back(elsewhere);
  elsewhere.name = "example.com";
  account.identities.edit().push_back(elsewhere);
  auto sorted = account;
  sorted.identities = Identities::sorted(sorted.identities.edit());
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"a", "mail.example.com", "a@mail.example.com"},
      {"A", "mail.example.com", "A@mail.example.com"},
      {"a+b", "mail.example.com", "a@mail.example.com"},
      {"c", "mail.example.com", "example.com"},
      {"c", "x.a.mail.example.com", "a.mail.example.com"},
      {"c", "deep.mail.example.com", "example.com"},
      {"b", "example.com", "example.com"},
      {"b", "test", "none"},
      {"b", "com.test", "none"},
      {"b", "example.com.test", "example.com.test"},
  };
  for (const auto& [local, domain, want] : cases) {
    EXPECT_EQ(covering(account, local, domain), want) << local << '@' << domain;
    EXPECT_EQ(covering(sorted, local, domain), want) << local << '@' << domain;
  }
  EXPECT_EQ(sorted.find("example.com", "eu-west-1")->region, "eu-west-1");
  EXPECT_EQ(sorted.find("deep.mail.example.com", "us-east-1"), nullptr);
  sorted.identities.edit().push_back(sorted.identities.edit().front());
  sorted.identities.edit().back().name = "aaa.example.com";
  EXPECT_EQ(covering(sorted, "x", "aaa.example.com"), "aaa.example.com") << "what was added behind is found, too";
}

TEST(CanonicalName, IsWhatMailboxesHave) {
  EXPECT_EQ(canonical_name("EXAMPLE.com."), "example.com");
  EXPECT_EQ(canonical_name("B\u00fccher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(canonical_name("First.Last@Example.com"), "First.Last@example.com");
  for (const auto* bad : {"", "com", "@example.com", "a@", "a@b@example.com", "a b@example.com", "exa mple.com"})
    EXPECT_EQ(canonical_name(bad), std::nullopt) << bad;
}

TEST(SigningZone, TheApisWordThenTheParentsThenTheRegion) {
  auto account = account_of({"example.com"});
  auto& identity = account.identities.edit().front();
  EXPECT_EQ(signing_zone(identity, account), "dkim.amazonses.com");
  identity.region = "eu-south-1";
  EXPECT_EQ(signing_zone(identity, account), "dkim.eu-south-1.amazonses.com");
  identity.dkim.origin = "AWS_SES_US_EAST_1";
  EXPECT_EQ(signing_zone(identity, account), "dkim.amazonses.com");
  Identity parent;
  parent.name = "example.com";
  parent.region = "us-east-1";
  parent.dkim.signing_hosted_zone = "cell7.dkim.amazonses.com";
  account.identities.edit().push_back(parent);
  EXPECT_EQ(signing_zone(account.identities.edit().front(), account), "cell7.dkim.amazonses.com");
  account.identities.edit().front().dkim.signing_hosted_zone = "own.amazonses.com";
  EXPECT_EQ(signing_zone(account.identities.edit().front(), account), "own.amazonses.com");
}

TEST(Duplicates, AreCountedWithoutRegardToCaseOrSpaceBeforeTheColon) {
  const mail::Fields fields = {{"Subject", " a"}, {"To", " x"}, {"subject ", " b"}, {"SUBJECT", " c"}, {"To", " y"}};
  const auto found = duplicates(fields);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "Subject");
  EXPECT_EQ(found[0].count, 3u);
}

}  // namespace
}  // namespace sesame::ses
