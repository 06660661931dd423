// What is written here must be read the same way by another implementation, Debian's python3-authres. It does not know
// quoted authserv-ids, reads no property behind a quoted one, and leaves the backslashes in quoted strings: the cases
// are made so that this does not matter, or say so.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "authres/authres.h"

namespace sesame::authres {
namespace {

using nlohmann::json;

constexpr const char* kScript = R"(
import json, sys, authres
out = []
for value in json.load(open(sys.argv[1])):
    header = authres.AuthenticationResultsHeader.parse('Authentication-Results: ' + value)
    out.append([header.authserv_id, [[r.method, r.result, r.reason or '',
        [[p.type, p.name, p.value] for p in r.properties]] for r in header.results
        if not isinstance(r, authres.NoneAuthenticationResult)]])
json.dump(out, open(sys.argv[2], 'w'))
)";

std::vector<Header> headers() {
  std::vector<Header> result = {{"mx.example.com", {}}};
  const std::string values[] = {"example.com",
                                "user@example.com",
                                "@example.com",
                                "a_b.example.com",
                                "b+u=example.net@example.com",
                                "a@b@c",
                                "any@legit.example'@any.attack.example",
                                "any@legit.example(a.attack.example",
                                "a\"b\\c",
                                "a;dkim=pass",
                                "a b",
                                "2001:db8::1",
                                "ab/+==",
                                "a\r\nX-Injected: y",
                                "\xc3\xbc@example.com",
                                "(comment)",
                                "x.y=z",
                                "",
                                "\\",
                                "\"",
                                std::string("a\0b", 3),
                                std::string(5000, 'a'),
                                std::string(5000, '"')};
  for (const auto& value : values) {
    result.push_back(
        {"mx.example.com",
         {{"spf", "pass", "", "", {{"smtp", "mailfrom", value}}},
          {"dkim", "fail", value, value, {{"header", "d", "example.com"}, {"header", "i", value}}},
          {"dmarc", "temperror", "", "p=reject", {{"policy", "dmarc", "reject"}, {"header", "from", value}}}}});
  }
  return result;
}

// As that reader leaves it.
std::string with_backslashes(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

// The same four parts as the script prints.
json as_json(const Header& header) {
  json results = json::array();
  for (const auto& s : header.statements) {
    json properties = json::array();
    for (const auto& p : s.properties) properties.push_back({p.type, p.name, with_backslashes(p.value)});
    results.push_back({s.method, s.result, with_backslashes(s.reason), properties});
  }
  return {header.authserv_id, results};
}

TEST(Python, ReadsWhatIsWritten) {
  if (std::system("/usr/bin/python3 -c 'import authres' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3-authres is not here";
  const auto directory = std::filesystem::path(testing::TempDir()) / "sesame_authres_python";
  std::filesystem::create_directories(directory);
  json values = json::array(), want = json::array();
  for (const auto& header : headers()) {
    const auto value = write(header);
    const auto parsed = parse(value);
    ASSERT_TRUE(parsed.has_value()) << value << ": " << parsed.error().message;
    values.push_back(value);
    want.push_back(as_json(*parsed));
  }
  std::ofstream(directory / "read.py") << kScript;
  std::ofstream(directory / "in.json") << values;
  const auto command = "/usr/bin/python3 " + (directory / "read.py").string() + " " + (directory / "in.json").string() +
                       " " + (directory / "out.json").string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::ifstream out(directory / "out.json");
  const auto got = json::parse(out);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], want[i]) << values[i];
}

}  // namespace
}  // namespace sesame::authres
