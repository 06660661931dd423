// RFC 8617 Sections 4 and 5.2, on chains that dkimpy sealed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "arc/arc.h"
#include "arc/chain.h"
#include "authres/authres.h"
#include "mail/message.h"
#include "support/fake_resolver.h"
#include "support/signer.h"

namespace sesame::test {
namespace {

using arc::Result;
using json = nlohmann::json;
using testing::HasSubstr;

constexpr std::int64_t kNow = 4102444800;  // after any t= that dkimpy writes

const std::string kMessage =
    "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=example.com\n"
    "From: a@example.com\nTo: b@example.org\nSubject: hello\nDate: Thu, 1 Jan 2026 00:00:00 +0000\n"
    "Message-ID: <1@example.com>\n\nHello\n";

arc::Outcome check(dns::Resolver& resolver, std::string_view text, const arc::Options& options = {.now = kNow}) {
  const auto message = mail::read_message(text);
  arc::Verifier verifier(resolver, options);
  for (const auto& field : message.fields) verifier.field(field);
  verifier.end_of_header(message.fields);
  verifier.body(message.body);
  return verifier.finish(Deadline::max());
}

FakeResolver with_key(const std::string& record) {
  return FakeResolver("s._domainkey.example.org TXT " + record);
}

json seal_job(const Signer& signer, const std::string& results) {
  json job = {{"method", "arc"},
              {"domain", "example.org"},
              {"selector", "s"},
              {"key", signer.private_key()},
              {"srv_id", "mx.example.org"},
              {"headers", {"from", "to", "subject", "date", "message-id"}}};
  if (!results.empty()) job["results"] = results;
  return job;
}

// A chain of `sets`; empty when dkimpy is not installed.
std::string sealed(int sets, const Signer& signer = Signer::rsa(1024)) {
  json seals = json::array();
  for (int i = 0; i < sets; ++i) seals.push_back(seal_job(signer, i == 0 ? "" : "arc=pass"));
  const json job = {{"message", kMessage}, {"signatures", seals}};
  const auto messages = sign_with_dkimpy(json::array({job}).dump());
  return messages ? messages->front() : "";
}

std::string replaced(std::string text, const std::string& old, const std::string& with) {
  const auto position = text.find(old);
  EXPECT_NE(position, std::string::npos) << old;
  return text.replace(position, old.size(), with);
}

TEST(Arc, NoFieldsNoChain) {
  FakeResolver resolver("");
  const auto outcome = check(resolver, kMessage);
  EXPECT_EQ(outcome.result, Result::none);
  EXPECT_EQ(outcome.instances, 0);
}

TEST(Arc, ADkimpyChainPasses) {
  auto resolver = with_key(Signer::rsa(1024).record());
  for (const int sets : {1, 2}) {
    const auto message = sealed(sets);
    if (message.empty()) GTEST_SKIP() << "python3-dkim is not installed";
    const auto outcome = check(resolver, message);
    EXPECT_EQ(outcome.result, Result::pass) << outcome.reason;
    EXPECT_EQ(outcome.instances, sets);
    EXPECT_EQ(outcome.sealer, "example.org");
    EXPECT_EQ(outcome.oldest_pass, 0);
  }
}

TEST(Arc, APassingChainTellsItsSealersAndWhatTheyReported) {
  const auto message = sealed(2);
  if (message.empty()) GTEST_SKIP() << "python3-dkim is not installed";
  auto resolver = with_key(Signer::rsa(1024).record());
  const auto outcome = check(resolver, message);
  ASSERT_EQ(outcome.sets.size(), 2u) << outcome.reason;
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(outcome.sets[i].instance, i == 0 ? 2 : 1);
    EXPECT_EQ(outcome.sets[i].sealer, "example.org");
    const auto results = authres::parse(outcome.sets[i].results);
    ASSERT_TRUE(results) << outcome.sets[i].results;
    EXPECT_EQ(results->authserv_id, "mx.example.org");
  }
  EXPECT_EQ(authres::parse(outcome.sets[0].results)->statements[0].method, "arc");
  EXPECT_EQ(authres::parse(outcome.sets[1].results)->statements[0].method, "spf");
  EXPECT_TRUE(check(resolver, message + "x\r\n").sets.empty());
}

TEST(Arc, ChangesBreakTheChain) {
  const auto message = sealed(2);
  if (message.empty()) GTEST_SKIP() << "python3-dkim is not installed";
  auto resolver = with_key(Signer::rsa(1024).record());
  struct Case {
    const char* rule;
    std::string text;
    const char* reason;
  };
  const std::vector<Case> cases = {
      {"body", message + "x\r\n", "ARC-Message-Signature i=2: body hash differs"},
      {"signed header", replaced(message, "Subject: hello", "Subject: jello"), "ARC-Message-Signature i=2: header"},
      {"results", replaced(message, "spf=pass", "spf=fail"), "ARC-Seal i="},
      {"added set member", "ARC-Seal: i=2; a=rsa-sha256\r\n" + message, "two ARC-Seal fields have i=2"},
      {"gap", "ARC-Authentication-Results: i=4; x\r\n" + message, "no ARC-"},
      {"C2: over 50", "ARC-Authentication-Results: i=51; x\r\n" + message, "no instance number"},
      {"C1: no tags", "ARC-Seal: x\r\n" + message, "ARC-Seal: syntax"},
      {"C1: i=0", "ARC-Authentication-Results: i=0; none\r\n" + message, "no instance number"},
      {"cv=fail", replaced(message, "cv=pass", "cv=fail"), "cv=fail"},
      {"cv=none above 1", replaced(message, "cv=pass", "cv=none"), "out of place"},
      {"C2: h= in a seal", replaced(message, "cv=pass", "h=from; cv=pass"), "there is an h="},
      {"from another domain", replaced(message, "d=example.org", "d=example.net"), "key: no key"},
  };
  for (const auto& test : cases) {
    const auto outcome = check(resolver, test.text);
    EXPECT_EQ(outcome.result, Result::fail) << test.rule;
    EXPECT_THAT(outcome.reason, HasSubstr(test.reason)) << test.rule;
  }
}

// RFC 8617 Section 5.2: failures of the key are failures of the chain, temporary ones too.
TEST(Arc, KeyFailuresFailTheChain) {
  const auto message = sealed(1);
  if (message.empty()) GTEST_SKIP() << "python3-dkim is not installed";
  for (const auto* record : {"!TIMEOUT", "!SERVFAIL", "!NXDOMAIN", "p=", "nonsense"}) {
    auto resolver = with_key(record);
    const auto outcome = check(resolver, message);
    EXPECT_EQ(outcome.result, Result::fail) << record;
    EXPECT_THAT(outcome.reason, HasSubstr("key: ")) << record;
  }
}

TEST(Arc, TimesAreHeldAgainstTheClockWithItsSkew) {
  const auto message = sealed(1);
  if (message.empty()) GTEST_SKIP() << "python3-dkim is not installed";
  auto resolver = with_key(Signer::rsa(1024).record());
  EXPECT_THAT(check(resolver, message, {.now = 0}).reason, HasSubstr("signed in the future"));
  EXPECT_EQ(check(resolver, message, {.now = 0, .clock_skew = kNow}).result, Result::pass);
}

TEST(Arc, WeakKeysFailTheChain) {
  const auto message = sealed(1, Signer::rsa(768));
  if (message.empty()) GTEST_SKIP() << "python3-dkim is not installed";
  auto resolver = with_key(Signer::rsa(768).record());
  EXPECT_THAT(check(resolver, message).reason, HasSubstr("768 bits"));
}

// RFC 8617 Section 5.2 step 5: the body changed between the two sealers.
TEST(Arc, OldestPassNamesTheFirstSetThatHolds) {
  auto text = sealed(1);
  if (text.empty()) GTEST_SKIP() << "python3-dkim is not installed";
  text = replaced(text, "Hello", "Hello, list");
  std::erase(text, '\r');
  const json job = {{"message", text}, {"signatures", {seal_job(Signer::rsa(1024), "arc=pass")}}};
  const auto messages = sign_with_dkimpy(json::array({job}).dump());
  auto resolver = with_key(Signer::rsa(1024).record());
  const auto outcome = check(resolver, messages->front());
  EXPECT_EQ(outcome.result, Result::pass) << outcome.reason;
  EXPECT_EQ(outcome.oldest_pass, 2);
}

TEST(Arc, AFailedChainWantsNoBody) {
  FakeResolver resolver("");
  const auto message = mail::read_message("ARC-Seal: i=1; x\r\nFrom: a@example.com\r\n\r\n");
  arc::Verifier verifier(resolver, {});
  for (const auto& field : message.fields) verifier.field(field);
  verifier.end_of_header(message.fields);
  EXPECT_FALSE(verifier.wants_body());
  EXPECT_EQ(verifier.finish(Deadline::max()).result, Result::fail);
  EXPECT_TRUE(resolver.asked().empty());
}

TEST(Arc, ManyFieldsAreBounded) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "ARC-Seal: i=" + std::to_string(i) + "; a=b\r\n";
  FakeResolver resolver("");
  EXPECT_EQ(check(resolver, text + "\r\n").result, Result::fail);
  EXPECT_TRUE(resolver.asked().empty());
}

class CountingResolver final : public dns::Resolver {
 public:
  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override {
    ++lookups;
    return nowhere_.lookup(name, type, deadline);
  }
  void prefetch(std::string_view, dns::Type) override { ++prefetches; }
  int lookups = 0, prefetches = 0;

 private:
  FakeResolver nowhere_{""};
};

// Fifty seals with keys at fifty places would burden DNS for all other mail.
TEST(Arc, TheLongestChainAsksForFewKeysAtOnce) {
  std::string text = "From: a@example.com\r\n";
  for (int i = 50; i >= 1; --i) {
    const auto n = std::to_string(i);
    const auto signer = "i=" + n + "; a=rsa-sha256; d=example.org; b=AAAA; s=";
    text += "ARC-Seal: " + signer + "seal" + n + "; cv=" + (i == 1 ? "none" : "pass") + "\r\n";
    text += "ARC-Message-Signature: " + signer + "message" + n +
            "; c=relaxed/relaxed; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n";
    text += "ARC-Authentication-Results: i=" + n + "; example.org; none\r\n";
  }
  CountingResolver resolver;
  const auto outcome = check(resolver, text + "\r\n");
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(outcome.instances, 50);
  EXPECT_LE(resolver.prefetches, 15);
  EXPECT_EQ(resolver.lookups, 1);
}

}  // namespace
}  // namespace sesame::test
