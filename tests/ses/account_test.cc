#include <gtest/gtest.h>

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
    account.identities.push_back(identity);
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

TEST(SigningZone, TheApisWordThenTheParentsThenTheRegion) {
  auto account = account_of({"example.com"});
  auto& identity = account.identities.front();
  EXPECT_EQ(signing_zone(identity, account), "dkim.amazonses.com");
  identity.region = "eu-south-1";
  EXPECT_EQ(signing_zone(identity, account), "dkim.eu-south-1.amazonses.com");
  identity.dkim.origin = "AWS_SES_US_EAST_1";
  EXPECT_EQ(signing_zone(identity, account), "dkim.amazonses.com");
  Identity parent;
  parent.name = "example.com";
  parent.region = "us-east-1";
  parent.dkim.signing_hosted_zone = "cell7.dkim.amazonses.com";
  account.identities.push_back(parent);
  EXPECT_EQ(signing_zone(account.identities.front(), account), "cell7.dkim.amazonses.com");
  account.identities.front().dkim.signing_hosted_zone = "own.amazonses.com";
  EXPECT_EQ(signing_zone(account.identities.front(), account), "own.amazonses.com");
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
