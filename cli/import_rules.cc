// What the keys of several owners become.
#include <algorithm>
#include <cmath>

#include "import.h"
#include "util/text.h"

namespace sesame::cli::importer {

void carry_authserv_id(Draft& draft, const Statement& statement) {
  if (statement.value == "HOSTNAME")
    return draft.remark(Remark::Kind::differs, statement,
                        "the host's name, which is Sesame's default where it is a host name");
  const auto* held = draft.find("authserv_id");
  draft.set("authserv_id", statement.value, statement);
  // What still arrives under the other name would be believed as before.
  if (held && held->front() != statement.value) draft.add("inbound.own_ids", {statement.value}, statement);
}

void carry_dns_timeout(Draft& draft, const Statement& statement) {
  const auto seconds = integer(draft, statement);
  if (!seconds) return;
  if (*seconds < 0) return draft.remark(Remark::Kind::fault, statement, "is less than nothing");
  // 0 is no end, which Sesame does not offer: mail would wait.
  const bool held = draft.find("dns.budget") != nullptr;
  draft.set_figure("dns.budget", *seconds == 0 ? HUGE_VAL : static_cast<double>(*seconds), statement);
  constexpr long kDefaultTimeout = 2;
  if (!held && *seconds > 0 && *seconds <= kDefaultTimeout)
    draft.set_figure("dns.timeout", static_cast<double>(*seconds) / 2, statement);
  draft.remark(Remark::Kind::differs, statement,
               "is of one look-up; dns.budget is of all look-ups of a message together");
}

void carry_syslog(Draft& draft, const Statement& statement) {
  if (truth(draft, statement).value_or(false)) draft.set("log.destination", "syslog", statement);
}

void carry_socket(Draft& draft, const Statement& statement) {
  draft.remark(
      Remark::Kind::missing, statement,
      "is in use until you have switched over; Sesame listens at milter.socket, which is to be named in the MTA "
      "instead");
}

void carry_user(Draft& draft, const Statement& statement) {
  draft.remark(Remark::Kind::missing, statement,
               "the service as installed runs as the user sesame; milter.user is for a daemon that root starts");
}

void carry_domains(Draft& draft, const Statement& statement, const std::string& key,
                   const std::vector<std::string>& domains) {
  std::vector<std::string> names;
  for (const auto& domain : domains) {
    // ".example.com": what is below it, without itself.
    const auto name = domain.substr(domain.starts_with('.') ? 1 : 0);
    if (name.find('*') == std::string::npos)
      names.push_back(name);
    else
      draft.remark(Remark::Kind::missing, statement, "\"" + domain + "\" is a pattern; " + key + " takes domains");
  }
  draft.add(key, names, statement);
}

const Rule* find_rule(Owner owner, std::string_view key) {
  const auto rules = owner == Owner::opendkim    ? opendkim_rules()
                     : owner == Owner::opendmarc ? opendmarc_rules()
                                                 : policyd_spf_rules();
  const auto found = std::ranges::find_if(
      rules, [&](const Rule& rule) { return owner == Owner::policyd_spf ? rule.key == key : iequals(rule.key, key); });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace sesame::cli::importer
