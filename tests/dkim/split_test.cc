// RFC 6376 Section 3.4: a body is hashed alike however it comes in pieces, in all four canonical forms.
#include <gtest/gtest.h>

#include "check.h"
#include "mail/message.h"

namespace sesame::test {
namespace {

struct Body {
  const char* rule;
  std::string text;
  std::string simple;   // by hand
  std::string relaxed;  // likewise
};

const std::vector<Body>& bodies() {
  static const std::vector<Body> cases = {
      {"empty", "", "\r\n", ""},
      {"one line end", "\r\n", "\r\n", ""},
      {"blank lines", "\r\n\r\n\r\n", "\r\n", ""},
      {"lines of spaces", " \r\n\t \r\n", " \r\n\t \r\n", ""},
      {"no last line end", "a", "a\r\n", "a\r\n"},
      {"spaces at the end, no line end", "a \t", "a \t\r\n", "a\r\n"},
      {"of everything", " \ta \t b\r\n\r\n \r\n\tc\r\n\r\n", " \ta \t b\r\n\r\n \r\n\tc\r\n", " a b\r\n\r\n\r\n c\r\n"},
      {"CR and LF alone", "a\rb\r\r\nc \nd\r\n\r", "a\rb\r\r\nc \nd\r\n\r\r\n", "a\rb\r\r\nc \nd\r\n\r\r\n"},
  };
  return cases;
}

// A message whose canonical forms are written out here: nothing of the verifier takes part in signing it.
struct Signed {
  mail::Fields fields;
  std::string body;
};

Signed signed_message(const std::string& form, const Body& body) {
  const bool relaxed_header = form.starts_with("relaxed");
  const bool relaxed_body = form.ends_with("/relaxed");
  const mail::Field from{"From", "\r\n \t a@example.com\t"};
  const mail::Field subject{"SUBJECT", "\r\n  folded \r\n\tright away"};
  auto value = " v=1; a=rsa-sha256; c=" + form +
               "; d=example.com; s=s; h=from:subject; bh=" + base64(digest(relaxed_body ? body.relaxed : body.simple)) +
               "; b=";
  const auto input = relaxed_header
                         ? "from:a@example.com\r\nsubject:folded right away\r\ndkim-signature:" + value.substr(1)
                         : "From:" + std::string(from.value) + "\r\nSUBJECT:" + std::string(subject.value) +
                               "\r\nDKIM-Signature:" + value;
  value += Signer::rsa(1024).sign(input);
  return {{{"DKIM-Signature", value}, from, subject}, body.text};
}

dkim::Outcome verified(const Signed& message, const std::vector<std::string_view>& pieces) {
  auto resolver = resolver_with(key());
  dkim::Verifier verifier(resolver, at(kNow));
  for (const auto& field : message.fields) verifier.field(field);
  verifier.end_of_header(message.fields, {});
  for (const auto piece : pieces) verifier.body(piece);
  return only(verifier.finish(Deadline::max()));
}

const char* const kForms[] = {"simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"};

TEST(Split, EveryWayInThreeVerifies) {  // D15
  for (const auto& body : bodies()) {
    for (const std::string form : kForms) {
      const auto message = signed_message(form, body);
      const std::string_view text = message.body;
      for (std::size_t i = 0; i <= text.size(); ++i) {
        for (std::size_t j = i; j <= text.size(); ++j) {
          const auto outcome = verified(message, {text.substr(0, i), text.substr(i, j - i), text.substr(j)});
          ASSERT_EQ(outcome.result, dkim::Result::pass)
              << body.rule << " " << form << " " << i << " " << j << ": " << outcome.reason;
        }
      }
    }
  }
}

TEST(Split, OctetByOctetVerifies) {  // D15
  for (const auto& body : bodies()) {
    for (const std::string form : kForms) {
      const auto message = signed_message(form, body);
      std::vector<std::string_view> octets;
      for (std::size_t i = 0; i < message.body.size(); ++i)
        octets.push_back(std::string_view(message.body).substr(i, 1));
      EXPECT_EQ(verified(message, octets).result, dkim::Result::pass) << body.rule << " " << form;
      EXPECT_EQ(verified(message, {message.body}).result, dkim::Result::pass) << body.rule << " " << form;
    }
  }
}

// What makes it through must not be that anything does.
TEST(Split, AnotherOctetDoesNotVerify) {
  for (const auto& body : bodies()) {
    for (const std::string form : kForms) {
      const auto message = signed_message(form, body);
      for (std::size_t i = 0; i <= message.body.size(); ++i) {
        auto changed = message;
        changed.body.insert(i, "x");
        const std::string_view text = changed.body;
        EXPECT_EQ(verified(changed, {text.substr(0, i), text.substr(i)}).reason, "body hash differs")
            << body.rule << " " << form << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace sesame::test
