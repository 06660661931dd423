#include "ses/examine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "ses/world.h"

namespace sesame::ses {
namespace {

using test::FakeResolver;
using test::SesWorld;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using State = Examination::State;
using Is = RecordVerdict;

struct Watcher final : Observer {
  explicit Watcher(History given) : history(std::move(given)) {}
  History history_of(const Identity&) const override { return history; }
  History history;
};

Examination examine_in(SesWorld& world, const std::string& subject = "example.com",
                       dns::Resolver* unchecked = nullptr) {
  std::vector<Account> accounts{world.account};
  accounts.insert(accounts.end(), world.others.begin(), world.others.end());
  const Watcher watcher(world.history.value_or(History{}));
  const Surroundings surroundings{.resolver = world.resolver,
                                  .account = accounts.front(),
                                  .deadline = Deadline::max(),
                                  .suffixes = dmarc::PublicSuffixList::system(),
                                  .now = world.now,
                                  .accounts = accounts,
                                  .tracking = world.tracking,
                                  .observer = world.history ? &watcher : nullptr};
  return examine({surroundings, unchecked, Source::configuration}, subject);
}

std::vector<std::string> codes(const Examination& examination) {
  std::vector<std::string> result;
  for (const auto& finding : examination.findings) result.emplace_back(to_string(finding.code));
  return result;
}

const RecordCheck* record(const Examination& examination, dns::Type type, const std::string& name) {
  const auto& records = examination.records;
  const auto found =
      std::ranges::find_if(records, [&](const auto& each) { return each.type == type && each.name == name; });
  return found == records.end() ? nullptr : &*found;
}

std::vector<std::string> lines(const Examination& examination) {
  std::vector<std::string> result;
  for (const auto& each : examination.publish) result.push_back(zone_line(each));
  return result;
}

// One thing changed, and what its record and the whole come to.
struct Case {
  std::string name;
  std::function<void(SesWorld&)> change;
  dns::Type type;
  std::string record;
  RecordVerdict verdict;
  std::string code;  // of the record; "" = none
  State state;
  std::string publish;  // a line among those to publish; "" = none at all
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class Examine : public testing::TestWithParam<Case> {};

TEST_P(Examine, TellsEachRecord) {
  const auto& c = GetParam();
  SesWorld world;
  c.change(world);
  const auto examination = examine_in(world);
  const auto* found = record(examination, c.type, c.record);
  ASSERT_TRUE(found) << c.record;
  EXPECT_STREQ(to_string(found->verdict), to_string(c.verdict)) << found->found;
  EXPECT_EQ(found->code ? to_string(*found->code) : "", c.code);
  EXPECT_STREQ(to_string(examination.state), to_string(c.state)) << testing::PrintToString(codes(examination));
  if (!c.code.empty()) {
    EXPECT_THAT(codes(examination), Contains(c.code));
  }
  if (c.publish.empty()) {
    EXPECT_THAT(lines(examination), IsEmpty());
  } else {
    EXPECT_THAT(lines(examination), Contains(c.publish));
  }
}

const std::string kT1 = "t1._domainkey.example.com", kT2 = "t2._domainkey.example.com";
const std::string kT1Line = kT1 + ". CNAME t1.dkim.amazonses.com.", kT2Line = kT2 + ". CNAME t2.dkim.amazonses.com.";
const std::string kMxLine = "bounce.example.com. MX 10 feedback-smtp.us-east-1.amazonses.com.";
const std::string kSpfLine = "bounce.example.com. TXT \"v=spf1 include:amazonses.com ~all\"";
const std::string kDmarcLine = "_dmarc.example.com. TXT \"v=DMARC1; p=none; rua=mailto:dmarc-reports@example.com\"";

std::function<void(SesWorld&)> with(const std::string& name, const std::string& line) {
  return [name, line](SesWorld& w) { w.replace(name, line); };
}

std::function<void(SesWorld&)> own_key(const std::string& line) {
  return [line](SesWorld& w) {
    w.identity().dkim.origin = "EXTERNAL";
    w.identity().dkim.tokens = {"own"};
    w.dns(line);
  };
}

const std::string kOwn = "own._domainkey.example.com";
using enum dns::Type;

constexpr auto kName = [](const auto& tested) { return tested.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Dkim, Examine,
    testing::Values(
        Case{"Target", [](SesWorld&) {}, cname, kT1, Is::ok, "", State::fine, ""},
        Case{"Key", [](SesWorld&) {}, txt, kT1, Is::ok, "", State::fine, ""},
        Case{"Idle", [](SesWorld&) {}, txt, kT2, Is::info, "", State::fine, ""},
        Case{"Missing", with(kT2, ""), cname, kT2, Is::error, "dkim-cname-missing", State::bad, kT2Line},
        Case{"OtherTarget", with(kT1, kT1 + " CNAME t1.dkim.eu-south-1.amazonses.com"), cname, kT1, Is::error,
             "dkim-cname-target", State::bad, kT1Line},
        Case{"Flattened", with(kT2, kT2 + " TXT p="), cname, kT2, Is::error, "dkim-cname-proxied", State::bad, kT2Line},
        Case{"Wildcard",
             [](SesWorld& w) {
               for (const auto* token : {"t1", "t2", "t3"})
                 w.resolver.zone().remove(std::string(token) + "._domainkey.example.com");
               w.dns("*.example.com CNAME parking.example.net\nparking.example.net A 192.0.2.80");
             },
             cname, kT1, Is::error, "dkim-cname-proxied", State::bad, kT1Line},
        Case{"Doubled", [](SesWorld& w) { w.replace(kT2, kT2 + ".example.com CNAME t2.dkim.amazonses.com"); }, cname,
             kT2, Is::error, "dkim-name-doubled", State::bad, kT2Line},
        Case{"NoKeyAnywhere", with("t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT \"\""), txt, kT1, Is::error,
             "dkim-no-key", State::bad, ""},
        Case{"TextFails", with("t1.dkim.amazonses.com", kT1 + " TXT !SERVFAIL"), txt, kT1, Is::error,
             "dkim-txt-servfail", State::bad, ""},
        Case{"NameFails", with("t1.dkim.amazonses.com", kT1 + " * !SERVFAIL"), cname, kT1, Is::unknown, "",
             State::undecided, ""},  // though SPF carries it
        Case{"OnlyTheLookUpOfTheCnameFails", [](SesWorld& w) { w.dns(kT1 + " CNAME !SERVFAIL"); }, cname, kT1,
             Is::unknown, "", State::undecided, ""},
        Case{"TheLookUpOfTheCnameOfAnIdleOneIsRefused", [](SesWorld& w) { w.dns(kT2 + " CNAME !REFUSED"); }, cname, kT2,
             Is::unknown, "", State::undecided, ""},
        Case{"TheLookUpOfTheCnameIsNotAnswered", [](SesWorld& w) { w.dns(kT2 + " CNAME !TIMEOUT"); }, cname, kT2,
             Is::unknown, "", State::undecided, ""},
        Case{"OwnKey", own_key(kOwn + " TXT p=" + test::kPublicKey), txt, kOwn, Is::ok, "", State::fine, ""},
        Case{"OwnKeyMissing", own_key(""), txt, kOwn, Is::error, "dkim-cname-missing", State::bad,
             kOwn + ". TXT \"p=PUBLIC_KEY\""},
        Case{"OwnKeyBroken", own_key(kOwn + " TXT p=AAAA"), txt, kOwn, Is::error, "dkim-key-bad", State::bad,
             kOwn + ". TXT \"p=PUBLIC_KEY\""}),
    kName);

const std::string kBounce = "bounce.example.com", kDmarc = "_dmarc.example.com";

INSTANTIATE_TEST_SUITE_P(
    Others, Examine,
    testing::Values(
        Case{"Mx", [](SesWorld&) {}, mx, kBounce, Is::ok, "", State::fine, ""},
        Case{"MxMissing", with(kBounce, kBounce + " TXT v=spf1 include:amazonses.com ~all"), mx, kBounce, Is::error,
             "mailfrom-mx", State::bad, kMxLine},
        Case{"MxMissingWhileFallenBack",
             [](SesWorld& w) {
               w.identity().mail_from.status = Status::failed;
               w.replace(kBounce, kBounce + " TXT v=spf1 include:amazonses.com ~all");
             },
             mx, kBounce, Is::error, "mailfrom-mx", State::bad, kMxLine},
        Case{"MxOfAnotherRegion",
             with(kBounce, kBounce + " MX 10 feedback-smtp.eu-west-1.amazonses.com\n" + kBounce +
                               " TXT v=spf1 include:amazonses.com ~all"),
             mx, kBounce, Is::info, "mailfrom-mx", State::fine, ""},
        Case{"MxSilent", [](SesWorld& w) { w.dns(kBounce + " MX !SERVFAIL"); }, mx, kBounce, Is::unknown, "",
             State::undecided, ""},
        Case{"Spf", [](SesWorld&) {}, txt, kBounce, Is::ok, "", State::fine, ""},
        Case{"SpfWithoutSes",
             with(kBounce, kBounce + " MX 10 feedback-smtp.us-east-1.amazonses.com\n" + kBounce + " TXT v=spf1 -all"),
             txt, kBounce, Is::error, "mailfrom-spf", State::bad, kSpfLine},
        Case{"SpfOfSomeAddresses",
             with(kBounce, kBounce + " MX 10 feedback-smtp.us-east-1.amazonses.com\n" + kBounce +
                               " TXT v=spf1 ip4:198.51.100.0/24 -all"),
             txt, kBounce, Is::error, "mailfrom-spf", State::bad, kSpfLine},
        Case{"SpfSilent", [](SesWorld& w) { w.dns(kBounce + " TXT !SERVFAIL"); }, txt, kBounce, Is::unknown, "",
             State::undecided, ""},
        Case{"Dmarc", [](SesWorld&) {}, txt, kDmarc, Is::ok, "", State::fine, ""},
        Case{"DmarcMissing", with(kDmarc, ""), txt, kDmarc, Is::warning, "dmarc-absent", State::fine, kDmarcLine},
        Case{"DmarcTwice", [](SesWorld& w) { w.dns(kDmarc + " TXT v=DMARC1; p=none"); }, txt, kDmarc, Is::warning,
             "dmarc-invalid", State::fine, kDmarcLine},
        Case{"DmarcSilent", [](SesWorld& w) { w.dns(kDmarc + " TXT !SERVFAIL"); }, txt, kDmarc, Is::unknown,
             "dmarc-temperror", State::undecided, ""},
        Case{"Amazon", [](SesWorld&) {}, txt, "amazonses.com", Is::ok, "", State::fine, ""},
        Case{"AmazonSilent", [](SesWorld& w) { w.dns("amazonses.com TXT !SERVFAIL"); }, txt, "amazonses.com",
             Is::unknown, "", State::undecided, ""},
        Case{"SpfOfTheDomainSilent", [](SesWorld& w) { w.dns("example.com TXT !SERVFAIL"); }, txt, "example.com",
             Is::unknown, "", State::undecided, ""},
        Case{"SpfOfTheDomainBesideACustomMailFrom",
             [](SesWorld& w) { w.dns("example.com TXT v=spf1 include:amazonses.com -all"); }, txt, "example.com",
             Is::info, "", State::fine, ""}),
    kName);

TEST(Examination, SaysThatSpfOfTheDomainIsNeverUsedWhereItIsAllThereIs) {
  SesWorld world;
  world.identity().mail_from = {};
  world.dns("example.com TXT v=spf1 include:amazonses.com -all");
  const auto examination = examine_in(world);
  EXPECT_THAT(codes(examination), Contains("spf-apex-irrelevant"));
  EXPECT_EQ(record(examination, txt, "example.com")->code, Code::spf_apex_irrelevant);
  EXPECT_THAT(lines(examination), ElementsAre("ses-" + kMxLine, "ses-" + kSpfLine));  // bounce. is in use
  for (const auto& each : examination.publish) EXPECT_EQ(each.purpose, Publishable::Purpose::proposes);
}

TEST(Examination, ProposesRelaxedAlignmentWhereStrictCannotBeMet) {
  SesWorld world;
  world.replace(kDmarc, kDmarc + " TXT v=DMARC1; p=reject; aspf=s;rua=mailto:a@example.com");
  const auto proposed = examine_in(world);
  const std::string line = "_dmarc.example.com. TXT \"v=DMARC1; p=reject; aspf=r; rua=mailto:a@example.com\"";
  EXPECT_THAT(lines(proposed), ElementsAre(line));
  EXPECT_EQ(proposed.publish[0].purpose, Publishable::Purpose::proposes);

  world.replace(kDmarc, kDmarc + " TXT v=DMARC1; p=reject; adkim=s; aspf=s");
  const auto needed = examine_in(world, "news.example.com");
  EXPECT_THAT(lines(needed), ElementsAre("_dmarc.example.com. TXT \"v=DMARC1; p=reject; adkim=r; aspf=r\""));
  EXPECT_EQ(needed.publish[0].purpose, Publishable::Purpose::mends);
}

TEST(Examination, OfAnIdentityWhoseTokensNobodyToldSaysSo) {
  SesWorld world;
  world.identity().dkim.tokens.clear();
  const auto examination = examine_in(world);
  EXPECT_EQ(record(examination, cname, "TOKEN._domainkey.example.com")->verdict, Is::unknown);
}

TEST(Examination, OfAnIdentityThatWasNeverSetUpLacksNoTokens) {
  SesWorld world;
  world.identity().dkim = {};
  world.identity().dkim.status = Status::not_started;
  const auto examination = examine_in(world);
  const auto* tokens = record(examination, cname, "TOKEN._domainkey.example.com");
  EXPECT_EQ(tokens->verdict, Is::error);
  EXPECT_EQ(tokens->code, Code::only_amazonses_signature);
  EXPECT_TRUE(examination.tokens_known);
}

TEST(Examination, AZoneThatIsOnlyGuessedIsNotToBePublished) {
  SesWorld world;
  for (const auto* token : {"t1", "t2", "t3"}) {
    const auto name = std::string(token) + "._domainkey.example.com";
    world.replace(name, name + " CNAME " + token + ".dkim.eu-south-1.amazonses.com");
  }
  const auto guessed = examine_in(world);
  EXPECT_THAT(codes(guessed), Contains("dkim-cname-target"));
  EXPECT_THAT(lines(guessed), IsEmpty());
  world.identity().dkim.signing_hosted_zone = "dkim.amazonses.com";
  EXPECT_THAT(lines(examine_in(world)), Contains(kT1Line));
}

TEST(Examination, OfWhatNobodyKnowsTellsThePolicyAndIsUndecided) {
  SesWorld world;
  world.account.identities.edit().clear();
  const auto examination = examine_in(world);
  EXPECT_EQ(examination.state, State::undecided);
  EXPECT_EQ(examination.source, Source::none);
  EXPECT_EQ(examination.prediction.verdict, Verdict::unknown);
  EXPECT_EQ(examination.prediction.rfc9989.policy, dmarc::Policy::reject);
  EXPECT_EQ(record(examination, txt, kDmarc)->verdict, Is::ok);
  EXPECT_THAT(codes(examination), IsEmpty());
  EXPECT_THAT(lines(examination), IsEmpty());
}

TEST(Examination, OfWhatNobodyKnowsStillTellsThatThereIsNoPolicy) {
  SesWorld world;
  world.account.identities.edit().clear();
  world.resolver.zone().remove(kDmarc);
  const auto examination = examine_in(world);
  EXPECT_EQ(examination.state, State::undecided);
  EXPECT_THAT(codes(examination), ElementsAre("dmarc-absent"));
  EXPECT_THAT(lines(examination), ElementsAre(kDmarcLine));
}

TEST(Examination, OfADomainThatIsNoIdentityIsRefused) {
  SesWorld world;
  const auto examination = examine_in(world, "example.org");
  EXPECT_EQ(examination.state, State::bad);
  EXPECT_FALSE(examination.identity);
  EXPECT_THAT(codes(examination), Contains("from-unverified"));
}

TEST(Examination, OfADomainIsNotThatOfItsPostmaster) {
  SesWorld world;
  world.add_identity("postmaster@example.com").dkim.signing_enabled = false;
  EXPECT_EQ(examine_in(world).identity->name, "example.com");
  EXPECT_EQ(examine_in(world, "postmaster@example.com").identity->name, "postmaster@example.com");
}

TEST(Examination, ToldOldStatesByTheSnapshotSaysSo) {
  SesWorld world;
  world.identity().as_of = world.now - 60;
  EXPECT_EQ(examine_in(world).source, Source::snapshot);
}

TEST(Examination, TellsWhereElseTheDomainIsAnIdentity) {
  SesWorld world;
  auto elsewhere = world.account;
  elsewhere.region = "eu-west-1";
  auto copy = world.identity();
  copy.region = "eu-west-1";
  world.account.identities.edit().push_back(copy);
  elsewhere.identities = world.account.identities;
  auto other = copy;
  other.account = "111122223333";
  world.others = {elsewhere, Account{other.account, other.region, Identities::sorted({other}), {}}};
  EXPECT_THAT(examine_in(world).elsewhere, ElementsAre("eu-west-1", "111122223333/eu-west-1"));
}

TEST(Examination, AlignsUnderBothVintagesAndModes) {
  SesWorld world;
  // Only the subdomain has a policy: the walk ends there, the suffix list does not.
  world.replace(kDmarc, "_dmarc.news.example.com TXT v=DMARC1; p=reject");
  const auto examination = examine_in(world, "news.example.com");
  ASSERT_EQ(examination.alignment.size(), 3u);
  const auto& dkim = examination.alignment[0];
  EXPECT_EQ(dkim.domain, "example.com");
  EXPECT_EQ(dkim.relaxed.rfc9989, Tri::no);
  EXPECT_EQ(dkim.relaxed.rfc7489, Tri::yes);
  EXPECT_EQ(dkim.strict.rfc7489, Tri::no);
  EXPECT_EQ(examination.alignment[2].domain, "amazonses.com");
  EXPECT_EQ(examination.alignment[2].relaxed.rfc7489, Tri::no);
  EXPECT_THAT(codes(examination), Contains("orgdomain-split"));
  EXPECT_THAT(lines(examination), ElementsAre(kDmarcLine));
}

TEST(Examination, NeverProposesThePolicyOfASubdomainForTheWholeDomain) {
  SesWorld world;
  world.replace(kDmarc, "_dmarc.news.example.com TXT v=DMARC1; p=reject");
  EXPECT_THAT(lines(examine_in(world, "news.example.com")), ElementsAre(kDmarcLine));
  // Where a record stands already, or would change nothing, none is proposed.
  for (const auto* org : {"v=DMARC1; p=quarantine", ""}) {
    SesWorld ended;
    ended.replace(kDmarc, "_dmarc.news.example.com TXT v=DMARC1; p=reject; psd=n");
    if (*org) ended.dns(kDmarc + " TXT " + org);
    const auto examination = examine_in(ended, "news.example.com");
    EXPECT_THAT(codes(examination), Contains("orgdomain-split"));
    EXPECT_THAT(lines(examination), IsEmpty()) << org;
  }
}

std::vector<std::string> dmarc_lines(const Examination& examination) {
  std::vector<std::string> result;
  for (const auto& each : examination.publish)
    if (each.name == kDmarc) result.push_back(zone_line(each) + " ; " + each.note);
  return result;
}

TEST(Examination, ProposesOneRecordForANameAndSaysWhatItReplaces) {
  for (const std::string stands :
       {" TXT v=DMARC1; p=none\n_dmarc.example.com TXT v=DMARC1; p=reject", " TXT v=DMARC2; p=none",
        " TXT v=DMARC1; p=foo", " TXT v=DMARC1; p=foo; aspf=s", " TXT v=spf1 -all", " CNAME gone.example.net"}) {
    SesWorld world;
    world.replace(kDmarc, kDmarc + stands);
    EXPECT_THAT(dmarc_lines(examine_in(world)),
                ElementsAre(testing::StartsWith(kDmarcLine + " ; in place of what stands there")))
        << stands;
  }
  SesWorld world;
  world.resolver.zone().remove(kDmarc);
  EXPECT_THAT(lines(examine_in(world, "news.example.com")), ElementsAre(kDmarcLine));
  EXPECT_THAT(dmarc_lines(examine_in(world)), ElementsAre(Not(HasSubstr("in place"))));
}

TEST(Examination, OfABrokenRecordBelowASoundOneProposesNoWeakerPolicy) {
  SesWorld world;
  world.dns("_dmarc.news.example.com TXT v=DMARC1; p=none\n_dmarc.news.example.com TXT v=DMARC1; p=reject");
  EXPECT_THAT(lines(examine_in(world, "news.example.com")), Not(Contains(HasSubstr("p=none"))));
}

TEST(Examination, SaysWhatTheKeyOfByodkimReplaces) {
  for (const auto* stands : {" TXT p=AAAA", " CNAME gone.example.net"}) {
    SesWorld world;
    own_key(kOwn + stands)(world);
    const auto examination = examine_in(world);
    ASSERT_EQ(examination.publish.size(), 1u) << stands;
    EXPECT_THAT(examination.publish[0].note, testing::StartsWith("in place of what stands there; PUBLIC_KEY"));
  }
}

TEST(Examination, ProposesAMailFromThatServesNothingElse) {
  const auto proposed = [](const std::function<void(SesWorld&)>& change) {
    SesWorld world;
    world.identity().mail_from = {};
    world.resolver.zone().remove(kBounce);
    change(world);
    const auto examination = examine_in(world);
    return examination.publish.empty() ? examination.unproposed : examination.publish.front().name;
  };
  EXPECT_EQ(proposed([](SesWorld&) {}), "bounce.example.com");
  for (const auto* stands : {"MX 10 mail.example.net", "TXT hello", "A 192.0.2.1", "AAAA 2001:db8::1",
                             "CNAME mail.example.net", "MX !SERVFAIL", "TXT !TIMEOUT"})
    EXPECT_EQ(proposed([&](SesWorld& w) { w.dns(kBounce + " " + stands); }), "ses-bounce.example.com") << stands;
  EXPECT_EQ(proposed([](SesWorld& w) { w.add_identity(kBounce); }), "ses-bounce.example.com");
  const auto elsewhere = [](SesWorld& w) {
    w.dns("ses-bounce.example.com A 192.0.2.1");
    auto other = w.identity();
    other.region = "eu-west-1";
    other.mail_from.domain = kBounce;
    w.others = {Account{"", "eu-west-1", Identities::sorted({other}), {}}};
  };
  EXPECT_EQ(proposed(elsewhere), "mailfrom.example.com");
  EXPECT_EQ(proposed([&](SesWorld& w) {
              elsewhere(w);
              w.dns("mailfrom.example.com A 192.0.2.1");
            }),
            "bounce-us-east-1.example.com");
  EXPECT_THAT(proposed([](SesWorld& w) { w.dns("*.example.com A 192.0.2.1"); }), HasSubstr("none is known to be free"));
}

TEST(Examination, SaysOnceWhatIsSaidOfFromAndOfTheSenderMadeUpFromIt) {
  SesWorld world;
  world.identity().verified_for_sending = false;
  for (const auto* code : {"sending-blocked", "from-unverified"})
    EXPECT_EQ(std::ranges::count(codes(examine_in(world)), code), 1) << code;
  EXPECT_EQ(std::ranges::count(codes(examine_in(world, "example.org")), "from-unverified"), 1);
}

TEST(Examination, InTheSandboxIsNotThatOfAnUnverifiedRecipient) {
  SesWorld world;
  world.identity().as_of = world.now;
  EXPECT_FALSE(examine_in(world).sandbox);
  world.account.standing.production_access = false;
  const auto examination = examine_in(world);
  EXPECT_TRUE(examination.sandbox);
  EXPECT_EQ(examination.prediction.verdict, Verdict::pass);
  EXPECT_THAT(codes(examination), Not(Contains("sending-blocked")));
}

TEST(Examination, TellsCausesBeforeWhatComesOfThem) {
  SesWorld world;
  world.identity().mail_from = {};
  world.identity().dkim.status = Status::failed;
  for (const auto& name : {kT1, kT2}) world.replace(name, name + " CNAME t9.dkim.amazonses.com");
  const auto told = codes(examine_in(world));
  const auto at = [&](const std::string& code) { return std::ranges::find(told, code) - told.begin(); };
  ASSERT_THAT(told, IsSupersetOf({"dkim-cname-target", "dkim-failed", "dmarc-none-aligned"}));
  EXPECT_LT(at("dkim-cname-target"), at("dkim-failed"));
  EXPECT_LT(at("dkim-failed"), at("dmarc-none-aligned"));
  EXPECT_LT(at("mailfrom-default"), at("dmarc-none-aligned"));
}

TEST(Examination, SpeaksOfNoMailInTransit) {
  SesWorld world;
  world.dns(kDmarc + " TXT !SERVFAIL");
  const auto examination = examine_in(world);
  EXPECT_THAT(examination.prediction.why, Not(HasSubstr("mail pass")));
  SesWorld silent;
  silent.identity().mail_from = {};
  silent.dns(kT1 + " * !SERVFAIL");
  const auto why = examine_in(silent).prediction.why;
  EXPECT_THAT(why, Not(HasSubstr("let pass")));
  EXPECT_THAT(why, testing::EndsWith("."));
  for (const auto& finding : examination.findings) EXPECT_THAT(finding.advice, Not(HasSubstr("mail pass")));
}

TEST(Examination, LeavesAlignmentOpenWhereThePolicyThatSaysTheModeIsNotKnown) {
  SesWorld world;
  world.dns(kDmarc + " TXT !SERVFAIL");
  const auto examination = examine_in(world);
  const auto& dkim = examination.alignment[0];
  EXPECT_FALSE(dkim.mode_rfc9989);
  EXPECT_EQ(dkim.published.rfc9989, Tri::yes);  // the same name aligns in every mode
  const auto& mail_from = examination.alignment[1];
  EXPECT_EQ(mail_from.domain, kBounce);
  EXPECT_EQ(mail_from.published.rfc9989, Tri::unknown);
}

TEST(Examination, TellsANameThatFailsValidationFromOneThatFails) {
  SesWorld world, unvalidated;
  world.identity().mail_from = {};
  world.dns(kT1 + " * !SERVFAIL");
  EXPECT_THAT(codes(examine_in(world)), Not(Contains("dns-dnssec-bogus")));
  const auto examination = examine_in(world, "example.com", &unvalidated.resolver);
  ASSERT_THAT(codes(examination), Contains("dns-dnssec-bogus"));
  EXPECT_STREQ(to_string(examination.findings.front().code), "dns-dnssec-bogus");
  EXPECT_THAT(examination.findings.front().text, HasSubstr("example.com"));
  EXPECT_EQ(examination.state, State::bad);
  EXPECT_THAT(codes(examine_in(world, "example.com", &world.resolver)), Not(Contains("dns-dnssec-bogus")));
}

TEST(Examination, NamesTheZoneBehindTheCnameWhereThatOneFailsValidation) {
  SesWorld world, unvalidated;
  world.dns(kT1 + " TXT !SERVFAIL");
  const auto examination = examine_in(world, "example.com", &unvalidated.resolver);
  EXPECT_THAT(examination.findings.front().text, HasSubstr("amazonses.com fails DNSSEC"));
}

TEST(Examination, TellsWhatWasObserved) {
  SesWorld world;
  EXPECT_FALSE(examine_in(world).history);
  world.history = History{};
  EXPECT_TRUE(examine_in(world).history);
}

TEST(Examination, TellsWhatSesMadeOfAnOutage) {
  SesWorld world;
  world.history = History{};
  world.history->dkim_outage = {{kT1}, world.now - 80 * 3600, world.now - 80 * 3600, {}};
  world.history->mail_from_outage = {{"bounce.example.com"}, world.now - 3600, world.now - 3600, {}};
  const auto examination = examine_in(world);
  EXPECT_EQ(examination.dkim_clocks.phase, Clocks::Phase::has_stopped);
  EXPECT_EQ(examination.mail_from_clocks.phase, Clocks::Phase::may_have_stopped);
}

TEST(ZoneText, IsBrokenInParenthesesWhereTheLineIsTooLong) {
  const std::string token(32, 't');
  const Publishable record{token + "._domainkey.example.com", cname, token + ".dkim.amazonses.com", {}, ""};
  EXPECT_EQ(zone_text(record, 200), zone_line(record));
  EXPECT_EQ(zone_text(record, 96), token + "._domainkey.example.com. CNAME (\n    " + token + ".dkim.amazonses.com. )");
  EXPECT_EQ(zone_text({"example.com", txt, "abcdefgh", {}, ""}, 12),
            "example.com. TXT (\n    \"abcd\"\n    \"efgh\" )");
}

TEST(ZoneLine, QuotesTextsInStringsOfAtMost255Octets) {
  const std::string longer(256, 'a');
  EXPECT_EQ(zone_line({"s._domainkey.example.com", txt, longer, {}, ""}),
            "s._domainkey.example.com. TXT \"" + std::string(255, 'a') + "\" \"a\"");
  EXPECT_EQ(zone_value(txt, "a\"b\\c\n"), "\"a\\\"b\\\\c\\010\"");
  EXPECT_EQ(zone_value(txt, ""), "\"\"");
  EXPECT_EQ(zone_value(mx, "10 mail.example.com"), "10 mail.example.com.");
}

}  // namespace
}  // namespace sesame::ses
