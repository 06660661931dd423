// Which envelope sender SES will write, and whether it refuses.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::OnMxFailure;
using ses::Status;
using ses::Verdict;

namespace {

constexpr auto kSpf = "bounce.example.com TXT v=spf1 include:amazonses.com ~all";

// The MX of the custom MAIL FROM; none when empty.
void mx(SesWorld& w, const std::string& hosts) {
  w.replace("bounce.example.com", kSpf);
  if (!hosts.empty()) w.dns(hosts);
}

std::function<void(SesWorld&)> in_state(Status status, OnMxFailure behavior = OnMxFailure::use_default_value) {
  return [status, behavior](SesWorld& w) {
    w.identity().mail_from.status = status;
    w.identity().mail_from.behavior_on_mx_failure = behavior;
  };
}

// No DKIM, so that the SPF leg decides.
std::function<void(SesWorld&)> alone(std::function<void(SesWorld&)> change) {
  return [change](SesWorld& w) {
    w.identity().dkim.signing_enabled = false;
    change(w);
  };
}

std::function<void(SesWorld&)> inferred(const std::string& hosts) {
  return alone([hosts](SesWorld& w) {
    w.identity().mail_from.status.reset();
    mx(w, hosts);
  });
}

std::vector<PredictCase> default_cases() {
  return {
      {"MailfromDefault",
       [](SesWorld& w) { w.identity().mail_from = {}; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-default"},
       {"mailfrom-fallback", "dmarc-none-aligned"}},
      {"MailfromDefaultDecidesWithoutDkim",
       alone([](SesWorld& w) { w.identity().mail_from = {}; }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "mailfrom-default", "dmarc-none-aligned"},
       {}},
      {"MailfromDefaultOfAnotherRegion",
       alone([](SesWorld& w) {
         w.identity().mail_from = {};
         w.account.region = w.identity().region = "eu-west-1";
       }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "mailfrom-default"},
       {}},
      {"MailfromDefaultNot",
       alone([](SesWorld&) {}),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled"},
       {"mailfrom-default", "mailfrom-fallback", "mailfrom-mx", "mailfrom-spf", "dmarc-none-aligned"}},
      {"MailfromInferredIsLikely",
       inferred("bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com"),
       Verdict::pass,
       Confidence::likely,
       {"dkim-disabled"},
       {"mailfrom-default", "mailfrom-mx"}},
  };
}

std::vector<PredictCase> state_cases() {
  return {
      {"MailfromFallback",
       in_state(Status::failed),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-fallback"},
       {"mailfrom-mx", "mailfrom-reject", "dmarc-none-aligned"}},
      {"MailfromFallbackWithoutMx",
       [](SesWorld& w) { in_state(Status::failed)(w), w.resolver.zone().remove("bounce.example.com"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-fallback", "mailfrom-mx"},
       {}},
      {"MailfromFallbackWhilePendingDecides",
       alone(in_state(Status::pending)),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "mailfrom-fallback", "dmarc-none-aligned"},
       {}},
      {"MailfromFallbackOnTemporaryFailure",
       alone(in_state(Status::temporary_failure)),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "mailfrom-fallback"},
       {}},
      {"MailfromFallbackNot",
       alone(in_state(Status::success)),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled"},
       {"mailfrom-fallback", "mailfrom-reject"}},
      {"MailfromReject",
       in_state(Status::failed, OnMxFailure::reject_message),
       Verdict::refused,
       Confidence::confirmed,
       {"mailfrom-reject"},
       {"mailfrom-fallback"}},
      {"MailfromRejectWhilePending",
       in_state(Status::pending, OnMxFailure::reject_message),
       Verdict::refused,
       Confidence::confirmed,
       {"mailfrom-reject"},
       {}},
      {"MailfromRejectNot",
       alone(in_state(Status::success, OnMxFailure::reject_message)),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled"},
       {"mailfrom-reject"}},
      {"UnreadMailfromStateMayFallBack",
       alone([](SesWorld& w) {
         w.identity().mail_from.status.reset();
         w.identity().mail_from.unread_state = "MailFromDomainStatus \"SUSPENDED\"";
       }),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      {"UnreadBehaviorMayRefuse",
       [](SesWorld& w) {
         in_state(Status::failed)(w);
         w.identity().mail_from.unread_behavior = "BehaviorOnMxFailure \"X\"";
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-fallback"},
       {}},
      {"UnreadMailfromDomainMayAlign",
       alone([](SesWorld& w) {
         w.identity().mail_from = {};
         w.identity().mail_from.unread_domain = "MailFromDomain 7";
       }),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      {"AgedMailfromSuccessIsLikely",
       alone([](SesWorld& w) { w.identity().dkim.signing_enabled = true, w.identity().aged = true; }),
       Verdict::pass,
       Confidence::likely,
       {"dkim-ok"},
       {"mailfrom-fallback"}},
      {"AgedMailfromFallbackMayBeMended",
       alone([](SesWorld& w) {
         in_state(Status::failed)(w);
         w.identity().aged = true, w.identity().dkim.tokens.clear();
       }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled", "mailfrom-fallback"},
       {"dmarc-none-aligned"}},
      {"AgedMailfromWhereTheMxIsSilent",
       alone([](SesWorld& w) {
         w.dns("bounce.example.com MX !SERVFAIL");
         w.identity().aged = true, w.identity().dkim.tokens.clear();
       }),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"mailfrom-mx", "dmarc-none-aligned"}},
      {"AgedMailfromRejectMayBeMended",
       [](SesWorld& w) {
         in_state(Status::failed, OnMxFailure::reject_message)(w);
         w.identity().aged = true, w.identity().as_of = w.now - 9 * 86400;
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-reject"},
       {"mailfrom-fallback"}},
  };
}

std::vector<PredictCase> mx_cases() {
  const std::string right = "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com";
  const auto undecided = [](const std::string& name, const std::string& hosts) {
    return PredictCase{name,
                       alone([hosts](SesWorld& w) { mx(w, hosts); }),
                       Verdict::unknown,
                       Confidence::unknown,
                       {"mailfrom-mx", "dkim-disabled"},
                       {"dmarc-none-aligned"}};
  };
  return {
      undecided("MailfromMx", ""),
      {"MailfromMxNot",
       alone([right](SesWorld& w) { mx(w, right); }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled"},
       {"mailfrom-mx"}},
      undecided("MailfromMxSeveral", right + "\nbounce.example.com MX 20 mx.example.net"),
      undecided("MailfromMxOfSomebodyElse", "bounce.example.com MX 10 mx.example.net"),
      undecided("MailfromMxNull", "bounce.example.com MX 0 ."),
      undecided("MailfromMxAmazonaws", "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonaws.com"),
      undecided("MailfromMxOfTheSmtpHost", "bounce.example.com MX 10 email-smtp.us-east-1.amazonaws.com"),
      undecided("MailfromMxWithoutARegion", "bounce.example.com MX 10 feedback-smtp.amazonses.com"),
      undecided("MailfromMxOfNoRegion", "bounce.example.com MX 10 feedback-smtp.east.amazonses.com"),
      // SES may not have noticed; DKIM does not care.
      {"MailfromMxTypoBesideDkim",
       [](SesWorld& w) { mx(w, "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonaws.com"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-mx"},
       {}},
      // SES may notice at any moment, and then refuses instead of falling back.
      {"MailfromMxGoneMayRefuse",
       [](SesWorld& w) {
         w.identity().mail_from.behavior_on_mx_failure = OnMxFailure::reject_message;
         mx(w, "");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-mx"},
       {"mailfrom-reject"}},
      {"MailfromMxOfAnotherRegionIsNoFault",
       alone([](SesWorld& w) { mx(w, "bounce.example.com MX 10 feedback-smtp.eu-west-1.amazonses.com"); }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled", "mailfrom-mx"},
       {}},
      // SES says SUCCESS, and knows its regions better.
      {"MailfromMxOfAnUnknownRegion",
       alone([](SesWorld& w) { mx(w, "bounce.example.com MX 10 feedback-smtp.us-moon-1.amazonses.com"); }),
       Verdict::pass,
       Confidence::likely,
       {"dkim-disabled", "mailfrom-mx"},
       {}},
      {"MailfromMxOfAnUnknownRegionInferred",
       inferred("bounce.example.com MX 10 feedback-smtp.us-moon-1.amazonses.com"),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      {"MailfromMxAbsentInferred",
       inferred(""),
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-mx"},
       {"dmarc-none-aligned"}},
      {"MailfromMxNotOnServfail",
       alone([](SesWorld& w) { w.dns("bounce.example.com MX !SERVFAIL"); }),
       Verdict::pass,
       Confidence::likely,
       {"dkim-disabled"},
       {"mailfrom-mx"}},
      {"MailfromMxNotOnServfailInferred",
       inferred("bounce.example.com MX !SERVFAIL"),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled"},
       {"mailfrom-mx", "dmarc-none-aligned"}},
  };
}

std::vector<PredictCase> sender_cases() {
  return {
      {"MailFromOfAnotherIdentityIsNotKnown",
       alone([](SesWorld& w) {
         w.add_identity("example.net");
         w.envelope.mail_from = "bounces@example.net";
       }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled"},
       {}},
      // The same MAIL FROM domain, but one of the two identities makes SES refuse.
      {"MailFromSettingsDifferInBehaviourAlone",
       [](SesWorld& w) {
         w.identity().mail_from.status = Status::failed;
         auto& address = w.add_identity("bounces@example.com");
         address.mail_from = w.account.identities.edit().front().mail_from;
         address.mail_from.behavior_on_mx_failure = OnMxFailure::reject_message;
         w.envelope.mail_from = "bounces@example.com";
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"mailfrom-reject"}},
  };
}

}  // namespace

std::vector<PredictCase> mail_from_cases() {
  std::vector<PredictCase> all;
  for (auto& cases : {default_cases(), state_cases(), mx_cases(), sender_cases()})
    all.insert(all.end(), cases.begin(), cases.end());
  return all;
}

}  // namespace sesame::test
