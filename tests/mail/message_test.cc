#include "mail/message.h"

#include <gtest/gtest.h>

#include <random>

namespace sesame::mail {
namespace {

std::string shown(const Message& message) {
  std::string text;
  for (const auto& field : message.fields)
    text.append("[").append(field.name).append("|").append(field.value).append("]");
  return text + "{" + message.body + "}";
}

TEST(Message, HeaderAndBodyAreSplit) {
  const std::tuple<const char*, std::string, const char*> cases[] = {
      {"plain", "A: 1\r\nB:2\r\n\r\nx\r\n", "[A| 1][B|2]{x\r\n}"},
      {"bare LF", "A: 1\nB: 2\n\nx\ny\n", "[A| 1][B| 2]{x\r\ny\r\n}"},
      {"bare CR", "A: 1\rB: 2\r\rx\r", "[A| 1][B| 2]{x\r\n}"},
      {"bare CR in a body stays", "A: 1\r\n\r\nx\r\r\ny\rz\r", "[A| 1]{x\r\r\ny\rz\r\r\n}"},
      {"bare CR in a header stays", "A: 1\r\r\n\t2\rB: 3\r\nC: 4\n\nx\n", "[A| 1\r\r\n\t2\rB: 3][C| 4]{x\r\n}"},
      {"folding kept", "A: 1\n\t2\n 3\n\nx", "[A| 1\r\n\t2\r\n 3]{x\r\n}"},
      {"blank continuation", "A: 1\n \nB: 2\n\n", "[A| 1\r\n ][B| 2]{}"},
      {"white space before the colon", "From : a@example.com\n\n", "[From | a@example.com]{}"},
      {"empty value", "A:\n\n", "[A|]{}"},
      {"mbox line", "From a@example.com Sat Jan  1 00:00:00 2000\nA: 1\n\nx\n", "[A| 1]{x\r\n}"},
      {"a From field with a space is no mbox line", "From : a@example.com\nB: 2\n\n", "[From | a@example.com][B| 2]{}"},
      {"no body", "A: 1\n", "[A| 1]{}"},
      {"no header", "\nx\n", "{x\r\n}"},
      {"nothing", "", "{}"},
      {"not a field begins the body", "A: 1\nhello world\nB: 2\n", "[A| 1]{hello world\r\nB: 2\r\n}"},
      {"no name begins the body", "A: 1\n: 2\n", "[A| 1]{: 2\r\n}"},
      {"8-bit name begins the body", "A: 1\nB\xc3\xbc: 2\n", "[A| 1]{B\xc3\xbc: 2\r\n}"},
      {"space first begins the body", " From: a@example.com\n\nx\n", "{ From: a@example.com\r\n\r\nx\r\n}"},
      {"space inside a name", "A B: 1\n", "{A B: 1\r\n}"},
  };
  for (const auto& [rule, text, want] : cases) EXPECT_EQ(shown(read_message(text)), want) << rule;
}

TEST(Message, BareLineEndsOfTheBodyAreCounted) {  // D19
  const std::tuple<const char*, std::string, BareLineEnds> cases[] = {
      {"none", "A: 1\r\n\r\nx\r\ny\r\n", {0, 0}},
      {"line ends of the system", "A: 1\n\nx\ny\n", {0, 0}},
      {"line ends of another system", "A: 1\r\rx\ry\r", {0, 0}},
      {"LF among CRLF", "A: 1\r\n\r\nx\n.\n\r\nMAIL FROM:<a@example.com>\r\n", {0, 2}},
      {"CR among CRLF", "A: 1\r\n\r\nx\r.\r\r\n", {2, 0}},
      {"CR among LF", "A: 1\n\nx\ry\n", {1, 0}},
      {"CR at the end", "A: 1\r\n\r\nx\r", {1, 0}},
      {"those of the header are not the body's", "A: 1\n\r\nx\r\n", {0, 0}},
  };
  for (const auto& [rule, text, want] : cases) {
    const auto found = read_message(text).bare_ends;
    EXPECT_EQ(found.cr, want.cr) << rule;
    EXPECT_EQ(found.lf, want.lf) << rule;
  }
}

TEST(HiddenFields, AreWhatOthersReadBehindABareLineEnd) {  // F1
  const std::tuple<const char*, std::string, const char*> cases[] = {
      {"none", " x", ""},
      {"a fold", " x\r\n From: y", ""},
      {"a fold at a bare CR", " x\r From: y", ""},
      {"CR", " x\rFrom: y", "[From| y]"},
      {"LF", " x\nFrom : y\n\tz", "[From| y\n\tz]"},
      {"CRLF", " x\r\nA:1\r\nB:2", "[A|1][B|2]"},
      {"at the end", " x\r", ""},
      {"no field", " x\rhello\r: y\ra b: c", ""},
      {"behind a fold", " x\r\n y\r\r\nA:1", "[A|1]"},
  };
  for (const auto& [rule, value, want] : cases) {
    Message message;
    for_each_hidden_field({"Subject", value}, [&](const Field& field) { message.fields.push_back(field); });
    EXPECT_EQ(shown(message), std::string(want) + "{}") << rule;
  }
}

TEST(Fields, ViewsStayGoodWhenMoreAreAddedAndAllAreMoved) {
  const std::string big(100'000, 'x');
  Fields fields;
  std::vector<Field> views;
  for (int i = 0; i < 1000; ++i) {
    fields.push_back({"X-" + std::to_string(i), i % 100 == 0 ? big : " v" + std::to_string(i)});
    views.push_back(fields.back());
  }
  const auto copy = fields;
  const auto moved = std::move(fields);
  fields = {{"A", "1"}, {"", ""}};
  for (std::size_t i = 0; i < views.size(); ++i) {
    EXPECT_EQ(views[i].name, "X-" + std::to_string(i));
    EXPECT_EQ(views[i].value, copy[i].value);
    EXPECT_EQ(views[i].value.data(), moved[i].value.data());
    EXPECT_NE(views[i].value.data(), copy[i].value.data());
  }
  EXPECT_EQ(fields[0].value, "1");
  EXPECT_EQ(fields[1].value, "");
}

TEST(BareLineEnds, AreCountedOverEverySplit) {  // D19
  const std::string body = "\na\r\nb\n\rc\r\r\n\nd\r";
  for (std::size_t first = 0; first <= body.size(); ++first) {
    for (std::size_t second = first; second <= body.size(); ++second) {
      BareLineEndCounter counter;
      counter.update(body.substr(0, first));
      counter.update(body.substr(first, second - first));
      counter.update(body.substr(second));
      EXPECT_EQ(counter.found(), (BareLineEnds{3, 3})) << first << ' ' << second;
    }
  }
}

BareLineEnds counted_one_by_one(std::string_view body) {
  BareLineEnds found;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '\r' && (i + 1 == body.size() || body[i + 1] != '\n')) ++found.cr;
    if (body[i] == '\n' && (i == 0 || body[i - 1] != '\r')) ++found.lf;
  }
  return found;
}

TEST(BareLineEnds, AreCountedAsOneByOne) {
  std::mt19937 random(1);
  for (std::size_t i = 0; i < 4000; ++i) {
    std::string body;
    const auto* const alphabet = i % 2 == 0 ? "\r\na" : "\r\nabcdefghijklmn";
    while (body.size() < i / 20) body += alphabet[random() % std::string_view(alphabet).size()];
    const auto want = counted_one_by_one(body);
    BareLineEndCounter whole, pieces;
    whole.update(body);
    ASSERT_EQ(whole.found(), want) << i;
    for (std::string_view rest = body; !rest.empty();) {
      const auto piece = rest.substr(0, random() % 40);
      pieces.update(piece);
      rest.remove_prefix(piece.size());
    }
    ASSERT_EQ(pieces.found(), want) << i;
  }
}

}  // namespace
}  // namespace sesame::mail
