// What is asked for ahead of a prediction is what the prediction asks for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "ses/world.h"

namespace sesame::test {
namespace {

using ses::Status;

using Questions = std::set<std::string>;

// Notes what is asked for ahead, and has every answer at once.
class AheadResolver final : public dns::Resolver {
 public:
  explicit AheadResolver(dns::Resolver& resolver) : resolver_(resolver) {}
  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override {
    return resolver_.lookup(name, type, deadline);
  }
  void prefetch(std::string_view name, dns::Type type) override {
    asked.insert(std::string(dns::to_string(type)) + " " + std::string(name));
  }
  void prefetch_then(std::string_view name, dns::Type type, Then then) override {
    prefetch(name, type);
    then(*this, *resolver_.lookup(name, type, Deadline::max()));
  }
  Questions asked;

 private:
  dns::Resolver& resolver_;
};

struct PrefetchCase {
  std::string name;
  std::function<void(SesWorld&)> change;
};

class Prefetch : public testing::TestWithParam<PrefetchCase> {};

TEST_P(Prefetch, AsksForWhatThePredictionAsksFor) {
  SesWorld world;
  GetParam().change(world);
  AheadResolver ahead(world.resolver);
  ses::prefetch(ahead, world.account, mail::find_author(world.fields).mailboxes.front());
  world.resolver.forget_asked();
  world.predict();
  Questions asked;
  for (const auto& question : world.resolver.asked()) asked.insert(question);
  // Which names a walk to the DMARC policy goes on to is not this one's to know.
  for (auto* questions : {&ahead.asked, &asked})
    std::erase_if(*questions, [](const std::string& each) { return each.starts_with("TXT _dmarc."); });
  EXPECT_EQ(ahead.asked, asked);
}

std::string name_of(const testing::TestParamInfo<PrefetchCase>& info) {
  return info.param.name;
}

const std::vector<PrefetchCase> kCases = {
    {"Healthy", [](SesWorld&) {}},
    {"DefaultMailFrom", [](SesWorld& w) { w.identity().mail_from = {}; }},
    {"AnotherRegion",
     [](SesWorld& w) {
       w.account.region = w.identity().region = "eu-west-1";
       w.replace("bounce.example.com",
                 "bounce.example.com MX 10 feedback-smtp.eu-west-1.amazonses.com\n"
                 "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
     }},
    {"DefaultOfAnotherRegion",
     [](SesWorld& w) {
       w.account.region = w.identity().region = "eu-west-1";
       w.identity().mail_from = {};
     }},
    {"AmazonsRecordIncludesOthers",
     [](SesWorld& w) {
       w.replace("amazonses.com",
                 "amazonses.com TXT v=spf1 include:a.amazonses.com include:b.amazonses.com -all\n"
                 "a.amazonses.com TXT v=spf1 ip4:198.51.100.0/24 -all\n"
                 "b.amazonses.com TXT v=spf1 ip4:203.0.113.0/24 -all");
     }},
    {"AmazonsRecordLeadsToTooManyOthers",
     [](SesWorld& w) {
       std::string record = "amazonses.com TXT v=spf1", others;
       for (const char* each : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}) {
         const auto name = std::string(each) + ".amazonses.com";
         record += " include:" + name;
         others += "\n" + name + " TXT v=spf1 ip4:198.51.100.0/24 -all";
       }
       w.replace("amazonses.com", record + " -all" + others);
       w.identity().mail_from = {};
     }},
    {"AmazonsRecordDoesNotListItsAddresses",
     [](SesWorld& w) {
       w.replace("amazonses.com", "amazonses.com TXT v=spf1 mx -all");
       w.identity().mail_from = {};
     }},
    {"ByoDkim",
     [](SesWorld& w) {
       w.identity().dkim.origin = "EXTERNAL";
       w.identity().dkim.tokens = {"own"};
       w.dns("own._domainkey.example.com TXT p=" + kPublicKey);
     }},
    {"AddressWithoutSettings", [](SesWorld& w) { w.add_identity("news@example.com"); }},
    {"AddressWithTokens",
     [](SesWorld& w) {
       auto& address = w.add_identity("news@example.com");
       address.dkim.status = Status::success;
       address.dkim.tokens = {"t1"};
     }},
    {"NoSuchIdentity", [](SesWorld& w) { w.from("a@other.example"); }},
    {"NothingIsKnownOfTheAccount", [](SesWorld& w) { w.account.identities.edit().clear(); }},
    {"MailFromFailed",
     [](SesWorld& w) {
       w.account.region = w.identity().region = "eu-west-1";
       w.identity().mail_from.status = Status::failed;
     }},
    {"MailFromWithoutMx",
     [](SesWorld& w) {
       w.account.region = w.identity().region = "eu-west-1";
       w.replace("bounce.example.com", "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
     }},
    {"MailFromFailedAndRejects",
     [](SesWorld& w) {
       w.account.region = w.identity().region = "eu-west-1";
       w.identity().mail_from.status = Status::failed;
       w.identity().mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
     }},
};

INSTANTIATE_TEST_SUITE_P(Cases, Prefetch, testing::ValuesIn(kCases), name_of);

}  // namespace
}  // namespace sesame::test
