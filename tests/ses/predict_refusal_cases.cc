// What SES refuses, and what it or a later hop may spoil.
#include "ses/predict_case.h"
#include "ses/relay.h"

namespace sesame::test {

using ses::Confidence;
using ses::Status;
using ses::Verdict;

namespace {

constexpr std::int64_t kLately = 1'699'990'000;

// As the API has told it.
void as_of(SesWorld& w, std::int64_t when) {
  w.account.standing.as_of = when;
  for (auto& identity : w.account.identities.edit()) identity.as_of = when;
}

// The same, too long ago.
void aged(SesWorld& w) {
  as_of(w, kLately);
  w.account.standing.aged = true;
  for (auto& identity : w.account.identities.edit()) identity.aged = true;
}

void in_the_sandbox(SesWorld& w) {
  as_of(w, kLately);
  w.account.standing.production_access = false;
}

PredictCase refused(const std::string& name, std::function<void(SesWorld&)> change, std::vector<std::string> codes) {
  return {name, std::move(change), Verdict::refused, Confidence::confirmed, std::move(codes), {}};
}

PredictCase taken(const std::string& name, std::function<void(SesWorld&)> change, std::string not_code) {
  return {name, std::move(change), Verdict::pass, Confidence::confirmed, {"dkim-ok"}, {std::move(not_code)}};
}

PredictCase undecided(const std::string& name, std::function<void(SesWorld&)> change, std::string code) {
  return {name, std::move(change), Verdict::unknown, Confidence::unknown, {std::move(code)}, {"dmarc-none-aligned"}};
}

PredictCase lint(const std::string& name, std::function<void(SesWorld&)> change) {
  return {name, std::move(change), Verdict::pass, Confidence::confirmed, {"dkim-ok", "ses-lint"}, {}};
}

std::vector<PredictCase> envelope_cases() {
  return {
      refused("NullSender", [](SesWorld& w) { w.envelope.mail_from = ""; }, {"null-sender"}),
      taken(
          "NullSenderNotWhenNobodySaidIt",
          [](SesWorld& w) { w.envelope.mail_from = "", w.envelope.sender_known = false; }, "null-sender"),
      refused("TooManyRecipients", [](SesWorld& w) { w.envelope.recipients.assign(51, "r@receiver.example"); },
              {"too-many-recipients"}),
      taken(
          "TooManyRecipientsNotAtFifty", [](SesWorld& w) { w.envelope.recipients.assign(50, "r@receiver.example"); },
          "too-many-recipients"),
      refused("FromUnverifiedEnvelopeSender", [](SesWorld& w) { w.envelope.mail_from = "root@host.example"; },
              {"from-unverified"}),
      refused("FromUnverifiedReturnPath", [](SesWorld& w) { w.header("Return-Path", "<x@other.example>"); },
              {"from-unverified"}),
  };
}

std::vector<PredictCase> header_cases() {
  return {
      refused("DupHeader", [](SesWorld& w) { w.header("MIME-Version", "1.0"), w.header("Mime-version", "1.0"); },
              {"dup-header"}),
      taken(
          "DupHeaderNotForReceived",
          [](SesWorld& w) { w.header("Received", "from a"), w.header("Received", "from b"); }, "dup-header"),
      refused("FromUnverified", [](SesWorld& w) { w.from("a@list.example"); }, {"from-unverified"}),
      refused("FromUnverifiedSender", [](SesWorld& w) { w.header("Sender", "x@other.example"); }, {"from-unverified"}),
      taken(
          "FromUnverifiedNotBelowAnIdentity",
          [](SesWorld& w) { w.header("Sender", "x@deep.shop.example.com"), w.from("a@shop.example.com"); },
          "from-unverified"),
      refused("FromAmbiguousTwoFields", [](SesWorld& w) { w.header("From", "other@example.com"); },
              {"dup-header", "from-ambiguous"}),
      refused("FromAmbiguousNoField", [](SesWorld& w) { w.fields = {}; }, {"from-ambiguous"}),
      {"FromAmbiguousTwoDomains",
       [](SesWorld& w) { w.add_identity("example.net"), w.from("a@example.com, b@example.net"); },
       Verdict::fail,
       Confidence::confirmed,
       {"from-ambiguous"},
       {"dup-header"}},
      // Who ends no line at a bare CR, or reads over a NUL, sees one author.
      undecided(
          "FromAmbiguousHiddenField", [](SesWorld& w) { w.header("X-Note", "x\rFrom: evil@example.org"); },
          "from-ambiguous"),
      undecided(
          "FromAmbiguousHiddenFieldAlone",
          [](SesWorld& w) { w.fields = {}, w.header("X-Note", "x\rFrom: news@example.com"); }, "from-ambiguous"),
      undecided(
          "FromAmbiguousControlOctet", [](SesWorld& w) { w.from(std::string("news@example.com\0", 17)); },
          "from-ambiguous"),
      refused("FromAmbiguousHiddenAndTwice",
              [](SesWorld& w) { w.header("X-Note", "x\rFrom: a@example.com"), w.header("From", "b@example.com"); },
              {"dup-header", "from-ambiguous"}),
      {"FromAmbiguousHiddenBesideTwoDomains",
       [](SesWorld& w) {
         w.add_identity("example.net"), w.from("a@example.com, b@example.net");
         w.header("X-Note", "x\rFrom: evil@example.org");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"from-ambiguous"},
       {}},
      taken(
          "FromAmbiguousNotForTwoAuthorsOfOneDomain", [](SesWorld& w) { w.from("a@example.com, b@example.com"); },
          "from-ambiguous"),
  };
}

std::vector<PredictCase> owner_cases() {
  const std::string arn = "arn:aws:ses:us-east-1:111122223333:identity/example.org";
  const auto names = [arn](const std::string& field) {
    return [arn, field](SesWorld& w) {
      w.from("a@example.org");
      w.header(field, arn);
      w.dns("_dmarc.example.org TXT v=DMARC1; p=reject");
    };
  };
  return {
      undecided("OwnerSettingsUnknown", names("X-SES-SOURCE-ARN"), "owner-settings-unknown"),
      undecided("OwnerSettingsUnknownOfFrom", names("x-ses-from-arn"), "owner-settings-unknown"),
      // Nothing is said of how a domain that nobody knows aligns.
      {"OwnerSettingsUnknownAndNoMore",
       names("X-SES-FROM-ARN"),
       Verdict::unknown,
       Confidence::unknown,
       {"owner-settings-unknown"},
       {"dmarc-temperror"}},
      // From stays ours, and with it d=; the envelope sender may go by the owner's MAIL FROM.
      {"OwnerSettingsUnknownOfTheReturnPath",
       [arn](SesWorld& w) {
         w.header("X-SES-RETURN-PATH-ARN", arn);
         w.envelope.mail_from = "bounces@example.org";
       },
       Verdict::pass,
       Confidence::likely,
       {"owner-settings-unknown", "dkim-ok"},
       {"from-unverified"}},
      {"OwnerSettingsUnknownOfTheOnlyLeg",
       [arn](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.header("X-SES-RETURN-PATH-ARN", arn);
       },
       Verdict::unknown,
       Confidence::unknown,
       {"owner-settings-unknown"},
       {"dmarc-none-aligned"}},
      refused("OwnerSettingsUnknownStillWithinOurRights",
              [arn](SesWorld& w) {
                w.header("X-SES-RETURN-PATH-ARN", arn);
                w.from("a@list.example");
              },
              {"from-unverified", "owner-settings-unknown"}),
      taken(
          "OwnerSettingsUnknownNotForOtherFields",
          [](SesWorld& w) { w.header("X-SES-MESSAGE-TAGS", "campaign=spring"); }, "owner-settings-unknown"),
  };
}

std::vector<PredictCase> standing_cases() {
  return {
      refused("SendingBlockedIdentity", [](SesWorld& w) { w.identity().verified_for_sending = false; },
              {"sending-blocked", "from-unverified"}),
      taken(
          "SendingBlockedNotByAnAddressWhoseDomainIsVerified",
          [](SesWorld& w) { w.add_identity("news@example.com").verified_for_sending = false; }, "sending-blocked"),
      refused("SendingBlockedSwitchedOff", [](SesWorld& w) { w.account.standing.sending_enabled = false; },
              {"sending-blocked"}),
      refused("SendingBlockedShutDown", [](SesWorld& w) { w.account.standing.enforcement_status = "SHUTDOWN"; },
              {"sending-blocked"}),
      taken(
          "SendingBlockedNotOnProbation", [](SesWorld& w) { w.account.standing.enforcement_status = "PROBATION"; },
          "sending-blocked"),
      refused("SendingBlockedInTheSandbox", in_the_sandbox, {"sending-blocked"}),
      refused("SendingBlockedForOneOfTwoRecipients",
              [](SesWorld& w) {
                in_the_sandbox(w);
                w.envelope.recipients = {"a@example.com", "b@receiver.example"};
              },
              {"sending-blocked"}),
      taken(
          "SendingBlockedNotForVerifiedRecipientsOrTheSimulator",
          [](SesWorld& w) {
            w.add_identity("Reader@receiver.example");
            in_the_sandbox(w);
            w.envelope.recipients = {"a@example.com", "Reader@receiver.example", "bounce@Simulator.amazonses.com"};
          },
          "sending-blocked"),
      undecided(
          "SendingBlockedUnlessTheRecipientsAreVerified",
          [](SesWorld& w) {
            in_the_sandbox(w);
            w.envelope.recipients.clear();
          },
          "sending-blocked"),
      undecided(
          "SendingBlockedUnlessTheListIsShort", [](SesWorld& w) { w.account.standing.production_access = false; },
          "sending-blocked"),
      undecided(
          "SendingBlockedIfAnUnknownEnforcementSaysSo",
          [](SesWorld& w) { w.account.standing.unread_state = "EnforcementStatus \"SUSPENDED\""; }, "sending-blocked"),
      undecided(
          "SendingBlockedIfUnknownAccessIsTheSandbox",
          [](SesWorld& w) {
            in_the_sandbox(w);
            w.account.standing.unread_access = "ProductionAccessEnabled \"no\"";
          },
          "sending-blocked"),
      undecided(
          "SendingBlockedIfAnUnknownVerificationSaysSo",
          [](SesWorld& w) {
            w.identity().verified_for_sending = false;
            w.identity().unread_verification = "VerifiedForSendingStatus \"maybe\"";
          },
          "sending-blocked"),
      undecided(
          "SendingBlockedUnlessMendedSince",
          [](SesWorld& w) {
            aged(w);
            w.account.standing.sending_enabled = false;
          },
          "sending-blocked"),
      undecided(
          "SendingBlockedUnlessVerifiedSince",
          [](SesWorld& w) {
            aged(w);
            w.identity().verified_for_sending = false;
          },
          "sending-blocked"),
      undecided(
          "SendingBlockedUnlessOutOfTheSandboxSince",
          [](SesWorld& w) {
            in_the_sandbox(w);
            aged(w);
          },
          "sending-blocked"),
      undecided(
          "FromUnverifiedUnlessAddedSince",
          [](SesWorld& w) {
            aged(w);
            w.from("a@list.example");
          },
          "from-unverified"),
      // What else SES refuses does not hang on what may have changed.
      refused("NullSenderOfAnAgedAccount",
              [](SesWorld& w) {
                aged(w);
                w.identity().verified_for_sending = false;
                w.envelope.mail_from = "";
              },
              {"null-sender", "sending-blocked"}),
  };
}

std::vector<PredictCase> shape_cases() {
  return {
      lint("SesLintEightBitBody", [](SesWorld& w) { w.shape.eight_bit_body = true; }),
      lint("SesLintLongLine", [](SesWorld& w) { w.shape.longest_line = ses::kMaxLineOctets + 1; }),
      lint("SesLintEightBitHeader", [](SesWorld& w) { w.shape.eight_bit_header = true; }),
      undecided(
          "SesLintInternationalAuthor", [](SesWorld& w) { w.from("N <n\xc3\xa9ws@example.com>"); }, "ses-lint"),
      undecided(
          "SesLintInternationalReader", [](SesWorld& w) { w.header("To", "A <a@x.example>,b@b\xc3\xbcro.example"); },
          "ses-lint"),
      taken(
          "SesLintNotForAnEncodedName", [](SesWorld& w) { w.from("=?utf-8?q?N=C3=A9ws?= <news@example.com>"); },
          "ses-lint"),
      undecided(
          "SesLintInternationalSender", [](SesWorld& w) { w.envelope.mail_from = "b\xc3\xbcro@example.com"; },
          "ses-lint"),
      undecided(
          "SesLintInternationalRecipient",
          [](SesWorld& w) {
            w.envelope.recipients = {"a@receiver.example", "a@b\xc3\xbcro.example"};
          },
          "ses-lint"),
      refused("SesLintTooLarge", [](SesWorld& w) { w.shape.octets = ses::kMaxMessageOctets + 1; }, {"ses-lint"}),
      taken(
          "SesLintNotAtTheLimits",
          [](SesWorld& w) {
            w.shape.octets = ses::kMaxMessageOctets;
            w.shape.longest_line = ses::kMaxLineOctets;
            w.envelope.recipients = {"a@xn--bro-hoa.example"};
          },
          "ses-lint"),
  };
}

}  // namespace

std::vector<PredictCase> refusal_cases() {
  std::vector<PredictCase> all;
  for (const auto& part : {envelope_cases(), header_cases(), owner_cases(), standing_cases(), shape_cases()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace sesame::test
