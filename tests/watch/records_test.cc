#include "watch/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace sesame::watch {
namespace {

using dns::Type;
using testing::ElementsAre;
using testing::IsEmpty;

ses::Identity identity(const std::string& name, std::vector<std::string> tokens = {}) {
  ses::Identity result;
  result.name = name;
  result.region = "us-east-1";
  result.dkim.tokens = std::move(tokens);
  return result;
}

std::vector<Subject> subjects(std::vector<ses::Identity> identities) {
  ses::Settings settings;
  settings.region = "us-east-1";
  settings.identities = std::move(identities);
  return subjects_of(ses::Accounts(settings, {}, 0));
}

std::vector<Record> of_part(const Subject& subject, Part part) {
  std::vector<Record> result;
  std::ranges::copy_if(subject.records, std::back_inserter(result), [&](const auto& r) { return r.part == part; });
  return result;
}

std::vector<std::string> names(const std::vector<Subject>& all) {
  std::vector<std::string> result;
  for (const auto& subject : all) result.push_back(subject.account + "/" + subject.identity + "/" + subject.region);
  return result;
}

TEST(Part, EachHasAWordOfItsOwn) {
  std::set<std::string> words;
  for (const auto part : {Part::dkim, Part::mail_from_mx, Part::mail_from_spf, Part::dmarc, Part::zone, Part::amazon})
    words.insert(to_string(part));
  EXPECT_EQ(words.size(), 6u);
}

TEST(SubjectsOf, ADomainWithEverything) {
  auto domain = identity("example.com", {"t1", "t2"});
  domain.mail_from.domain = "bounce.example.com";
  const auto all = subjects({domain});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].domain, "example.com");
  EXPECT_THAT(
      all[0].records,
      ElementsAre(
          Record{
              Part::dkim, "t1._domainkey.example.com", {Type::cname, Type::txt}, "t1.dkim.amazonses.com", "us-east-1"},
          Record{
              Part::dkim, "t2._domainkey.example.com", {Type::cname, Type::txt}, "t2.dkim.amazonses.com", "us-east-1"},
          Record{Part::mail_from_mx, "bounce.example.com", {Type::mx}, "10 feedback-smtp.us-east-1.amazonses.com"},
          Record{Part::mail_from_spf, "bounce.example.com", {Type::txt}, ""},
          Record{Part::dmarc, "_dmarc.example.com", {Type::txt}, ""},
          Record{Part::zone, "example.com", {Type::ns, Type::soa}, ""},
          Record{Part::amazon, "amazonses.com", {Type::txt}, ""}));
}

TEST(SubjectsOf, TheZoneThatSesToldIsTheOneExpected) {
  auto domain = identity("example.com", {"T1"});
  domain.dkim.signing_hosted_zone = "a1.dkim.eu-west-1.amazonses.com";
  const auto keys = of_part(subjects({domain})[0], Part::dkim);
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].name, "t1._domainkey.example.com");
  EXPECT_EQ(keys[0].expected, "t1.a1.dkim.eu-west-1.amazonses.com");
  EXPECT_EQ(keys[0].zone_by_region, "");
}

TEST(SubjectsOf, AZoneIsNoGuessWhereSesMissesTheRecords) {
  auto domain = identity("example.com", {"t1"});
  domain.dkim.status = ses::Status::pending;
  EXPECT_EQ(of_part(subjects({domain})[0], Part::dkim).at(0).zone_by_region, "");
}

TEST(SubjectsOf, ByodkimIsOneTxt) {
  auto domain = identity("example.com", {"own"});
  domain.dkim.origin = "EXTERNAL";
  EXPECT_THAT(of_part(subjects({domain})[0], Part::dkim),
              ElementsAre(Record{Part::dkim, "own._domainkey.example.com", {Type::txt}, "", ""}));
}

TEST(SubjectsOf, AReplicaHasTheRecordsOfItsParent) {
  auto parent = identity("example.com", {"t1"});
  parent.region = "af-south-1";
  auto replica = identity("example.com");
  replica.dkim.origin = "AWS_SES_AF_SOUTH_1";
  const auto all = subjects({parent, replica});
  ASSERT_THAT(names(all), ElementsAre("/example.com/af-south-1", "/example.com/us-east-1"));
  for (const auto& subject : all) {
    const auto keys = of_part(subject, Part::dkim);
    ASSERT_EQ(keys.size(), 1u);
    EXPECT_EQ(keys[0].expected, "t1.dkim.af-south-1.amazonses.com");
    EXPECT_EQ(keys[0].zone_by_region, "af-south-1");
  }
}

TEST(SubjectsOf, AnAddressThatSignsWithItsDomainsKeysHasNone) {
  auto bare = identity("news@example.com");
  auto with_mail_from = identity("shop@example.com");
  with_mail_from.mail_from.domain = "bounce.example.com";
  const auto own_keys = identity("own@example.com", {"t9"});
  const auto all = subjects({identity("example.com", {"t1"}), bare, with_mail_from, own_keys});
  ASSERT_THAT(names(all),
              ElementsAre("/example.com/us-east-1", "/own@example.com/us-east-1", "/shop@example.com/us-east-1"));
  EXPECT_EQ(of_part(all[1], Part::dkim).size(), 1u);
  EXPECT_THAT(of_part(all[2], Part::dkim), IsEmpty());
  EXPECT_EQ(of_part(all[2], Part::mail_from_mx).size(), 1u);
}

TEST(SubjectsOf, AnAddressAtADomainOfOthersHasNone) {
  EXPECT_THAT(subjects({identity("me@freemail.example")}), IsEmpty());
}

TEST(SubjectsOf, ADomainWhoseTokensNobodyToldIsWatchedForTheRest) {
  const auto all = subjects({identity("example.com")});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_THAT(of_part(all[0], Part::dkim), IsEmpty());
  EXPECT_EQ(of_part(all[0], Part::dmarc).size(), 1u);
}

TEST(SubjectsOf, TwoRegionsAndTwoAccountsAreSubjectsOfTheirOwnEachOnce) {
  auto here = identity("example.com", {"t1"}), there = identity("example.com", {"t2"});
  there.region = "eu-west-1";
  auto sister = identity("example.com", {"t3"});
  sister.account = "sister";
  const auto all = subjects({there, sister, here});
  EXPECT_THAT(names(all),
              ElementsAre("/example.com/eu-west-1", "/example.com/us-east-1", "sister/example.com/us-east-1"));
  EXPECT_THAT(of_part(all[0], Part::amazon),
              ElementsAre(Record{Part::amazon, "eu-west-1.amazonses.com", {Type::txt}, ""},
                          Record{Part::amazon, "amazonses.com", {Type::txt}, ""}));
}

}  // namespace
}  // namespace sesame::watch
