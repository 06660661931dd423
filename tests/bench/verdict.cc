#include "bench/verdict.h"

#include <algorithm>

#include "authres/authres.h"

namespace sesame::bench {
namespace {

bool judges_helo(const authres::Statement& statement) {
  return std::ranges::any_of(statement.properties, [](const auto& property) { return property.name == "helo"; });
}

void note(const authres::Statement& statement, Verdict& verdict) {
  if (statement.method == "spf" && (verdict.spf == "-" || !judges_helo(statement))) verdict.spf = statement.result;
  if (statement.method == "dmarc") verdict.dmarc = statement.result;
  if (statement.method != "dkim" || statement.result == "none") return;
  if (verdict.dkim == "none")
    verdict.dkim = statement.result;
  else
    verdict.dkim += "," + statement.result;
}

}  // namespace

Verdict verdict_of(std::span<const std::string> field_values) {
  Verdict verdict{.dkim = "none"};
  for (const auto& value : field_values) {
    const auto header = authres::parse(value);
    if (!header) continue;
    for (const auto& statement : header->statements) note(statement, verdict);
  }
  return verdict;
}

std::vector<std::string> differences(const Verdict& expected, const Verdict& found) {
  std::vector<std::string> methods;
  const auto compare = [&](const char* method, const std::string& wanted, const std::string& got) {
    if (wanted != "-" && wanted != got) methods.emplace_back(method);
  };
  compare("spf", expected.spf, found.spf);
  compare("dkim", expected.dkim, found.dkim);
  compare("dmarc", expected.dmarc, found.dmarc);
  return methods;
}

}  // namespace sesame::bench
