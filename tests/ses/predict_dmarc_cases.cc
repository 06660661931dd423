// What the author domain publishes, and how the legs align with it.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Status;
using ses::Verdict;

std::vector<PredictCase> dmarc_cases() {
  return {
      {"DmarcAbsent",
       [](SesWorld& w) { w.resolver.zone().remove("_dmarc.example.com"); },
       Verdict::none,
       Confidence::confirmed,
       {"dmarc-absent", "dkim-ok"},
       {"dmarc-none-aligned"}},
      {"DmarcAbsentNotWhereTheParentHasOne",
       [](SesWorld& w) { w.from("a@shop.example.com"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dmarc-absent"}},
      {"DmarcInvalidPolicyIsTheCause",
       [](SesWorld& w) { w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=rejct"); },
       Verdict::none,
       Confidence::confirmed,
       {"dmarc-invalid", "dmarc-absent", "dkim-ok"},
       {}},
      {"DmarcInvalidTwoRecords",
       [](SesWorld& w) { w.dns("_dmarc.example.com TXT v=DMARC1; p=none"); },
       Verdict::none,
       Confidence::confirmed,
       {"dmarc-invalid", "dmarc-absent"},
       {"dmarc-temperror"}},
      {"DmarcInvalidVersion",
       [](SesWorld& w) { w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC2; p=reject"); },
       Verdict::none,
       Confidence::confirmed,
       {"dmarc-invalid", "dmarc-absent", "dkim-ok"},
       {"dmarc-temperror"}},
      {"DmarcInvalidNotForUnknownTags",
       [](SesWorld& w) {
         w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1;p=reject; pct=100 ; fo=1; x=y;");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dmarc-invalid"}},
      {"DmarcInvalidNotForAnotherText",
       [](SesWorld& w) { w.dns("_dmarc.example.com TXT v=spf1 -all"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dmarc-invalid"}},
      // The author domain's own record is there, but not the answer above it that relaxed alignment needs.
      {"DmarcTemperrorOfTheOrganizationalDomain",
       [](SesWorld& w) {
         w.dns("_dmarc.shop.example.com TXT v=DMARC1; p=reject\n_dmarc.example.com TXT !SERVFAIL");
         w.from("a@shop.example.com");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dmarc-temperror"},
       {"dmarc-none-aligned"}},
      {"DmarcTemperrorServfail",
       [](SesWorld& w) { w.dns("_dmarc.example.com TXT !SERVFAIL"); },
       Verdict::unknown,
       Confidence::unknown,
       {"dmarc-temperror"},
       {"dmarc-absent"}},
      {"DmarcTemperrorTimeout",
       [](SesWorld& w) { w.dns("_dmarc.example.com TXT !TIMEOUT"); },
       Verdict::unknown,
       Confidence::unknown,
       {"dmarc-temperror"},
       {}},
      {"DmarcTemperrorNotForAnotherRecord",
       [](SesWorld& w) { w.dns("bounce.example.com TXT !SERVFAIL"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dmarc-temperror", "dmarc-absent"}},
      {"SpfStrictNever",
       [](SesWorld& w) { w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; aspf=s"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "spf-strict-never"},
       {"dkim-strict-parent"}},
      {"SpfStrictNeverDecides",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; aspf=s");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "spf-strict-never", "dmarc-none-aligned"},
       {"mailfrom-spf"}},
      // The one author domain that the envelope sender can equal.
      {"SpfStrictNeverNotForMailOfThatName",
       [](SesWorld& w) {
         w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s; aspf=s");
         w.from("a@bounce.example.com");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-strict-parent"},
       {"spf-strict-never"}},
      {"DkimStrictParent",
       [](SesWorld& w) {
         w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s; aspf=s");
         w.from("a@shop.example.com");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-strict-parent", "spf-strict-never", "dmarc-none-aligned"},
       {}},
      {"DkimStrictParentNotForItsOwn",
       [](SesWorld& w) { w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-strict-parent"}},
      {"DkimStrictParentNotWhenRelaxed",
       [](SesWorld& w) { w.from("a@shop.example.com"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-strict-parent", "orgdomain-split"}},
      {"OrgdomainSplit",
       [](SesWorld& w) {
         w.replace("_dmarc.example.com", "_dmarc.shop.example.com TXT v=DMARC1; p=reject");
         w.from("a@shop.example.com");
       },
       Verdict::fail,
       Confidence::likely,
       {"orgdomain-split", "dmarc-none-aligned"},
       {}},
      {"OrgdomainSplitNotWithARecordAtTheApex",
       [](SesWorld& w) {
         w.dns("_dmarc.shop.example.com TXT v=DMARC1; p=reject");
         w.from("a@shop.example.com");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"orgdomain-split"}},
      {"DmarcNoneAligned",
       [](SesWorld& w) { w.identity().dkim.status = w.identity().mail_from.status = Status::failed; },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-failed", "mailfrom-fallback", "dmarc-none-aligned"},
       {"dkim-ok"}},
      {"DmarcNoneAlignedNotWithOneLeg",
       [](SesWorld& w) {
         w.identity().dkim = {};
         w.identity().dkim.status = Status::not_started;
       },
       Verdict::pass,
       Confidence::confirmed,
       {"only-amazonses-signature"},
       {"dmarc-none-aligned", "mailfrom-default"}},
      {"MailfromDefault",
       [](SesWorld& w) { w.identity().mail_from = {}; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-default"},
       {"dmarc-none-aligned", "spf-apex-irrelevant"}},
      {"MailfromDefaultNotWithADomainOfItsOwn",
       [](SesWorld&) {},
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"mailfrom-default"}},
      {"SpfApexIrrelevant",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.dns("example.com TXT v=spf1 a include:AmazonSES.com -all");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-default", "spf-apex-irrelevant"},
       {}},
      {"SpfApexIrrelevantOfTheIdentity",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.identity().dkim.signing_enabled = false;
         w.dns("example.com TXT v=spf1 include:eu-west-1.amazonses.com -all");
         w.from("a@shop.example.com");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "mailfrom-default", "dmarc-none-aligned", "spf-apex-irrelevant"},
       {}},
      {"SpfApexIrrelevantNotBesideACustomMailFrom",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; aspf=s");
         w.dns("example.com TXT v=spf1 include:amazonses.com -all");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled"},
       {"spf-apex-irrelevant"}},
      {"SpfApexIrrelevantNotWithoutAmazon",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.dns("example.com TXT v=spf1 include:notamazonses.com include:spf.example.net -all");
         w.dns("example.com TXT include:amazonses.com");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-default"},
       {"spf-apex-irrelevant"}},
      // Nothing hangs on that record, so nothing hangs on its answer.
      {"SpfApexIrrelevantNotWithoutAnAnswer",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.dns("example.com TXT !SERVFAIL");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-default"},
       {"spf-apex-irrelevant", "dmarc-temperror"}},
  };
}

}  // namespace sesame::test
