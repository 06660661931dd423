// A whole message through the verifier, and a signed one to begin with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dkim/dkim.h"
#include "support/fake_resolver.h"
#include "support/signer.h"

namespace sesame::test {

inline constexpr std::int64_t kNow = 1700000000;

inline dkim::Options at(std::int64_t now) {
  dkim::Options options;
  options.now = now;
  return options;
}

// `message` may have LF line ends. Of every outcome it is expected that its reason names the part that failed.
std::vector<dkim::Outcome> check(dns::Resolver& resolver, std::string_view message,
                                 const dkim::Options& options = at(kNow),
                                 const std::vector<std::string>& authors = {"example.com"});
// A message with one signature.
dkim::Outcome only(const std::vector<dkim::Outcome>& outcomes);
// The same over a zone with this key record alone (none when empty; a fault as Zone has it).
dkim::Outcome check_one(const std::string& record, const std::string& message, const dkim::Options& options = at(kNow));
FakeResolver resolver_with(const std::string& record);

// Of example.com, selector s, by Signer::rsa(1024).
inline const std::string kFrom = "From: a@example.com\r\n";
inline const std::string kSubject = "Subject: hello\r\n";
inline const std::string kTags = "v=1; a=rsa-sha256; d=example.com; s=s; h=from:subject;";
inline const std::string kKeyName = "s._domainkey.example.com";
Crafted plain();
Crafted with_tags(const std::string& more);
std::string signed_plain();
// The field of such a signature, `count` times, with another d= and the selectors n0, n1 and so on.
std::string decoys(std::size_t count, const std::string& domain);
// Its record, and that without anything but p=.
std::string key();
std::string bare_key();

// Notes every name it is asked for, in advance or at last, and has no answers but those of its zone.
class Recorder final : public dns::Resolver {
 public:
  explicit Recorder(std::string_view zone = "") : answers_(zone) {}
  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override {
    names.emplace_back(name);
    return answers_.lookup(name, type, deadline);
  }
  void prefetch(std::string_view name, dns::Type) override { names.emplace_back(name); }

  std::vector<std::string> names;

 private:
  FakeResolver answers_;
};

// Expects `old` to be there.
std::string replaced(std::string text, const std::string& old, const std::string& with);

}  // namespace sesame::test
