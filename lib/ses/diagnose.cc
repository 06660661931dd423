#include "ses/diagnose.h"

#include <array>

#include "util/text.h"

namespace sesame::ses {
namespace {

struct Row {
  Code code;
  std::string_view name;
  Severity severity;
  std::string_view text;
  std::string_view advice;
};

// In the order of Code. {fields} are filled in by make_finding.
constexpr std::array kRows = {
    Row{Code::dkim_ok, "dkim-ok", Severity::info, "DKIM is healthy: SES signs with d={domain}, selector {selectors}",
        "Nothing to do; idle selectors with an empty TXT and a second signature d=amazonses.com are normal."},
    Row{Code::dkim_cname_missing, "dkim-cname-missing", Severity::error, "{what} missing: {names}",
        "Publish {records}; SES stops signing when one is missing."},
    Row{Code::dkim_cname_target, "dkim-cname-target", Severity::error, "{name} points to {found}, expected {expected}",
        "Change the CNAME {name} to {expected}."},
    Row{Code::dkim_cname_proxied, "dkim-cname-proxied", Severity::error,
        "{name} is not a plain CNAME to {expected} (flattened, proxied or a wildcard)",
        "Turn off proxying or flattening for {name} and publish the CNAME itself."},
    Row{Code::dkim_no_key, "dkim-no-key", Severity::error,
        "No DKIM selector of {domain} holds a key: nothing that SES signs for it can verify",
        "Check that the tokens belong to this account and region ({region}); if they do, restart the DKIM set-up."},
    Row{Code::dkim_rotating, "dkim-rotating", Severity::info, "DKIM key rotation of {domain} in progress ({selectors})",
        "Keep all three CNAMEs."},
    Row{Code::dkim_key_bad, "dkim-key-bad", Severity::error, "The DKIM key at {name} cannot be used: {reason}",
        "Publish there one record with the whole RSA key of 1024 bits or more; mind how your DNS provider splits it."},
    Row{Code::dkim_txt_servfail, "dkim-txt-servfail", Severity::error,
        "{name}: the CNAME answers but TXT fails ({status}); receivers and SES ask for TXT",
        "Have the DNS provider serve TXT through the CNAME, or repair DNSSEC; test with TXT, not with CNAME."},
    Row{Code::dkim_pending, "dkim-pending", Severity::warning,
        "SES still waits for the DKIM records of {domain} (status {status}); mail is not signed for it",
        "Mail stays unsigned until the status is SUCCESS; check the records at every name server."},
    Row{Code::dkim_failed, "dkim-failed", Severity::error,
        "SES gave up looking for the DKIM records of {domain} (status {status}); mail is not signed for it",
        "Mend the records, then restart the DKIM set-up in SES."},
    Row{Code::dkim_lost, "dkim-lost", Severity::error,
        "SES can no longer confirm the DKIM records of {domain} (status {status}); treat mail as unsigned",
        "Mend the records at every name server within 5 days, or SES revokes the set-up."},
    Row{Code::dkim_disabled, "dkim-disabled", Severity::error, "DKIM signing is switched off for {identity}",
        "Enable DKIM signing on the identity {identity}."},
    Row{Code::identity_address_override, "identity-address-override", Severity::error,
        "{address} has an identity of its own; {effect}",
        "Delete the address identity {address}, or enable DKIM and MAIL FROM on it."},
    Row{Code::only_amazonses_signature, "only-amazonses-signature", Severity::error,
        "Only d=amazonses.com will sign; it never aligns with {from}", "Set up Easy DKIM for {domain}."},
    Row{Code::dmarc_none_aligned, "dmarc-none-aligned", Severity::error,
        "DMARC will fail: neither DKIM nor SPF aligns with {from}",
        "Set up Easy DKIM for {domain} first, then a custom MAIL FROM domain below it."},
    Row{Code::mailfrom_default, "mailfrom-default", Severity::warning,
        "SPF will pass for {default}, not aligned with {from}; DMARC rests on DKIM alone",
        "Configure a custom MAIL FROM domain for {identity}."},
    Row{Code::mailfrom_fallback, "mailfrom-fallback", Severity::warning,
        "The custom MAIL FROM {domain} is {status}; SES uses {default} instead, which does not align",
        "Publish exactly one MX for {domain}: 10 feedback-smtp.{region}.amazonses.com, then restart the set-up."},
    Row{Code::mailfrom_reject, "mailfrom-reject", Severity::error,
        "SES will refuse this message: MAIL FROM {domain} is {status} and the identity says REJECT_MESSAGE",
        "Publish exactly one MX for {domain}: 10 feedback-smtp.{region}.amazonses.com, or choose USE_DEFAULT_VALUE."},
    Row{Code::mailfrom_mx, "mailfrom-mx", Severity::error,
        "MX of {domain} is {found}; SES needs exactly one feedback-smtp host",
        "Publish exactly one MX for {domain}: 10 feedback-smtp.{region}.amazonses.com."},
    Row{Code::mailfrom_spf, "mailfrom-spf", Severity::error,
        "SPF of {domain} gives {result} for {which} of SES: {reason}",
        "Publish at {domain}: TXT \"v=spf1 include:amazonses.com ~all\"."},
    Row{Code::spf_strict_never, "spf-strict-never", Severity::warning,
        "aspf=s cannot be met: the envelope sender is always {domain}, From is {from}",
        "Use aspf=r at {record}, or rely on DKIM."},
    Row{Code::dkim_strict_parent, "dkim-strict-parent", Severity::error, "adkim=s, but d={domain} signs for {from}",
        "Verify {from} as an identity of its own, or use adkim=r at {record}."},
    Row{Code::orgdomain_split, "orgdomain-split", Severity::warning,
        "{from} and {domain} align for receivers of {yes}, not for those of {no}",
        "Publish a DMARC record at _dmarc.{org}, or verify {from} as an identity of its own."},
    Row{Code::dmarc_absent, "dmarc-absent", Severity::warning, "There is no DMARC policy for {from}",
        "Publish _dmarc.{org} TXT \"v=DMARC1; p=none; rua=mailto:...\" and read the reports."},
    Row{Code::dmarc_invalid, "dmarc-invalid", Severity::warning, "A DMARC record is unusable ({reason}); {effect}",
        "Mend the record: v=DMARC1 first, then a valid p=, and only one record at the name."},
    Row{Code::dmarc_temperror, "dmarc-temperror", Severity::unknown, "{what} is unknown: {reason}",
        "Let the mail pass; look at the DNS servers of {from}."},
    Row{Code::from_unverified, "from-unverified", Severity::error,
        "{field} {address} is not verified in {region}; SES will answer 554",
        "Verify its domain in {region}, rewrite the address, or send this mail by another route."},
    Row{Code::null_sender, "null-sender", Severity::error, "The envelope sender is empty; SES will answer 501",
        "Route bounces and automatic replies elsewhere, or give them an envelope sender."},
    Row{Code::dup_header, "dup-header", Severity::error,
        "Header field {name} occurs {count} times; SES will answer 554", "Remove the surplus {name} before the relay."},
    Row{Code::upstream_sig_will_break, "upstream-sig-will-break", Severity::info,
        "The signature d={domain} on the message covers {name}, which SES changes; it will not verify",
        "Do not sign {name} before SES, or do not count on this signature."},
    Row{Code::from_ambiguous, "from-ambiguous", Severity::error,
        "The author is not clear ({reason}); receivers will not evaluate DMARC",
        "Send exactly one From field with addresses of one domain."},
    Row{Code::owner_settings_unknown, "owner-settings-unknown", Severity::unknown,
        "The message names the identity of another account ({arn}); its settings are not visible here",
        "Check DKIM and MAIL FROM with the account that owns the identity."},
    Row{Code::sending_blocked, "sending-blocked", Severity::error, "{identity} may not send: {reason}",
        "See the identity's verification status in SES; this is not a matter of DMARC."},
    Row{Code::too_many_recipients, "too-many-recipients", Severity::error,
        "{count} recipients; SES takes 50 per message and refuses this one",
        "Set smtp_destination_recipient_limit = 50 for the transport to SES."},
};

constexpr bool rows_in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (static_cast<std::size_t>(kRows[i].code) != i) return false;
  return kRows.size() == static_cast<std::size_t>(Code::too_many_recipients) + 1;
}
static_assert(rows_in_order());

const Row& row(Code code) {
  return kRows[static_cast<std::size_t>(code)];
}

using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;

std::string fill(std::string_view pattern, Fields fields) {
  constexpr std::size_t kMaxValue = 400;
  std::string text;
  for (std::size_t at = 0; at < pattern.size();) {
    const auto open = pattern.find('{', at);
    text += pattern.substr(at, open - at);
    if (open == std::string_view::npos) break;
    const auto close = pattern.find('}', open);
    const auto name = pattern.substr(open + 1, close - open - 1);
    for (const auto& [key, value] : fields)
      if (key == name) text += printable(value, kMaxValue);
    at = close + 1;
  }
  return text;
}

}  // namespace

const char* to_string(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::info:
      return "info";
    case Severity::unknown:
      break;
  }
  return "unknown";
}

const char* to_string(Code code) {
  return row(code).name.data();
}

std::string findings_text() {
  std::string text =
      "# Findings\n\n"
      "A prediction lists what was found under codes that do not change. Words in braces are filled in; the severity "
      "is the\n"
      "usual one, and may be another where the finding weighs more or less for a message.\n";
  for (const auto& entry : kRows) {
    text += "\n## " + std::string(entry.name) + "\n\n*" + to_string(entry.severity) + "*: ";
    text += std::string(entry.text) + ".\n" + std::string(entry.advice) + "\n";
  }
  return text;
}

Finding make_finding(Code code, Fields fields) {
  return make_finding(code, row(code).severity, fields);
}

Finding make_finding(Code code, Severity severity, Fields fields) {
  return {code, severity, fill(row(code).text, fields), fill(row(code).advice, fields)};
}

}  // namespace sesame::ses
