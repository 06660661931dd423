// The envelope sender SES will write, and its SPF.
#include <algorithm>
#include <array>

#include "dns/name.h"
#include "ses/clocks.h"
#include "ses/dkim_state.h"
#include "ses/legs.h"
#include "ses/observed.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

// https://docs.aws.amazon.com/general/latest/gr/ses.html
constexpr std::array kRegions = {
    std::string_view("af-south-1"),     std::string_view("ap-northeast-1"), std::string_view("ap-northeast-2"),
    std::string_view("ap-northeast-3"), std::string_view("ap-south-1"),     std::string_view("ap-south-2"),
    std::string_view("ap-southeast-1"), std::string_view("ap-southeast-2"), std::string_view("ap-southeast-3"),
    std::string_view("ap-southeast-5"), std::string_view("ca-central-1"),   std::string_view("ca-west-1"),
    std::string_view("eu-central-1"),   std::string_view("eu-central-2"),   std::string_view("eu-north-1"),
    std::string_view("eu-south-1"),     std::string_view("eu-west-1"),      std::string_view("eu-west-2"),
    std::string_view("eu-west-3"),      std::string_view("il-central-1"),   std::string_view("me-central-1"),
    std::string_view("me-south-1"),     std::string_view("sa-east-1"),      std::string_view("us-east-1"),
    std::string_view("us-east-2"),      std::string_view("us-gov-east-1"),  std::string_view("us-gov-west-1"),
    std::string_view("us-west-1"),      std::string_view("us-west-2"),
};

// The MX of a custom MAIL FROM, as DNS has it.
struct Feedback {
  Tri right = Tri::unknown;  // exactly one feedback host of SES
  std::string found;         // for the reader
  std::optional<Severity> remark = {};
};

// "feedback-smtp.REGION.amazonses.com" names the region; "" otherwise.
std::string_view region_of(std::string_view host) {
  constexpr std::string_view kPrefix = "feedback-smtp.";
  constexpr std::string_view kSuffix = ".amazonses.com";
  const bool fits =
      host.size() > kPrefix.size() + kSuffix.size() && host.starts_with(kPrefix) && host.ends_with(kSuffix);
  if (!fits) return "";
  const auto region = host.substr(kPrefix.size(), host.size() - kPrefix.size() - kSuffix.size());
  return is_region(region) ? region : "";
}

// What is not as it should be about one host.
std::string note_on(std::string_view host) {
  // RFC 7505: the null MX.
  if (host.empty()) return " (the null MX: the domain takes no mail)";
  if (dns::is_at_or_below(host, "amazonaws.com")) return " (amazonaws.com, where amazonses.com belongs)";
  if (host.starts_with("feedback-smtp.") && host.ends_with(".amazonses.com")) return " (without a region)";
  return "";
}

Feedback look_at_mx(const Surroundings& world, const std::string& domain, const std::string& region) {
  const auto answer = world.resolver.lookup(domain, dns::Type::mx, world.deadline);
  if (dns::is_undecided(*answer)) return {Tri::unknown, "unknown (" + dns::status_text(*answer) + ")"};
  if (answer->exchanges.empty()) return {Tri::no, "absent", Severity::error};
  if (answer->exchanges.size() == 1 && region_of(answer->exchanges.front().host) == region)
    return {Tri::yes, answer->exchanges.front().host};
  std::vector<std::string> hosts;
  for (const auto& mx : answer->exchanges) {
    const auto host = lower(mx.host);
    hosts.push_back((host.empty() ? "." : host) + (region_of(host).empty() ? note_on(host) : ""));
  }
  const auto found = join(hosts, ", ");
  const auto named = hosts.size() == 1 ? region_of(hosts.front()) : "";
  if (named.empty()) return {Tri::no, found, Severity::error};
  if (named == region) return {Tri::yes, found};
  // The bounces arrive in that region, and SES brings them home.
  // https://docs.aws.amazon.com/ses/latest/dg/regions.html
  if (std::ranges::binary_search(kRegions, named)) return {Tri::yes, found + " (another region)", Severity::info};
  return {Tri::unknown, found + " (a region that is not known here)", Severity::warning};
}

MailFromDomain judged(const Surroundings& world, const std::string& domain) {
  return {domain, spf_over_ses_ranges(world, domain)};
}

void report_spf(const MailFromDomain& custom, std::vector<Finding>& findings) {
  const auto& spf = custom.spf;
  const auto add = [&](Severity severity, std::string result, std::string which, std::string reason) {
    findings.push_back(make_finding(Code::mailfrom_spf, severity,
                                    {{"domain", custom.domain},
                                     {"result", std::move(result)},
                                     {"which", std::move(which)},
                                     {"reason", std::move(reason)}}));
  };
  if (spf.passes == Tri::yes) {
    if (spf.lacks_all) add(Severity::warning, "neutral", "addresses other than those", "its record has no \"all\"");
    return;
  }
  // What is only undecided is the leg's reason, no fault of the record.
  if (spf.worst == spf::Result::temperror) return;
  if (!spf.foreseeable) return add(Severity::unknown, "no foreseeable result", "addresses", spf.reason);
  add(Severity::error, spf::to_string(spf.worst), spf.passes == Tri::unknown ? "some addresses" : "addresses",
      spf.fault);
}

std::string status_of(const Identity& identity) {
  const auto& settings = identity.mail_from;
  return settings.unread_state.empty() ? worded(identity, *settings.status)
                                       : "in the state " + not_known(settings.unread_state);
}

// SES does not use the custom domain, or may not: falls back, or refuses.
void fall_back(const Surroundings& world, const Identity& identity, SesMailFrom& outcome, Tri certain) {
  const auto& settings = identity.mail_from;
  if (!settings.unread_behavior.empty()) {
    outcome.refused = Tri::unknown;
  } else if (settings.behavior_on_mx_failure == OnMxFailure::reject_message) {
    outcome.refused = certain;
    return;
  }
  outcome.possible.push_back(judged(world, default_mail_from(identity.region)));
}

// Is it known what SES does?
enum class Known { yes, no };

void report_fallback(const Identity& identity, const std::string& status, Known known, std::vector<Finding>& findings) {
  const auto& settings = identity.mail_from;
  const bool rejects = settings.behavior_on_mx_failure == OnMxFailure::reject_message;
  const bool open = known == Known::no || !settings.unread_behavior.empty();
  const auto add = [&](auto... severity) {
    findings.insert(findings.begin(),
                    make_finding(rejects ? Code::mailfrom_reject : Code::mailfrom_fallback, severity...,
                                 {{"domain", settings.domain},
                                  {"status", status},
                                  {"uses", open ? "may use" : "uses"},
                                  {"will", open ? "may" : "will"},
                                  {"default", default_mail_from(identity.region)},
                                  {"region", identity.region}}));
  };
  open ? add(Severity::unknown) : add();
}

// The status given is not SUCCESS, or not understood.
void report_status(const Identity& identity, std::vector<Finding>& findings) {
  const bool open = identity.aged || !identity.mail_from.unread_state.empty();
  report_fallback(identity, status_of(identity), open ? Known::no : Known::yes, findings);
}

// What was observed of the MX over time.
struct Watched {
  Tri used = Tri::yes;  // the custom domain, by SES's clocks alone
  std::string status;   // of it then, for a sentence with "is"; "" = as usual
};

// `found` is what this look-up finds: an MX that the last look missed SES may find too.
Watched look_back(const Surroundings& world, const Identity& identity, Tri found) {
  if (!world.observer) return {};
  const auto history = world.observer->history_of(identity);
  const auto& outage = history.mail_from_outage;
  const auto clocks = mail_from_clocks_of(world, identity, history);
  if (clocks.goes_on == Tri::yes) return {};
  const bool found_now = found == Tri::yes && clocks.phase != Clocks::Phase::revoked;
  const auto used = found_now ? Tri::unknown : clocks.goes_on;
  std::string seen = "not served by all its name servers since " + timestamp(outage->first_bad);
  if (outage->missing_since)
    seen = "no name server " + std::string(outage->restored ? "had" : "has had") + " its MX " +
           (outage->restored ? "from " : "since ") + timestamp(*outage->missing_since) +
           (outage->restored ? " to " + timestamp(*outage->restored) : "");
  return {used,
          used == Tri::no ? "by SES's own clock no longer in use (" + seen + ")" : "perhaps not in use (" + seen + ")"};
}

// Whoever validates DNSSEC gets no SPF record.
void heed_dnssec(const Surroundings& world, const Identity& identity, SesMailFrom& outcome) {
  auto& custom = outcome.possible.front();
  const auto zone = bogus_zone_of(world, identity, custom.domain);
  if (zone.empty()) return;
  if (custom.spf.passes == Tri::yes) {
    custom.spf.passes = Tri::unknown;
    custom.spf.reason = zone + " fails DNSSEC validation";
  }
  // Else it was said of the DKIM records.
  if (!dns::is_at_or_below(identity.domain(), zone))
    outcome.findings.insert(outcome.findings.begin(), make_finding(Code::dns_dnssec_bogus, {{"zone", zone}}));
}

// Whichever custom domain is meant, it is below the identity's.
// https://docs.aws.amazon.com/ses/latest/dg/mail-from.html
SesMailFrom some_domain(const Surroundings& world, const Identity& identity) {
  SesMailFrom outcome;
  outcome.doubt = "SES says of the MAIL FROM of " + identity.name + " " + not_known(identity.mail_from.unread_domain);
  outcome.basis = Basis::inferred;
  outcome.possible.push_back({std::string(identity.domain()), {.reason = outcome.doubt}});
  fall_back(world, identity, outcome, Tri::unknown);
  return outcome;
}

SesMailFrom default_one(const Surroundings& world, const Identity& identity, const mail::Mailbox& from) {
  SesMailFrom outcome;
  const auto domain = default_mail_from(identity.region);
  outcome.possible.push_back(judged(world, domain));
  if (identity.aged) outcome.basis = Basis::inferred;
  outcome.findings.push_back(
      make_finding(Code::mailfrom_default, {{"default", domain}, {"from", from.domain}, {"identity", identity.name}}));
  return outcome;
}

}  // namespace

SesMailFrom predict_mail_from(const Surroundings& world, const Identity& identity, const mail::Mailbox& from) {
  const auto& settings = identity.mail_from;
  if (!settings.unread_domain.empty()) return some_domain(world, identity);
  if (settings.domain.empty()) return default_one(world, identity, from);

  SesMailFrom outcome;
  const auto mx = look_at_mx(world, settings.domain, identity.region);
  if (mx.remark) {
    const bool allowed = *mx.remark == Severity::info;
    outcome.findings.push_back(
        make_finding(Code::mailfrom_mx, *mx.remark,
                     {{"domain", settings.domain},
                      {"found", mx.found},
                      {"rule", allowed ? "SES allows that, and only its status decides"
                                       : "SES needs exactly one feedback-smtp host"},
                      {"remedy", allowed ? "Leave it as it is: bounces arrive there, and SES brings them home"
                                         : "Publish exactly one MX for " + settings.domain + ": 10 feedback-smtp." +
                                               identity.region + ".amazonses.com"}}));
  }
  const auto watched = look_back(world, identity, mx.right);
  const bool unread = !settings.unread_state.empty();
  const bool bad = unread || (settings.status && *settings.status != Status::success);
  if (bad) report_status(identity, outcome.findings);
  if (bad && !identity.aged && !unread) {
    fall_back(world, identity, outcome, Tri::yes);
    if (outcome.refused == Tri::unknown)
      outcome.doubt = "whether SES refuses the message is not known: it says of the MAIL FROM of " + identity.name +
                      " " + not_known(settings.unread_behavior);
    if (outcome.possible.empty()) outcome.possible.push_back(judged(world, settings.domain));
    return outcome;
  }

  if (!bad && watched.used != Tri::yes)
    report_fallback(identity, watched.status, watched.used == Tri::no ? Known::yes : Known::no, outcome.findings);
  if (!bad && watched.used == Tri::no) {
    outcome.basis = Basis::inferred;
    fall_back(world, identity, outcome, Tri::yes);
    if (outcome.possible.empty()) outcome.possible.push_back(judged(world, settings.domain));
    return outcome;
  }
  outcome.possible.push_back(judged(world, settings.domain));
  report_spf(outcome.possible.front(), outcome.findings);
  heed_dnssec(world, identity, outcome);
  const bool given = settings.status && !identity.aged;
  if (!given || mx.right != Tri::yes) outcome.basis = Basis::inferred;
  // A record that is gone contradicts SUCCESS; one that did not answer does not, but leaves nothing to infer from. A
  // bad state told long ago may have been mended, or not.
  const bool found = mx.right == Tri::yes || (mx.right == Tri::unknown && given);
  if (!bad && found && watched.used == Tri::yes) return outcome;
  if (watched.used != Tri::yes) outcome.basis = Basis::inferred;
  fall_back(world, identity, outcome, Tri::unknown);
  outcome.doubt =
      (bad     ? "MAIL FROM " + settings.domain + (unread ? " is " : " was ") + status_of(identity)
       : found ? "MAIL FROM " + settings.domain + " is " + watched.status
               : "MX of " + settings.domain + " is " + mx.found) +
      ": SES may " +
      (outcome.possible.size() > 1 ? "use " + default_mail_from(identity.region) + " instead" : "refuse the message");
  return outcome;
}

}  // namespace sesame::ses
