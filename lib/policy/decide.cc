#include "policy/decide.h"

#include <algorithm>
#include <set>

#include "authres/authres.h"
#include "dns/name.h"
#include "policy/forwarder.h"
#include "util/text.h"

namespace sesame::policy {
namespace {

constexpr std::size_t kMaxReply = 400;  // octets of text; RFC 5321 Section 4.5.3.1.5 allows 512 for the whole line

using Action = Decision::Action;

void write_spf(authres::Writer& writer, const spf::Outcome& outcome) {
  writer.statement({"spf", spf::to_string(outcome.result), outcome.reason});
  writer.property("smtp", spf::to_string(outcome.identity), outcome.domain);
}

// RFC 8601 Section 2.7.3
void write_iprev(authres::Writer& writer, const mail::Envelope& envelope) {
  writer.statement({"iprev", mail::to_string(envelope.iprev), "", envelope.client_name});
  writer.property("policy", "iprev", envelope.client->to_string());
}

void write_dkim(authres::Writer& writer, const dkim::Outcome& outcome) {
  writer.statement({"dkim", dkim::to_string(outcome.result), outcome.reason, outcome.testing ? "test key" : ""});
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) writer.property("header", name, value);
  };
  add("d", outcome.domain);
  add("i", outcome.identity);
  add("s", outcome.selector);
  add("a", outcome.algorithm);
  add("b", outcome.b_prefix);
}

void write_dmarc(authres::Writer& writer, const Report& report, const std::string& forwarder) {
  const auto& dmarc = report.dmarc;
  const bool usable = report.author.usable();
  const auto comment = forwarder.empty() ? "" : "policy not applied: ARC sealer " + forwarder + " is trusted";
  std::string_view reason;
  if (dmarc.result != dmarc::Result::pass) reason = dmarc.reason;
  if (!usable) reason = report.author.problem;
  writer.statement({"dmarc", dmarc::to_string(dmarc.result), reason, comment});
  if (usable) writer.property("header", "from", report.author.domain());
  // RFC 9989 Section 9.1: the policy after its options, which t= is one of.
  if (dmarc.discovery.state == dmarc::Discovery::State::found)
    writer.property("policy", "dmarc", dmarc::to_string(dmarc.discovery.disposition));
}

void write_arc(authres::Writer& writer, const Report& report) {
  writer.statement({"arc", arc::to_string(report.arc.result), report.arc.reason});
  if (report.arc.oldest_pass > 0) writer.property("header", "oldest-pass", std::to_string(report.arc.oldest_pass));
  if (report.envelope.client) writer.property("smtp", "remote-ip", report.envelope.client->to_string());
}

// RFC 8601
Edit results_field(const Report& report, const Rules& rules, const std::string& forwarder) {
  authres::Writer writer(rules.authserv_id);
  if (report.envelope.client && report.envelope.iprev != mail::Iprev::none) write_iprev(writer, report.envelope);
  if (report.spf_mail_from) write_spf(writer, *report.spf_mail_from);
  // With the null reverse-path the HELO result is the one above.
  const bool helo_apart = report.spf_helo && report.spf_helo->result != spf::Result::none &&
                          !(report.spf_mail_from && report.spf_mail_from->identity == spf::Identity::helo);
  if (helo_apart) write_spf(writer, *report.spf_helo);
  if (report.dkim.empty()) writer.statement({"dkim", "none"});
  for (const auto* signature : notable_signatures(report)) write_dkim(writer, *signature);
  if (report.arc.result != arc::Result::none) write_arc(writer, report);
  write_dmarc(writer, report, forwarder);
  return {Edit::Kind::insert, std::string(kResultsField), writer.take(), 0};
}

// A prediction is not an authentication result: its method is "ses-relay", which no reader takes for "dmarc".
Edit prediction_field(const Report& report, const Rules& rules) {
  const auto& prediction = *report.prediction;
  std::vector<std::string> codes;
  for (const auto& finding : prediction.findings) codes.emplace_back(ses::to_string(finding.code));
  authres::Writer writer(rules.authserv_id);
  writer.statement({"ses-relay", ses::to_string(prediction.verdict), why(report)});
  if (report.author.usable()) writer.property("header", "from", report.author.domain());
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) writer.property("policy", name, value);
  };
  add("confidence", ses::to_string(prediction.confidence));
  add("identity", prediction.identity);
  add("findings", join(codes, ","));
  return {Edit::Kind::insert, std::string(kPredictionField), writer.take(), 0};
}

// The last of a name first, and each once, however its name is written.
void remove(Decision& decision, std::vector<Place> places) {
  if (places.empty()) return;
  std::ranges::stable_sort(places, std::ranges::greater(), &Place::occurrence);
  std::set<std::pair<std::string, std::size_t>> removed;
  for (auto& place : places)
    if (removed.emplace(lower(place.name), place.occurrence).second)
      decision.edits.push_back({Edit::Kind::remove, std::move(place.name), "", place.occurrence});
}

void reply(Decision& decision, const char* code, const char* enhanced, const std::string& text) {
  decision.code = code;
  decision.enhanced_code = enhanced;
  decision.reason = printable(text, kMaxReply);
}

Action action_of(Level level) {
  switch (level) {
    case Level::observe:
      return Action::observe;
    case Level::tag:
      return Action::tag;
    case Level::hold:
      return Action::hold;
    case Level::reject:
      break;
  }
  return Action::reject;
}

Action action_of(Handling handling) {
  switch (handling) {
    case Handling::observe:
      return Action::observe;
    case Handling::quarantine:
      return Action::hold;
    case Handling::reject:
      break;
  }
  return Action::reject;
}

Action choose_outbound(const Case& message, const Rules& rules) {
  const auto& rule = outbound_rule(rules, message.from_domain);
  if (message.predicted == ses::Verdict::fail) return action_of(rule.fail);
  if (message.predicted == ses::Verdict::refused) return action_of(rule.refused);
  return Action::accept;
}

// RFC 9989 Section 5.4: p=none changes nothing.
bool asks_to_act(const Case& message) {
  return !message.from_domain.empty() && message.dmarc == dmarc::Result::fail &&
         message.disposition != dmarc::Policy::none;
}

Action choose_inbound(const Case& message, const Rules& rules) {
  if (message.from_domain.empty()) return action_of(rules.on_bad_author);
  if (message.dmarc == dmarc::Result::temperror && rules.tempfail_on_temperror) return Action::tempfail;
  if (!asks_to_act(message) || !message.trusted_forwarder.empty()) return Action::accept;
  const bool reject = message.disposition == dmarc::Policy::reject;
  return action_of(reject ? rules.on_policy_reject : rules.on_policy_quarantine);
}

Case case_of(const Report& report, const Rules& rules) {
  Case message;
  message.direction = report.direction;
  if (report.author.usable()) message.from_domain = report.author.domain();
  if (report.prediction) message.predicted = report.prediction->verdict;
  message.dmarc = report.dmarc.result;
  message.disposition = report.dmarc.discovery.disposition;
  if (report.direction == Direction::inbound && asks_to_act(message))
    message.trusted_forwarder = trusted_forwarder(report.arc, message.from_domain, rules.trusted_sealers);
  return message;
}

Decision decide_outbound(const Report& report, const Rules& rules) {
  const auto message = case_of(report, rules);
  Decision decision;
  decision.action = choose(message, rules);
  // What does not leave is not mended.
  if (decision.action == Action::reject) {
    reply(decision, "550", "5.7.1", why(report));
    return decision;
  }
  const auto& rule = outbound_rule(rules, message.from_domain);
  std::vector<Place> removed;
  for (const auto& repair : report.repairs) removed.push_back(repair.place);
  // Where our field has a meaning, nobody else writes it.
  if (std::max(rule.fail, rule.refused) >= Level::tag)
    removed.insert(removed.end(), report.forged_predictions.begin(), report.forged_predictions.end());
  remove(decision, std::move(removed));
  decision.repairs = report.repairs;
  if (decision.action != Action::accept) decision.reason = why(report);
  if (decision.action == Action::tag || decision.action == Action::hold)
    decision.edits.push_back(prediction_field(report, rules));
  return decision;
}

Decision decide_inbound(const Report& report, const Rules& rules) {
  auto message = case_of(report, rules);
  Decision decision;
  decision.action = choose(message, rules);
  decision.trusted_forwarder = std::move(message.trusted_forwarder);
  remove(decision, report.forged_results);
  decision.edits.push_back(results_field(report, rules, decision.trusted_forwarder));
  if (decision.action == Action::tempfail) {
    reply(decision, "451", "4.7.1", why(report));
  } else if (decision.action == Action::reject) {
    reply(decision, "550", "5.7.1", why(report));
  } else if (decision.action != Action::accept) {
    reply(decision, "", "", why(report));
  }
  return decision;
}

}  // namespace

const char* to_string(Level level) {
  switch (level) {
    case Level::observe:
      return "observe";
    case Level::tag:
      return "tag";
    case Level::hold:
      return "hold";
    case Level::reject:
      break;
  }
  return "reject";
}

const char* to_string(Handling handling) {
  switch (handling) {
    case Handling::observe:
      return "observe";
    case Handling::quarantine:
      return "quarantine";
    case Handling::reject:
      break;
  }
  return "reject";
}

const char* to_string(Action action) {
  switch (action) {
    case Action::accept:
      return "accept";
    case Action::observe:
      return "observe";
    case Action::tag:
      return "tag";
    case Action::hold:
      return "hold";
    case Action::reject:
      return "reject";
    case Action::tempfail:
      break;
  }
  return "tempfail";
}

const OutboundRule& outbound_rule(const Rules& rules, std::string_view from_domain) {
  const OutboundOverride* best = nullptr;
  for (const auto& override : rules.overrides)
    if (dns::is_at_or_below(from_domain, override.domain) && (!best || override.domain.size() > best->domain.size()))
      best = &override;
  return best ? best->rule : rules.outbound;
}

Action choose(const Case& message, const Rules& rules) {
  switch (message.direction) {
    case Direction::outbound:
      return choose_outbound(message, rules);
    case Direction::inbound:
      return choose_inbound(message, rules);
    case Direction::ignored:
      break;
  }
  return Action::accept;
}

Decision decide(const Report& report, const Rules& rules) {
  switch (report.direction) {
    case Direction::outbound:
      return decide_outbound(report, rules);
    case Direction::inbound:
      return decide_inbound(report, rules);
    case Direction::ignored:
      break;
  }
  return {};
}

}  // namespace sesame::policy
