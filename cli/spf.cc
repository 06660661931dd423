// sesame spf: may this client use this domain?
#include "spf/spf.h"

#include <fmt/core.h>

#include "command.h"
#include "inspect/render.h"

namespace sesame::cli {
namespace {

std::string text_of(const spf::Outcome& outcome) {
  std::string text = fmt::format("spf: {}\n{}: {}\n", spf::to_string(outcome.result), spf::to_string(outcome.identity),
                                 outcome.domain.empty() ? "-" : outcome.domain);
  if (!outcome.mechanism.empty()) text += "matched: " + outcome.mechanism + "\n";
  if (!outcome.reason.empty()) text += "reason: " + outcome.reason + "\n";
  if (!outcome.explanation.empty()) text += "the domain says: " + outcome.explanation + "\n";
  return text + fmt::format("look-ups: {} of {}, void: {} of {}\n", outcome.lookup_terms, spf::kMaxLookupTerms,
                            outcome.void_lookups, spf::kMaxVoidLookups);
}

int status_of(spf::Result result) {
  switch (result) {
    case spf::Result::pass:
    case spf::Result::none:
    case spf::Result::neutral:
      return kFine;
    case spf::Result::temperror:
      return kUndecided;
    case spf::Result::fail:
    case spf::Result::softfail:
    case spf::Result::permerror:
      break;
  }
  return kBad;
}

}  // namespace

int run_spf(const Common& common, const SpfArguments& arguments) {
  const auto& session = arguments.session;
  const auto client = IpAddress::parse(session.ip.value_or(""));
  if (!client) return complain("--ip: \"" + session.ip.value_or("") + "\" is not an IP address", kUsage);
  if (session.helo.empty() && !session.mail_from) return complain("spf: --mail-from or --helo is needed", kUsage);
  const auto runtime = make_runtime(common, config::defaults());
  if (!runtime) return complain(runtime.error().message, kUsage);
  spf::Options options;
  options.deadline = deadline_of(**runtime);
  options.receiver = (*runtime)->config.rules.authserv_id;
  const spf::Query query{*client, session.helo, without_brackets(session.mail_from.value_or(""))};
  const auto outcome = spf::check_mail_from(*(*runtime)->resolver, query, options);
  const auto text = common.format == Format::json ? inspect::spf_json(outcome) : text_of(outcome);
  return answer(text, status_of(outcome.result));
}

}  // namespace sesame::cli
