// What receivers will see: the policy, and whether each leg aligns with From.
#include <tuple>
#include <utility>

#include "ses/predictor.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

const char* effect_of(const dmarc::Discovery& found) {
  using State = dmarc::Discovery::State;
  return found.state == State::found    ? "find a policy"
         : found.state == State::absent ? "find no policy"
                                        : "are undecided";
}

// What to do where nothing aligns. What is set up is mended, and never set up anew: that hands out other tokens.
std::string remedy(const Prediction& prediction, const Identity* identity, const std::string& from) {
  const auto domain = identity ? std::string(identity->domain()) : from;
  const bool custom = identity && prediction.spf.domain == identity->mail_from.domain;
  if (prediction.dkim.usable == Tri::yes || (custom && prediction.spf.usable == Tri::yes))
    return "Verify " + from + " as an identity of its own, or let the DMARC record ask for relaxed alignment " +
           "(adkim=r, aspf=r)";
  const bool dkim = identity && is_begun(identity->dkim);
  const bool mail_from = identity && !identity->mail_from.domain.empty();
  if (dkim) return "Mend DKIM of " + domain + " first, by what is said of it here";
  return "Set up Easy DKIM for " + domain + " first, then " +
         (mail_from ? "mend MAIL FROM " + identity->mail_from.domain : "a custom MAIL FROM domain below it");
}

}  // namespace

void Predictor::report_dkim_alignment(Receiver& walk, Receiver& list) {
  const auto& leg = result_.dkim;
  if (leg.usable == Tri::no) return;
  if (leg.aligned.rfc9989 == Tri::no && walk.dkim_mode() == dmarc::Mode::strict &&
      walk.aligned(leg.domain, dmarc::Mode::relaxed) == Tri::yes)
    add(make_finding(
        Code::dkim_strict_parent,
        {{"domain", leg.domain}, {"from", from_.domain}, {"record", "_dmarc." + walk.discovery().record_domain}}));
  report_split(leg.domain, leg.aligned, walk.dkim_mode(), list);
}

void Predictor::report_spf_alignment(Receiver& walk, Receiver& list) {
  const auto& leg = result_.spf;
  const bool custom = !leg.domain.empty() && leg.domain == identity_->mail_from.domain;
  if (custom && leg.aligned.rfc9989 == Tri::no && walk.spf_mode() == dmarc::Mode::strict &&
      walk.aligned(leg.domain, dmarc::Mode::relaxed) == Tri::yes)
    add(make_finding(Code::spf_strict_never, {{"domain", leg.domain},
                                              {"from", from_.domain},
                                              {"record", "_dmarc." + walk.discovery().record_domain},
                                              {"or", dkim_passes_.rfc9989 == Tri::yes ? ", or rely on DKIM" : ""}}));
  if (leg.domain != result_.dkim.domain) report_split(leg.domain, leg.aligned, walk.spf_mode(), list);
}

// The two vintages of receiver disagree about one domain.
void Predictor::report_split(const std::string& domain, const Aligned& aligned, dmarc::Mode mode,
                             const Receiver& list) {
  if (mode == dmarc::Mode::strict || aligned.rfc9989 == aligned.rfc7489) return;
  if (aligned.rfc9989 == Tri::unknown || aligned.rfc7489 == Tri::unknown) return;
  const bool walk_aligns = aligned.rfc9989 == Tri::yes;
  add(make_finding(Code::orgdomain_split, {{"from", from_.domain},
                                           {"domain", domain},
                                           {"org", list.discovery().org_domain},
                                           {"yes", walk_aligns ? "RFC 9989" : "RFC 7489"},
                                           {"no", walk_aligns ? "RFC 7489" : "RFC 9989"}}));
}

void Predictor::report_unusable_records(const dmarc::Discovery& walk, const dmarc::Discovery& list) {
  std::vector<std::string> records;
  for (const auto& problem : walk.problems)
    // The other kind of problem, an author domain that did not answer, is no fault of a record.
    if (problem.starts_with("_dmarc.")) records.push_back(problem);
  if (records.empty()) return;
  const std::string newer = effect_of(walk), older = effect_of(list);
  add(make_finding(Code::dmarc_invalid,
                   {{"reason", join(records, "; ")},
                    {"effect", newer == older ? "receivers " + newer
                                              : "receivers of RFC 9989 " + newer + ", those of RFC 7489 " + older}}));
}

void Predictor::report_policy(Receiver& walk, Receiver& list) {
  using State = dmarc::Discovery::State;
  const auto& found = walk.discovery();
  report_unusable_records(found, list.discovery());
  if (found.state == State::absent)
    add(make_finding(Code::dmarc_absent,
                     {{"from", from_.domain}, {"org", found.org_domain.empty() ? from_.domain : found.org_domain}}));
  if (!walk.decided() || !list.decided()) {
    const bool older = walk.decided();
    add(make_finding(Code::dmarc_temperror,
                     {{"what", "The DMARC policy of " + from_.domain + (older ? " for receivers of RFC 7489" : "")},
                      {"from", from_.domain},
                      {"reason", older ? list.discovery().reason : found.reason}}));
  } else {
    report_undecided_alignment(walk);
  }
}

// The policy is known, yet a look-up that alignment needs was not answered.
void Predictor::report_undecided_alignment(Receiver& walk) {
  for (const auto& [domain, aligned, passes] :
       {std::tuple(result_.dkim.domain, result_.dkim.aligned.rfc9989, dkim_passes_.rfc9989),
        std::tuple(result_.spf.domain, result_.spf.aligned.rfc9989, spf_passes_.rfc9989)}) {
    // Without a domain the settings are not known, and that was said.
    if (domain.empty() || aligned != Tri::unknown || passes != Tri::unknown) continue;
    const auto reason = walk.doubt(domain);
    if (reason.empty()) continue;
    add(make_finding(
        Code::dmarc_temperror,
        {{"what", "Whether " + domain + " aligns with " + from_.domain}, {"from", from_.domain}, {"reason", reason}}));
    return;
  }
}

void Predictor::conclude_dmarc() {
  result_.rfc9989 = *std::move(walk_);
  result_.rfc7489 = *std::move(list_);
  if (result_.rfc9989.result != DmarcPrediction::Result::fail) return;
  for (auto& finding : result_.findings)
    if (finding.code == Code::orgdomain_split || finding.code == Code::dkim_pending) finding.severity = Severity::error;
  add(make_finding(Code::dmarc_none_aligned,
                   {{"from", from_.domain}, {"remedy", remedy(result_, identity_, from_.domain)}}));
}

}  // namespace sesame::ses
