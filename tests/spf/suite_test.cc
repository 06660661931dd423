// The openspf.org suites, read where they lie: every case of RFC 7208, and of RFC 4408 all but those RFC 7208 changed.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "spf/spf.h"
#include "support/fake_resolver.h"
#include "util/text.h"

namespace sesame::spf {
namespace {

using json = nlohmann::json;

struct Difference {
  std::string result;
  std::string reason;
};
// Cases whose expectation is not ours: what is answered instead, and why.
using Differences = std::map<std::string, Difference>;

std::string hex(const std::string& bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += {kHex[byte >> 4], kHex[byte & 15]};
  }
  return text;
}

// One TXT record: a string, or a list of strings that belong to one record.
json txt_record(const YAML::Node& node) {
  json strings = json::array();
  if (node.IsSequence()) {
    for (const auto& part : node) strings.push_back({{"hex", hex(part.as<std::string>())}});
  } else {
    strings.push_back({{"hex", hex(node.as<std::string>())}});
  }
  return strings;
}

// The entries of one name. SPF records stand for TXT unless the name has TXT entries ("NONE" being one without data);
// TIMEOUT makes the types without records time out.
void add_name(const std::string& name, const YAML::Node& entries, json& names, json& faults) {
  json types = json::object();
  json from_spf = json::array();
  std::set<std::string> present;
  bool timeout = false;
  for (const auto& entry : entries) {
    if (entry.IsScalar()) {
      timeout = true;
      continue;
    }
    const auto type = entry.begin()->first.as<std::string>();
    const YAML::Node value = entry.begin()->second;  // a copy: the iterator hands out a temporary
    if (type == "SPF") {
      from_spf.push_back(txt_record(value));
      continue;
    }
    const bool absent = value.IsScalar() && value.as<std::string>() == "NONE";
    if (type == "TXT") {
      present.insert("SPF replaced");
      if (absent) continue;
      types["TXT"].push_back(txt_record(value));
    } else if (type == "MX") {
      types["MX"].push_back({value[0].as<int>(), value[1].as<std::string>()});
    } else {
      types[type].push_back(value.as<std::string>());
    }
    present.insert(type);
  }
  if (!present.contains("SPF replaced") && !from_spf.empty()) {
    types["TXT"] = from_spf;
    present.insert("TXT");
  }
  names[name] = types;
  if (!timeout) return;
  for (const auto* type : {"TXT", "A", "AAAA", "MX", "PTR"})
    if (!present.contains(type)) faults.push_back({{"name", name}, {"type", type}, {"fault", "TIMEOUT"}});
}

test::Zone read_zone(const YAML::Node& zonedata) {
  json names = json::object();
  json faults = json::array();
  for (const auto& entry : zonedata) add_name(entry.first.as<std::string>(), entry.second, names, faults);
  return test::Zone::from_json(json{{"zone", names}, {"faults", faults}}.dump());
}

std::vector<std::string> accepted_results(const YAML::Node& node) {
  if (node.IsScalar()) return {node.as<std::string>()};
  return node.as<std::vector<std::string>>();
}

// "" when the case is answered as it wants, else what is wrong.
std::string run_case(const YAML::Node& test, const test::Zone& zone, std::string& result) {
  test::FakeResolver resolver(zone);
  const auto client = IpAddress::parse(test["host"].as<std::string>());
  if (!client) return "the client address cannot be read";
  const auto outcome =
      check_mail_from(resolver, {*client, test["helo"].as<std::string>(), test["mailfrom"].as<std::string>()}, {});
  result = to_string(outcome.result);
  const auto accepted = accepted_results(test["result"]);
  if (std::ranges::find(accepted, result) == accepted.end())
    return "wanted " + accepted.front() + ", got " + result + " (" + outcome.reason + ")";
  if (!test["explanation"]) return {};
  auto explanation = test["explanation"].as<std::string>();
  if (explanation == "DEFAULT") explanation.clear();
  if (outcome.explanation == explanation) return {};
  return "wanted the explanation \"" + explanation + "\", got \"" + outcome.explanation + "\"";
}

void run_suite(const std::string& file, std::size_t cases, const Differences& differences) {
  const auto path = std::filesystem::path(SESAME_SOURCE_DIR) / "../shared/suites/rfc7208-spf" / file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the suite is not at " << path;
  std::size_t count = 0, passed = 0;
  std::set<std::string> seen;
  for (const auto& scenario : YAML::LoadAllFromFile(path.string())) {
    if (!scenario["tests"]) continue;
    const auto zone = read_zone(scenario["zonedata"]);
    for (const auto& entry : scenario["tests"]) {
      ++count;
      const auto name = entry.first.as<std::string>();
      std::string result;
      const auto wrong = run_case(entry.second, zone, result);
      const auto known = differences.find(name);
      if (known != differences.end()) {
        seen.insert(name);
        EXPECT_FALSE(wrong.empty()) << name << " is listed as different but is answered as wanted";
        EXPECT_EQ(result, known->second.result) << name << ": " << wrong;
        std::cout << "  " << name << ": " << result << ", " << known->second.reason << "\n";
      } else if (wrong.empty()) {
        ++passed;
      } else {
        ADD_FAILURE() << scenario["description"].as<std::string>() << ", " << name << ": " << wrong;
      }
    }
  }
  std::cout << "suite " << file.substr(0, file.find("-tests")) << "-spf: " << passed << " of " << count << "\n";
  EXPECT_EQ(count, cases);
  EXPECT_EQ(seen.size(), differences.size()) << "a listed case is not in the suite";
}

TEST(Suite, Rfc7208) {
  run_suite("rfc7208-tests.yml", 203, {});
}

TEST(Suite, Rfc4408AsFarAsRfc7208KeptIt) {
  run_suite("rfc4408-tests.yml", 191, {});
}

}  // namespace
}  // namespace sesame::spf
