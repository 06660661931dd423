#include "inspect/inspect.h"

#include <algorithm>
#include <map>
#include <span>

#include "arc/arc.h"
#include "authres/authres.h"
#include "dkim/dkim.h"
#include "dmarc/dmarc.h"
#include "dns/meter.h"
#include "dns/name.h"
#include "inspect/learn.h"
#include "mail/line_ends.h"
#include "policy/repair.h"
#include "ses/predict.h"
#include "ses/relay.h"
#include "ses/ways.h"
#include "spf/spf.h"
#include "util/text.h"

namespace sesame::inspect {
namespace {

bool in_any(const std::vector<Network>& networks, const std::optional<IpAddress>& client) {
  if (!client) return false;
  const auto address = client->unmapped();
  return std::ranges::any_of(networks, [&](const Network& network) { return network.contains(address); });
}

dmarc::Identifier::State state_of(spf::Result result) {
  using State = dmarc::Identifier::State;
  switch (result) {
    case spf::Result::pass:
      return State::pass;
    case spf::Result::temperror:
      return State::temperror;
    case spf::Result::permerror:
      return State::permerror;
    default:
      return State::not_pass;
  }
}

dmarc::Identifier::State state_of(dkim::Result result) {
  using State = dmarc::Identifier::State;
  switch (result) {
    case dkim::Result::pass:
      return State::pass;
    case dkim::Result::temperror:
      return State::temperror;
    case dkim::Result::permerror:
      return State::permerror;
    default:
      return State::not_pass;
  }
}

std::vector<dmarc::Identifier> identifiers(const policy::Report& report) {
  using Method = dmarc::Identifier::Method;
  std::vector<dmarc::Identifier> result;
  for (const auto& signature : report.dkim)
    if (!signature.domain.empty()) result.push_back({Method::dkim, signature.domain, state_of(signature.result)});
  if (report.spf_mail_from && !report.spf_mail_from->domain.empty())
    result.push_back({Method::spf, report.spf_mail_from->domain, state_of(report.spf_mail_from->result)});
  return result;
}

}  // namespace

policy::Direction direction_of(const config::Config& config, const mail::Envelope& envelope) {
  const auto& directions = config.directions;
  if (in_any(directions.ignore_networks, envelope.client)) return policy::Direction::ignored;
  const auto& names = directions.outbound_daemon_names;
  const bool ours = !envelope.auth_user.empty() || !envelope.client ||
                    in_any(directions.outbound_networks, envelope.client) ||
                    std::ranges::find(names, envelope.daemon_name) != names.end();
  return ours ? policy::Direction::outbound : policy::Direction::inbound;
}

struct Inspection::Impl {
  Impl(std::shared_ptr<const Runtime> given, policy::Direction given_direction, mail::Envelope given_envelope,
       const Options& given_options)
      : runtime(std::move(given)),
        options(given_options),
        direction(given_direction),
        envelope(std::move(given_envelope)),
        meter(*runtime->resolver, *runtime->clock),
        now(options.now.value_or(runtime->clock->unix_now())),
        dkim(meter, dkim_options()),
        arc(meter, {.now = now, .clock_skew = runtime->config.limits.clock_skew}) {}

  dkim::Options dkim_options() const {
    dkim::Options result;
    result.now = now;
    result.clock_skew = runtime->config.limits.clock_skew;
    result.max_signatures = runtime->config.limits.signatures;
    result.keys = options.keys;
    if (inbound() && runtime->config.refuse_test_keys) result.testing = dkim::Options::Testing::refuse;
    return result;
  }

  bool inbound() const { return direction == policy::Direction::inbound; }
  bool wants(dmarc::Vintage vintage) const { return options.only.value_or(vintage) == vintage; }
  bool ignored() const { return direction == policy::Direction::ignored; }
  bool over_limit() const { return header_bytes > runtime->config.limits.header_bytes; }
  // The fields that leave: those received, once repairs were planned without those that are removed.
  std::span<const mail::Field> left() const {
    return repairs.empty() ? std::span<const mail::Field>(fields) : remaining;
  }

  void prefetch_envelope();
  void note_forged(const mail::Field& field);
  std::size_t count(std::string_view name);
  void repair_header();
  void repair_signatures(policy::Report& report);
  bool ignored_author() const;
  Deadline key_deadline() const;
  void judge(policy::Report& report);
  spf::Query spf_query() const;
  spf::Options spf_options() const;
  spf::Outcome check_spf(spf::Identity identity);
  void check_dmarc(policy::Report& report, dmarc::Evaluator& walk, dmarc::Evaluator& list);
  std::vector<ses::Relay> ways() const;
  void predict(policy::Report& report);
  void limit(policy::Report& report) const;

  const std::shared_ptr<const Runtime> runtime;
  const Options options;
  policy::Direction direction;
  mail::Envelope envelope;
  dns::Meter meter;
  const std::int64_t now;
  dkim::Verifier dkim;
  arc::Verifier arc;
  mail::Fields fields;
  mail::BareLineEndCounter bare_ends;
  mail::ShapeMeter body_shape;  // outbound
  std::size_t header_bytes = 0;
  // Fields so far, by their names in lower case; counted from the first on whose place matters.
  std::optional<std::map<std::string, std::size_t>> seen;
  std::vector<policy::Place> forged_results, forged_predictions;  // the first first
  bool guards_ses_fields = false;                                 // X-SES-* is not the client's to set
  std::vector<policy::Place> ses_fields;                          // then: the first first
  std::vector<policy::Repair> repairs;                            // outbound
  std::vector<mail::Field> remaining;                             // see left()
  mail::Author author;
  bool header_ended = false;
};

void Inspection::Impl::prefetch_envelope() {
  if (!inbound() || !envelope.client) return;
  // With the null reverse-path both are the same check.
  if (!envelope.mail_from.empty()) spf::prefetch(meter, spf::Identity::mail_from, spf_query(), spf_options());
  spf::prefetch(meter, spf::Identity::helo, spf_query(), spf_options());
}

// Not kept yet, and of an over-long header never.
void Inspection::Impl::note_forged(const mail::Field& field) {
  std::string_view name = mail::name_of(field);
  for (const auto own : {policy::kResultsField, policy::kPredictionField})
    if (mail::is_named(field, own)) name = own;
  const bool is_ours = name == policy::kResultsField || name == policy::kPredictionField;
  // Of an over-long header only these two names are counted, and those that SES obeys: their number is bounded.
  if (!is_ours && over_limit() && !(guards_ses_fields && ses::is_obeyed(name))) return;
  bool results = false, prediction = false;
  const auto look = [&](const mail::Field& each) {
    prediction = prediction || mail::is_named(each, policy::kPredictionField);
    results = results ||
              (mail::is_named(each, policy::kResultsField) && authres::claims(each, runtime->config.rules.own_ids));
  };
  look(field);
  mail::for_each_hidden_field(field, look);
  const bool tells_ses = guards_ses_fields && policy::tells_ses(field);
  // Few messages have a field whose place is asked for; those before it are counted then.
  if (!seen && !results && !prediction && !tells_ses && !over_limit()) return;
  const policy::Place place{std::string(name), count(name)};
  if (results) forged_results.push_back(place);
  if (prediction) forged_predictions.push_back(place);
  if (tells_ses) ses_fields.push_back(place);
}

// As the MTA counts them: whether or not they are kept.
std::size_t Inspection::Impl::count(std::string_view name) {
  if (!seen) {
    seen.emplace();
    for (const auto& field : fields) ++(*seen)[lower(mail::name_of(field))];
  }
  return ++(*seen)[lower(name)];
}

// What can be mended before signatures are verified, so that they are verified on what will leave. A signature keeps
// its place among them until then.
void Inspection::Impl::repair_header() {
  const auto& rules = runtime->config.rules.repair;
  if (inbound() || over_limit() || !rules.any()) return;
  auto own = forged_results;
  own.insert(own.end(), forged_predictions.begin(), forged_predictions.end());
  repairs = policy::plan_field_repairs(fields, envelope, own, rules);
  if (repairs.empty()) return;
  auto others = repairs;
  std::erase_if(others, [](const policy::Repair& repair) { return iequals(repair.place.name, "DKIM-Signature"); });
  remaining = policy::mended(fields, others);
  author = mail::find_author(remaining);
}

void Inspection::Impl::repair_signatures(policy::Report& report) {
  const auto& rules = runtime->config.rules.repair;
  if (over_limit()) {
    // Nothing is known of such a message, yet its length is no way around what guards SES.
    for (const auto& place : ses_fields) report.repairs.push_back({"ses-field", place});
    return;
  }
  if (!rules.any()) return;
  repairs = policy::plan_signature_repairs(fields, {report.dkim, author, runtime->suffixes}, repairs, rules);
  remaining = policy::mended(fields, repairs);
  report.dkim = policy::mended(std::move(report.dkim), repairs);
  report.repairs = repairs;
}

bool Inspection::Impl::ignored_author() const {
  // Of an over-long header the author is not known.
  if (!author.usable() || over_limit()) return false;
  return std::ranges::any_of(runtime->config.directions.ignore_from_domains,
                             [&](const std::string& domain) { return dns::is_at_or_below(author.domain(), domain); });
}

// A message may name signers whose DNS its sender makes as slow as he likes. Keys get half of the time, so that what is
// asked afterwards about the author's own domain still gets its answers.
Deadline Inspection::Impl::key_deadline() const {
  return std::min(meter.deadline(), runtime->clock->steady_now() + Duration(runtime->config.dns.budget) / 2);
}

// In the order of what a sender has least power to delay: what the author's domain publishes, its keys, the envelope
// sender, and last what the verdict does not rest on.
void Inspection::Impl::judge(policy::Report& report) {
  dmarc::Evaluator walk(meter, dmarc::Vintage::rfc9989, nullptr, meter.deadline());
  dmarc::Evaluator list(meter, dmarc::Vintage::rfc7489, runtime->suffixes, meter.deadline());
  if (author.usable() && wants(dmarc::Vintage::rfc9989)) walk.discover(author.domain());
  if (author.usable() && wants(dmarc::Vintage::rfc7489)) list.discover(author.domain());
  report.dkim = dkim.finish(key_deadline());
  if (envelope.client) report.spf_mail_from = check_spf(spf::Identity::mail_from);
  check_dmarc(report, walk, list);
  report.arc = arc.finish(meter.deadline());
  if (!report.spf_mail_from) return;
  const bool is_helo = report.spf_mail_from->identity == spf::Identity::helo;
  report.spf_helo = is_helo ? *report.spf_mail_from : check_spf(spf::Identity::helo);
}

spf::Query Inspection::Impl::spf_query() const {
  return {*envelope.client, envelope.helo, envelope.mail_from};
}

spf::Options Inspection::Impl::spf_options() const {
  spf::Options result;
  result.clock = runtime->clock;
  result.now = now;
  result.deadline = meter.deadline();
  result.max_void_lookups = runtime->config.limits.spf_void_lookups;
  result.receiver = runtime->config.rules.authserv_id;
  return result;
}

spf::Outcome Inspection::Impl::check_spf(spf::Identity identity) {
  return identity == spf::Identity::helo ? spf::check_helo(meter, spf_query(), spf_options())
                                         : spf::check_mail_from(meter, spf_query(), spf_options());
}

void Inspection::Impl::check_dmarc(policy::Report& report, dmarc::Evaluator& walk, dmarc::Evaluator& list) {
  if (!author.usable()) {
    // RFC 9989 Section 5.3.1: no single author domain, no DMARC; never a pass, and never silently none.
    report.dmarc.result = report.dmarc_rfc7489.result = dmarc::Result::permerror;
    report.dmarc.reason = report.dmarc_rfc7489.reason = author.problem;
    return;
  }
  const auto found = identifiers(report);
  if (wants(dmarc::Vintage::rfc9989)) report.dmarc = dmarc::evaluate(walk, author.domain(), found);
  if (wants(dmarc::Vintage::rfc7489)) report.dmarc_rfc7489 = dmarc::evaluate(list, author.domain(), found);
}

// Through which accounts the message may go, each once: its recipients may be reached through different relays, or
// through one of which the MTA does not tell.
std::vector<ses::Relay> Inspection::Impl::ways() const {
  const auto sender = mail::parse_path(envelope.mail_from);
  const auto* from = author.usable() ? &author.mailboxes.front() : nullptr;
  std::vector<ses::Relay> found;
  const auto add = [&](const std::string& relay) {
    for (const auto& way : runtime->accounts->ways_of({from, sender ? &*sender : nullptr, relay}))
      if (std::ranges::find(found, way) == found.end()) found.push_back(way);
  };
  for (const auto& relay : envelope.relays) add(relay);
  if (found.empty()) add("");
  return found;
}

void Inspection::Impl::predict(policy::Report& report) {
  auto shape = body_shape;
  for (const auto& field : left()) shape.field(field);
  std::vector<ses::Prediction> predictions;
  for (const auto& way : ways()) {
    const ses::Surroundings world{meter,
                                  *way.account,
                                  meter.deadline(),
                                  runtime->suffixes,
                                  now,
                                  runtime->accounts->all(),
                                  runtime->config.ses.tracking_configuration_sets,
                                  runtime->observer.get(),
                                  &meter};
    predictions.push_back(
        ses::predict(world, {envelope, left(), author, report.dkim, shape.found(), way.configuration_set}));
  }
  report.prediction = ses::in_common(predictions);
}

// What was read of an over-long header is not what the receivers will read: nothing definite follows from it.
void Inspection::Impl::limit(policy::Report& report) const {
  const auto allowed = runtime->config.limits.header_bytes;
  if (header_bytes <= allowed) return;
  report.limits.push_back("the header has " + std::to_string(header_bytes) + " octets, " + std::to_string(allowed) +
                          " are read (limits.header_size)");
  report.author.problem = report.limits.back();
  for (auto& outcome : report.dkim) {
    // A signature may fail only because what it covers was not read.
    if (outcome.result != dkim::Result::pass && outcome.result != dkim::Result::fail) continue;
    outcome.result = dkim::Result::policy;
    outcome.reason = report.limits.back();
  }
  report.arc = {};
  report.arc.reason = report.limits.back();
  report.dmarc.result = report.dmarc_rfc7489.result = dmarc::Result::permerror;
  report.dmarc.reason = report.dmarc_rfc7489.reason = report.author.problem;
  if (direction != policy::Direction::outbound) return;
  ses::Prediction undecided;
  undecided.region = ways().front().account->region;
  undecided.why = "No prediction; the mail is let pass.";
  report.prediction = undecided;
}

Inspection::Inspection(std::shared_ptr<const Runtime> runtime, policy::Direction direction, mail::Envelope envelope,
                       const Options& options)
    : impl_(std::make_unique<Impl>(std::move(runtime), direction, std::move(envelope), options)) {
  const auto& rules = impl_->runtime->config.rules.repair;
  impl_->guards_ses_fields =
      !impl_->inbound() && rules.ses_fields && !policy::may_set_ses_fields(impl_->envelope, rules);
  impl_->prefetch_envelope();
}

Inspection::~Inspection() = default;

mail::Envelope& Inspection::envelope() {
  return impl_->envelope;
}
policy::Direction Inspection::direction() const {
  return impl_->direction;
}

void Inspection::field(const mail::Field& field) {
  auto& impl = *impl_;
  if (impl.ignored()) return;
  impl.header_bytes += field.name.size() + field.value.size() + 3;  // ":" and CRLF
  impl.note_forged(field);
  if (impl.over_limit()) return;
  impl.dkim.field(field);
  if (impl.inbound()) impl.arc.field(field);
  impl.fields.push_back(field);
}

void Inspection::end_of_header() {
  auto& impl = *impl_;
  impl.header_ended = true;
  if (impl.ignored()) return;
  impl.author = mail::find_author(impl.fields);
  if (impl.ignored_author()) {
    impl.direction = policy::Direction::ignored;
    return;
  }
  impl.repair_header();
  impl.dkim.end_of_header(impl.left(), impl.author.domains);
  if (impl.inbound()) impl.arc.end_of_header(impl.fields);
  if (!impl.author.usable()) return;
  if (impl.inbound()) {
    if (impl.wants(dmarc::Vintage::rfc9989)) dmarc::prefetch(impl.meter, impl.author.domain());
  } else {
    for (const auto& way : impl.ways()) ses::prefetch(impl.meter, *way.account, impl.author.mailboxes.front());
  }
}

void Inspection::body(std::string_view chunk) {
  if (impl_->ignored()) return;
  impl_->bare_ends.update(chunk);
  if (!impl_->inbound()) impl_->body_shape.body(chunk);
  impl_->dkim.body(chunk);
  if (impl_->inbound()) impl_->arc.body(chunk);
}

policy::Report Inspection::finish() {
  auto& impl = *impl_;
  if (!impl.header_ended) end_of_header();
  policy::Report report;
  report.time = impl.now;
  report.direction = impl.direction;
  report.author = impl.author;
  report.bare_ends = impl.bare_ends.found();
  for (const auto& field : impl.fields)
    if (mail::is_named(field, "Message-ID")) report.message_id = printable(trim(field.value));
  if (!impl.ignored()) {
    impl.meter.set_deadline(impl.runtime->clock->steady_now() + impl.runtime->config.dns.budget);
    if (impl.inbound()) {
      impl.judge(report);
    } else {
      report.dkim = impl.dkim.finish(impl.key_deadline());
      impl.repair_signatures(report);
      impl.predict(report);
    }
    report.forged_results.assign(impl.forged_results.rbegin(), impl.forged_results.rend());
    report.forged_predictions.assign(impl.forged_predictions.rbegin(), impl.forged_predictions.rend());
    impl.limit(report);
    if (impl.inbound() && report.limits.empty())
      learn(report, {*impl.runtime, impl.envelope, impl.fields, impl.meter, impl.meter.deadline(), impl.now});
    report.dns = impl.meter.cost();
    report.answers = impl.meter.answers();
  }
  report.envelope = std::move(impl.envelope);
  return report;
}

}  // namespace sesame::inspect
