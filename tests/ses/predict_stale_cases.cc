// Answers past their time to live, RFC 8767 Section 4: data is used, and makes what was confirmed likely; an absence
// proves nothing.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Verdict;

namespace {

using Change = std::function<void(SesWorld&)>;

// The mail has its DKIM leg alone, or its SPF leg.
Change by_dkim(const Change& change) {
  return [change](SesWorld& w) {
    w.identity().mail_from = {};
    change(w);
  };
}
Change by_spf(const Change& change) {
  return [change](SesWorld& w) {
    w.identity().dkim.signing_enabled = false;
    change(w);
  };
}

// Nothing is at the name now, nor was there.
Change gone(const std::string& name, std::vector<std::string> stale) {
  return [name, stale](SesWorld& w) {
    w.resolver.zone().remove(name);
    w.stale = stale;
  };
}

PredictCase open(const std::string& name, Change change, std::vector<std::string> not_codes) {
  not_codes.emplace_back("dmarc-none-aligned");
  return {name, std::move(change), Verdict::unknown, Confidence::unknown, {}, std::move(not_codes)};
}

PredictCase likely(const std::string& name, Change change, Verdict verdict, std::vector<std::string> codes = {},
                   std::vector<std::string> not_codes = {}) {
  return {name, std::move(change), verdict, Confidence::likely, std::move(codes), std::move(not_codes)};
}

const std::string kKey1 = "TXT t1._domainkey.example.com";
const std::string kKey2 = "TXT t2._domainkey.example.com";
const std::string kBounce = "bounce.example.com";

}  // namespace

std::vector<PredictCase> stale_cases() {
  return {
      likely("StaleKey", [](SesWorld& w) { w.stale = {kKey1}; }, Verdict::pass, {"dkim-ok"}),
      likely("StaleSpfRecord", [](SesWorld& w) { w.stale = {"TXT " + kBounce}; }, Verdict::pass, {"dkim-ok"}),
      likely("StaleDmarcRecord", [](SesWorld& w) { w.stale = {"TXT _dmarc.example.com"}; }, Verdict::pass, {"dkim-ok"}),
      likely("StaleSpfRecordThatFails", by_spf([](SesWorld& w) {
               w.replace(kBounce, kBounce + " MX 10 feedback-smtp.us-east-1.amazonses.com");
               w.dns(kBounce + " TXT v=spf1 -all");
               w.stale = {"TXT " + kBounce};
             }),
             Verdict::fail, {"dkim-disabled", "mailfrom-spf"}),
      open("StaleAbsenceOfTheKey", by_dkim(gone("t1.dkim.amazonses.com", {kKey1})), {"dkim-no-key"}),
      open("StaleAbsenceOfTheCname", by_dkim(gone("t1._domainkey.example.com", {kKey1})),
           {"dkim-cname-missing", "dkim-txt-servfail"}),
      // Two of three selectors hold nothing while the third is in use.
      likely("StaleAbsenceAtASelectorNotInUse", by_dkim(gone("t2.dkim.amazonses.com", {kKey2})), Verdict::pass,
             {"dkim-ok"}),
      open("StaleAbsenceAtASelectorWhereNoneHoldsAKey", by_dkim([](SesWorld& w) {
             w.replace("t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT \"\"");
             gone("t2.dkim.amazonses.com", {kKey2})(w);
           }),
           {"dkim-no-key"}),
      likely("StaleAbsenceOfTheMx", by_spf([](SesWorld& w) {
               w.replace(kBounce, kBounce + " TXT v=spf1 include:amazonses.com ~all");
               w.stale = {"MX " + kBounce};
             }),
             Verdict::pass, {"dkim-disabled"}, {"mailfrom-mx"}),
      open("StaleAbsenceOfTheMxInferred", by_spf([](SesWorld& w) {
             w.identity().mail_from.status.reset();
             w.replace(kBounce, kBounce + " TXT v=spf1 include:amazonses.com ~all");
             w.stale = {"MX " + kBounce};
           }),
           {"mailfrom-mx"}),
      open("StaleAbsenceOfTheSpfRecord", by_spf([](SesWorld& w) {
             w.replace(kBounce, kBounce + " MX 10 feedback-smtp.us-east-1.amazonses.com");
             w.stale = {"TXT " + kBounce};
           }),
           {"mailfrom-spf"}),
      open("StaleAbsenceOfAnInclude", by_spf([](SesWorld& w) {
             w.replace(kBounce, kBounce + " MX 10 feedback-smtp.us-east-1.amazonses.com");
             w.dns(kBounce + " TXT v=spf1 include:none.example.com include:amazonses.com -all");
             w.stale = {"TXT none.example.com"};
           }),
           {"mailfrom-spf"}),
      open("StaleAbsenceOfAmazonsRecord", by_spf(gone("amazonses.com", {"TXT amazonses.com"})), {"mailfrom-spf"}),
      // That lets mail pass.
      likely("StaleAbsenceOfTheDmarcRecord", gone("_dmarc.example.com", {"TXT _dmarc.example.com"}), Verdict::none,
             {"dmarc-absent"}),
      // No look-up decides that.
      {"StaleDataAndRefused",
       [](SesWorld& w) {
         w.envelope.mail_from.clear();
         w.stale = {kKey1};
       },
       Verdict::refused,
       Confidence::confirmed,
       {"null-sender"}},
  };
}

}  // namespace sesame::test
