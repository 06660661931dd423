// One thing changed in a healthy world, and what must follow: the tables that predict_test.cc goes through.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "ses/world.h"

namespace sesame::test {

struct PredictCase {
  std::string name;
  std::function<void(SesWorld&)> change;
  ses::Verdict verdict;
  ses::Confidence confidence;
  std::vector<std::string> codes = {};      // must be there, the first of them first
  std::vector<std::string> not_codes = {};  // must not
};

inline void PrintTo(const PredictCase& c, std::ostream* out) {
  *out << c.name;
}

std::vector<PredictCase> dkim_cases();
std::vector<PredictCase> dkim_state_cases();
std::vector<PredictCase> history_cases();
std::vector<PredictCase> outage_cases();
std::vector<PredictCase> identity_cases();
std::vector<PredictCase> coverage_cases();
std::vector<PredictCase> mail_from_cases();
std::vector<PredictCase> spf_cases();
std::vector<PredictCase> dmarc_cases();
std::vector<PredictCase> refusal_cases();
std::vector<PredictCase> upstream_cases();
std::vector<PredictCase> stale_cases();

}  // namespace sesame::test
