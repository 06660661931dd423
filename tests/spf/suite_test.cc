// The openspf.org suites, read where they lie.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "spf/spf.h"
#include "support/fake_resolver.h"

namespace sesame::spf {
namespace {

using json = nlohmann::json;

// Another of the accepted results than the preferred one, and why.
struct Difference {
  std::string result;
  std::string reason;
};
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

// A case may accept several results: the first is the preferred one.
std::vector<std::string> accepted_results(const YAML::Node& node) {
  if (node.IsScalar()) return {node.as<std::string>()};
  return node.as<std::vector<std::string>>();
}

// "" when the case is answered as it wants, else what is wrong. `instead` is the listed difference, if there is one.
std::string run_case(const YAML::Node& test, const test::Zone& zone, const Difference* instead) {
  test::FakeResolver resolver(zone);
  const auto client = IpAddress::parse(test["host"].as<std::string>());
  if (!client) return "the client address cannot be read";
  const auto outcome =
      check_mail_from(resolver, {*client, test["helo"].as<std::string>(), test["mailfrom"].as<std::string>()}, {});
  const std::string result = to_string(outcome.result);
  const auto accepted = accepted_results(test["result"]);
  if (instead && accepted.front() == instead->result) return "it is listed but not different";
  if (instead && std::ranges::find(accepted, instead->result) == accepted.end())
    return "it does not accept the difference";
  const auto& want = instead ? instead->result : accepted.front();
  if (result != want) return "wanted " + want + ", got " + result + " (" + outcome.reason + ")";
  if (!test["explanation"]) return {};
  auto explanation = test["explanation"].as<std::string>();
  if (explanation == "DEFAULT") explanation.clear();
  if (outcome.explanation == explanation) return {};
  return "wanted the explanation \"" + explanation + "\", got \"" + outcome.explanation + "\"";
}

void run_suite(const std::string& file, std::size_t cases, const Differences& differences) {
  const auto path = std::filesystem::path(SESAME_SOURCE_DIR) / "../shared/suites/rfc7208-spf" / file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the suite is not at " << path;
  std::size_t count = 0, passed = 0, different = 0;
  for (const auto& scenario : YAML::LoadAllFromFile(path.string())) {
    if (!scenario["tests"]) continue;
    const auto zone = read_zone(scenario["zonedata"]);
    for (const auto& entry : scenario["tests"]) {
      ++count;
      const auto name = entry.first.as<std::string>();
      const auto known = differences.find(name);
      const auto* instead = known == differences.end() ? nullptr : &known->second;
      const auto wrong = run_case(entry.second, zone, instead);
      if (wrong.empty()) {
        ++passed;
      } else {
        ADD_FAILURE() << scenario["description"].as<std::string>() << ", " << name << ": " << wrong;
      }
      if (instead) {
        ++different;
        std::cout << "  " << name << ": " << instead->result << ", " << instead->reason << "\n";
      }
    }
  }
  std::cout << "suite " << file.substr(0, file.find("-tests")) << "-spf: " << passed << " of " << count << "\n";
  EXPECT_EQ(count, cases);
  EXPECT_EQ(different, differences.size()) << "a listed case is not in the suite";
}

TEST(Suite, Rfc7208WithThePreferredResults) {
  run_suite("rfc7208-tests.yml", 203, {});
}

TEST(Suite, Rfc4408ExceptWhatRfc7208Changed) {
  constexpr const char* kTxtOnly = "RFC 7208 Section 3.1: TXT records only";
  constexpr const char* kUndefined = "RFC 7208 Section 4.8: undefined, and a name that cannot exist has no records";
  run_suite("rfc4408-tests.yml", 191,
            {{"spfonly", {"none", kTxtOnly}},
             {"txttimeout", {"temperror", kTxtOnly}},
             {"spfoverride", {"fail", kTxtOnly}},
             {"multitxt1", {"permerror", kTxtOnly}},
             {"multispf2", {"pass", kTxtOnly}},
             {"invalid-domain-empty-label", {"fail", kUndefined}},
             {"invalid-domain-long", {"fail", kUndefined}},
             {"invalid-domain-long-via-macro", {"fail", kUndefined}},
             {"exists-dnserr", {"temperror", "RFC 7208 Section 5: no exception for exists"}},
             {"mx-limit", {"permerror", "RFC 7208 Section 4.6.4: too many MX names are an error"}}});
}

}  // namespace
}  // namespace sesame::spf
