// opendmarc.conf(5), of opendmarc 1.4.
#include <unistd.h>

#include <array>

#include "import.h"
#include "util/file.h"
#include "util/text.h"

namespace sesame::cli::importer {
namespace {

using enum Remark::Kind;

constexpr std::string_view kProcess = "is the service manager's: see the unit sesame-milter.service";
constexpr std::string_view kReports = "Sesame sends no reports, neither failure reports nor aggregate ones";
constexpr std::string_view kHistory =
    "Sesame keeps a history of its own (history.store), from which opendmarc-reports makes no aggregate reports";
constexpr std::string_view kSpf = "Sesame checks SPF itself, always, and believes no field that says so";
constexpr std::size_t kMaxFile = 1 << 20;

void lists_of_hosts(Draft& /*draft*/, const Statement& /*statement*/) {}

void hold_quarantined(Draft& draft, const Statement& statement) {
  if (const auto yes = truth(draft, statement))
    draft.set("inbound.on_policy_quarantine", *yes ? "quarantine" : "observe", statement);
}

void ignore_authenticated(Draft& draft, const Statement& statement) {
  if (!truth(draft, statement).value_or(true))
    draft.remark(differs, statement, "mail of authenticated clients is outbound: predicted, not verified");
}

void ignore_mail_from(Draft& draft, const Statement& statement) {
  carry_domains(draft, statement, "ignore.from_domains", comma_list(statement.value));
  draft.remark(differs, statement, "domains below these are ignored with them; and From can be forged");
}

void public_suffix_list(Draft& draft, const Statement& statement) {
  if (access(statement.value.c_str(), R_OK) != 0)
    return draft.remark(fault, statement, "cannot be read; the list of the system serves");
  draft.set("public_suffix_list", statement.value, statement);
}

void reject_failures(Draft& draft, const Statement& statement) {
  const auto yes = truth(draft, statement);
  if (!yes) return;
  draft.set("inbound.on_policy_reject", *yes ? "reject" : "observe", statement);
  draft.set("inbound.tempfail_on_temperror", *yes ? "true" : "false", statement);
  if (*yes)
    draft.remark(differs, statement,
                 "opendmarc spares the share of mail that pct= says; Sesame follows RFC 9989, which has no pct=, and "
                 "rejects all that fails. Try it first: sesame policy simulate --on-policy-reject reject");
}

void bad_author(Draft& draft, const Statement& statement) {
  if (!truth(draft, statement).value_or(false)) return;
  draft.set("inbound.on_bad_author", "reject", statement);
  draft.remark(differs, statement,
               "of a From field that is missing, repeated, unreadable or of several domains alike; no "
               "other field is minded");
}

void trusted_ids(Draft& draft, const Statement& statement) {
  std::vector<std::string> names;
  for (const auto& name : comma_list(statement.value))
    if (name != "HOSTNAME") names.push_back(name);
  if (names.empty()) return;
  draft.add("inbound.own_ids", names, statement);
  draft.remark(
      differs, statement,
      "opendmarc believes Authentication-Results under these names; Sesame judges for itself and removes them, "
      "for they could be forged. Take out those of servers before this one whose fields are still to be read");
}

void trusted_sealers(Draft& draft, const Statement& statement) {
  draft.add("inbound.trusted_arc_sealers", comma_list(statement.value), statement);
  draft.remark(differs, statement,
               "all who sealed after the one that saw DMARC pass must be listed, and the result stays fail");
}

void trusted_sealers_file(Draft& draft, const Statement& statement) {
  const auto text = read_file(statement.value, kMaxFile);
  if (!text || !*text) return draft.remark(fault, statement, "cannot be read");
  std::vector<std::string> domains;
  for (const auto line : split(**text, '\n')) {
    const auto domain = trim(line.substr(0, line.find('#')));
    if (!domain.empty()) domains.emplace_back(domain);
  }
  draft.add("inbound.trusted_arc_sealers", domains, statement);
}

constexpr auto kRules = std::to_array<Rule>({
    {"AuthservID", carry_authserv_id},
    {"AuthservIDWithJobID", nullptr, "the queue id stands in the log event"},
    {"AutoRestart", nullptr, kProcess},
    {"AutoRestartCount", nullptr, kProcess},
    {"AutoRestartRate", nullptr, kProcess},
    {"Background", nullptr, kProcess},
    {"BaseDirectory", nullptr, kProcess},
    {"ChangeRootDirectory", nullptr, kProcess},
    {"CopyFailuresTo", nullptr, "Sesame adds no recipients; inbound.on_policy_reject = \"quarantine\" holds mail"},
    {"DNSTimeout", carry_dns_timeout},
    {"DomainWhitelist", trusted_sealers},
    {"DomainWhitelistFile", trusted_sealers_file},
    {"DomainWhitelistSize", nullptr, "inbound.trusted_arc_sealers takes any number"},
    {"EnableCoredumps", nullptr, kProcess},
    {"FailureReports", nullptr, kReports},
    {"FailureReportsBcc", nullptr, kReports},
    {"FailureReportsOnNone", nullptr, kReports},
    {"FailureReportsSentBy", nullptr, kReports},
    {"ForensicReports", nullptr, kReports},
    {"ForensicReportsBcc", nullptr, kReports},
    {"ForensicReportsOnNone", nullptr, kReports},
    {"ForensicReportsSentBy", nullptr, kReports},
    {"HistoryFile", nullptr, kHistory},
    {"HoldQuarantinedMessages", hold_quarantined},
    {"IgnoreAuthenticatedClients", ignore_authenticated},
    {"IgnoreHosts", lists_of_hosts},
    {"IgnoreMailFrom", ignore_mail_from},
    {"IgnoreMailTo", nullptr, kHistory},
    {"MilterDebug", nullptr, "log.level is of Sesame's own log"},
    {"PidFile", nullptr, kProcess},
    {"PublicSuffixList", public_suffix_list},
    {"RecordAllMessages", nullptr, kHistory},
    {"RejectFailures", reject_failures},
    {"RejectMultiValueFrom", bad_author},
    {"RejectString", nullptr, "the reply says why DMARC failed"},
    {"ReportCommand", nullptr, kReports},
    {"RequiredHeaders", bad_author},
    {"Socket", carry_socket},
    {"SoftwareHeader", nullptr, "Sesame adds no field that says it was there"},
    {"SPFIgnoreResults", nullptr, kSpf},
    {"SPFSelfValidate", nullptr, kSpf},
    {"Syslog", carry_syslog},
    {"SyslogFacility", nullptr, "Sesame logs as mail"},
    {"SyslogName", nullptr, "Sesame logs as sesame-milter"},
    {"TemporaryDirectory", nullptr, "Sesame keeps no copy of a message"},
    {"TestDNSData", nullptr, "is for tests of opendmarc"},
    {"TrustedAuthservIDs", trusted_ids},
    {"UMask", nullptr, "the unit's UMask= is the mode of the socket and of files"},
    {"UserID", carry_user},
});

}  // namespace

std::span<const Rule> opendmarc_rules() {
  return kRules;
}

}  // namespace sesame::cli::importer
