// Messages of RFC 6376 and RFC 8463 with changed keys, DNS and text, from the conformance data beside the checkout.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "check.h"

namespace sesame::test {
namespace {

using json = nlohmann::json;
namespace fs = std::filesystem;

const fs::path kSuite = fs::path(SESAME_SOURCE_DIR) / "../shared/suites/rfc-examples";

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

json merged_dns(const json& manifest, const json& test) {
  json dns = manifest.value("dns", json::object());
  const auto own = test.value("dns", json::object());
  if (own.contains("zone"))
    for (const auto& [name, records] : own["zone"].items()) dns["zone"][name] = records;
  if (own.contains("faults")) dns["faults"] = own["faults"];
  return dns;
}

std::string edited_message(const json& test) {
  auto text = read(kSuite / test.at("message").get<std::string>());
  for (const auto& edit : test.value("edit", json::array())) {
    const auto old = edit.at(0).get<std::string>();
    const auto at = text.find(old);
    if (at == std::string::npos) throw std::runtime_error("edit does not apply: " + old);
    text.replace(at, old.size(), edit.at(1).get<std::string>());
  }
  return text;
}

bool accepted(const json& words, dkim::Result result) {
  return std::ranges::find(words, json(dkim::to_string(result))) != words.end();
}

// "" when the outcomes are what the case accepts.
std::string mismatch(const json& expect, const std::vector<dkim::Outcome>& outcomes) {
  if (expect.contains("dkim_best")) {
    const auto ok =
        std::ranges::any_of(outcomes, [&](const auto& o) { return accepted(expect["dkim_best"], o.result); });
    return ok || outcomes.empty() ? "" : "no outcome is accepted";
  }
  const auto& wanted = expect.at("dkim");
  if (wanted.size() != outcomes.size()) return std::to_string(outcomes.size()) + " outcomes";
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& want = wanted[i];
    const auto& got = outcomes[i];
    if (!accepted(want["result"], got.result)) return std::string(dkim::to_string(got.result)) + ": " + got.reason;
    if (want.value("optional", false) && got.domain.empty()) continue;
    if (want.at("domain") != got.domain) return "domain " + got.domain;
    if (want.contains("selector") && want["selector"] != got.selector) return "selector " + got.selector;
  }
  return "";
}

TEST(Suite, RfcExamples) {
  if (!fs::exists(kSuite / "manifest.json")) GTEST_SKIP() << "no conformance data at " << kSuite;
  const auto manifest = json::parse(read(kSuite / "manifest.json"));
  int passed = 0;
  int total = 0;
  int preferred = 0;
  for (const auto& test : manifest.at("cases")) {
    FakeResolver resolver(Zone::from_json(merged_dns(manifest, test).dump()));
    const auto now = test.value("now", manifest.at("defaults").at("now").get<std::int64_t>());
    const auto outcomes = check(resolver, edited_message(test), at(now), {"football.example.com"});
    const auto problem = mismatch(test.at("expect"), outcomes);
    ++total;
    passed += problem.empty();
    EXPECT_EQ(problem, "") << test.at("id") << " (" << test.value("why", "") << ")";
    const bool first = outcomes.empty() || !test["expect"].contains("dkim") ||
                       test["expect"]["dkim"][0]["result"][0] == dkim::to_string(outcomes[0].result);
    preferred += first;
    if (!first)
      std::printf("not the preferred result: %s: %s (%s)\n", test.at("id").get<std::string>().c_str(),
                  dkim::to_string(outcomes[0].result), outcomes[0].reason.c_str());
  }
  std::printf("suite rfc-examples: %d of %d (the preferred result in %d)\n", passed, total, preferred);
  EXPECT_GE(total, 52);
}

}  // namespace
}  // namespace sesame::test
