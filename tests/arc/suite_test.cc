// The public ARC validation suite, from the conformance data beside the checkout.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>

#include "arc/arc.h"
#include "mail/message.h"
#include "support/fake_resolver.h"
#include "util/text.h"

namespace sesame::test {
namespace {

namespace fs = std::filesystem;

const fs::path kSuite = fs::path(SESAME_SOURCE_DIR) / "../shared/suites/arc/arc-validation-tests.yml";

arc::Outcome check(dns::Resolver& resolver, std::string_view message) {
  const auto parsed = mail::read_message(message);
  arc::Options options;
  options.now = 1700000000;
  arc::Verifier verifier(resolver, options);
  for (const auto& field : parsed.fields) verifier.field(field);
  verifier.end_of_header(parsed.fields);
  verifier.body(parsed.body);
  return verifier.finish(std::chrono::steady_clock::now() + std::chrono::seconds(5));
}

Zone zone_of(const YAML::Node& records) {
  std::string lines;
  for (const auto& record : records) {
    const auto text = record.second.as<std::string>();
    lines += record.first.as<std::string>() + " TXT " + (text.empty() ? "\"\"" : text) + "\n";
  }
  return Zone(lines);
}

TEST(Suite, ArcValidation) {
  if (!fs::exists(kSuite)) GTEST_SKIP() << "no conformance data at " << kSuite;
  int passed = 0;
  int total = 0;
  for (const auto& document : YAML::LoadAllFromFile(kSuite.string())) {
    for (const auto& entry : document["tests"]) {
      const auto& test = entry.second;
      FakeResolver resolver(zone_of(document["txt-records"]));
      const auto outcome = check(resolver, test["message"].as<std::string>());
      // A chain marked cv=fail by a sealer has no expectation of its own in the suite: RFC 8617 Section 5.2 step 2.
      const auto want = test["cv"].as<std::string>("").empty() ? "fail" : lower(test["cv"].as<std::string>());
      ++total;
      passed += want == arc::to_string(outcome.result);
      EXPECT_EQ(arc::to_string(outcome.result), want) << entry.first.as<std::string>() << ": " << outcome.reason;
    }
  }
  std::printf("suite arc-validation: %d of %d\n", passed, total);
  EXPECT_GE(total, 171);  // 171 names, four of them used for two cases each
}

}  // namespace
}  // namespace sesame::test
