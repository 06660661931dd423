// RFC 6376 Section 3.4, held against the same rules written down plainly: octet by octet, over whole texts.
#include <gtest/gtest.h>

#include <random>

#include "dkim/canonical_body.h"
#include "dkim/canonicalize.h"
#include "util/text.h"

namespace sesame::dkim {
namespace {

using enum Canonicalization;

std::string plain_line(Canonicalization how, const std::string& line) {
  if (how == simple) return line;
  std::string result, space;
  for (const char c : line) {
    if (is_wsp(c)) {
      space = " ";
      continue;
    }
    result += space + c;
    space.clear();
  }
  return result;
}

std::string plain_body(Canonicalization how, const std::string& body) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body.compare(i, 2, "\r\n") != 0) {
      lines.back() += body[i];
      continue;
    }
    lines.emplace_back();
    ++i;
  }
  for (auto& line : lines) line = plain_line(how, line);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::string result = lines.empty() && how == simple ? "\r\n" : "";
  for (const auto& line : lines) result += line + "\r\n";
  return result;
}

std::string plain_value(const std::string& value) {
  std::string unfolded;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value.compare(i, 2, "\r\n") == 0)
      ++i;
    else
      unfolded += value[i];
  }
  const auto line = plain_line(relaxed, unfolded);
  return line.starts_with(' ') ? line.substr(1) : line;
}

std::string canonical_value(const std::string& value, Canonicalization how) {
  std::string result;
  append_canonical("Name", value, how, result);
  return result;
}

// What texts are drawn from: one octet each, and pieces that fill a vector.
const std::vector<std::vector<std::string>>& alphabets() {
  static const std::vector<std::vector<std::string>> all = {
      {"\r", "\n", "\t", " ", "a"},
      {"\r\n", "\r\n", "\r", "\n", "\t", " ", " ", "a", "b"},
      {"word", " ", " ", "  ", "\t", "\r\n", "\r\n", " \r\n", "\x01", "\xff", " \x01", std::string(1, '\0')},
      {"a line of text that is longer than a vector", "\r\n", "\r\n", " ", "\t", "0123456789abcdef"},
      {"\r\n", " ", "\r\n", "\t", "\r\n", "x"},
  };
  return all;
}

std::string random_text(std::mt19937& random, std::size_t size) {
  const auto& alphabet = alphabets()[random() % alphabets().size()];
  std::string text;
  while (text.size() < size) text += alphabet[random() % alphabet.size()];
  return text.substr(0, size);
}

std::vector<std::string_view> random_chunks(std::mt19937& random, std::string_view text) {
  const std::size_t largest = 1 + random() % 100;
  std::vector<std::string_view> chunks;
  while (!text.empty()) {
    chunks.push_back(text.substr(0, random() % (largest + 1)));
    text.remove_prefix(chunks.back().size());
  }
  return chunks;
}

void expect_reference(std::mt19937& random, const std::string& body) {
  const std::string_view text = body;
  for (const auto how : {simple, relaxed}) {
    const auto want = plain_body(how, body);
    ASSERT_EQ(canonical_body(how, {text}), want);
    for (int i = 0; i < 4; ++i) ASSERT_EQ(canonical_body(how, random_chunks(random, text)), want);
  }
}

TEST(Reference, BodiesOfEveryLengthAroundAVector) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size <= 150; ++size)
    for (int i = 0; i < 40; ++i) ASSERT_NO_FATAL_FAILURE(expect_reference(random, random_text(random, size)));
}

TEST(Reference, BodiesThatAreGatheredAndPassedOn) {
  std::mt19937 random(2);
  for (int i = 0; i < 60; ++i) {
    auto body = random_text(random, random() % 10000);
    for (const std::size_t run : {500u, 511u, 512u, 4095u, 4096u, 5000u})
      body += std::string(run, 'x') + random_text(random, random() % 20);
    ASSERT_NO_FATAL_FAILURE(expect_reference(random, body));
  }
}

TEST(Reference, EverySplitInTwo) {
  std::mt19937 random(3);
  for (int i = 0; i < 100; ++i) {
    const auto body = random_text(random, random() % 120);
    const std::string_view text = body;
    for (const auto how : {simple, relaxed}) {
      const auto want = plain_body(how, body);
      for (std::size_t cut = 0; cut <= text.size(); ++cut)
        ASSERT_EQ(canonical_body(how, {text.substr(0, cut), text.substr(cut)}), want) << cut;
    }
  }
}

// One odd octet among others, at every place: what a vector finds in one lane must not depend on the lane.
TEST(Reference, EveryPlaceOfEveryOddity) {
  for (const std::string odd : {" ", "  ", "\t", " \r\n", "\t\r\n", "\r\n", "\r", "\n", "\r\n\r\n", " \r", " \n"}) {
    for (std::size_t at = 0; at <= 100; ++at) {
      const auto body = std::string(at, 'x') + odd + std::string(100 - at, 'y');
      for (const auto how : {simple, relaxed}) ASSERT_EQ(canonical_body(how, {body}), plain_body(how, body)) << at;
      ASSERT_EQ(canonical_value(body, relaxed), "name:" + plain_value(body)) << at;
    }
  }
}

TEST(Reference, FieldsOfEveryLengthAroundAVector) {
  std::mt19937 random(4);
  for (std::size_t size = 0; size <= 150; ++size) {
    for (int i = 0; i < 100; ++i) {
      const auto value = random_text(random, size);
      ASSERT_EQ(canonical_value(value, relaxed), "name:" + plain_value(value));
      ASSERT_EQ(canonical_value(value, simple), "Name:" + value);
    }
  }
}

}  // namespace
}  // namespace sesame::dkim
