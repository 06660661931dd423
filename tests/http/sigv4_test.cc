#include "http/sigv4.h"

#include <gtest/gtest.h>

#include "util/clock.h"

namespace sesame::http {
namespace {

struct Case {
  const char* what;
  const char* host;
  const char* path;
  const char* query;
  const char* token;
  const char* names;
  const char* signature;
};

// Signatures as botocore computes them of the same requests; sync_test.py holds what goes over the wire against it.
const Case kCases[] = {
    {"a query", "email.us-east-1.amazonaws.com", "/v2/email/identities", "NextToken=a%2Bb%2Fc%3D&PageSize=1000", "",
     "host;x-amz-date", "36d27eee03d25845ed3ee14265ea345dfc7c44cdfa13c0d6afed09eb742c0d60"},
    {"a session token", "email.us-east-1.amazonaws.com", "/v2/email/identities", "NextToken=a%2Bb%2Fc%3D&PageSize=1000",
     "to/ken+1==", "host;x-amz-date;x-amz-security-token",
     "44324e2994334d9a3bccd610b9186f6d88e7fb2e7e971378086fffc5d37f0d5f"},
    {"a path that is encoded", "127.0.0.1:8080", "/v2/email/identities/user%40example.com", "", "", "host;x-amz-date",
     "84f15aa5b11671531cbe79f07656e6e7df3cac93d17d87dc0bced18b661149e3"},
};

TEST(SignGet, AgreesWithAws) {
  const auto now = parse_timestamp("2026-01-01T00:00:00Z");
  ASSERT_TRUE(now);
  for (const auto& each : kCases) {
    const Signature signature{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", each.token, "us-east-1"};
    const auto headers = sign_get(signature, each.host, each.path, each.query, *now);
    const std::vector<std::string> wanted = {
        std::string("Host: ") + each.host, "X-Amz-Date: 20260101T000000Z",
        std::string("Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/ses/aws4_request, ") +
            "SignedHeaders=" + each.names + ", Signature=" + each.signature};
    EXPECT_EQ(headers, wanted) << each.what;
  }
}

TEST(PercentEncode, LeavesUnreservedCharactersAlone) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("u+1@a/b%\xc3\xbc"), "u%2B1%40a%2Fb%25%C3%BC");
}

}  // namespace
}  // namespace sesame::http
