// The tables of cases hold what the table of findings promises: each code has a case that yields it, and beside it a
// neighbouring one in which all is well.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ses/predict_case.h"

namespace sesame::test {
namespace {

// "dkim-cname-missing" -> "DkimCnameMissing"
std::string case_prefix(std::string_view code) {
  std::string name;
  bool upper = true;
  for (const char c : code) {
    if (c != '-') name += upper ? to_upper(c) : c;
    upper = c == '-';
  }
  return name;
}

bool has(const std::vector<std::string>& codes, const std::string& code) {
  return std::ranges::find(codes, code) != codes.end();
}

// Cases about a code bear its name; those in which it must not be found go on with "Not".
struct Found {
  bool yielding = false, healthy = false;
};

Found look_for(const std::string& code, const std::vector<PredictCase>& cases) {
  const auto prefix = case_prefix(code);
  Found found;
  for (const auto& c : cases) {
    if (!c.name.starts_with(prefix)) continue;
    if (has(c.codes, code)) found.yielding = true;
    if (has(c.not_codes, code) && c.name.substr(prefix.size()).starts_with("Not")) found.healthy = true;
  }
  return found;
}

std::vector<PredictCase> all_cases() {
  std::vector<PredictCase> all;
  for (const auto& part : {dkim_cases(), dkim_state_cases(), history_cases(), identity_cases(), coverage_cases(),
                           mail_from_cases(), spf_cases(), dmarc_cases(), refusal_cases(), upstream_cases()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<std::string> all_codes() {
  std::vector<std::string> codes;
  for (int code = 0; code <= static_cast<int>(ses::Code::prediction_contradicted); ++code)
    codes.emplace_back(ses::to_string(static_cast<ses::Code>(code)));
  return codes;
}

TEST(Codes, EachHasACaseThatYieldsItAndAHealthyNeighbour) {
  const auto cases = all_cases();
  const auto codes = all_codes();
  EXPECT_EQ(codes.size(), 50u);
  for (const auto& code : codes) {
    const auto found = look_for(code, cases);
    EXPECT_TRUE(found.yielding) << "no case " << case_prefix(code) << "... yields " << code;
    EXPECT_TRUE(found.healthy) << "no case " << case_prefix(code) << "Not... is without " << code;
  }
}

TEST(Codes, ACaseUnderAnotherNameIsNotCounted) {
  const std::vector<PredictCase> cases = {
      {"Other", {}, ses::Verdict::pass, ses::Confidence::confirmed, {"dkim-ok"}, {}},
      {"DkimOkButSilent", {}, ses::Verdict::pass, ses::Confidence::confirmed, {}, {"dkim-ok"}}};
  EXPECT_FALSE(look_for("dkim-ok", cases).yielding);
  EXPECT_FALSE(look_for("dkim-ok", cases).healthy);
}

TEST(Codes, CasesNameKnownCodesOnly) {
  const auto codes = all_codes();
  const std::set<std::string> known(codes.begin(), codes.end());
  for (const auto& c : all_cases())
    for (const auto* list : {&c.codes, &c.not_codes})
      for (const auto& code : *list) EXPECT_TRUE(known.contains(code)) << c.name << ": " << code;
}

}  // namespace
}  // namespace sesame::test
