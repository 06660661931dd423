#include "spf/parse.h"

#include "check.h"
#include "util/text.h"

namespace sesame::spf {
namespace {

using testing::HasSubstr;

struct Valid {
  const char* record;
  const char* printed;
};

TEST(Record, PrintsAsTheSameValue) {
  const Valid cases[] = {
      {"v=spf1", "v=spf1"},
      {"V=SPF1 ", "v=spf1"},
      {"v=spf1   -ALL  ", "v=spf1 -all"},
      {"v=spf1 a mx ptr ?all", "v=spf1 +a +mx +ptr ?all"},
      {"v=spf1 A:Mail.example.com/24//64", "v=spf1 +a:Mail.example.com/24//64"},
      {"v=spf1 a//64 mx/24", "v=spf1 +a//64 +mx/24"},
      {"v=spf1 a:foo:bar/baz.example.com", "v=spf1 +a:foo:bar/baz.example.com"},
      {"v=spf1 a:%{d}/24", "v=spf1 +a:%{d}/24"},
      {"v=spf1 a:%{d/}/0//0", "v=spf1 +a:%{d/}/0//0"},
      {"v=spf1 include:example.xn--zckzah.", "v=spf1 +include:example.xn--zckzah."},
      {"v=spf1 ip4:192.0.2.77/24 ~ip6:2001:DB8::1", "v=spf1 +ip4:192.0.2.0/24 ~ip6:2001:db8::1/128"},
      {"v=spf1 exists:%{I3R-}.%%%_%-.example.com", "v=spf1 +exists:%{I3r-}.%%%_%-.example.com"},
      {"v=spf1 redirect=a.example exp=b.example x=", "v=spf1 redirect=a.example exp=b.example x="},
      {"v=spf1 exp=b.example redirect=%{o}", "v=spf1 redirect=%{o} exp=b.example"},
      {"v=spf1 include=b c.d-e_f=%{c}/: all", "v=spf1 +all include=b c.d-e_f=%{c}/:"},
  };
  for (const auto& c : cases) {
    const auto record = parse_record(c.record);
    ASSERT_TRUE(record) << c.record << ": " << record.error().message;
    EXPECT_EQ(to_text(*record), c.printed);
    const auto again = parse_record(to_text(*record));
    ASSERT_TRUE(again) << c.printed;
    EXPECT_EQ(*again, *record) << c.printed;
  }
}

struct Invalid {
  const char* term;
  const char* reason;
};

TEST(Record, SyntaxErrorNamesTheTermAndTheFault) {
  const Invalid cases[] = {
      {"moo", "no such mechanism"},
      {"-", "no such mechanism"},
      {"+-all", "no such mechanism"},
      {"redirect:example.com", "no such mechanism"},
      {"all:example.com", "nothing may follow"},
      {"all/8", "nothing may follow"},
      {"all.", "no such mechanism"},
      {"include", "domain name is missing"},
      {"include:", "domain name is missing"},
      {"include/24", "domain name is missing"},
      {"include:example.com/24", "top-level domain"},
      {"exists", "domain name is missing"},
      {"a:", "domain name is missing"},
      {"a:/24", "domain name is missing"},
      {"a:museum", "top-level domain"},
      {"a:museum.", "top-level domain"},
      {"a:example.123", "top-level domain"},
      {"a:example.-com", "top-level domain"},
      {"a:example.com-", "top-level domain"},
      {"a:example.com..", "top-level domain"},
      {"a:%{d}.", "top-level domain"},
      {"a:%{d}com", "top-level domain"},
      {"a:192.0.2.1", "ip4 or ip6 is meant"},
      {"a/33", "from 0 to 32"},
      {"a/024", "from 0 to 32"},
      {"a//129", "from 0 to 128"},
      {"a//00", "from 0 to 128"},
      {"a/24/64", "from 0 to 32"},
      {"a/24/24", "domain name is missing"},
      {"a//64/24", "domain name is missing"},
      {"a/", "domain name is missing"},
      {"a//", "domain name is missing"},
      {"mx/99999999999999999999999", "from 0 to 32"},
      {"ptr/0", "domain name is missing"},
      {"ptr:example.com/24", "top-level domain"},
      {"ip4", "address is missing"},
      {"ip4:", "not an IPv4 address"},
      {"ip4:192.0.2", "not an IPv4 address"},
      {"ip4:192.0.2.01", "not an IPv4 address"},
      {"ip4:192.0.2.256", "not an IPv4 address"},
      {"ip4:2001:db8::1", "not an IPv4 address"},
      {"ip4:192.0.2.1/", "from 0 to 32"},
      {"ip4:192.0.2.1/+8", "from 0 to 32"},
      {"ip4:192.0.2.1//32", "from 0 to 32"},
      {"ip4:192.0.2.1/032", "from 0 to 32"},
      {"ip4:192.0.2.3\\010", "not an IPv4 address"},
      {"ip6:192.0.2.1", "not an IPv6 address"},
      {"ip6:fe80::1%eth0", "not an IPv6 address"},
      {"ip6:::1/129", "from 0 to 128"},
      {"=x", "name of the modifier"},
      {"1up=x", "name of the modifier"},
      {"-exp=example.com", "name of the modifier"},
      {"exp=", "domain name is missing"},
      {"exp=-all", "top-level domain"},
      {"redirect=", "domain name is missing"},
      {"redirect=a.example REDIRECT=b.example", "appears twice"},
      {"exp=a.example exp=a.example", "appears twice"},
      {"exp=%{r}.example.com", "macro letter \"r\""},
      {"x=%abc", "followed by none of"},
      {"a:example\tcom", "\\x09"},
      {"a:example\xe2\x80\x8b.com", "\\xe2"},
      {"\xe2\x80\x8b", "no such mechanism"},
  };
  for (const auto& c : cases) {
    const auto record = parse_record("v=spf1 ip4:192.0.2.1 " + std::string(c.term) + " -all");
    ASSERT_FALSE(record) << c.term;
    EXPECT_THAT(record.error().message, HasSubstr(c.reason)) << c.term;
    EXPECT_EQ(record.error().message, printable(record.error().message, 1000)) << c.term;
  }
}

TEST(Record, VersionEndsAtASpaceOrTheEnd) {  // R1
  for (const auto* text : {"v=spf1", "v=spf1 -all", "V=SpF1"}) EXPECT_TRUE(is_spf_record(text)) << text;
  for (const auto* text : {"", "v=spf", "v=spf10", "v=spf1\t-all", " v=spf1", "v=spf1-all", "v=spf2.0/pra", "v= spf1"})
    EXPECT_FALSE(is_spf_record(text)) << text;
}

TEST(Record, KeepsTheDirectiveAsWritten) {
  const auto record = parse_record("v=spf1 ~IP4:192.0.2.1/24 all");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->directives[0].written, "~IP4:192.0.2.1/24");
  EXPECT_EQ(record->directives[1].written, "all");
}

}  // namespace
}  // namespace sesame::spf
