#include "dns/probe.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <future>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "support/dns_server.h"

namespace sesame::dns {
namespace {

using std::chrono::milliseconds;
using test::DnsServer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr std::string_view kZone = R"(
! role authority
example.test        SOA   7 3600
example.test        NS    ns1.example.test
ns1.example.test    A     192.0.2.1
key.example.test    TXT   v=DKIM1; p=abc
alias.example.test  CNAME key.example.net
bad.example.test    TXT   !SERVFAIL
cut.example.test    TXT   !TRUNCATE
cut.example.test    TXT   long
sub.example.test    NS    ns.sub.example.test
sub.example.test    NS    ns.example.org
ns.sub.example.test A     192.0.2.2
)";

ProberOptions quick() {
  ProberOptions options;
  options.timeout = milliseconds(200);
  options.tries = 2;
  options.max_rate = 1000;
  return options;
}

Server server_of(const DnsServer& server) {
  return *parse_server(server.host_port());
}

std::unique_ptr<Prober> prober_of(const ProberOptions& options = quick()) {
  auto prober = make_prober(options);
  EXPECT_TRUE(prober) << prober.error().message;
  return std::move(*prober);
}

std::future<ProbeReply> start(Prober& prober, const ProbeQuestion& question) {
  auto promise = std::make_shared<std::promise<ProbeReply>>();
  auto reply = promise->get_future();
  prober.ask(question, [promise](ProbeReply answer) { promise->set_value(std::move(answer)); });
  return reply;
}

ProbeReply ask(const DnsServer& server, const std::string& name, Type type, Transport transport = Transport::udp) {
  const auto prober = prober_of();
  return start(*prober, {server_of(server), name, type, transport}).get();
}

std::size_t open_files() {
  return static_cast<std::size_t>(std::ranges::distance(std::filesystem::directory_iterator("/proc/self/fd")));
}

TEST(Probe, TellsWhatTheServerSays) {
  const DnsServer server(kZone);
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    const auto reply = ask(server, "key.example.test", Type::txt, transport);
    EXPECT_EQ(reply.trouble, "");
    EXPECT_TRUE(reply.authoritative);
    EXPECT_FALSE(reply.truncated);
    EXPECT_EQ(reply.answer.status, Status::ok);
    EXPECT_THAT(reply.answer.texts, ElementsAre("v=DKIM1; p=abc"));
    EXPECT_EQ(reply.answer.ttl, 300u);
    EXPECT_GT(reply.latency.count(), 0);
  }
  EXPECT_THAT(server.queries(), ElementsAre("TXT key.example.test udp", "TXT key.example.test tcp"));
}

TEST(Probe, AliasIsTheAnswerWhereItLeadsOut) {
  const DnsServer server(kZone);
  const auto txt = ask(server, "alias.example.test", Type::txt);
  EXPECT_THAT(txt.answer.cnames, ElementsAre("key.example.net"));
  EXPECT_EQ(txt.answer.status, Status::nodata);
  EXPECT_THAT(ask(server, "alias.example.test", Type::cname).answer.names, ElementsAre("key.example.net"));
}

TEST(Probe, TellsTheSerial) {
  const DnsServer server(kZone);
  const auto reply = ask(server, "example.test", Type::soa);
  ASSERT_TRUE(reply.soa);
  EXPECT_EQ(reply.soa->zone, "example.test");
  EXPECT_EQ(reply.soa->serial, 7u);
  EXPECT_EQ(reply.soa->refresh, 3600u);
  const auto absent = ask(server, "nothing.example.test", Type::txt);
  EXPECT_EQ(absent.answer.status, Status::nxdomain);
  EXPECT_TRUE(absent.authoritative);
  ASSERT_TRUE(absent.soa);
  EXPECT_EQ(absent.soa->serial, 7u);
}

TEST(Probe, ReferralNamesTheServersBelow) {
  const DnsServer server(kZone);
  const auto reply = ask(server, "key.sub.example.test", Type::txt);
  EXPECT_FALSE(reply.authoritative);
  EXPECT_EQ(reply.referred_to, "sub.example.test");
  EXPECT_THAT(reply.referral, UnorderedElementsAre("ns.sub.example.test", "ns.example.org"));
}

TEST(Probe, RefusalAndFailureAreAnswers) {
  const DnsServer server(kZone);
  EXPECT_EQ(ask(server, "bad.example.test", Type::txt).answer.status, Status::servfail);
  const auto foreign = ask(server, "example.org", Type::txt);
  EXPECT_EQ(foreign.answer.status, Status::refused);
  EXPECT_FALSE(foreign.authoritative);
  EXPECT_EQ(foreign.trouble, "");
}

TEST(Probe, WhoForwardsHasNoAuthority) {
  DnsServer server(kZone);
  server.with_zone([](test::Zone& zone) { zone.add("! lame forwards"); });
  const auto reply = ask(server, "key.example.test", Type::txt);
  EXPECT_EQ(reply.answer.status, Status::ok);
  EXPECT_FALSE(reply.authoritative);
}

TEST(Probe, TruncationIsToldAndNotRepeated) {
  const DnsServer server(kZone);
  const auto reply = ask(server, "cut.example.test", Type::txt);
  EXPECT_TRUE(reply.truncated);
  EXPECT_EQ(reply.trouble, "");
  EXPECT_THAT(server.queries(), ElementsAre("TXT cut.example.test udp"));
  EXPECT_THAT(ask(server, "cut.example.test", Type::txt, Transport::tcp).answer.texts, ElementsAre("long"));
}

TEST(Probe, ServerOlderThanEdnsIsAskedWithoutIt) {
  const DnsServer server(test::Zone(kZone), {.edns = test::EdnsManner::refuse});
  for (const auto transport : {Transport::udp, Transport::tcp})
    EXPECT_THAT(ask(server, "key.example.test", Type::txt, transport).answer.texts, ElementsAre("v=DKIM1; p=abc"));
}

TEST(Probe, SaysWhatIsTheTrouble) {
  const struct {
    const char* conduct;
    Transport transport;
    const char* trouble;
  } cases[] = {{"! udp silent", Transport::udp, "no answer in 0.4 s"},
               {"! tcp silent", Transport::tcp, "no answer in 0.2 s"},
               {"! tcp refuses", Transport::tcp, "connection refused"},
               {"! tcp closes", Transport::tcp, "connection "}};  // closed or reset
  for (const auto& each : cases) {
    DnsServer server(kZone);
    server.with_zone([&](test::Zone& zone) { zone.add(each.conduct); });
    const auto reply = ask(server, "key.example.test", Type::txt, each.transport);
    EXPECT_THAT(reply.trouble, HasSubstr(each.trouble)) << each.conduct;
    EXPECT_EQ(reply.answer.status, Status::timeout);
    EXPECT_FALSE(reply.not_asked);
    const auto other = each.transport == Transport::udp ? Transport::tcp : Transport::udp;
    EXPECT_EQ(ask(server, "key.example.test", Type::txt, other).trouble, "") << each.conduct;
  }
}

TEST(Probe, NobodyListening) {
  DnsServer server(kZone);
  server.stop();
  EXPECT_EQ(ask(server, "key.example.test", Type::txt).trouble, "port unreachable");
}

TEST(Probe, LostDatagramIsSentAgain) {
  const DnsServer server("key.example.test TXT here\nkey.example.test TXT !TIMEOUT 1");
  EXPECT_THAT(ask(server, "key.example.test", Type::txt).answer.texts, ElementsAre("here"));
  EXPECT_EQ(server.queries().size(), 2u);
}

TEST(Probe, TroubleOfThisHostIsNotTheServers) {
  const auto prober = prober_of();
  // No socket may send there unless it says that it wants to broadcast.
  const auto reply = start(*prober, {*parse_server("255.255.255.255"), "example.test", Type::txt}).get();
  EXPECT_TRUE(reply.not_asked);
  EXPECT_NE(reply.trouble, "");
}

// A socket that answers as the test wants.
class OddServer {
 public:
  OddServer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    bind(fd_, reinterpret_cast<const sockaddr*>(&address), length);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    server_ = {*IpAddress::parse("127.0.0.1"), ntohs(address.sin_port)};
  }
  ~OddServer() { close(fd_); }
  Server server() const { return server_; }

  std::vector<std::uint8_t> receive() {
    std::vector<std::uint8_t> packet(4096);
    socklen_t length = sizeof from_;
    packet.resize(static_cast<std::size_t>(std::max<ssize_t>(
        0, recvfrom(fd_, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&from_), &length))));
    return packet;
  }
  void send(std::span<const std::uint8_t> packet) {
    sendto(fd_, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&from_), sizeof from_);
  }

 private:
  int fd_;
  Server server_;
  sockaddr_in from_{};
};

TEST(Probe, AsksWithoutRecursionAndHearsOnlyItsOwnAnswer) {
  OddServer odd;
  auto options = quick();
  options.timeout = milliseconds(5000);
  const auto prober = prober_of(options);
  auto reply = start(*prober, {odd.server(), "a.test", Type::txt});
  const auto query = odd.receive();
  ASSERT_GT(query.size(), 12u);
  EXPECT_EQ(query[2] & 0x01, 0) << "recursion desired";
  auto answer = query;
  answer[2] = 0x84;
  answer[3] = 3;  // NXDOMAIN
  auto stranger = answer;
  stranger[0] ^= 1;  // another ID
  odd.send(stranger);
  stranger = answer;
  stranger[13] = 'b';  // another question
  odd.send(stranger);
  odd.send(std::span(answer).first(7));
  EXPECT_EQ(reply.wait_for(milliseconds(50)), std::future_status::timeout);
  odd.send(answer);
  EXPECT_EQ(reply.get().answer.status, Status::nxdomain);
}

TEST(Probe, IdsAndPortsDiffer) {
  OddServer odd;
  const auto prober = prober_of();
  std::set<std::vector<std::uint8_t>> ids;
  std::vector<std::future<ProbeReply>> replies;
  for (int i = 0; i < 8; ++i) {
    replies.push_back(start(*prober, {odd.server(), "a.test", Type::txt}));
    auto query = odd.receive();
    ids.insert({query[0], query[1]});
    query[2] = 0x84;
    query[3] = 3;
    odd.send(query);
    replies.back().wait();
  }
  EXPECT_GE(ids.size(), 7u);  // 8, but for a rare chance
}

TEST(Probe, AsksOneAddressNoFasterThanItMay) {
  const DnsServer server(kZone);
  auto options = quick();
  options.max_rate = 50;
  const auto prober = prober_of(options);
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::future<ProbeReply>> replies;
  for (int i = 0; i < 6; ++i) replies.push_back(start(*prober, {server_of(server), "key.example.test", Type::txt}));
  for (auto& reply : replies) EXPECT_EQ(reply.get().trouble, "");
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(100));  // five pauses of 20 ms
}

TEST(Probe, OpensNoMoreSocketsThanItMay) {
  DnsServer server(kZone);
  server.with_zone([](test::Zone& zone) { zone.add("! udp silent"); });
  auto options = quick();
  options.timeout = milliseconds(30);
  options.tries = 1;
  options.max_open = 2;
  const auto prober = prober_of(options);
  const auto before = open_files();
  std::vector<std::future<ProbeReply>> replies;
  for (int i = 0; i < 8; ++i) replies.push_back(start(*prober, {server_of(server), "key.example.test", Type::txt}));
  for (auto& reply : replies) {
    EXPECT_LE(open_files(), before + 2);
    EXPECT_THAT(reply.get().trouble, HasSubstr("no answer"));
  }
  EXPECT_EQ(server.queries().size(), 8u);
}

TEST(Probe, EndsWithQuestionsOpenAndLeavesNothing) {
  DnsServer server(kZone);
  server.with_zone([](test::Zone& zone) { zone.add("! udp silent\n! tcp silent"); });
  const auto before = open_files();
  auto options = quick();
  options.timeout = milliseconds(60'000);
  options.max_open = 6;
  auto prober = prober_of(options);
  std::vector<std::future<ProbeReply>> replies;
  for (int i = 0; i < 20; ++i)
    replies.push_back(start(
        *prober, {server_of(server), "key.example.test", Type::txt, i % 2 == 0 ? Transport::udp : Transport::tcp}));
  prober.reset();
  for (auto& reply : replies) EXPECT_TRUE(reply.get().not_asked);
  // The server may not have closed its ends of the connections yet. It has three files of its own.
  server.stop();
  EXPECT_EQ(open_files(), before - 3);
}

}  // namespace
}  // namespace sesame::dns
