#include "check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "mail/message.h"

namespace sesame::test {
namespace {

// Whatever did not pass says which part of it failed, in print, and whatever passed plainly says nothing.
void expect_part_named(const dkim::Outcome& outcome) {
  const auto& reason = outcome.reason;
  if (outcome.result == dkim::Result::pass) {
    EXPECT_EQ(reason, outcome.testing ? "key: in testing (t=y)" : "");
    return;
  }
  const bool named = std::ranges::any_of(
      std::array{"body hash", "header hash", "key: ", "syntax: ", "unsupported: ", "time: ", "limit: "},
      [&](const char* part) { return reason.starts_with(part) && reason.size() > std::string_view(part).size(); });
  EXPECT_TRUE(named) << to_string(outcome.result) << ": " << reason;
  EXPECT_TRUE(std::ranges::all_of(reason, [](char c) { return c >= ' ' && c < 0x7f; })) << reason;
}

}  // namespace

std::vector<dkim::Outcome> check(dns::Resolver& resolver, std::string_view message, const dkim::Options& options,
                                 const std::vector<std::string>& authors) {
  const auto parsed = mail::read_message(message);
  dkim::Verifier verifier(resolver, options);
  for (const auto& field : parsed.fields) verifier.field(field);
  verifier.end_of_header(parsed.fields, authors);
  verifier.body(parsed.body);
  auto outcomes = verifier.finish(std::chrono::steady_clock::now() + std::chrono::seconds(5));
  std::ranges::for_each(outcomes, expect_part_named);
  return outcomes;
}

dkim::Outcome only(const std::vector<dkim::Outcome>& outcomes) {
  EXPECT_EQ(outcomes.size(), 1u);
  return outcomes.empty() ? dkim::Outcome{} : outcomes.front();
}

FakeResolver resolver_with(const std::string& record) {
  return FakeResolver(record.empty() ? std::string() : kKeyName + " TXT " + record);
}

dkim::Outcome check_one(const std::string& record, const std::string& message, const dkim::Options& options) {
  auto resolver = resolver_with(record);
  return only(check(resolver, message, options));
}

Crafted plain() {
  return {kTags, {kFrom, kSubject}, "", "Hi\r\n", "", "SHA256"};
}

Crafted with_tags(const std::string& more) {
  auto crafted = plain();
  crafted.tags += " " + more;
  return crafted;
}

std::string signed_plain() {
  return sign_simple(Signer::rsa(1024), plain());
}

std::string decoys(std::size_t count, const std::string& domain) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    auto decoy = signed_plain().substr(0, signed_plain().find("\r\n") + 2);
    decoy = replaced(decoy, "d=example.com", "d=" + domain);
    text += replaced(decoy, "s=s;", "s=n" + std::to_string(i) + ";");
  }
  return text;
}

std::string key() {
  return Signer::rsa(1024).record();
}

std::string bare_key() {
  return key().substr(key().find("p="));
}

std::string replaced(std::string text, const std::string& old, const std::string& with) {
  const auto position = text.find(old);
  EXPECT_NE(position, std::string::npos) << old;
  return position == std::string::npos ? text : text.replace(position, old.size(), with);
}

}  // namespace sesame::test
