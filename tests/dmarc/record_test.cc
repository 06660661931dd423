#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dmarc/dmarc.h"

namespace sesame::dmarc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Record, OnlyTheExactVersionFirstMakesARecord) {
  const std::pair<const char*, bool> cases[] = {
      {"v=DMARC1; p=none", true},
      {"v=DMARC1;p=none", true},
      {"v = DMARC1 ; p=none", true},
      {"v\t=\tDMARC1", true},
      {"V=DMARC1; p=none", true},
      {"v=DMARC1", true},
      {"v=DMARC1;", true},
      {"v=dmarc1; p=none", false},
      {"v=DMARC1x; p=none", false},
      {"v=DMARC1 x; p=none", false},
      {"v=DMARC2; p=none", false},
      {"p=none; v=DMARC1", false},
      {" v=DMARC1; p=none", false},
      {";v=DMARC1", false},
      {"", false},
      {"v=", false},
      {"v", false},
      {"v=spf1 -all", false},
      {"\"v=DMARC1; p=none\"", false},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(parse_record(text).has_value(), want) << text;
}

// "p sp np adkim aspf psd t" in one line.
std::string shown(std::string_view text) {
  const auto record = parse_record(text);
  if (!record) return "no record";
  const auto policy = [](const std::optional<Policy>& value, bool invalid) {
    return std::string(value ? to_string(*value) : invalid ? "invalid" : "-");
  };
  return policy(record->p, record->p_invalid) + " " + policy(record->sp, record->sp_invalid) + " " +
         policy(record->np, record->np_invalid) + " " + to_string(record->adkim) + to_string(record->aspf) + " " +
         (record->psd == Record::Psd::y   ? "y"
          : record->psd == Record::Psd::n ? "n"
                                          : "u") +
         (record->testing ? " t" : "");
}

TEST(Record, TagsAreReadWithTheirDefaults) {
  const std::pair<const char*, const char*> cases[] = {
      {"v=DMARC1; p=none", "none - - rr u"},
      {"v=DMARC1; p=reject; sp=quarantine; np=none", "reject quarantine none rr u"},
      {"v=DMARC1; P=Reject; ADKIM=S; aspf=s; PSD=Y; T=Y", "reject - - ss y t"},
      {"v=DMARC1; p=reject; psd=n; t=n", "reject - - rr n"},
      {"v=DMARC1; p=reject; psd=u;", "reject - - rr u"},
      {"v=DMARC1; sp=reject; p=none", "none reject - rr u"},
      {"v=DMARC1; p=rejct", "invalid - - rr u"},
      {"v=DMARC1; p=", "invalid - - rr u"},
      {"v=DMARC1; p=none; sp=x; np=y", "none invalid invalid rr u"},
      {"v=DMARC1; p=none; adkim=x; aspf=x; psd=x; t=x", "none - - rr u"},
      {"v=DMARC1; p=none; p=reject", "none - - rr u"},
      {"v=DMARC1;;; ;p=none;;", "none - - rr u"},
      {"v=DMARC1; p = none ; sp\t=\treject", "none reject - rr u"},
      {"v=DMARC1; p=none; unknown=1; garbage; =x; rf=afrfruf=mailto:a@example.com", "none - - rr u"},  // M7
      {"v=DMARC1; p=none sp=reject", "invalid - - rr u"},                                              // M7
      {"v=DMARC1; p=reject; pct=0", "reject - - rr u"},                                                // M8
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(shown(text), want) << text;
}

TEST(Record, ReportAddressesMustBeUris) {
  const auto rua = [](std::string_view value) { return *parse_record("v=DMARC1; rua=" + std::string(value)); };
  EXPECT_THAT(rua("mailto:a@example.com!10m, https://example.com/r").rua,
              ElementsAre("mailto:a@example.com!10m", "https://example.com/r"));
  for (const char* good : {"mailto:a@example.com", "x-y.z+1:q", "mailto:bad, mailto:a@example.com",
                           "mailto:a%21b@example.com", "mailto:a@example.com!1", "mailto:a@example.com!20G"})
    EXPECT_FALSE(rua(good).rua.empty()) << good;
  for (const char* bad :
       {"", "a@example.com", "mailto:", "mailto:a", ":x", "1a:x", "mailto:a b@example.com", ",",
        "mailto:a%2@example.com", "mailto:a%zz@example.com", "mailto:a@example.com%2", "x:%", "mailto:a@example.com!",
        "mailto:a@example.com!m", "mailto:a@example.com!10x", "mailto:a!b@example.com", "mailto:\xc3\xbc@example.com"})
    EXPECT_TRUE(rua(bad).rua.empty()) << bad;
}

TEST(Record, SixtyReportAddressesAreRead) {  // M7
  std::string text = "v=DMARC1; p=none; rua=mailto:a0@example.com";
  for (int i = 1; i < 60; ++i) text += ",mailto:a" + std::to_string(i) + "@example.com";
  EXPECT_EQ(parse_record(text)->rua.size(), 60U);
}

TEST(Record, WarningsNameWhatIsOdd) {
  const auto warnings = [](std::string_view text) { return parse_record(text)->warnings; };
  EXPECT_THAT(warnings("v=DMARC1; p=none; sp=none; np=none; adkim=r; aspf=s; fo=1; rua=mailto:a@example.com; x=y"),
              IsEmpty());
  EXPECT_THAT(warnings("v=DMARC1; p=none; pct=50; rf=afrf; ri=1"),
              ElementsAre("pct is historic", "rf is historic", "ri is historic"));
  EXPECT_THAT(warnings("v=DMARC1; sp=none; p=none"), ElementsAre("p is not second"));
  EXPECT_THAT(warnings("v=DMARC1; p=none; p=reject"), ElementsAre("p is there twice"));
  EXPECT_THAT(warnings("v=DMARC1; p=no\xff"), ElementsAre("p=no\\xff is not valid"));
  EXPECT_THAT(warnings("v=DMARC1; p=none; psd=x; t=x; adkim=x; rua=x"),
              ElementsAre("psd=x is not valid", "t=x is not valid", "adkim=x is not valid", "rua=x is not valid"));
  EXPECT_THAT(warnings("v=DMARC1; p=none; psd=u; t=n; rua=mailto:a@example.com,"), IsEmpty());
  EXPECT_THAT(warnings("v=DMARC1; p=none; words"), ElementsAre("\"words\" is not a tag"));
}

TEST(Record, HostileTextIsBounded) {
  std::string text = "v=DMARC1";
  for (int i = 0; i < 20000; ++i) text += ";x";
  EXPECT_EQ(parse_record(text)->warnings.size(), 10U);
}

}  // namespace
}  // namespace sesame::dmarc
