// policyd-spf.conf(5), of spf-engine 3.0: postfix-policyd-spf-python and pyspf-milter.
#include <array>

#include "import.h"

namespace sesame::cli::importer {
namespace {

using enum Remark::Kind;

constexpr std::string_view kNoReject =
    "Sesame rejects nothing for SPF alone: the result counts for DMARC, and stands in Authentication-Results. Where "
    "SPF "
    "must reject, keep policyd-spf";
constexpr std::string_view kNoBypass = "nothing is rejected for SPF alone, so nobody has to be spared";
constexpr std::string_view kRestriction = "Sesame calls no access table of Postfix";
constexpr std::string_view kProcess = "is the service manager's: see the unit sesame-milter.service";

void lists_of_hosts(Draft& /*draft*/, const Statement& /*statement*/) {}

// carry_policyd_id() takes it.
void after_the_others(Draft& /*draft*/, const Statement& /*statement*/) {}

// Rejecting is what differs.
void reject(Draft& draft, const Statement& statement) {
  if (statement.value != "False" && statement.value != "No_Check") draft.remark(missing, statement, kNoReject);
}

void permerror(Draft& draft, const Statement& statement) {
  if (statement.value == "True") draft.remark(missing, statement, kNoReject);
}

void temperror(Draft& draft, const Statement& statement) {
  if (statement.value != "True") return draft.set("inbound.tempfail_on_temperror", "false", statement);
  draft.set("inbound.tempfail_on_temperror", "true", statement);
  draft.remark(differs, statement, "where DMARC is undecided, not wherever SPF is");
}

void test_only(Draft& draft, const Statement& statement) {
  if (statement.value == "0")
    draft.remark(differs, statement,
                 "nothing is rejected; Sesame, too, only observes until inbound.on_* says otherwise");
}

void header_type(Draft& draft, const Statement& statement) {
  if (statement.value != "AR")
    draft.remark(missing, statement, "Sesame writes Authentication-Results, and no Received-SPF");
}

void void_limit(Draft& draft, const Statement& statement) {
  if (const auto limit = integer(draft, statement))
    draft.set_figure("limits.spf_void_lookups", static_cast<double>(*limit), statement);
}

constexpr auto kRules = std::to_array<Rule>({
    {"Authserv_Id", after_the_others},
    {"debugLevel", nullptr, "one event per message is logged in any case; log.level is of Sesame's own log"},
    {"defaultSeedOnly", test_only},
    {"Domain_Whitelist", nullptr, kNoBypass},
    {"Domain_Whitelist_PTR", nullptr, kNoBypass},
    {"Header_Type", header_type},
    {"HELO_pass_restriction", nullptr, kRestriction},
    {"HELO_reject", reject},
    {"HELO_Whitelist", nullptr, kNoBypass},
    {"Hide_Receiver", nullptr, "Sesame writes no receiver into its fields"},
    {"InternalHosts", lists_of_hosts},
    {"IntHosts", nullptr, "is for the milter's own use"},
    {"Lookup_Time", carry_dns_timeout},
    {"MacroList", nullptr, "outbound.daemon_names and outbound.networks say which mail is ours"},
    {"Mail_From_pass_restriction", nullptr, kRestriction},
    {"Mail_From_reject", reject},
    {"Mock", nullptr, "no field is needed before Sesame's"},
    {"No_Mail", nullptr, kNoReject},
    {"Per_User", nullptr,
     "Sesame's settings are of the host; outbound mail may differ by domain: [[outbound.override]]"},
    {"PermError_reject", permerror},
    {"PidFile", nullptr, kProcess},
    {"Prospective", nullptr, "sesame spf --ip ADDRESS tells it by hand"},
    {"QueueID", nullptr, "the queue id stands in every event"},
    {"Reason_Message", nullptr, kNoReject},
    {"Reject_Not_Pass_Domains", nullptr, kNoReject},
    {"skip_addresses", lists_of_hosts},
    {"Socket", carry_socket},
    {"SPF_Enhanced_Status_Codes", nullptr, kNoReject},
    {"TempError_Defer", temperror},
    {"TestOnly", test_only},
    {"UMask", nullptr, "the unit's UMask= is the mode of the socket and of files"},
    {"UserID", carry_user},
    {"Void_Limit", void_limit},
    {"Whitelist", nullptr, kNoBypass},
    {"Whitelist_Lookup_Time", nullptr, kNoBypass},
});

}  // namespace

std::span<const Rule> policyd_spf_rules() {
  return kRules;
}

void carry_policyd_id(Draft& draft, const std::vector<Source>& sources) {
  for (const auto& source : sources) {
    const auto* id = source.owner == Owner::policyd_spf ? source.find("Authserv_Id") : nullptr;
    const auto* type = id ? source.find("Header_Type") : nullptr;
    if (type && type->value.find("AR") != std::string::npos)
      carry_authserv_id(draft, *id);
    else if (id)
      draft.remark(missing, *id, "is of no effect without Header_Type = AR");
  }
}

}  // namespace sesame::cli::importer
