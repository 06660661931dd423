#include "ses/diagnose.h"

#include <algorithm>
#include <array>

#include "util/text.h"

namespace sesame::ses {
namespace {

struct Row {
  Code code;
  std::string_view name;
  Severity severity;
  std::string_view evidence;  // what decides
  std::string_view text;
  std::string_view advice;
};

// In the order of Code. {fields} are filled in by make_finding.
constexpr std::array kRows = {
    Row{Code::dkim_records_flap, "dkim-records-flap", Severity::error,
        "the history of answers; the API (VerificationInfo)",
        "{who} for the DKIM records of {domain}: {servers}{fault} ({how}){seen}",
        "{remedy}; keep the tokens, and do not delete and create the identity anew."},
    Row{Code::dkim_past_fault, "dkim-past-fault", Severity::warning, "the history of answers; the API",
        "The DKIM records of {domain} answer everywhere now; {fault}{checked}",
        "Wait for the next check of SES; if the status is not SUCCESS near the fifth day, put the signing attributes "
        "again and publish the tokens that come of it."},
    Row{Code::dkim_txt_servfail, "dkim-txt-servfail", Severity::error, "DNS: CNAME against TXT",
        "{name}: the CNAME answers but TXT fails ({status}); receivers and SES ask for TXT",
        "Have the DNS provider serve TXT through the CNAME, or repair DNSSEC; test with TXT, not with CNAME."},
    Row{Code::dns_dnssec_bogus, "dns-dnssec-bogus", Severity::error, "DNS with and without validation",
        "{zone} fails DNSSEC validation: validating resolvers answer SERVFAIL",
        "Mend the DS records at the parent or the signatures of {zone}; SES and most receivers may validate."},
    Row{Code::dns_delegation_mismatch, "dns-delegation-mismatch", Severity::error,
        "DNS: the servers of parent and zone",
        "The parent delegates {domain} to {parent}, its own zone lists {child}; {effect}",
        "Publish the records at the delegated servers, or mend the delegation at the registrar."},
    Row{Code::dkim_cname_missing, "dkim-cname-missing", Severity::error, "DNS", "{what} missing: {names}",
        "Publish {records}; SES stops signing when one is missing."},
    Row{Code::dkim_name_doubled, "dkim-name-doubled", Severity::error, "DNS: the name with the zone appended",
        "A DKIM record stands at {name}: the zone was entered twice",
        "Enter at your DNS provider only what stands before .{domain}, {relative}."},
    Row{Code::dkim_cname_target, "dkim-cname-target", Severity::error, "DNS; the API (SigningHostedZone)",
        "{name} points to {found}, expected {expected}{hedge}", "{remedy}."},
    Row{Code::dkim_cname_proxied, "dkim-cname-proxied", Severity::error, "DNS",
        "{name} is not a plain CNAME to {expected} (flattened, proxied or a wildcard)",
        "Turn off proxying or flattening for {name} and publish the CNAME itself."},
    Row{Code::dkim_ok, "dkim-ok", Severity::info, "DNS; the state of the account",
        "DKIM is healthy: SES signs with d={domain}, selector {selectors}",
        "Nothing to do; idle selectors with an empty TXT and a second signature d=amazonses.com are normal."},
    Row{Code::dkim_no_key, "dkim-no-key", Severity::error, "DNS",
        "No DKIM selector of {domain} holds a key: nothing that SES signs for it can verify",
        "Check that the tokens belong to this account and region ({region}); if they do, restart the DKIM set-up."},
    Row{Code::dkim_rotating, "dkim-rotating", Severity::info, "DNS",
        "DKIM key rotation of {domain} in progress ({selectors})", "Keep all three CNAMEs."},
    Row{Code::dkim_key_weak, "dkim-key-weak", Severity::warning, "DNS", "The DKIM key at {name} has {bits} bits",
        "Use a key of 2048 bits, which SES can make (NextSigningKeyLength RSA_2048_BIT) or take."},
    Row{Code::dkim_key_bad, "dkim-key-bad", Severity::error, "DNS", "The DKIM key at {name} cannot be used: {reason}",
        "Publish there one record with the whole RSA key of 1024 bits or more; mind how your DNS provider splits it."},
    Row{Code::dkim_pending, "dkim-pending", Severity::warning, "the state of the account",
        "SES {waits} for the DKIM records of {domain} (status {status}); {effect}{seen}",
        "Mail stays unsigned until the status is SUCCESS; check the records at every name server."},
    Row{Code::dkim_failed, "dkim-failed", Severity::error, "the state of the account",
        "SES gave up looking for the DKIM records of {domain} (status {status}); {effect}{seen}",
        "Mend the records, then restart the DKIM set-up in SES."},
    Row{Code::dkim_lost, "dkim-lost", Severity::error,
        "the state of the account; the history of answers and the clocks of SES",
        "SES {can} no longer confirm the DKIM records of {domain} ({evidence}); {effect}{seen}",
        "Mend the records at every name server within 5 days{end}, or SES revokes the set-up."},
    Row{Code::dkim_revoked, "dkim-revoked", Severity::error,
        "the state of the account; DNS; the history of answers and the clocks of SES",
        "SES {has} revoked the DKIM set-up of {domain} ({evidence}); the tokens published for it {serve}{seen}",
        "Repeat the DKIM set-up in SES{unless}, compare its tokens with those in DNS, and publish the new ones."},
    Row{Code::dkim_disabled, "dkim-disabled", Severity::error, "the state of the account",
        "DKIM signing {is} switched off for {identity}{hedge}", "Enable DKIM signing on the identity {identity}."},
    Row{Code::identity_address_override, "identity-address-override", Severity::error, "the identities of the account",
        "{address} has an identity of its own; {effect}",
        "Delete the address identity {address}, or enable DKIM and MAIL FROM on it."},
    Row{Code::region_not_set_up, "region-not-set-up", Severity::error, "the identities of the account by region",
        "{domain} has no DKIM set-up in {region}, though it has in {others}",
        "Set up {domain} in {region} and publish its tokens as well, or make it a replica (DEED) of the one in "
        "{others}; "
        "or send this mail through there."},
    Row{Code::only_amazonses_signature, "only-amazonses-signature", Severity::error, "the state of the account",
        "Only d=amazonses.com will sign; it never aligns with {from}", "{remedy}."},
    Row{Code::dkim_broken_after, "dkim-broken-after", Severity::warning, "mail received from SES",
        "The signature d={domain} does not verify on arrival: {reason}",
        "Look for what changes the message behind SES (footers, re-encoding); send 8-bit text as quoted-printable or "
        "base64."},
    Row{Code::dkim_temperror_partial, "dkim-temperror-partial", Severity::warning,
        "the history of answers and of reports",
        "{who} the DKIM key of {domain}; {server} is slow or fails over {transport}",
        "Mend {server}; let TCP and EDNS answers of more than 512 octets through."},
    Row{Code::dmarc_none_aligned, "dmarc-none-aligned", Severity::error, "both legs",
        "DMARC will fail: neither DKIM nor SPF aligns with {from}", "{remedy}."},
    Row{Code::mailfrom_default, "mailfrom-default", Severity::warning, "the state of the account",
        "SPF will pass for {default}, not aligned with {from}; only DKIM can carry DMARC",
        "Configure a custom MAIL FROM domain for {identity}."},
    Row{Code::mailfrom_fallback, "mailfrom-fallback", Severity::warning,
        "the state of the account; the history of answers and the clocks of SES",
        "The custom MAIL FROM {domain} is {status}; SES {uses} {default} instead, which does not align",
        "Publish exactly one MX for {domain}: 10 feedback-smtp.{region}.amazonses.com, then restart the set-up."},
    Row{Code::mailfrom_reject, "mailfrom-reject", Severity::error,
        "the state of the account; the history of answers and the clocks of SES",
        "SES {will} refuse this message: the identity says REJECT_MESSAGE, and MAIL FROM {domain} is {status}",
        "Publish exactly one MX for {domain}: 10 feedback-smtp.{region}.amazonses.com, or choose USE_DEFAULT_VALUE."},
    Row{Code::mailfrom_mx, "mailfrom-mx", Severity::error, "DNS", "MX of {domain} is {found}; {rule}", "{remedy}."},
    Row{Code::mailfrom_spf, "mailfrom-spf", Severity::error, "DNS: SPF for every address of SES",
        "SPF of {domain} gives {result} for {which} of SES: {reason}",
        "Publish at {domain} one SPF record and no other: TXT \"v=spf1 include:amazonses.com ~all\"."},
    Row{Code::spf_apex_irrelevant, "spf-apex-irrelevant", Severity::info, "DNS; the state of the account",
        "The SPF record of {domain} with include:amazonses.com is never consulted for this mail: the envelope sender "
        "is {envelope}",
        "Put the include on a custom MAIL FROM domain below {domain}."},
    Row{Code::spf_strict_never, "spf-strict-never", Severity::warning, "DNS: aspf=",
        "aspf=s cannot be met: the envelope sender is always {domain}, From is {from}", "Use aspf=r at {record}{or}."},
    Row{Code::dkim_strict_parent, "dkim-strict-parent", Severity::error,
        "DNS: adkim=", "adkim=s, but d={domain} signs for {from}",
        "Verify {from} as an identity of its own, or use adkim=r at {record}."},
    Row{Code::orgdomain_split, "orgdomain-split", Severity::warning, "DNS: tree walk against public suffix list",
        "{from} and {domain} align for receivers of {yes}, not for those of {no}",
        "Publish a DMARC record at _dmarc.{org}, or verify {from} as an identity of its own."},
    Row{Code::dmarc_absent, "dmarc-absent", Severity::warning, "DNS", "There is no DMARC policy for {from}",
        "Publish _dmarc.{org} TXT \"v=DMARC1; p=none; rua=mailto:...\" and read the reports."},
    Row{Code::dmarc_invalid, "dmarc-invalid", Severity::warning, "DNS",
        "A DMARC record is unusable ({reason}); {effect}",
        "Mend the record: v=DMARC1 first, then a valid p=, and only one record at the name."},
    Row{Code::dmarc_temperror, "dmarc-temperror", Severity::unknown, "DNS", "{what} is unknown: {reason}",
        "Let the mail pass; look at the DNS servers of {from}."},
    Row{Code::from_foreign, "from-foreign", Severity::error, "the message; the identities of the account",
        "Of the From domain {from} SES knows only the address {address}, and cannot sign for the domain",
        "Send from a domain of your own, with {address} in Reply-To; if {from} is yours, verify it as an identity."},
    Row{Code::from_unverified, "from-unverified", Severity::error, "the message; the identities of the account",
        "{field} {address} is not verified in {region}; SES will answer 554{unless}",
        "Verify its domain in {region}, rewrite the address, or send this mail by another route."},
    Row{Code::null_sender, "null-sender", Severity::error, "the envelope",
        "The envelope sender is empty; SES will answer 501",
        "Route bounces and automatic replies elsewhere, or give them an envelope sender."},
    Row{Code::dup_header, "dup-header", Severity::error, "the header",
        "Header field {name} occurs {count} times; SES will answer 554", "Remove the surplus {name} before the relay."},
    Row{Code::upstream_sig_will_break, "upstream-sig-will-break", Severity::info, "the signatures on the message",
        "The signature d={domain} on the message covers {name}, which SES changes{how}; it {effect}",
        "{remedy}, or do not count on this signature."},
    Row{Code::from_ambiguous, "from-ambiguous", Severity::error, "the header",
        "The author is not clear ({reason}); {who} will not evaluate DMARC",
        "Send exactly one From field with addresses of one domain."},
    Row{Code::owner_settings_unknown, "owner-settings-unknown", Severity::unknown,
        "the header (X-SES-SOURCE-ARN, X-SES-FROM-ARN, X-SES-RETURN-PATH-ARN)",
        "The message names the identity of another account ({arn}); its settings are not visible here",
        "Check DKIM and MAIL FROM with the account that owns the identity."},
    Row{Code::deed_replica, "deed-replica", Severity::error, "the API (VerificationInfo)",
        "The DKIM of {domain} in {region} is a replica of the one in {parent} that SES cannot use: {error}",
        "Check in {parent} that the identity exists, has Easy DKIM, is no replica itself, and that replication is "
        "allowed."},
    Row{Code::dkim_switching, "dkim-switching", Severity::error, "the state of the account; the snapshot before",
        "The signing method of {domain} changed ({change}), and SES has not confirmed the new one; {effect}",
        "Publish the records of the new method and wait for SUCCESS; let the old records stand until then."},
    Row{Code::sending_blocked, "sending-blocked", Severity::error, "the API (GetAccount, VerifiedForSendingStatus)",
        "{identity} may not send this message: {reason}{unless}",
        "Have the block lifted in SES (verification, sending, enforcement, or the sandbox); DMARC has no part in it."},
    Row{Code::ses_lint, "ses-lint", Severity::warning, "the message", "The message has {what}; {effect}", "{remedy}"},
    Row{Code::too_many_recipients, "too-many-recipients", Severity::error, "the envelope",
        "{count} recipients; SES takes 50 per message and refuses this one",
        "Set smtp_destination_recipient_limit = 50 for the transport to SES."},
    Row{Code::prediction_contradicted, "prediction-contradicted", Severity::warning, "mail received from SES",
        "Mail of {domain} came back through SES on {time} {how}",
        "Compare dkim.tokens, the region and the MAIL FROM settings here with the SES account; run sesame sync."},
};

constexpr bool rows_in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (static_cast<std::size_t>(kRows[i].code) != i) return false;
  return kRows.size() == static_cast<std::size_t>(Code::prediction_contradicted) + 1;
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
    text += "Decided by: " + std::string(entry.evidence) + ".\n";
  }
  return text;
}

std::optional<Meaning> meaning_of(std::string_view code) {
  const auto entry = std::ranges::find(kRows, code, &Row::name);
  if (entry == kRows.end()) return std::nullopt;
  return Meaning{entry->name, entry->severity, entry->evidence, entry->text, entry->advice};
}

Finding make_finding(Code code, Fields fields) {
  return make_finding(code, row(code).severity, fields);
}

Finding make_finding(Code code, Severity severity, Fields fields) {
  return {code, severity, fill(row(code).text, fields), fill(row(code).advice, fields)};
}

}  // namespace sesame::ses
