// What becomes of the SPF leg.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Status;
using ses::Verdict;

std::vector<PredictCase> mail_from_cases() {
  return {
      {"MailFromFailedFallsBack",
       [](SesWorld& w) {
         w.identity().mail_from.status = Status::failed;
         w.resolver.zone().remove("bounce.example.com");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-fallback", "mailfrom-mx"},
       {}},
      {"MailFromFailedRejects",
       [](SesWorld& w) {
         w.identity().mail_from.status = Status::failed;
         w.identity().mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
       },
       Verdict::refused,
       Confidence::confirmed,
       {"mailfrom-reject"},
       {}},
      {"MailFromMxGoneWithoutDkim",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com", "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-mx"},
       {"dmarc-none-aligned"}},
      {"MailFromMxTypo",
       [](SesWorld& w) {
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonaws.com\n"
                   "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-mx"},
       {}},
      // SES may notice at any moment, and then refuses instead of falling back.
      {"MailFromMxGoneMayRefuse",
       [](SesWorld& w) {
         w.identity().mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
         w.replace("bounce.example.com", "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-mx"},
       {"mailfrom-reject"}},
      {"MailFromMxWithoutARegion",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-mx"},
       {}},
      {"MailFromMxOfAnotherRegionIsNoFault",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.eu-west-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled", "mailfrom-mx"},
       {}},
      {"MailFromSpfMissing",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com", "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "mailfrom-spf", "dmarc-none-aligned"},
       {}},
      // One address of one range is enough to spoil the leg: some receivers will see it fail.
      {"SpfExcludesOneSesAddress",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 -ip4:203.0.113.77 include:amazonses.com ~all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-spf", "dkim-disabled"},
       {"dmarc-none-aligned"}},
      {"SpfListsTheRangesItself",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 ip4:198.51.100.0/25 ip4:198.51.100.128/25 ip4:203.0.113.0/24 -all");
       },
       Verdict::pass,
       Confidence::confirmed,
       {},
       {"mailfrom-spf"}},
      {"AmazonRecordThatDoesNotListItsAddresses",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("amazonses.com", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 exists:%{i}.ses.example -all");
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 ip4:198.51.100.0/24 -all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      {"AmazonRecordTwice",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("amazonses.com", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 -all\namazonses.com TXT v=spf1 -all");
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 ip4:198.51.100.0/24 -all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      {"AmazonRecordThatLeadsToNothing",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("amazonses.com", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 include:more.ses.example -all");
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 ip4:198.51.100.0/24 -all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      // A network with bits below its prefix is the network SPF takes it for.
      {"AmazonNetworkWithLooseBits",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("amazonses.com", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.9/25 -all");
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 ip4:198.51.100.0/24 -all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-spf"},
       {"dmarc-none-aligned"}},
      // The local part SES will use is its message id: no one can say what such a record answers.
      {"SpfAsksForTheLocalPart",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 exists:%{l}.users.example.com include:amazonses.com -all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      {"SpfServfail",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.dns("bounce.example.com TXT !SERVFAIL");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled"},
       {"mailfrom-spf", "dmarc-none-aligned"}},
      {"AmazonSpfServfailMattersOnlyToSpf",
       [](SesWorld& w) { w.dns("amazonses.com TXT !SERVFAIL"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {}},
      // A fault on an identifier that could not align anyway changes nothing.
      {"AmazonSpfServfailCannotMakeFailUnknown",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false, w.identity().mail_from = {};
         w.dns("amazonses.com TXT !SERVFAIL");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled"},
       {}},
      {"MailFromOfAnotherIdentityIsNotKnown",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.add_identity("example.net");
         w.envelope.mail_from = "bounces@example.net";
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled"},
       {}},
      // The same MAIL FROM domain, but one of the two identities makes SES refuse.
      {"MailFromSettingsDifferInBehaviourAlone",
       [](SesWorld& w) {
         w.identity().mail_from.status = Status::failed;
         auto& address = w.add_identity("bounces@example.com");
         address.mail_from = w.account.identities.front().mail_from;
         address.mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
         w.envelope.mail_from = "bounces@example.com";
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"mailfrom-reject"}},

  };
}

}  // namespace sesame::test
