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
  const auto query = make_query("a\xff b.example", Type::txt, 0xbeef, {});
  const std::string want =
      "\xbe\xef\x01\x20\0\1\0\0\0\0\0\1"s + "\4a\xff b\7example\0"s + "\0\x10\0\1"s + "\0\0\x29\x04\xd0\0\0\0\0\0\0"s;
  EXPECT_EQ(std::string(query.begin(), query.end()), want);
}

TEST(Query, SaysWhenNothingIsToBeValidated) {
  const auto usual = make_query("example.com", Type::txt, 1, {});
  auto unchecked = make_query("example.com", Type::txt, 1, {.checking = Checking::disabled});
  EXPECT_EQ(unchecked[3], 0x30);
  unchecked[3] = 0x20;
  EXPECT_EQ(unchecked, usual);
}

TEST(Query, WithoutRecursionAsksForNothingElse) {
  const auto query = make_query("example.com", Type::txt, 1, {.recursion = Recursion::not_desired});
  EXPECT_EQ(query[2], 0);
  EXPECT_EQ(query[3], 0);
}

TEST(Query, CaseFollowsTheBits) {
  struct Case {
    std::vector<std::uint8_t> bits;
    std::string want;
  };
  for (const auto& [bits, want] :
       {Case{{}, "ab-1.cdefgh.ij"}, Case{{0x00, 0x00}, "ab-1.cdefgh.ij"}, Case{{0xff, 0xff}, "AB-1.CDEFGH.IJ"},
        Case{{0x05, 0x02}, "Ab-1.Cdefgh.iJ"}, Case{{0xff}, "AB-1.CDEFGH.ij"}})
    EXPECT_EQ(with_case("ab-1.cdefgh.ij", bits), want);
}

TEST(Query, IsRepeatedOctetByOctet) {
  const auto query = make_query("eXample.com", Type::txt, 1, {});
  const auto repeats = [&](const Packet& packet) { return repeats_question(packet.octets(), query); };
  EXPECT_TRUE(repeats(Packet("eXample.com", Type::txt)));
  EXPECT_TRUE(repeats(Packet("eXample.com", Type::txt).answer("example.com", Type::txt, 1, text("x"))));
  EXPECT_FALSE(repeats(Packet("example.com", Type::txt)));
  EXPECT_FALSE(repeats(Packet("Example.com", Type::txt)));
  EXPECT_FALSE(repeats(Packet("eXample.com", Type::a)));
  EXPECT_FALSE(repeats(Packet("eXample.co", Type::txt)));
  EXPECT_FALSE(repeats(Packet("eXample.com", Type::txt).question("").counts(0, 0, 0, 0)));
  for (std::size_t length = 0; length < query.size() - 11; ++length)
    EXPECT_FALSE(repeats_question(std::span(query).first(length), query)) << length;
}

TEST(Query, OfTheRootHasOneEmptyLabel) {
  const auto query = make_query("", Type::ns, 1, {.edns = Edns::no});
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

TEST(Parse, WhatTheServerValidatedIsMarked) {
  const auto txt = [](unsigned flags) {
    return parse(Packet("a.test", Type::txt).flags(flags).answer("a.test", Type::txt, 1, text("x")), "a.test",
                 Type::txt);
  };
  EXPECT_TRUE(txt(0x81a0).authenticated);
  EXPECT_FALSE(txt(0x8180).authenticated);
  EXPECT_TRUE(parse(Packet("a.test", Type::txt).flags(0x81a3).soa(1, 1), "a.test", Type::txt).authenticated);
  // A failure holds nothing that could have been validated.
  EXPECT_FALSE(parse(Packet("a.test", Type::txt).flags(0x81a2), "a.test", Type::txt).authenticated);
  EXPECT_FALSE(parse(Packet("b.test", Type::txt).flags(0x81a0), "a.test", Type::txt).authenticated);
}

std::string soa_data(const std::string& primary, const std::string& mailbox, std::uint32_t serial) {
  return wire_name(primary) + mailbox + u32(serial) + u32(7200) + u32(3) + u32(4) + u32(60);
}

Reply reply(const Packet& packet, const std::string& name, Type type) {
  return parse_reply(packet.octets(), name, type);
}

TEST(Reply, TellsTheFlags) {
  const auto packet = [](unsigned flags) { return Packet("a.test", Type::txt).flags(flags); };
  EXPECT_TRUE(reply(packet(0x8400), "a.test", Type::txt).authoritative);
  EXPECT_FALSE(reply(packet(0x8000), "a.test", Type::txt).authoritative);
  EXPECT_TRUE(reply(packet(0x8405), "a.test", Type::txt).authoritative);
  const auto cut = reply(packet(0x8600).answer("a.test", Type::txt, 1, text("x")).soa(1, 1), "a.test", Type::txt);
  EXPECT_TRUE(cut.authoritative);
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.answer.status, Status::malformed);
  EXPECT_FALSE(cut.soa);
  EXPECT_FALSE(reply(packet(0x8400), "a.test", Type::txt).truncated);
}

TEST(Reply, TheSoaIsThatOfTheAnswerElseOfTheAuthority) {
  // A mailbox may hold a dot in its first label, which has no form as text.
  const auto first = soa_data("NS1.test", "\3a.b\4test\0"s, 2026112201),
             second = soa_data("ns2.test", wire_name("h"), 7);
  const auto both =
      reply(Packet("a.test", Type::soa).answer("A.test", Type::soa, 1, first).authority("test", Type::soa, 1, second),
            "a.test", Type::soa);
  ASSERT_TRUE(both.soa);
  EXPECT_EQ(both.soa->zone, "a.test");
  EXPECT_EQ(both.soa->primary, "ns1.test");
  EXPECT_EQ(both.soa->serial, 2026112201u);
  EXPECT_EQ(both.soa->refresh, 7200u);
  const auto absent =
      reply(Packet("a.test", Type::txt).flags(0x8403).authority("test", Type::soa, 1, second), "a.test", Type::txt);
  EXPECT_EQ(absent.answer.status, Status::nxdomain);
  ASSERT_TRUE(absent.soa);
  EXPECT_EQ(absent.soa->zone, "test");
  EXPECT_EQ(absent.soa->serial, 7u);
}

TEST(Reply, AnSoaThatIsNoneIsNotTold) {
  const auto good = soa_data("ns.test", wire_name("h.test"), 1);
  for (const auto& data : {""s, wire_name("ns.test"), wire_name("ns.test") + "\xc0\xff"s, good + "x",
                           good.substr(0, good.size() - 1), wire_name("ns.test") + wire_name("h.test")})
    EXPECT_FALSE(reply(Packet("a.test", Type::txt).authority("test", Type::soa, 1, data), "a.test", Type::txt).soa);
}

TEST(Reply, AReferralNamesTheZoneBelowAndItsServers) {
  const auto packet = [](unsigned flags) {
    return Packet("a.b.test", Type::txt)
        .flags(flags)
        .authority("other.test", Type::ns, 1, wire_name("ns.other.test"))
        .authority("B.test", Type::ns, 1, wire_name("NS1.example"))
        .authority("b.test", Type::ns, 1, wire_name("ns2.example"))
        .authority("test", Type::ns, 1, wire_name("ns.test"));
  };
  const auto referral = reply(packet(0x8000), "a.b.test", Type::txt);
  EXPECT_EQ(referral.answer.status, Status::nodata);
  EXPECT_EQ(referral.referred_to, "b.test");
  EXPECT_THAT(referral.referral, ElementsAre("ns1.example", "ns2.example"));
  // An answer, an absence and a failure may have name servers beside them.
  for (const auto& other :
       {packet(0x8400), packet(0x8000).soa(1, 1), packet(0x8003), packet(0x8005),
        packet(0x8000).answer("a.b.test", Type::txt, 1, text("x")), packet(0x8000).cname("a.b.test", 1, "c.test")}) {
    EXPECT_EQ(reply(other, "a.b.test", Type::txt).referred_to, "");
    EXPECT_THAT(reply(other, "a.b.test", Type::txt).referral, IsEmpty());
  }
}

TEST(Reply, AReferralToTheRootHasServersAndNoZone) {
  const auto upward =
      reply(Packet("a.test", Type::txt).flags(0x8000).authority("", Type::ns, 1, wire_name("a.root.example")), "a.test",
            Type::txt);
  EXPECT_EQ(upward.referred_to, "");
  EXPECT_THAT(upward.referral, ElementsAre("a.root.example"));
}

TEST(Reply, NothingIsToldByAPacketThatIsNotTheAnswer) {
  const auto other = reply(Packet("b.test", Type::txt).flags(0x8600).soa(1, 1), "a.test", Type::txt);
  EXPECT_EQ(other.answer.status, Status::malformed);
  EXPECT_FALSE(other.authoritative);
  EXPECT_FALSE(other.truncated);
  EXPECT_FALSE(other.soa);
}

TEST(Reply, ServersAreBounded) {
  Packet packet("a.test", Type::txt);
  packet.flags(0x8000);
  for (int i = 0; i < 500; ++i) packet.authority("test", Type::ns, 1, wire_name("ns" + std::to_string(i) + ".test"));
  EXPECT_EQ(reply(packet, "a.test", Type::txt).referral.size(), 64u);
}

TEST(Reply, ChangedOctetsNeverCrash) {
  std::mt19937 random(11);
  const auto whole = Packet("a.test", Type::txt)
                         .flags(0x8000)
                         .authority("test", Type::ns, 1, "\2ns\xc0\x0e"s)
                         .authority("test", Type::soa, 1, soa_data("ns.test", "\1h\xc0\x0e"s, 1))
                         .opt(0)
                         .octets();
  for (int round = 0; round < 20000; ++round) {
    auto packet = whole;
    for (int i = 0; i < 3; ++i) packet[random() % packet.size()] = static_cast<std::uint8_t>(random());
    EXPECT_LE(parse_reply(packet, "a.test", Type::txt).referral.size(), 2u);
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
  for (const auto& [in, want] : cases) {
    EXPECT_EQ(canonical(in), want) << in;
    NameRoom room;
    const auto in_room = canonical(in, room);
    EXPECT_EQ(in_room ? std::optional<std::string>(*in_room) : std::nullopt, want) << in;
    EXPECT_EQ(is_canonical(in), want == in) << in;
  }
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
