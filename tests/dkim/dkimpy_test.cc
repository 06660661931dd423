// What another implementation signs, passes; what is then changed, does not.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "check.h"
#include "mail/message.h"
#include "support/signer.h"

namespace sesame::test {
namespace {

using json = nlohmann::json;

const std::vector<std::pair<const char*, std::string>>& bodies() {
  static const std::vector<std::pair<const char*, std::string>> cases = {
      {"empty", ""},
      {"one line", "Hello\n"},
      {"no last line end", "Hello"},
      {"blank lines at the end", "Hello\n\n\n\n"},
      {"blank lines only", "\n\n"},
      {"lines of white space", "  \n\t\n \t \n"},
      {"runs of white space", "a  b\t\tc \t d \t\n\n  e\n \n"},
      {"8-bit", "caf\xc3\xa9  \xe2\x82\xac\n"},
      {"long", std::string(70000, 'x') + "\n" + std::string(5000, ' ') + "y\n"},
  };
  return cases;
}

const std::string kHeader =
    "Received: from client.example.com\n\tby mx.example.com; Thu, 1 Jan 2026 00:00:00 +0000\n"
    "From: =?utf-8?q?A?= <a@example.com>\n"
    "To: b@example.org,\n  c@example.org\n"
    "Subject:\n folded  right after\tthe colon \n"
    "Date: Thu, 1 Jan 2026 00:00:00 +0000\n"
    "Message-ID: <1@example.com>\n"
    "MIME-Version: 1.0\n";

json signature(const Signer& signer, const char* algorithm, const char* c) {
  return {
      {"domain", "example.com"}, {"selector", "s"}, {"key", signer.private_key()}, {"algorithm", algorithm}, {"c", c}};
}

struct Job {
  std::string rule;
  std::string record;
};

TEST(Dkimpy, WhatItSignsPasses) {
  json jobs = json::array();
  std::vector<Job> expected;
  for (const auto& [rule, body] : bodies()) {
    for (const auto* c : {"simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"}) {
      for (const auto* algorithm : {"rsa-sha256", "ed25519-sha256"}) {
        const auto& signer = algorithm[0] == 'r' ? Signer::rsa(2048) : Signer::ed25519();
        jobs.push_back({{"message", kHeader + "\n" + body}, {"signatures", {signature(signer, algorithm, c)}}});
        expected.push_back({std::string(rule) + " " + c + " " + algorithm, signer.record()});
      }
    }
  }
  const auto messages = sign_with_dkimpy(jobs.dump());
  if (!messages) GTEST_SKIP() << "python3-dkim is not installed";
  ASSERT_EQ(messages->size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    FakeResolver resolver("s._domainkey.example.com TXT " + expected[i].record);
    const auto& message = (*messages)[i];
    const auto now = at(4102444800);  // dkimpy signs with the real clock's t=
    auto outcomes = check(resolver, message, now);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].result, dkim::Result::pass) << expected[i].rule << ": " << outcomes[0].reason;
    outcomes = check(resolver, message + "more\r\n", now);
    EXPECT_EQ(outcomes[0].reason, "body hash differs") << expected[i].rule;
    outcomes = check(resolver, "X-New: x\r\n" + message, now);
    EXPECT_EQ(outcomes[0].result, dkim::Result::pass) << expected[i].rule;
    // dkimpy names From once more than it is there.
    outcomes = check(resolver, "From: x@example.org\r\n" + message, now);
    EXPECT_EQ(outcomes[0].result, dkim::Result::fail) << expected[i].rule;
  }
}

TEST(Dkimpy, TwoSignaturesLikeSes) {
  const auto& own = Signer::rsa(2048);
  const auto& relay = Signer::rsa(1024);
  auto second = signature(relay, "rsa-sha256", "relaxed/simple");
  second["domain"] = "amazonses.com";
  second["selector"] = "relay";
  const json jobs = {
      {{"message", kHeader + "\nHello\n"}, {"signatures", {signature(own, "rsa-sha256", "relaxed/simple"), second}}}};
  const auto messages = sign_with_dkimpy(jobs.dump());
  if (!messages) GTEST_SKIP() << "python3-dkim is not installed";
  FakeResolver resolver("s._domainkey.example.com TXT " + own.record() + "\nrelay._domainkey.amazonses.com TXT " +
                        relay.record());
  const auto outcomes = check(resolver, messages->front(), at(4102444800));
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].domain, "amazonses.com");
  EXPECT_EQ(outcomes[0].result, dkim::Result::pass) << outcomes[0].reason;
  EXPECT_EQ(outcomes[1].domain, "example.com");
  EXPECT_EQ(outcomes[1].result, dkim::Result::pass) << outcomes[1].reason;
}

TEST(Dkimpy, LengthTag) {
  auto job = signature(Signer::rsa(1024), "rsa-sha256", "relaxed/relaxed");
  job["length"] = true;
  const json jobs = {{{"message", kHeader + "\nHello  there\n"}, {"signatures", {job}}}};
  const auto messages = sign_with_dkimpy(jobs.dump());
  if (!messages) GTEST_SKIP() << "python3-dkim is not installed";
  FakeResolver resolver("s._domainkey.example.com TXT " + Signer::rsa(1024).record());
  EXPECT_EQ(check(resolver, messages->front(), at(4102444800))[0].result, dkim::Result::pass);
  EXPECT_EQ(check(resolver, messages->front() + "x\r\n", at(4102444800))[0].result, dkim::Result::policy);
}

// The verifier sees the same whatever the chunks are.
TEST(Dkimpy, EverySplitOfTheBodyPasses) {
  const std::string body = " a \t b \r\n\r\n \t\r\nc\r\n \r\n\r\n";
  json jobs = json::array();
  for (const auto* c : {"relaxed/simple", "relaxed/relaxed"})
    jobs.push_back({{"message", kHeader + "\n a \t b \n\n \t\nc\n \n\n"},
                    {"signatures", {signature(Signer::rsa(1024), "rsa-sha256", c)}}});
  const auto messages = sign_with_dkimpy(jobs.dump());
  if (!messages) GTEST_SKIP() << "python3-dkim is not installed";
  FakeResolver resolver("s._domainkey.example.com TXT " + Signer::rsa(1024).record());
  for (const auto& text : *messages) {
    const auto message = mail::read_message(text);
    ASSERT_EQ(message.body, body);
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
      dkim::Verifier verifier(resolver, at(4102444800));
      for (const auto& field : message.fields) verifier.field(field);
      verifier.end_of_header(message.fields, {});
      verifier.body(std::string_view(body).substr(0, cut));
      verifier.body(std::string_view(body).substr(cut));
      EXPECT_EQ(verifier.finish(Deadline::max())[0].result, dkim::Result::pass) << cut;
    }
  }
}

}  // namespace
}  // namespace sesame::test
