// opendkim.conf(5), of opendkim 2.11.
#include <fmt/core.h>

#include <array>

#include "import.h"
#include "util/text.h"

namespace sesame::cli::importer {
namespace {

using enum Remark::Kind;

constexpr std::string_view kSigns = "SES signs; Sesame has no signer";
constexpr std::string_view kProcess = "is the service manager's: see the unit sesame-milter.service";
constexpr std::string_view kReports = "Sesame sends no reports about other people's signatures";
constexpr std::string_view kStatistics = "Sesame keeps its own: history.store, sesame report, /metrics";
constexpr std::string_view kLua = "Sesame runs no scripts";
constexpr std::string_view kDatabase = "Sesame reads its lists from sesame.toml alone";
constexpr std::string_view kLog = "one event per message is logged in any case, with the result of each signature";
constexpr std::string_view kResolver = "Sesame asks the servers named in dns.servers or /etc/resolv.conf itself";
constexpr std::string_view kStrict = "a signature is judged by RFC 6376 and RFC 8301 alone";
constexpr std::string_view kVouch = "Sesame knows no VBR";
constexpr std::string_view kTest = "is for tests of opendkim";
constexpr std::string_view kAlways = "Sesame writes Authentication-Results with every result into all received mail";
constexpr std::string_view kDkimAlone =
    "DKIM alone decides nothing in Sesame: what fails DMARC is for inbound.on_policy_reject and "
    "inbound.on_policy_quarantine";
constexpr std::string_view kSocketMode = "the unit's UMask= is the mode of the socket and of files";
constexpr std::string_view kGone = "opendkim itself no longer has it";
// carry_hosts() takes these.
void lists_of_hosts(Draft& /*draft*/, const Statement& /*statement*/) {}

void clock_drift(Draft& draft, const Statement& statement) {
  if (const auto seconds = integer(draft, statement))
    draft.set_figure("limits.clock_skew", static_cast<double>(*seconds), statement);
}

void maximum_headers(Draft& draft, const Statement& statement) {
  const auto octets = integer(draft, statement);
  if (!octets) return;
  draft.set_figure("limits.header_size", *octets == 0 ? 1e12 : static_cast<double>(*octets), statement);
  draft.remark(differs, statement, "opendkim rejects a larger header; Sesame lets the message pass and judges nothing");
}

void maximum_signatures(Draft& draft, const Statement& statement) {
  if (const auto count = integer(draft, statement))
    draft.set_figure("limits.dkim_signatures", static_cast<double>(*count), statement);
}

void mode(Draft& draft, const Statement& statement) {
  if (statement.value.find('s') != std::string::npos) draft.remark(missing, statement, kSigns);
  if (statement.value.find('v') == std::string::npos)
    draft.remark(differs, statement, "does not verify; Sesame verifies all received mail");
}

void name_servers(Draft& draft, const Statement& statement) {
  draft.add("dns.servers", comma_list(statement.value), statement);
}

void on_dns_error(Draft& draft, const Statement& statement) {
  // Words or their first letters.
  const char action = to_lower(statement.value.front());
  if (action == 'a') return draft.set("inbound.tempfail_on_temperror", "false", statement);
  if (action == 't') {
    draft.set("inbound.tempfail_on_temperror", "true", statement);
    return draft.remark(differs, statement, "where DMARC is undecided, not where any signature is");
  }
  draft.remark(missing, statement,
               "unknown is never acted upon; inbound.tempfail_on_temperror asks the sender to try again");
}

void on_result(Draft& draft, const Statement& statement) {
  if (to_lower(statement.value.front()) != 'a') draft.remark(missing, statement, kDkimAlone);
}

void remove_ar_from(Draft& draft, const Statement& statement) {
  const auto names = read_data_set(statement.value);
  if (!names) return draft.remark(fault, statement, names.error().message);
  std::vector<std::string> hosts;
  for (const auto& name : *names) {
    if (name.starts_with('.') || name.find('*') != std::string::npos)
      draft.remark(missing, statement, "\"" + name + "\" stands for many; inbound.own_ids takes full names");
    else
      hosts.push_back(name);
  }
  draft.add("inbound.own_ids", hosts, statement);
  draft.remark(differs, statement,
               "all Authentication-Results under these names are removed, not those with DKIM only");
}

void exempt_domains(Draft& draft, const Statement& statement) {
  const auto domains = read_data_set(statement.value);
  if (!domains) return draft.remark(fault, statement, domains.error().message);
  carry_domains(draft, statement, "ignore.from_domains", *domains);
  draft.remark(differs, statement, "domains below these are ignored with them; and From can be forged");
}

void mta_names(Draft& draft, const Statement& statement) {
  const auto names = read_data_set(statement.value);
  if (!names) return draft.remark(fault, statement, names.error().message);
  draft.add("outbound.daemon_names", *names, statement);
}

// NAME or NAME|VALUE|VALUE.
void macro_list(Draft& draft, const Statement& statement) {
  const auto macros = read_data_set(statement.value);
  if (!macros) return draft.remark(fault, statement, macros.error().message);
  for (const auto& macro : *macros) {
    const auto parts = split(macro, '|');
    std::string name(parts.front());
    std::erase_if(name, [](char c) { return c == '{' || c == '}'; });
    if (name == "daemon_name" && parts.size() > 1)
      draft.add("outbound.daemon_names", {parts.begin() + 1, parts.end()}, statement);
    else if (!name.starts_with("auth_"))
      draft.remark(missing, statement, "Sesame does not look at {" + name + "} to tell mail of ours");
    // An authenticated client's mail is outbound in any case.
  }
}

void required_headers(Draft& draft, const Statement& statement) {
  if (!truth(draft, statement).value_or(false)) return;
  draft.set("inbound.on_bad_author", "reject", statement);
  draft.remark(differs, statement, "Sesame minds the From field only");
}

void keep_results(Draft& draft, const Statement& statement) {
  if (truth(draft, statement).value_or(false))
    draft.remark(differs, statement, "Authentication-Results that arrive under our name are forged and removed");
}

constexpr auto kRules = std::to_array<Rule>({
    {"AddAllSignatureResults", nullptr, kAlways},
    {"ADSPAction", nullptr, kGone},
    {"ADSPNoSuchDomain", nullptr, kGone},
    {"AllowSHA1Only", nullptr, kStrict},
    {"AlwaysAddARHeader", nullptr, kAlways},
    {"AnonymousStatistics", nullptr, kStatistics},
    {"ATPSDomains", nullptr, "Sesame knows no ATPS"},
    {"ATPSHashAlgorithm", nullptr, "Sesame knows no ATPS"},
    {"AuthservID", carry_authserv_id},
    {"AuthservIDWithJobID", nullptr, "the queue id stands in the log event"},
    {"AutoRestart", nullptr, kProcess},
    {"AutoRestartCount", nullptr, kProcess},
    {"AutoRestartRate", nullptr, kProcess},
    {"Background", nullptr, kProcess},
    {"BaseDirectory", nullptr, kProcess},
    {"BodyLengthDB", nullptr, kSigns},
    {"BogusKey", nullptr, kResolver},
    {"BogusPolicy", nullptr, kGone},
    {"Canonicalization", nullptr, kSigns},
    {"CaptureUnknownErrors", nullptr, "a message that Sesame cannot judge passes unjudged"},
    {"ChangeRootDirectory", nullptr, kProcess},
    {"ClockDrift", clock_drift},
    {"DefaultSender", nullptr, kGone},
    {"DiagnosticDirectory", nullptr, kReports},
    {"Diagnostics", nullptr, kSigns},
    {"DisableADSP", nullptr, kGone},
    {"DisableCryptoInit", nullptr, kProcess},
    {"DNSConnect", nullptr, kResolver},
    {"DNSTimeout", carry_dns_timeout},
    {"Domain", nullptr, "SES signs; tell Sesame of its identities: ses.snapshot or [[ses.identity]]"},
    {"DomainKeysCompat", nullptr, kStrict},
    {"DontSignMailTo", nullptr, kSigns},
    {"EnableCoredumps", nullptr, kProcess},
    {"ExemptDomains", exempt_domains},
    {"ExternalIgnoreList", lists_of_hosts},
    {"FinalPolicyScript", nullptr, kLua},
    {"FixCRLF", nullptr, kSigns},
    {"IdentityHeader", nullptr, kSigns},
    {"IdentityHeaderRemove", nullptr, kSigns},
    {"IgnoreMalformedMail", nullptr, kAlways},
    {"InternalHosts", lists_of_hosts},
    {"KeepAuthResults", keep_results},
    {"KeepTemporaryFiles", nullptr, kTest},
    {"KeyFile", nullptr, kSigns},
    {"KeyTable", nullptr, "SES signs; tell Sesame of its identities: ses.snapshot or [[ses.identity]]"},
    {"LDAPAuthMechanism", nullptr, kDatabase},
    {"LDAPAuthName", nullptr, kDatabase},
    {"LDAPAuthRealm", nullptr, kDatabase},
    {"LDAPAuthUser", nullptr, kDatabase},
    {"LDAPBindPassword", nullptr, kDatabase},
    {"LDAPBindUser", nullptr, kDatabase},
    {"LDAPDisableCache", nullptr, kDatabase},
    {"LDAPKeepaliveIdle", nullptr, kDatabase},
    {"LDAPKeepaliveInterval", nullptr, kDatabase},
    {"LDAPKeepaliveProbes", nullptr, kDatabase},
    {"LDAPSoftStart", nullptr, kDatabase},
    {"LDAPTimeout", nullptr, kDatabase},
    {"LDAPUseTLS", nullptr, kDatabase},
    {"LocalADSP", nullptr, kGone},
    {"LogResults", nullptr, kLog},
    {"LogWhy", nullptr, kLog},
    {"MacroList", macro_list},
    {"MaximumHeaders", maximum_headers},
    {"MaximumSignaturesToVerify", maximum_signatures},
    {"MaximumSignedBytes", nullptr, kSigns},
    {"MilterDebug", nullptr, "log.level is of Sesame's own log"},
    {"Minimum", nullptr, kStrict},
    {"MinimumKeyBits", nullptr, "RSA keys under 1024 bits prove nothing (RFC 8301)"},
    {"Mode", mode},
    {"MTA", mta_names},
    {"MTACommand", nullptr, kReports},
    {"MultipleSignatures", nullptr, kSigns},
    {"MustBeSigned", nullptr, kStrict},
    {"Nameservers", name_servers},
    {"NoDiscardableMailTo", nullptr, kGone},
    {"NoHeaderB", nullptr, "header.b is written where signatures could be confused"},
    {"OmitHeaders", nullptr, kSigns},
    {"On-BadSignature", on_result},
    {"On-Default", on_result},
    {"On-DNSError", on_dns_error},
    {"On-InternalError", nullptr, "a message that Sesame cannot judge passes unjudged"},
    {"On-KeyNotFound", on_result},
    {"On-NoSignature", on_result},
    {"On-PolicyError", nullptr, kGone},
    {"On-Security", on_result},
    {"On-SignatureError", nullptr, kSigns},
    {"OversignHeaders", nullptr, kSigns},
    {"PeerList", lists_of_hosts},
    {"PidFile", nullptr, kProcess},
    {"POPDBFile", nullptr, kSigns},
    {"Quarantine", nullptr, kDkimAlone},
    {"QueryCache", nullptr, "dns.cache_size: Sesame has a cache of its own in any case"},
    {"RedirectFailuresTo", nullptr, "Sesame redirects nothing; inbound.on_policy_reject = \"quarantine\" holds mail"},
    {"RemoveARAll", nullptr, "all Authentication-Results under authserv_id and inbound.own_ids are removed"},
    {"RemoveARFrom", remove_ar_from},
    {"RemoveOldSignatures", nullptr, "see repair.upstream_signatures"},
    {"ReplaceHeaders", nullptr, kSigns},
    {"ReplaceRules", nullptr, kSigns},
    {"ReportAddress", nullptr, kReports},
    {"ReportBccAddress", nullptr, kReports},
    {"RequestReports", nullptr, kSigns},
    {"RequiredHeaders", required_headers},
    {"RequireSafeKeys", nullptr, kSigns},
    {"ResignAll", nullptr, kSigns},
    {"ResignMailTo", nullptr, kSigns},
    {"ResolverConfiguration", nullptr, kResolver},
    {"ResolverTracing", nullptr, kResolver},
    {"ScreenPolicyScript", nullptr, kLua},
    {"SelectCanonicalizationHeader", nullptr, kSigns},
    {"Selector", nullptr, kSigns},
    {"SendADSPReports", nullptr, kGone},
    {"SenderHeaders", nullptr, "the author is From, as in DMARC"},
    {"SenderMacro", nullptr, "the author is From, as in DMARC"},
    {"SendReports", nullptr, kReports},
    {"SetupPolicyScript", nullptr, kLua},
    {"SignatureAlgorithm", nullptr, kSigns},
    {"SignatureTTL", nullptr, kSigns},
    {"SignHeaders", nullptr, kSigns},
    {"SigningTable", nullptr, kSigns},
    {"SMTPURI", nullptr, kReports},
    {"Socket", carry_socket},
    {"SoftStart", nullptr, kDatabase},
    {"SoftwareHeader", nullptr, "Sesame adds no field that says it was there"},
    {"Statistics", nullptr, kStatistics},
    {"StatisticsName", nullptr, kStatistics},
    {"StatisticsPolicyScript", nullptr, kLua},
    {"StatisticsPrefix", nullptr, kStatistics},
    {"StrictHeaders", nullptr, kStrict},
    {"StrictTestMode", nullptr, kTest},
    {"SubDomains", nullptr, kSigns},
    {"Syslog", carry_syslog},
    {"SyslogFacility", nullptr, "Sesame logs as mail"},
    {"SyslogName", nullptr, "Sesame logs as sesame-milter"},
    {"SyslogSuccess", nullptr, kLog},
    {"TemporaryDirectory", nullptr, "Sesame keeps no copy of a message"},
    {"TestDNSData", nullptr, kTest},
    {"TestPublicKeys", nullptr, kTest},
    {"TrustAnchorFile", nullptr, "Sesame does not verify DNSSEC; a resolver on the host does it for all programs"},
    {"TrustSignaturesFrom", nullptr, "DMARC counts signatures of the author's domain only"},
    {"UMask", nullptr, kSocketMode},
    {"UnprotectedKey", nullptr, kResolver},
    {"UnprotectedPolicy", nullptr, kGone},
    {"UserID", carry_user},
    {"VBR-Certifiers", nullptr, kVouch},
    {"VBR-PurgeFields", nullptr, kVouch},
    {"VBR-TrustedCertifiers", nullptr, kVouch},
    {"VBR-TrustedCertifiersOnly", nullptr, kVouch},
    {"VBR-Type", nullptr, kVouch},
    {"WeakSyntaxChecks", nullptr, kStrict},
    {"X-Header", nullptr, kGone},
});

}  // namespace

std::span<const Rule> opendkim_rules() {
  return kRules;
}

}  // namespace sesame::cli::importer
