// What the SPF record of the envelope sender makes of the SPF leg: it must pass for every address range of SES.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Verdict;

namespace {

// The custom MAIL FROM has this record, or none, and the mail no other leg.
std::function<void(SesWorld&)> record(const std::string& text, const std::string& more = "") {
  return [text, more](SesWorld& w) {
    w.identity().dkim.signing_enabled = false;
    w.replace("bounce.example.com", "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com");
    if (!text.empty()) w.dns("bounce.example.com TXT " + text);
    w.dns(more);
  };
}

PredictCase passes(const std::string& name, const std::string& text, const std::string& more = "") {
  return {name,
          record(text, more),
          Verdict::pass,
          Confidence::confirmed,
          {"dkim-disabled"},
          {"mailfrom-spf", "dmarc-none-aligned"}};
}
PredictCase fails(const std::string& name, const std::string& text, const std::string& more = "") {
  return {name,
          record(text, more),
          Verdict::fail,
          Confidence::confirmed,
          {"dkim-disabled", "mailfrom-spf", "dmarc-none-aligned"},
          {}};
}
// For some addresses only, or not known: `codes` say so, or none does.
PredictCase open(const std::string& name, const std::string& text, std::vector<std::string> codes,
                 const std::string& more = "") {
  return {name, record(text, more), Verdict::unknown, Confidence::unknown, std::move(codes), {"dmarc-none-aligned"}};
}

PredictCase amazon(const std::string& name, const std::string& lines, std::vector<std::string> codes) {
  const auto change = [lines](SesWorld& w) {
    record("v=spf1 ip4:198.51.100.0/24 -all")(w);
    w.replace("amazonses.com", lines);
  };
  return {name, change, Verdict::unknown, Confidence::unknown, std::move(codes), {"dmarc-none-aligned"}};
}

// "a:a1.example.net a:a2.example.net ..." and their addresses, none of them of SES; or without any.
std::string terms(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) text += "a:a" + std::to_string(i) + ".example.net ";
  return text;
}
std::string addresses(int count) {
  std::string lines;
  for (int i = 1; i <= count; ++i) lines += "a" + std::to_string(i) + ".example.net A 192.0.2.77\n";
  return lines;
}

std::vector<PredictCase> record_cases() {
  return {
      fails("MailfromSpf", ""),
      passes("MailfromSpfNot", "v=spf1 include:amazonses.com ~all"),
      fails("MailfromSpfTwoRecords", "v=spf1 include:amazonses.com ~all",
            "bounce.example.com TXT v=spf1 include:amazonses.com -all"),
      passes("MailfromSpfNotBesideAnotherText", "v=spf1 include:amazonses.com ~all",
             "bounce.example.com TXT site-verification=1"),
      fails("MailfromSpfWithoutTheInclude", "v=spf1 ip4:192.0.2.0/24 -all"),
      fails("MailfromSpfSoftfail", "v=spf1 mx ~all", "feedback-smtp.us-east-1.amazonses.com A 192.0.2.9"),
      fails("MailfromSpfWithNeitherIncludeNorAll", "v=spf1 ip4:192.0.2.0/24"),
      // The domain of the SMTP host in place of the one that sends.
      fails("MailfromSpfIncludesAmazonaws", "v=spf1 include:amazonaws.com ~all", "amazonaws.com TXT v=spf1 -all"),
      fails("MailfromSpfIncludesANameWithoutRecord", "v=spf1 include:amazonaws.com include:amazonses.com ~all"),
      fails("MailfromSpfSyntax", "v=spf1 include:amazonses.com ip4:192.0.2.0/33 ~all"),
      passes("MailfromSpfNotThroughAnotherRecord", "v=spf1 include:spf.example.com -all",
             "spf.example.com TXT v=spf1 include:amazonses.com -all"),
      passes("MailfromSpfNotThroughARedirect", "v=spf1 redirect=eu-west-1.amazonses.com"),
      // Ten terms that look something up, of which the include is the last: each is counted for every range.
      passes("MailfromSpfNotWithTenTerms", "v=spf1 " + terms(9) + "include:amazonses.com -all", addresses(9)),
      fails("MailfromSpfElevenTerms", "v=spf1 " + terms(10) + "include:amazonses.com -all", addresses(10)),
      passes("MailfromSpfNotWithTwoVoids", "v=spf1 " + terms(2) + "include:amazonses.com -all"),
      fails("MailfromSpfThreeVoids", "v=spf1 " + terms(3) + "include:amazonses.com -all"),
      // It passes, but for strangers it says nothing.
      {"MailfromSpfWithoutAll",
       record("v=spf1 include:amazonses.com"),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled", "mailfrom-spf"},
       {"dmarc-none-aligned"}},
      // A temporary fault is no fault of the record.
      open("MailfromSpfNotOnServfail", "!SERVFAIL", {"dkim-disabled"}),
      open("MailfromSpfNotOnTimeoutOfAnInclude", "v=spf1 include:spf.example.com include:amazonses.com -all",
           {"dkim-disabled"}, "spf.example.com TXT !TIMEOUT"),
  };
}

std::vector<PredictCase> range_cases() {
  return {
      // One address of one range is enough to spoil the leg: some receivers will see it fail.
      open("MailfromSpfExcludesOneAddress", "v=spf1 -ip4:203.0.113.77 include:amazonses.com ~all",
           {"mailfrom-spf", "dkim-disabled"}),
      open("MailfromSpfListsOneRange", "v=spf1 ip4:198.51.100.0/24 -all", {"mailfrom-spf", "dkim-disabled"}),
      // The terms and voids before the second range are spent only by addresses of that range.
      open("MailfromSpfThreeVoidsBeforeTheSecondRange",
           "v=spf1 ip4:198.51.100.0/24 " + terms(3) + "include:amazonses.com -all", {"mailfrom-spf", "dkim-disabled"}),
      open("MailfromSpfElevenTermsBeforeTheSecondRange",
           "v=spf1 ip4:198.51.100.0/24 " + terms(10) + "include:amazonses.com -all", {"mailfrom-spf", "dkim-disabled"},
           addresses(10)),
      passes("MailfromSpfNotWhereItListsTheRanges",
             "v=spf1 ip4:198.51.100.0/25 ip4:198.51.100.128/25 ip4:203.0.113.0/24 -all"),
      // A network beside those of SES takes nothing away.
      passes("MailfromSpfNotWhereItExcludesNeighbours", "v=spf1 -ip4:203.0.113.128/25 include:amazonses.com ~all"),
      // The local part SES will use is its message id: no one can say what such a record answers.
      open("MailfromSpfAsksForTheLocalPart", "v=spf1 exists:%{l}.users.example.com include:amazonses.com -all",
           {"mailfrom-spf"}),
      {"MailfromSpfOfSixthVersion",
       [](SesWorld& w) {
         record("v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:5e5::/64 -all")(w);
         w.replace("amazonses.com", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:5e5::/48 -all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-spf"},
       {"dmarc-none-aligned"}},
      {"MailfromSpfNotOverNestedRecordsOfAmazon",
       [](SesWorld& w) {
         record("v=spf1 include:amazonses.com -all")(w);
         w.replace("amazonses.com",
                   "amazonses.com TXT v=spf1 include:one.amazonses.com include:two.amazonses.com -all\n"
                   "one.amazonses.com TXT v=spf1 ip4:198.51.100.0/24 -all\n"
                   "two.amazonses.com TXT v=spf1 ip6:2001:db8:5e5::/48 -all");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled"},
       {"mailfrom-spf"}},
  };
}

// Where the ranges are not known nothing is.
std::vector<PredictCase> amazon_cases() {
  return {
      amazon("AmazonRecordThatDoesNotListItsAddresses",
             "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 exists:%{i}.ses.example -all", {"dkim-disabled"}),
      amazon("AmazonRecordTwice", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 -all\namazonses.com TXT v=spf1 -all",
             {"dkim-disabled"}),
      amazon("AmazonRecordThatLeadsToNothing",
             "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 include:more.ses.example -all", {"dkim-disabled"}),
      // A network with bits below its prefix is the network SPF takes it for.
      amazon("AmazonNetworkWithLooseBits", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.9/25 -all",
             {"mailfrom-spf"}),
      {"AmazonSpfServfailMattersOnlyToSpf",
       [](SesWorld& w) { w.dns("amazonses.com TXT !SERVFAIL"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"mailfrom-spf"}},
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
  };
}

}  // namespace

std::vector<PredictCase> spf_cases() {
  std::vector<PredictCase> all;
  for (auto& cases : {record_cases(), range_cases(), amazon_cases()}) all.insert(all.end(), cases.begin(), cases.end());
  return all;
}

}  // namespace sesame::test
