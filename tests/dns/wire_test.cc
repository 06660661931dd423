#include "dns/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "dns/name.h"
#include "packet.h"

namespace sesame::dns {
namespace {

using test::Packet;
using test::u16;
using test::u32;
using test::wire_name;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::string_literals;

std::string text(const std::string& part) {
  return static_cast<char>(part.size()) + part;
}

Answer parse(const Packet& packet, const std::string& name, Type type) {
  return parse_answer(packet.octets(), name, type);
}

TEST(Query, HasTheNameAsRawOctetsAndEdns) {
  const auto query = make_query("a\xff b.example", Type::txt, 0xbeef, Edns::yes);
  const std::string want =
      "\xbe\xef\x01\x00\0\1\0\0\0\0\0\1"s + "\4a\xff b\7example\0"s + "\0\x10\0\1"s + "\0\0\x29\x04\xd0\0\0\0\0\0\0"s;
  EXPECT_EQ(std::string(query.begin(), query.end()), want);
}

TEST(Query, SaysWhenNothingIsToBeValidated) {
  const auto usual = make_query("example.com", Type::txt, 1, Edns::yes);
  auto unchecked = make_query("example.com", Type::txt, 1, Edns::yes, Checking::disabled);
  EXPECT_EQ(unchecked[3], 0x10);
  unchecked[3] = 0;
  EXPECT_EQ(unchecked, usual);
}

TEST(Query, OfTheRootHasOneEmptyLabel) {
  const auto query = make_query("", Type::ns, 1, Edns::no);
  EXPECT_EQ(query.size(), 12u + 1 + 4);
  EXPECT_EQ(query[11], 0);
  EXPECT_EQ(query[12], 0);
}

TEST(Parse, JoinsTheStringsOfATextAndKeepsRecordsApart) {
  const auto answer = parse(Packet("example.com", Type::txt)
                                .answer("example.com", Type::txt, 300, text("v=spf1 ") + text("") + text("-all"))
                                .answer("EXAMPLE.com", Type::txt, 60, text("\xff\0x"s)),
                            "example.com", Type::txt);
  EXPECT_EQ(answer.status, Status::ok);
  EXPECT_THAT(answer.texts, ElementsAre("v=spf1 -all", "\xff\0x"s));
  EXPECT_EQ(answer.ttl, 60u);
}

TEST(Parse, ReadsEveryType) {
  const auto a = parse(Packet("h.test", Type::a).answer("h.test", Type::a, 1, "\xc0\0\2\1"s), "h.test", Type::a);
  ASSERT_EQ(a.addresses.size(), 1u);
  EXPECT_EQ(a.addresses[0].to_string(), "192.0.2.1");
  const auto aaaa =
      parse(Packet("h.test", Type::aaaa).answer("h.test", Type::aaaa, 1, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"s),
            "h.test", Type::aaaa);
  ASSERT_EQ(aaaa.addresses.size(), 1u);
  EXPECT_EQ(aaaa.addresses[0].to_string(), "2001:db8::1");
  const auto mx = parse(Packet("h.test", Type::mx)
                            .answer("h.test", Type::mx, 1, u16(10) + wire_name("MX.test"))
                            .answer("h.test", Type::mx, 1, u16(0) + wire_name("")),
                        "h.test", Type::mx);
  ASSERT_EQ(mx.exchanges.size(), 2u);
  EXPECT_EQ(mx.exchanges[0].preference, 10);
  EXPECT_EQ(mx.exchanges[0].host, "mx.test");
  EXPECT_EQ(mx.exchanges[1].host, "");
  for (const auto type : {Type::ns, Type::ptr, Type::cname}) {
    const auto answer =
        parse(Packet("h.test", type).answer("h.test", type, 1, wire_name("Other.Test")), "h.test", type);
    EXPECT_EQ(answer.status, Status::ok);
    EXPECT_THAT(answer.names, ElementsAre("other.test"));
    EXPECT_THAT(answer.cnames, IsEmpty());
  }
}

TEST(Parse, CompressedNamesAreRead) {
  // The target is "mail" and a pointer to the question's name at octet 12.
  const auto answer =
      parse(Packet("h.test", Type::mx).answer("h.test", Type::mx, 1, u16(5) + "\4mail\xc0\x0c"s), "h.test", Type::mx);
  ASSERT_EQ(answer.exchanges.size(), 1u);
  EXPECT_EQ(answer.exchanges[0].host, "mail.h.test");
}

TEST(Parse, OddOctetsInANameSurvive) {
  const std::string odd = "a\"\\ ;\xe9$@(.test";
  const auto answer = parse(Packet(odd, Type::ptr).answer(odd, Type::ptr, 1, wire_name(odd)), odd, Type::ptr);
  EXPECT_EQ(answer.status, Status::ok);
  EXPECT_THAT(answer.names, ElementsAre(odd));
}

TEST(Parse, ALabelWithADotHasNoTextForm) {
  const auto answer =
      parse(Packet("h.test", Type::ptr).answer("h.test", Type::ptr, 1, "\3a.b\0"s), "h.test", Type::ptr);
  EXPECT_EQ(answer.status, Status::malformed);
}

TEST(Parse, FollowsCnamesInAnyOrderAndTakesTheLeastTtl) {
  const auto answer = parse(Packet("a.test", Type::txt)
                                .answer("c.test", Type::txt, 300, text("x"))
                                .cname("b.test", 20, "C.test")
                                .cname("a.test", 100, "b.test"),
                            "a.test", Type::txt);
  EXPECT_EQ(answer.status, Status::ok);
  EXPECT_EQ(answer.name, "a.test");
  EXPECT_THAT(answer.cnames, ElementsAre("b.test", "c.test"));
  EXPECT_THAT(answer.texts, ElementsAre("x"));
  EXPECT_EQ(answer.ttl, 20u);
}

TEST(Parse, RecordsOfOtherNamesAreNotTheAnswer) {
  const auto answer = parse(Packet("a.test", Type::txt)
                                .answer("evil.test", Type::txt, 300, text("x"))
                                .answer("a.test", Type::a, 300, "\1\2\3\4"),
                            "a.test", Type::txt);
  EXPECT_EQ(answer.status, Status::nodata);
  EXPECT_THAT(answer.texts, IsEmpty());
}

TEST(Parse, AChainThatGoesOnElsewhereIsNodataWithItsTtl) {
  const auto answer = parse(Packet("a.test", Type::txt).cname("a.test", 77, "b.test"), "a.test", Type::txt);
  EXPECT_EQ(answer.status, Status::nodata);
  EXPECT_THAT(answer.cnames, ElementsAre("b.test"));
  EXPECT_EQ(answer.ttl, 77u);
}

TEST(Parse, LoopsEnd) {
  EXPECT_EQ(parse(Packet("a.test", Type::txt).cname("a.test", 1, "a.test"), "a.test", Type::txt).status,
            Status::cname_limit);
  EXPECT_EQ(parse(Packet("a.test", Type::txt)
                      .cname("a.test", 1, "b.test")
                      .cname("b.test", 1, "c.test")
                      .cname("c.test", 1, "b.test"),
                  "a.test", Type::txt)
                .status,
            Status::cname_limit);
}

TEST(Parse, NegativeTtlIsTheLesserOfTheSoas) {
  struct Case {
    std::uint32_t ttl, minimum, want;
  };
  for (const auto& [ttl, minimum, want] : {Case{300, 60, 60}, Case{30, 600, 30}, Case{0x80000000u, 60, 0}}) {
    const auto absent = parse(Packet("a.test", Type::txt).flags(0x8183).soa(ttl, minimum), "a.test", Type::txt);
    EXPECT_EQ(absent.status, Status::nxdomain);
    EXPECT_EQ(absent.ttl, want);
    const auto empty = parse(Packet("a.test", Type::txt).soa(ttl, minimum), "a.test", Type::txt);
    EXPECT_EQ(empty.status, Status::nodata);
    EXPECT_EQ(empty.ttl, want);
  }
  EXPECT_EQ(parse(Packet("a.test", Type::txt).flags(0x8183), "a.test", Type::txt).ttl, kTtlWithoutSoa);
  EXPECT_EQ(parse(Packet("a.test", Type::txt), "a.test", Type::txt).ttl, kTtlWithoutSoa);
}

TEST(Parse, NxdomainBelongsToTheEndOfTheChain) {
  const auto answer =
      parse(Packet("a.test", Type::txt).flags(0x8183).cname("a.test", 40, "b.test").soa(300, 300), "a.test", Type::txt);
  EXPECT_EQ(answer.status, Status::nxdomain);
  EXPECT_THAT(answer.cnames, ElementsAre("b.test"));
  EXPECT_EQ(answer.ttl, 40u);
}

TEST(Parse, ATtlWithItsHighestBitSetIsZero) {
  EXPECT_EQ(parse(Packet("a.test", Type::a).answer("a.test", Type::a, 0x80000001u, "\1\2\3\4"), "a.test", Type::a).ttl,
            0u);
}

TEST(Parse, CodesAreKeptApart) {
  struct Case {
    unsigned flags;
    Status want;
  };
  for (const auto& [flags, want] :
       {Case{0x8181, Status::formerr}, Case{0x8182, Status::servfail}, Case{0x8183, Status::nxdomain},
        Case{0x8184, Status::notimp}, Case{0x8185, Status::refused}, Case{0x8186, Status::servfail}}) {
    EXPECT_EQ(parse(Packet("a.test", Type::txt).flags(flags), "a.test", Type::txt).status, want) << flags;
  }
  // A server that refuses may leave the question out, one that answers may not.
  EXPECT_EQ(
      parse(Packet("a.test", Type::txt).flags(0x8185).question("").counts(0, 0, 0, 0), "a.test", Type::txt).status,
      Status::refused);
  EXPECT_EQ(parse(Packet("a.test", Type::txt).question("").counts(0, 0, 0, 0), "a.test", Type::txt).status,
            Status::malformed);
  // BADVERS has its upper bits in the OPT record, and NOERROR below.
  EXPECT_EQ(parse(Packet("a.test", Type::txt).opt(0x01000000), "a.test", Type::txt).status, Status::servfail);
  EXPECT_EQ(parse(Packet("a.test", Type::txt).opt(0x00008000).soa(1, 1), "a.test", Type::txt).status, Status::nodata);
}

TEST(Parse, HostilePacketsAreMalformed) {
  const auto txt = [] { return Packet("a.test", Type::txt); };
  const std::string pointer_to_itself = "\xc0\x2c"s;  // 12 + 8 + 4 (question) + 8 + 10 (record) = 42, and 2 of MX
  const std::vector<std::pair<std::string, Packet>> cases = {
      {"a query", txt().flags(0x0100)},
      {"another opcode", txt().flags(0xa180)},
      {"truncated", txt().flags(0x8380).answer("a.test", Type::txt, 1, text("v=spf1"))},
      {"another name", txt().question(wire_name("b.test") + u16(16) + u16(1))},
      {"another type", txt().question(wire_name("a.test") + u16(1) + u16(1))},
      {"another class", txt().question(wire_name("a.test") + u16(16) + u16(3))},
      {"two questions", txt().counts(2, 0, 0, 0).tail(wire_name("a.test") + u16(16) + u16(1))},
      {"more records promised than there are", txt().counts(1, 65535, 0, 0)},
      {"octets after the end", txt().tail("x")},
      {"TXT without a string's octets", txt().answer("a.test", Type::txt, 1, "\5abc")},
      {"TXT string longer than its record", txt().answer("a.test", Type::txt, 1,
                                                         text("ok") + "\xff"
                                                                      "x")},
      {"A of three octets", Packet("a.test", Type::a).answer("a.test", Type::a, 1, "abc")},
      {"A of five octets", Packet("a.test", Type::a).answer("a.test", Type::a, 1, "abcde")},
      {"AAAA of four octets", Packet("a.test", Type::aaaa).answer("a.test", Type::aaaa, 1, "abcd")},
      {"MX without a host", Packet("a.test", Type::mx).answer("a.test", Type::mx, 1, u16(1))},
      {"MX with octets after the host",
       Packet("a.test", Type::mx).answer("a.test", Type::mx, 1, u16(1) + wire_name("b") + "x")},
      {"MX host points to itself",
       Packet("a.test", Type::mx).answer("a.test", Type::mx, 1, u16(1) + pointer_to_itself)},
      {"MX host points behind the packet",
       Packet("a.test", Type::mx).answer("a.test", Type::mx, 1, u16(1) + "\xff\xff")},
      {"PTR runs on after its record", Packet("a.test", Type::ptr).answer("a.test", Type::ptr, 1, "\1").tail("a\0"s)},
      {"CNAME without a name", txt().answer("a.test", Type::cname, 1, "")},
      {"label of a reserved kind", Packet("a.test", Type::ptr).answer("a.test", Type::ptr, 1, "\x80\0"s)},
      {"records beside an NXDOMAIN", txt().flags(0x8183).answer("a.test", Type::txt, 1, text("x"))},
  };
  for (const auto& [what, packet] : cases) {
    // The type asked for is that of the question, which stands behind the six labels' octets and their end; the cases
    // about a wrong question ask for TXT.
    const auto octets = packet.octets();
    const auto type = what.starts_with("another") ? Type::txt : static_cast<Type>(octets.at(21));
    const auto answer = parse_answer(octets, "a.test", type);
    EXPECT_EQ(answer.status, Status::malformed) << what;
    EXPECT_THAT(answer.texts, IsEmpty()) << what;
  }
}

TEST(Parse, EveryPrefixIsMalformed) {
  const auto whole = Packet("a.test", Type::txt)
                         .cname("a.test", 1, "b.test")
                         .answer("b.test", Type::txt, 1, text("hello"))
                         .soa(1, 1)
                         .opt(0)
                         .octets();
  ASSERT_EQ(parse_answer(whole, "a.test", Type::txt).status, Status::ok);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    // A copy of its own, so that a sanitizer sees a read behind the end.
    const std::vector<std::uint8_t> prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(parse_answer(prefix, "a.test", Type::txt).status, Status::malformed) << length;
  }
}

TEST(Parse, ChangedOctetsNeverCrash) {
  std::mt19937 random(7);
  const auto whole = Packet("a.test", Type::mx)
                         .cname("a.test", 1, "b.test")
                         .answer("b.test", Type::mx, 1, u16(1) + "\4mail\xc0\x0c"s)
                         .soa(1, 1)
                         .opt(0)
                         .octets();
  for (int round = 0; round < 20000; ++round) {
    auto packet = whole;
    for (int i = 0; i < 3; ++i) packet[random() % packet.size()] = static_cast<std::uint8_t>(random());
    const auto answer = parse_answer(packet, "a.test", Type::mx);
    EXPECT_EQ(answer.name, "a.test");
    EXPECT_LE(answer.exchanges.size(), 1u);
  }
}

TEST(Name, CanonicalFoldsCaseAndOneDot) {
  struct Case {
    std::string in;
    std::optional<std::string> want;
  };
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  const std::vector<Case> cases = {{"Example.COM.", "example.com"},
                                   {"", ""},
                                   {".", ""},
                                   {"a..b", std::nullopt},
                                   {".a", std::nullopt},
                                   {"a..", std::nullopt},
                                   {label, label},
                                   {label + "a", std::nullopt},
                                   {longest, longest},
                                   {longest + ".", longest},
                                   {longest + "b", std::nullopt},
                                   {"\xc9.test", "\xc9.test"}};
  for (const auto& [in, want] : cases) EXPECT_EQ(canonical(in), want) << in;
}

TEST(Name, PartsOfAName) {
  EXPECT_EQ(rightmost("a.b.c", 2), "b.c");
  EXPECT_EQ(rightmost("a.b.c", 9), "a.b.c");
  EXPECT_EQ(rightmost("a.b.c", 0), "");
  EXPECT_EQ(label_count(""), 0u);
  EXPECT_EQ(label_count("a.b"), 2u);
  EXPECT_EQ(parent("a.b.c"), "b.c");
  EXPECT_EQ(parent("a"), "");
  EXPECT_TRUE(is_at_or_below("a.example", "example"));
  EXPECT_TRUE(is_at_or_below("example", "example"));
  EXPECT_TRUE(is_at_or_below("example", ""));
  EXPECT_FALSE(is_at_or_below("badexample", "example"));
  EXPECT_TRUE(is_hostname("_dmarc.example.com"));
  EXPECT_FALSE(is_hostname("a b.example.com"));
  EXPECT_FALSE(is_hostname(""));
}

}  // namespace
}  // namespace sesame::dns
