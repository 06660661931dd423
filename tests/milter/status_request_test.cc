// Who is answered, and what is a request at all.
#include "milter/status_request.h"

#include <gtest/gtest.h>

#include "milter/status_http.h"

namespace sesame::milter {
namespace {

using Rule = Access::Rule;
using Then = StatusServer::Answer::Then;

std::string request(const std::string& fields, const std::string& line = "GET / HTTP/1.1") {
  return line + "\r\n" + fields + "\r\n";
}

Admission admitted(const std::string& fields, const Access& access) {
  const auto text = request(fields);
  const auto head = parse_head(text);
  EXPECT_TRUE(head) << fields;
  return head ? admit(*head, access) : Admission::unknown_client;
}

TEST(RequestHead, IsReadStrictly) {
  EXPECT_TRUE(parse_head(request("Host: a\r\nX-Y:\r\n")));
  for (const std::string bad : {"Host : a\r\n", "Host: a\r\n folded\r\n", ": a\r\n", "no colon\r\n", "A: b\nC: d\r\n",
                                "A: b\rc\r\n", "A: \x01\r\n"})
    EXPECT_FALSE(parse_head(request(bad))) << bad;
  EXPECT_FALSE(parse_head(request(std::string("A: b\0c\r\n", 8))));
  EXPECT_FALSE(parse_head("GET / HTTP/1.1\r\nHost: a\r\n"));
  EXPECT_FALSE(parse_head(""));
  std::string many;
  for (int i = 0; i < 101; ++i) many += "A: b\r\n";
  EXPECT_FALSE(parse_head(request(many)));
}

TEST(Admission, OfThisHostIsByAddressOrAsLocalhost) {
  const Access local{Rule::local, ""};
  for (const auto* host : {"127.0.0.1:8895", "127.0.0.1", "localhost", "LocalHost:8895", "[::1]:8895", "[::1]"})
    EXPECT_EQ(admitted(std::string("Host: ") + host + "\r\n", local), Admission::granted) << host;
  for (const auto* host : {"evil.example", "evil.example:8895", "localhost.evil.example", "127.0.0.1.evil.example", "",
                           "[::1", "[::1]evil.example", "[evil.example]"})
    EXPECT_EQ(admitted(std::string("Host: ") + host + "\r\n", local), Admission::wrong_host) << host;
  EXPECT_EQ(admitted("", local), Admission::wrong_host);
  EXPECT_EQ(admitted("Host: localhost\r\nHost: evil.example\r\n", local), Admission::wrong_host);
}

TEST(Admission, ByTokenTakesBearerAndBasic) {
  const Access access{Rule::token, "s3cret%41:x"};
  EXPECT_EQ(admitted("Authorization: Bearer s3cret%41:x\r\n", access), Admission::granted);
  EXPECT_EQ(admitted("authorization: bearer  s3cret%41:x\r\n", access), Admission::granted);
  EXPECT_EQ(admitted("Authorization: Basic YWxpY2U6czNjcmV0JTQxOng=\r\n", access), Admission::granted);  // alice:...
  EXPECT_EQ(admitted("Authorization: Basic OnMzY3JldCU0MTp4\r\n", access), Admission::granted);          // :...
  for (const auto* bad : {"", "Authorization:\r\n", "Authorization: Bearer\r\n", "Authorization: Bearer s3cretA:x\r\n",
                          "Authorization: Bearer s3cret%41:\r\n", "Authorization: Bearer s3cret%41:xs3cret%41:x\r\n",
                          "Authorization: Basic czNjcmV0JTQxOng=\r\n", "Authorization: Basic !!!\r\n",
                          "Authorization: Digest s3cret%41:x\r\n",
                          "Authorization: Bearer s3cret%41:x\r\nAuthorization: Bearer s3cret%41:x\r\n"})
    EXPECT_EQ(admitted(bad, access), Admission::unknown_client) << bad;
}

TEST(Admission, IsForNobodyWhereTheTokenIsNotKnown) {
  EXPECT_EQ(admitted("Authorization: Bearer \r\n", {Rule::nobody, ""}), Admission::unknown_client);
  EXPECT_EQ(admitted("Authorization: Bearer \r\n", {Rule::token, ""}), Admission::unknown_client);
  EXPECT_EQ(admitted("", {}), Admission::unknown_client);
  EXPECT_EQ(admitted("", {Rule::anybody, ""}), Admission::granted);
}

class Http : public ::testing::Test {
 protected:
  StatusServer::Answer ask(const std::string& line, const std::string& fields = "Host: localhost\r\n") {
    return http_.answer(request(fields, line));
  }
  static std::string start_of(const StatusServer::Answer& answer) {
    return answer.octets.substr(0, answer.octets.find("\r\n"));
  }

  bool draining_ = false;
  std::string path_, asked_;
  StatusHttp http_{StatusPages{[this] { return draining_; }, [] { return "m 1\n"; },
                               [this](std::string_view path, const std::map<std::string, std::string>& query) {
                                 path_ = path;
                                 asked_.clear();
                                 for (const auto& [name, value] : query) asked_ += name + "=" + value + ";";
                                 if (path == "/throw") throw std::runtime_error("secret");
                                 return Reply{200, "application/json", "{}"};
                               }}};
};

TEST_F(Http, AnswersHealthBeforeAnythingElseIsKnown) {
  const auto fine = ask("GET /healthz HTTP/1.1", "");
  EXPECT_EQ(start_of(fine), "HTTP/1.1 200 OK");
  EXPECT_TRUE(fine.octets.ends_with("\r\n\r\nok\n"));
  draining_ = true;
  EXPECT_EQ(start_of(ask("GET /healthz HTTP/1.1")), "HTTP/1.1 503 Service Unavailable");
  EXPECT_EQ(start_of(ask("GET /metrics HTTP/1.1")), "HTTP/1.1 401 Unauthorized");
}

TEST_F(Http, GivesTheQuestionOn) {
  http_.set_access({Rule::anybody, ""});
  EXPECT_EQ(start_of(ask("GET /api/x%20y?a=1&b=%3Cb%3E&a=2 HTTP/1.1")), "HTTP/1.1 200 OK");
  EXPECT_EQ(path_, "/api/x y");
  EXPECT_EQ(asked_, "a=2;b=<b>;");
}

TEST_F(Http, ClosesWhatItDoesNotReadToTheEnd) {
  http_.set_access({Rule::anybody, ""});
  EXPECT_EQ(ask("GET / HTTP/1.1").then, Then::keep);
  EXPECT_EQ(ask("HEAD / HTTP/1.1").then, Then::keep);
  EXPECT_EQ(ask("GET / HTTP/1.1", "Connection: close\r\n").then, Then::close);
  EXPECT_EQ(ask("GET / HTTP/1.0").then, Then::close);
  EXPECT_EQ(ask("GET / HTTP/1.1", "Content-Length: 5\r\n").then, Then::close);
  EXPECT_EQ(ask("GET / HTTP/1.1", "Transfer-Encoding: chunked\r\n").then, Then::close);
  for (const auto* line : {"POST / HTTP/1.1", "PUT / HTTP/1.1", "DELETE / HTTP/1.1", "OPTIONS / HTTP/1.1"}) {
    const auto answer = ask(line);
    EXPECT_EQ(start_of(answer), "HTTP/1.1 405 Method Not Allowed") << line;
    EXPECT_EQ(answer.then, Then::close) << line;
  }
  for (const auto* line : {"", "GET", "GET /", "get / HTTP/1.1", "GET / HTTP/2.0", "BREW / HTTP/1.1"}) {
    const auto answer = ask(line);
    EXPECT_EQ(start_of(answer), "HTTP/1.1 400 Bad Request") << line;
    EXPECT_EQ(answer.then, Then::close) << line;
  }
}

TEST_F(Http, HasItsHeaderFieldsOnEveryAnswer) {
  for (const auto* line : {"GET / HTTP/1.1", "GET /healthz HTTP/1.1", "POST / HTTP/1.1"}) {
    const auto octets = ask(line).octets;
    for (const auto* field : {"Content-Security-Policy: default-src 'self';", "X-Content-Type-Options: nosniff\r\n",
                              "Referrer-Policy: no-referrer\r\n", "Cache-Control: no-store\r\n",
                              "Cross-Origin-Resource-Policy: same-origin"})
      EXPECT_NE(octets.find(field), octets.npos) << line << field;
    EXPECT_EQ(octets.find("Access-Control"), octets.npos);
    EXPECT_EQ(octets.find("unsafe"), octets.npos);
  }
  EXPECT_NE(ask("GET / HTTP/1.1").octets.find("WWW-Authenticate: Basic realm="), std::string::npos);
}

// The library would match ranges with a regular expression that recurses once for each character.
TEST_F(Http, IsGivenNoRanges) {
  http_.set_access({Rule::anybody, ""});
  std::string ranges = "Range: bytes=0-0";
  while (ranges.size() < 15'000) ranges += ",0-0";
  EXPECT_EQ(start_of(ask("GET /metrics HTTP/1.1", ranges + "\r\n")), "HTTP/1.1 200 OK");
}

TEST_F(Http, TellsNothingOfAnException) {
  http_.set_access({Rule::anybody, ""});
  const auto answer = ask("GET /throw HTTP/1.1");
  EXPECT_EQ(start_of(answer), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(answer.octets.find("secret"), std::string::npos);
}

TEST_F(Http, CompressesForWhoAsks) {
  http_.set_access({Rule::anybody, ""});
  EXPECT_NE(ask("GET / HTTP/1.1", "Accept-Encoding: gzip, deflate, br\r\n").octets.find("Content-Encoding: gzip"),
            std::string::npos);
  EXPECT_EQ(ask("GET / HTTP/1.1", "Accept-Encoding: br\r\n").octets.find("Content-Encoding"), std::string::npos);
}

}  // namespace
}  // namespace sesame::milter
