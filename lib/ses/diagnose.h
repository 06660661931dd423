// The findings: stable codes, each with its severity, text and advice, from one table.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sesame::ses {

enum class Severity { error, warning, info, unknown };
const char* to_string(Severity severity);

enum class Code {
  dkim_records_flap,
  dkim_past_fault,
  dkim_txt_servfail,
  dns_dnssec_bogus,
  dns_delegation_mismatch,
  dkim_cname_missing,
  dkim_name_doubled,
  dkim_cname_target,
  dkim_cname_proxied,
  dkim_ok,
  dkim_no_key,
  dkim_rotating,
  dkim_key_weak,
  dkim_key_bad,
  dkim_pending,
  dkim_failed,
  dkim_lost,
  dkim_revoked,
  dkim_disabled,
  identity_address_override,
  region_not_set_up,
  only_amazonses_signature,
  dkim_broken_after,
  dkim_temperror_partial,
  dmarc_none_aligned,
  mailfrom_default,
  mailfrom_fallback,
  mailfrom_reject,
  mailfrom_mx,
  mailfrom_spf,
  spf_apex_irrelevant,
  spf_strict_never,
  dkim_strict_parent,
  orgdomain_split,
  dmarc_absent,
  dmarc_invalid,
  dmarc_temperror,
  from_foreign,
  from_unverified,
  null_sender,
  dup_header,
  upstream_sig_will_break,
  from_ambiguous,
  owner_settings_unknown,
  deed_replica,
  dkim_switching,
  sending_blocked,
  ses_lint,
  too_many_recipients,
  prediction_contradicted,
};
const char* to_string(Code code);  // "dkim-cname-missing"

// Every code with its severity, text and advice, as contrib/doc/findings.md lists them (Markdown).
std::string findings_text();

// What a code stands for; {fields} are filled in when it is found.
struct Meaning {
  std::string_view code;
  Severity severity = Severity::info;
  std::string_view evidence, text, advice;  // what decides, what is so, what to do
};
std::optional<Meaning> meaning_of(std::string_view code);

struct Finding {
  Code code = Code::dkim_ok;
  Severity severity = Severity::info;
  std::string text;    // one sentence: what is so, naming the identifier and the record
  std::string advice;  // one sentence: what to do
};

// Fills the {fields} of the code's text and advice. Values are made printable.
Finding make_finding(Code code, std::initializer_list<std::pair<std::string_view, std::string>> fields);
Finding make_finding(Code code, Severity severity,
                     std::initializer_list<std::pair<std::string_view, std::string>> fields);

}  // namespace sesame::ses
