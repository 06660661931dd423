// What stands in the SPF record of a custom MAIL FROM, for those who must mend it.
#include <algorithm>
#include <variant>

#include "dns/name.h"
#include "ses/legs.h"
#include "spf/parse.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

std::vector<std::string> records_at(dns::Resolver& resolver, Deadline deadline, const std::string& name) {
  const auto answer = resolver.lookup(name, dns::Type::txt, deadline);
  std::vector<std::string> records;
  std::ranges::copy_if(answer->texts, std::back_inserter(records), spf::is_spf_record);
  return records;
}

// The names it includes, as far as they are plain.
std::vector<std::string> includes(const spf::Record& record) {
  std::vector<std::string> names;
  for (const auto& directive : record.directives) {
    const auto& domain = directive.mechanism.domain;
    if (directive.mechanism.kind != spf::Mechanism::Kind::include || domain.size() != 1) continue;
    if (const auto* name = std::get_if<std::string>(&domain.front())) names.push_back(lower(*name));
  }
  return names;
}

}  // namespace

std::string spf_fault(dns::Resolver& resolver, Deadline deadline, const std::string& domain,
                      const std::string& reason) {
  const auto texts = records_at(resolver, deadline, domain);
  if (texts.empty()) return "there is no SPF record";
  if (texts.size() > 1) return std::to_string(texts.size()) + " SPF records stand at the name, and one may";
  const auto record = spf::parse_record(texts.front());
  if (!record) return reason;
  const auto names = includes(*record);
  const auto typed = std::ranges::find_if(names, [](const auto& n) { return dns::is_at_or_below(n, "amazonaws.com"); });
  std::string fault;
  if (typed != names.end()) {
    fault = "it includes " + *typed + ", where amazonses.com belongs";
  } else if (std::ranges::find(names, "amazonses.com") == names.end()) {
    fault = "it does not include amazonses.com";
  }
  if (fault.empty()) return reason;
  return reason.empty() ? fault : fault + "; " + reason;
}

bool lacks_all(dns::Resolver& resolver, Deadline deadline, const std::string& domain) {
  const auto texts = records_at(resolver, deadline, domain);
  if (texts.size() != 1) return false;
  const auto record = spf::parse_record(texts.front());
  return record && !record->redirect && std::ranges::none_of(record->directives, [](const auto& directive) {
           return directive.mechanism.kind == spf::Mechanism::Kind::all;
         });
}

}  // namespace sesame::ses
