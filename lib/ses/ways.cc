#include "ses/ways.h"

#include <algorithm>
#include <string>

#include "util/text.h"

namespace sesame::ses {
namespace {

std::string name_of(const Prediction& way) {
  return (way.account.empty() ? "" : way.account + " ") + way.region +
         (way.configuration_set.empty() ? "" : " " + way.configuration_set) + ": " + to_string(way.verdict);
}

Aligned agree_on(const Aligned& a, const Aligned& b) {
  return {agree(a.rfc9989, b.rfc9989), agree(a.rfc7489, b.rfc7489)};
}

void narrow(Prediction& result, const Prediction& way) {
  if (way.verdict != result.verdict) result.verdict = Verdict::unknown;
  // Both enumerations go from the best to the worst.
  result.grade = std::max(result.grade, way.grade);
  result.confidence = std::max(result.confidence, way.confidence);
  if (way.as_of) result.as_of = std::min(*way.as_of, result.as_of.value_or(*way.as_of));
  result.dkim.usable = agree(result.dkim.usable, way.dkim.usable);
  result.dkim.aligned = agree_on(result.dkim.aligned, way.dkim.aligned);
  result.spf.usable = agree(result.spf.usable, way.spf.usable);
  result.spf.aligned = agree_on(result.spf.aligned, way.spf.aligned);
  for (const auto vintage : {&Prediction::rfc9989, &Prediction::rfc7489})
    if ((way.*vintage).result != (result.*vintage).result) (result.*vintage).result = DmarcPrediction::Result::unknown;
  for (const auto& finding : way.findings) {
    const auto same = [&](const Finding& each) { return each.code == finding.code && each.text == finding.text; };
    if (std::ranges::none_of(result.findings, same)) result.findings.push_back(finding);
  }
}

}  // namespace

Prediction in_common(std::span<const Prediction> ways) {
  std::vector<std::string> names;
  for (const auto& way : ways) names.push_back(name_of(way));
  auto result = ways.front();
  const auto alike = [&](const Prediction& way) { return way.verdict == ways.front().verdict; };
  for (std::size_t i = 1; i < ways.size(); ++i) narrow(result, ways[i]);
  if (std::ranges::all_of(ways, alike)) return result;
  result.grade = Grade::none;
  result.confidence = Confidence::unknown;
  result.why = "No prediction: what becomes of it depends on the relay (" + join(names, "; ") +
               "), and there may be several; set up all of these alike, or send apart what takes different relays.";
  return result;
}

}  // namespace sesame::ses
