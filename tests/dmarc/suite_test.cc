// RFC 9989 Appendix B and Section 4.10 as whole messages: SPF and DKIM are evaluated by their own layers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "dkim/dkim.h"
#include "dmarc/dmarc.h"
#include "mail/address.h"
#include "mail/message.h"
#include "spf/spf.h"
#include "support/fake_resolver.h"

namespace sesame::dmarc {
namespace {

using nlohmann::json;

const std::filesystem::path kSuite = std::filesystem::path(SESAME_SOURCE_DIR) / "../shared/suites/dmarc-rfc";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void add_spf(dns::Resolver& resolver, const json& c, std::vector<Identifier>& identifiers) {
  if (!c.contains("mail_from")) return;
  const spf::Query query{*IpAddress::parse(c.at("ip").get<std::string>()), c.value("helo", ""), c.at("mail_from")};
  const auto outcome = spf::check_mail_from(resolver, query, {});
  const auto state = outcome.result == spf::Result::pass ? Identifier::State::pass : Identifier::State::not_pass;
  identifiers.push_back({Identifier::Method::spf, outcome.domain, state});
}

void add_dkim(dns::Resolver& resolver, const json& c, const mail::Message& message, const std::string& author,
              std::vector<Identifier>& identifiers) {
  dkim::Options options;
  options.now = c.value("now", 0);
  dkim::Verifier verifier(resolver, options);
  for (const auto& field : message.fields) verifier.field(field);
  const std::vector<std::string> authors = {author};
  verifier.end_of_header(message.fields, authors);
  verifier.body(message.body);
  for (const auto& outcome : verifier.finish(Deadline::max())) {
    EXPECT_EQ(outcome.result, dkim::Result::pass) << outcome.reason;
    identifiers.push_back(
        {Identifier::Method::dkim, outcome.domain,
         outcome.result == dkim::Result::pass ? Identifier::State::pass : Identifier::State::not_pass});
  }
}

// The _dmarc names asked about, in order.
std::vector<std::string> dmarc_names(const test::FakeResolver& resolver) {
  std::vector<std::string> names;
  for (const auto& question : resolver.asked())
    if (question.starts_with("TXT _dmarc.")) names.push_back(question.substr(4));
  return names;
}

// A list holds the values accepted.
void expect_in(const json& expect, const char* key, const std::string& got) {
  if (!expect.contains(key)) return;
  const auto& want = expect.at(key);
  if (want.is_array()) {
    EXPECT_NE(std::find(want.begin(), want.end(), got), want.end()) << key << ": " << got << ", not in " << want;
  } else {
    EXPECT_EQ(got, want) << key;
  }
}

void check(const json& c, Vintage vintage) {
  test::FakeResolver resolver(test::Zone::from_json(c.at("dns").dump()));
  const auto message = mail::read_message(read_file(kSuite / c.at("message").get<std::string>()));
  const auto author = mail::find_author(message.fields);
  ASSERT_TRUE(author.usable()) << author.problem;
  std::vector<Identifier> identifiers;
  add_spf(resolver, c, identifiers);
  add_dkim(resolver, c, message, author.domain(), identifiers);
  resolver.forget_asked();

  Evaluator evaluator(resolver, vintage, PublicSuffixList::system(), Deadline::max());
  const auto outcome = evaluate(evaluator, author.domain(), identifiers);
  const auto& expect = c.at("expect");
  expect_in(expect, "dmarc", to_string(outcome.result));
  expect_in(expect, "dmarc_policy", to_string(outcome.discovery.policy));
  expect_in(expect, "dmarc_disposition", to_string(outcome.discovery.disposition));
  expect_in(expect, "dmarc_from_domain", outcome.discovery.domain);
  expect_in(expect, "dmarc_org_domain", outcome.discovery.org_domain);
  if (expect.contains("queries_txt")) {
    EXPECT_EQ(dmarc_names(resolver), expect.at("queries_txt").get<std::vector<std::string>>());
  }
  if (expect.contains("max_queries")) {
    EXPECT_LE(resolver.asked().size(), expect.at("max_queries").get<std::size_t>());
  }
}

TEST(Suite, ExamplesOfTheRfcHold) {
  std::ifstream file(kSuite / "manifest.json");
  if (!file) GTEST_SKIP() << "../shared/suites/dmarc-rfc is not here";
  const auto manifest = json::parse(file);
  int cases = 0;
  for (const auto& c : manifest.at("cases")) {
    ++cases;
    const auto mode = c.at("mode").get<std::string>();
    SCOPED_TRACE(c.at("id").get<std::string>());
    if (mode != "rfc7489") check(c, Vintage::rfc9989);
    if (mode != "rfc9989") check(c, Vintage::rfc7489);
  }
  EXPECT_EQ(cases, 25);
}

}  // namespace
}  // namespace sesame::dmarc
