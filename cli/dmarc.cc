// sesame dmarc: what a domain publishes, by both standards.
#include "dmarc/dmarc.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "command.h"
#include "mail/address.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

using dmarc::Discovery;
using json = nlohmann::ordered_json;

// How the search ended, for one who asks about the record and not about a message.
enum class State { found, absent, invalid, temperror };

// What is published but cannot be used counts as absent for a message; here it is what the question was about.
State state_of(const Discovery& discovery) {
  switch (discovery.state) {
    case Discovery::State::found:
      return State::found;
    case Discovery::State::temperror:
      return State::temperror;
    case Discovery::State::permerror:
      return State::invalid;
    case Discovery::State::absent:
      break;
  }
  return discovery.problems.empty() ? State::absent : State::invalid;
}

const char* to_string(State state) {
  switch (state) {
    case State::found:
      return "found";
    case State::absent:
      return "absent";
    case State::invalid:
      return "invalid";
    case State::temperror:
      break;
  }
  return "temperror";
}

const char* to_string(dmarc::Record::Psd psd) {
  switch (psd) {
    case dmarc::Record::Psd::y:
      return "y";
    case dmarc::Record::Psd::n:
      return "n";
    case dmarc::Record::Psd::u:
      break;
  }
  return "u";
}

int status_of(State state) {
  if (state == State::temperror) return kUndecided;
  return state == State::invalid ? kBad : kFine;
}

// What is wrong with what is published, in one list.
std::vector<std::string> problems_of(const Discovery& discovery) {
  auto problems = discovery.problems;
  problems.insert(problems.end(), discovery.record.warnings.begin(), discovery.record.warnings.end());
  return problems;
}

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json policy_or_null(const std::optional<dmarc::Policy>& policy) {
  return policy ? json(dmarc::to_string(*policy)) : json(nullptr);
}

json record_value(const dmarc::Record& record) {
  return {{"p", policy_or_null(record.p)},
          {"sp", policy_or_null(record.sp)},
          {"np", policy_or_null(record.np)},
          {"adkim", dmarc::to_string(record.adkim)},
          {"aspf", dmarc::to_string(record.aspf)},
          {"psd", to_string(record.psd)},
          {"testing", record.testing},
          {"rua", record.rua}};
}

json discovery_value(const Discovery& discovery) {
  const bool found = discovery.state == Discovery::State::found;
  return {{"state", to_string(state_of(discovery))},
          {"policy", found ? json(dmarc::to_string(discovery.policy)) : json(nullptr)},
          {"disposition", found ? json(dmarc::to_string(discovery.disposition)) : json(nullptr)},
          {"record_domain", found ? json(discovery.record_domain) : json(nullptr)},
          {"org_domain", text_or_null(discovery.org_domain)},
          {"record", found ? record_value(discovery.record) : json(nullptr)},
          {"reason", discovery.reason},
          {"problems", problems_of(discovery)}};
}

std::string discovery_text(const char* title, const Discovery& discovery) {
  const bool found = discovery.state == Discovery::State::found;
  auto text = fmt::format("{}\n", title);
  const auto line = [&text](const char* name, const std::string& value) {
    if (!value.empty()) text += fmt::format("  {:<23}{}\n", name, value);
  };
  line("record", found ? "_dmarc." + discovery.record_domain : to_string(state_of(discovery)));
  if (found) {
    const auto& record = discovery.record;
    line("policy", dmarc::to_string(discovery.policy));
    if (discovery.disposition != discovery.policy)
      line("applied", std::string(dmarc::to_string(discovery.disposition)) + " (t=y)");
    line("alignment", fmt::format("dkim {}, spf {}", dmarc::to_string(record.adkim), dmarc::to_string(record.aspf)));
  }
  line("organizational domain", discovery.org_domain);
  const auto problems = problems_of(discovery);
  if (std::ranges::find(problems, discovery.reason) == problems.end()) line("reason", discovery.reason);
  for (const auto& problem : problems) line("problem", problem);
  return text;
}

}  // namespace

int run_dmarc(const Common& common, const DmarcArguments& arguments) {
  const auto domain = mail::to_ascii_domain(arguments.domain);
  if (!domain) return complain("\"" + printable(arguments.domain) + "\" is not a domain", kUsage);
  const auto runtime = make_runtime(common, config::defaults());
  if (!runtime) return complain(runtime.error().message, kUsage);
  auto& resolver = *(*runtime)->resolver;
  const auto deadline = deadline_of(**runtime);
  dmarc::prefetch(resolver, *domain);
  const auto now = dmarc::Evaluator(resolver, dmarc::Vintage::rfc9989, nullptr, deadline).discover(*domain);
  const auto old =
      dmarc::Evaluator(resolver, dmarc::Vintage::rfc7489, (*runtime)->suffixes, deadline).discover(*domain);
  // The day will do.
  const auto list_date = timestamp((*runtime)->suffixes->as_of()).substr(0, 10);
  std::string text;
  if (common.format == Format::json) {
    const json value{{"domain", *domain},
                     {"rfc9989", discovery_value(now)},
                     {"rfc7489", discovery_value(old)},
                     {"public_suffix_list", list_date}};
    text = value.dump(2, ' ', false, json::error_handler_t::replace);
  } else {
    text = fmt::format("domain: {}\n", *domain) + discovery_text("RFC 9989 (tree walk)", now) +
           discovery_text(fmt::format("RFC 7489 (public suffix list of {})", list_date).c_str(), old);
  }
  return answer(text, status_of(state_of(now)));
}

}  // namespace sesame::cli
