// The upstream against servers that lie, are slow or say nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "dns/cares_upstream.h"
#include "packet.h"
#include "support/dns_server.h"

namespace sesame::dns {
namespace {

using test::DnsServer;
using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;
using namespace std::chrono_literals;
using Health = ServerCounters::Health;

// A question as it came; names no longer than tests use.
struct Received {
  std::string packet;
  unsigned port = 0;
  bool tcp = false;

  std::string name() const {  // in the case it had
    std::string text;
    for (std::size_t at = 12; at < packet.size() && packet[at] != 0; at += 1 + static_cast<unsigned char>(packet[at]))
      text += (text.empty() ? "" : ".") + packet.substr(at + 1, static_cast<unsigned char>(packet[at]));
    return text;
  }
};

// An answer to it: its identifier and question, these flags, and one TXT.
std::string txt_reply(const Received& received, const std::string& text, unsigned flags = 0x8180) {
  const auto question = received.packet.substr(12, received.packet.find('\0', 12) + 5 - 12);
  const auto data = std::string(1, static_cast<char>(text.size())) + text;
  return received.packet.substr(0, 2) + test::u16(flags) + test::u16(1) + test::u16(1) + test::u16(0) + test::u16(0) +
         question + "\xc0\x0c" + test::u16(16) + test::u16(1) + test::u32(60) +
         test::u16(static_cast<unsigned>(data.size())) + data;
}

// Says what it is told to, on one port over UDP and TCP.
class RawServer {
 public:
  using Reply = std::function<std::vector<std::string>(const Received&)>;

  explicit RawServer(Reply reply) : reply_(std::move(reply)) {
    for (int i = 0; i < 50 && tcp_ < 0; ++i) {
      if (udp_ >= 0) close(udp_);
      udp_ = listen_on(SOCK_DGRAM, 0);
      tcp_ = listen_on(SOCK_STREAM, port_of(udp_));
    }
    thread_ = std::thread([this] { run(); });
  }
  ~RawServer() {
    ending_ = true;
    thread_.join();
    close(udp_);
    close(tcp_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::string host_port() const { return "127.0.0.1:" + std::to_string(port_of(udp_)); }
  // All that came, but for whether it lives.
  std::vector<Received> questions() const {
    const std::lock_guard lock(mutex_);
    auto all = received_;
    std::erase_if(all, [](const Received& received) { return received.name().empty(); });
    return all;
  }

 private:
  static int listen_on(int kind, unsigned port) {
    const int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        (kind == SOCK_STREAM && listen(fd, 64) != 0)) {
      close(fd);
      return -1;
    }
    return fd;
  }
  static unsigned port_of(int fd) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
  }

  void run() {
    while (!ending_) {
      std::array<pollfd, 2> fds = {{{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}}};
      if (poll(fds.data(), fds.size(), 20) <= 0) continue;
      if (fds[0].revents != 0) serve_udp();
      if (fds[1].revents != 0) serve_tcp();
    }
  }

  std::vector<std::string> answers(Received received) {
    {
      const std::lock_guard lock(mutex_);
      received_.push_back(received);
    }
    return reply_(received);
  }

  void serve_udp() {
    std::array<char, 1024> buffer{};
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const auto got = recvfrom(udp_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (got < 12) return;
    for (const auto& each : answers({{buffer.data(), static_cast<std::size_t>(got)}, ntohs(from.sin_port), false}))
      sendto(udp_, each.data(), each.size(), 0, reinterpret_cast<const sockaddr*>(&from), length);
  }

  // One connection, one question.
  void serve_tcp() {
    const int fd = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const timeval longest{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    std::array<char, 1024> buffer{};
    const auto got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got > 14) {
      for (const auto& each : answers({{buffer.data() + 2, static_cast<std::size_t>(got) - 2}, 0, true})) {
        const auto framed = test::u16(static_cast<unsigned>(each.size())) + each;
        [[maybe_unused]] const auto sent = send(fd, framed.data(), framed.size(), MSG_NOSIGNAL);
      }
    }
    close(fd);
  }

  Reply reply_;
  int udp_ = -1, tcp_ = -1;
  std::atomic<bool> ending_ = false;
  mutable std::mutex mutex_;
  std::vector<Received> received_;
  std::thread thread_;
};

CaresOptions asking(std::vector<std::string> servers, std::chrono::milliseconds timeout = 30s, int tries = 2,
                    std::chrono::milliseconds patience = 0ms) {
  return {.servers = std::move(servers), .timeout = timeout, .tries = tries, .patience = patience};
}

// Puts questions, and counts their answers.
struct Asker {
  explicit Asker(const CaresOptions& options) : upstream(make_cares_upstream(options).value()) {}

  Answer operator()(const std::string& name) {
    std::promise<Answer> promise;
    upstream->ask(name, Type::txt, [&](Answer answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  }
  void start(const std::string& name) {
    upstream->ask(name, Type::txt, [this](const Answer& answer) {
      const std::lock_guard lock(mutex);
      statuses.push_back(answer.status);
      changed.notify_all();
    });
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 60s, [&] { return statuses.size() >= count; });
  }
  bool wait_until(Health health) {
    for (int i = 0; i < 6000 && upstream->servers()[0].health != health; ++i) std::this_thread::sleep_for(10ms);
    return upstream->servers()[0].health == health;
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Status> statuses;
  std::unique_ptr<Upstream> upstream;  // ends first
};

std::string numbered(int i) {
  return "n" + std::to_string(i) + ".test";
}

std::size_t entries(const char* directory) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
}

TEST(Upstream, EachQuestionLeavesFromAPortOfItsOwn) {
  const RawServer server([](const Received& received) { return std::vector{txt_reply(received, "x")}; });
  Asker ask(asking({server.host_port()}));
  for (int i = 0; i < 40; ++i) EXPECT_THAT(ask(numbered(i)).texts, ElementsAre("x"));
  for (int i = 40; i < 100; ++i) ask.start(numbered(i));
  ASSERT_TRUE(ask.wait_for(60));
  EXPECT_THAT(ask.statuses, Each(Status::ok));
  std::set<unsigned> ports;
  std::set<std::string> ids;
  for (const auto& received : server.questions()) {
    ports.insert(received.port);
    ids.insert(received.packet.substr(0, 2));
  }
  // A port may come twice by chance, and so may an identifier.
  EXPECT_GT(ports.size(), 90u);
  EXPECT_GT(ids.size(), 90u);
}

TEST(Upstream, AnswersToAnotherQuestionAreNotBelieved) {
  const RawServer server([](const Received& received) {
    auto other_id = txt_reply(received, "forged"), other_name = other_id, other_type = other_id, query = other_id;
    other_id[0] = static_cast<char>(~other_id[0]);
    other_name[13] = 'b';
    other_type[12 + 8 + 1] = 1;
    query[2] = 1;
    return std::vector{other_id, other_name, other_type, txt_reply(received, "true")};
  });
  Asker ask(asking({server.host_port()}));
  EXPECT_THAT(ask("a.test").texts, ElementsAre("true"));
}

TEST(Upstream, NamesGoOutInRandomCaseThatAnswersRepeat) {
  const RawServer server([](const Received& received) { return std::vector{txt_reply(received, "x")}; });
  auto options = asking({server.host_port()});
  options.name_case = CaresOptions::NameCase::random;
  Asker ask(options);
  for (int i = 0; i < 20; ++i) {
    const auto answer = ask("example-domain.test");
    EXPECT_EQ(answer.name, "example-domain.test");
    EXPECT_THAT(answer.texts, ElementsAre("x"));
  }
  std::set<std::string> names;
  for (const auto& received : server.questions()) names.insert(received.name());
  EXPECT_GT(names.size(), 15u);
  EXPECT_EQ(ask.upstream->servers()[0].mismatches, 0u);
  EXPECT_EQ(ask.upstream->servers()[0].over_tcp, 0u);
}

TEST(Upstream, WhereTheCaseIsNotRepeatedTcpHasTheAnswer) {
  const RawServer server([](const Received& received) {
    auto reply = txt_reply(received, received.tcp ? "true" : "forged");
    std::ranges::transform(reply.begin() + 12, reply.begin() + 32, reply.begin() + 12,
                           [](unsigned char octet) { return static_cast<char>(std::tolower(octet)); });
    return std::vector{reply};
  });
  auto options = asking({server.host_port()});
  options.name_case = CaresOptions::NameCase::random;
  Asker ask(options);
  // That 17 letters are all in lower case by chance is not seen in a lifetime.
  EXPECT_THAT(ask("example-domain.test").texts, ElementsAre("true"));
  const auto counters = ask.upstream->servers()[0];
  EXPECT_EQ(counters.mismatches, 1u);
  EXPECT_EQ(counters.over_tcp, 1u);
}

TEST(Upstream, WhatTheServerValidatedIsMarked) {
  const RawServer server([](const Received& received) {
    // Asked for: RFC 6840 Section 5.7.
    const bool wanted = (received.packet[3] & 0x20) != 0;
    return std::vector{txt_reply(received, "x", wanted && received.name() == "signed.test" ? 0x81a0 : 0x8180)};
  });
  Asker ask(asking({server.host_port()}));
  EXPECT_TRUE(ask("signed.test").authenticated);
  EXPECT_FALSE(ask("plain.test").authenticated);
}

// Two servers, of which the first marks as validated what it answers, and says SERVFAIL of what is forged.
struct Mixed {
  explicit Mixed(unsigned flags_of_other = 0x8180) : other(flags_of_other) {}

  std::atomic<bool> lives = true;
  const RawServer validating{[this](const Received& received) {
    if (!lives) return std::vector<std::string>();
    const auto name = received.name();
    if (name.starts_with("forged")) return std::vector{txt_reply(received, "", 0x8182)};
    if (name.starts_with("silent")) return std::vector<std::string>();
    return std::vector{name.empty() ? root_reply(received, 0x81a0) : txt_reply(received, "validating", 0x81a0)};
  }};
  const unsigned other;
  const RawServer second{[this](const Received& received) {
    return std::vector{received.name().empty() ? root_reply(received, other) : txt_reply(received, "second", other)};
  }};

  static std::string root_reply(const Received& received, unsigned flags) {
    return received.packet.substr(0, 2) + test::u16(flags) + test::u16(1) + test::u16(1) + test::u16(0) + test::u16(0) +
           received.packet.substr(12, 5) + std::string(1, '\0') + test::u16(2) + test::u16(1) + test::u32(60) +
           test::u16(8) + test::wire_name("a.root");
  }
  std::vector<std::string> servers() const { return {validating.host_port(), second.host_port()}; }
};

// Waits until what is known of the servers shows: that both have answered whether they validate.
void wait_for_checks(Asker& ask) {
  const auto both = [&] {
    return std::ranges::all_of(ask.upstream->servers(), [](const auto& each) { return each.answers > 0; });
  };
  for (int i = 0; i < 6000 && !both(); ++i) std::this_thread::sleep_for(10ms);
  std::this_thread::sleep_for(50ms);
}

TEST(Upstream, WhatAValidatingServerDoesNotPassNoOtherPasses) {
  const Mixed mixed;
  Asker ask(asking(mixed.servers()));
  wait_for_checks(ask);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask("forged." + numbered(i)).status, Status::servfail);
  // Nor does it lose its place by that.
  for (int i = 0; i < 10; ++i) EXPECT_THAT(ask(numbered(i)).texts, ElementsAre("validating"));
  EXPECT_THAT(mixed.second.questions(), SizeIs(0));
}

TEST(Upstream, ANameThatAValidatingServerIsSlowAtIsAskedOfNoOther) {
  const Mixed mixed;
  Asker ask(asking(mixed.servers(), 50ms));
  wait_for_checks(ask);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask("silent." + numbered(i)).status, Status::timeout);
  EXPECT_THAT(ask("a.test").texts, ElementsAre("validating"));
  EXPECT_THAT(mixed.second.questions(), SizeIs(0));
}

TEST(Upstream, TheServfailOfAValidatingServerIsAskedOfAnotherThatValidates) {
  const Mixed mixed(0x81a0);
  Asker ask(asking(mixed.servers()));
  wait_for_checks(ask);
  EXPECT_THAT(ask("forged.test").texts, ElementsAre("second"));
}

TEST(Upstream, WithoutTheServerThatValidatesTheOtherServes) {
  Mixed mixed;
  Asker ask(asking(mixed.servers(), 100ms));
  wait_for_checks(ask);
  mixed.lives = false;
  ask.start("a.test");
  ASSERT_TRUE(ask.wait_until(Health::silent));
  EXPECT_THAT(ask("b.test").texts, ElementsAre("second"));
  mixed.lives = true;
  ASSERT_TRUE(ask.wait_until(Health::good));
  EXPECT_THAT(ask("c.test").texts, ElementsAre("validating"));
}

TEST(Upstream, ServfailOfServersThatDoNotValidateCostsThemNoPlace) {
  const DnsServer one("bad.test * !SERVFAIL\ngood.test TXT one"), two("bad.test TXT two\ngood.test TXT two");
  Asker ask(asking({one.host_port(), two.host_port()}));
  EXPECT_EQ(ask("good.test").status, Status::ok);  // the speed of each becomes known
  EXPECT_EQ(ask("good.test").status, Status::ok);
  for (int i = 0; i < 10; ++i) EXPECT_THAT(ask("bad.test").texts, ElementsAre("two"));
  EXPECT_THAT(ask("good.test").texts, ElementsAre("one"));
}

TEST(Upstream, CountsWhatEachServerDid) {
  const DnsServer one("a.test TXT x\ncut.test TXT !TRUNCATE\ncut.test TXT y\nbad.test * !SERVFAIL");
  Asker ask(asking({one.host_port()}));
  EXPECT_EQ(ask("a.test").status, Status::ok);
  EXPECT_EQ(ask("cut.test").status, Status::ok);
  EXPECT_EQ(ask("bad.test").status, Status::servfail);
  const auto counters = ask.upstream->servers();
  ASSERT_THAT(counters, SizeIs(1));
  EXPECT_EQ(counters[0].server, one.host_port());
  EXPECT_EQ(counters[0].queries, 5u);
  EXPECT_EQ(counters[0].answers, 5u);
  EXPECT_EQ(counters[0].over_tcp, 1u);
  EXPECT_EQ(counters[0].failures, 2u);
  EXPECT_EQ(counters[0].timeouts, 0u);
  EXPECT_EQ(counters[0].hedges, 0u);
  std::uint64_t all = 0;
  for (const auto count : counters[0].latencies.counts) all += count;
  EXPECT_EQ(all, 5u);
}

TEST(Upstream, AQuestionThatIsSlowGoesToAnotherServerToo) {
  const DnsServer slow("a.test TXT x\nslow.test * !SLOW 600000"), other("a.test TXT y\nslow.test TXT z");
  Asker ask(asking({slow.host_port(), other.host_port()}));
  EXPECT_EQ(ask("a.test").status, Status::ok);  // the speed of each becomes known
  EXPECT_EQ(ask("a.test").status, Status::ok);
  EXPECT_THAT(ask("slow.test").texts, ElementsAre("z"));
  EXPECT_EQ(ask.upstream->servers()[0].hedges, 0u);
  EXPECT_EQ(ask.upstream->servers()[1].hedges, 1u);
}

TEST(Upstream, OnlyATenthOfTheQuestionsIsHedged) {
  std::string zone;
  for (int i = 0; i < 200; ++i) zone += numbered(i) + " TXT !SLOW 600\n" + numbered(i) + " TXT x\n";
  const DnsServer one(zone), two(zone);
  Asker ask(asking({one.host_port(), two.host_port()}, 400ms, 2, 60s));
  for (int i = 0; i < 200; ++i) ask.start(numbered(i));
  ASSERT_TRUE(ask.wait_for(200));
  EXPECT_THAT(ask.statuses, Each(Status::ok));
  const auto counters = ask.upstream->servers();
  EXPECT_GT(counters[0].hedges + counters[1].hedges, 0u);
  EXPECT_LE(counters[0].hedges + counters[1].hedges, 25u);
}

TEST(Upstream, WithOneServerNothingIsHedged) {
  const DnsServer server("slow.test TXT !SLOW 700\nslow.test TXT x");
  Asker ask(asking({server.host_port()}, 2s));
  EXPECT_EQ(ask("slow.test").status, Status::ok);
  EXPECT_THAT(server.queries(), ElementsAre("TXT slow.test udp"));
}

TEST(Upstream, NamesThatNeverAnswerMakeNoServerLookDead) {
  const DnsServer server("silent.test * !TIMEOUT\ngood.test TXT x");
  Asker ask(asking({server.host_port()}, 20ms, 2, 100ms));
  // Long enough for a server to be found dead twice.
  for (int i = 0; i < 25; ++i) {
    for (int j = 0; j < 20; ++j) ask.start("silent.test");
    ASSERT_TRUE(ask.wait_for(static_cast<std::size_t>(i + 1) * 20));
    ASSERT_EQ(ask.upstream->servers()[0].health, Health::good) << i;
  }
  EXPECT_THAT(ask.statuses, Each(Status::timeout));
  EXPECT_EQ(ask("good.test").status, Status::ok);
  EXPECT_EQ(ask.upstream->recoveries(), 0u);
}

TEST(Upstream, ADeadServerCostsNobodyTimeAndNothingGrows) {
  const auto descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  {
    const RawServer hole([](const Received&) { return std::vector<std::string>(); });
    const auto beside = entries("/proc/self/fd");
    auto options = asking({hole.host_port()}, 50ms, 2, 600s);
    options.max_unanswered = 500;
    Asker ask(options);
    for (int i = 0; i < 3000; ++i) ask.start(numbered(i));
    ASSERT_TRUE(ask.wait_until(Health::silent));
    // Nobody waits for the ten minutes.
    ASSERT_TRUE(ask.wait_for(3000));
    EXPECT_LE(entries("/proc/self/fd"), beside + 8);
    EXPECT_EQ(entries("/proc/self/task"), threads + 2);
    const auto asked = hole.questions().size();
    // Tries may begin while they are open only as long as there are fewer than the limit; each question has two.
    EXPECT_LE(asked, 1000u);
    for (int i = 0; i < 3000; ++i) ask.start(numbered(i));
    ASSERT_TRUE(ask.wait_for(6000));
    EXPECT_EQ(hole.questions().size(), asked);
    EXPECT_THAT(ask.statuses, SizeIs(6000));
    EXPECT_THAT(ask.statuses, Each(Status::timeout));
  }
  EXPECT_EQ(entries("/proc/self/fd"), descriptors);
  EXPECT_EQ(entries("/proc/self/task"), threads);
}

// Answers all but names below dead.test.
struct Overloaded {
  const RawServer server{[](const Received& received) {
    return received.name().ends_with("dead.test") ? std::vector<std::string>() : std::vector{txt_reply(received, "x")};
  }};

  // Sixteen tries open fill it.
  CaresOptions options(std::chrono::milliseconds timeout, std::chrono::milliseconds patience) const {
    auto options = asking({server.host_port()}, timeout, 2, patience);
    options.max_unanswered = 16;
    return options;
  }
  static void flood(Asker& ask, int names) {
    for (int i = 0; i < names; ++i) ask.start("n" + std::to_string(i) + ".dead.test");
  }
};

TEST(Upstream, ANewQuestionIsAskedBeforeThoseThatHaveWaitedLonger) {
  const Overloaded overloaded;
  Asker ask(overloaded.options(1s, 1s));
  Overloaded::flood(ask, 300);
  EXPECT_THAT(ask("good.test").texts, ElementsAre("x"));
  // Not all of the others were asked before.
  EXPECT_LT(overloaded.server.questions().size(), 100u);
}

TEST(Upstream, WhoHasWaitedForTooLongIsAskedForNoMore) {
  const Overloaded overloaded;
  Asker ask(overloaded.options(100ms, 400ms));
  Overloaded::flood(ask, 300);
  ASSERT_TRUE(ask.wait_for(300));
  EXPECT_THAT(ask.statuses, Each(Status::timeout));
  // By turns of 16 it would have been all of them.
  std::set<std::string> asked;
  for (const auto& received : overloaded.server.questions()) asked.insert(received.name());
  EXPECT_LT(asked.size(), 100u);
}

TEST(Upstream, WhoHasWaitedForTheLongestMakesRoomInTheQueue) {
  const Overloaded overloaded;
  auto options = overloaded.options(1s, 1s);
  options.max_waiting = 20;
  Asker ask(options);
  Overloaded::flood(ask, 300);
  EXPECT_THAT(ask("good.test").texts, ElementsAre("x"));
}

TEST(Upstream, AServerThatAnswersAgainIsUsedAgain) {
  std::atomic<bool> lives = false;
  const RawServer server([&](const Received& received) {
    return lives ? std::vector{txt_reply(received, "x")} : std::vector<std::string>();
  });
  Asker ask(asking({server.host_port()}, 50ms, 2, 600s));
  for (std::uint64_t round = 0; round < 2; ++round) {
    lives = false;
    ask.start("a.test");
    ASSERT_TRUE(ask.wait_until(Health::silent));
    EXPECT_EQ(ask("a.test").status, Status::timeout);
    EXPECT_EQ(ask.upstream->recoveries(), round);
    lives = true;
    ASSERT_TRUE(ask.wait_until(Health::good));
    EXPECT_EQ(ask("a.test").status, Status::ok);
    EXPECT_EQ(ask.upstream->recoveries(), round + 1);
  }
}

TEST(Upstream, OneSilentServerOfTwoIsLeftAloneUntilItAnswers) {
  std::atomic<bool> lives = false;
  const RawServer one([&](const Received& received) {
    return lives ? std::vector{txt_reply(received, "one")} : std::vector<std::string>();
  });
  const RawServer two([](const Received& received) { return std::vector{txt_reply(received, "two")}; });
  Asker ask(asking({one.host_port(), two.host_port()}, 100ms));
  EXPECT_THAT(ask("a.test").texts, ElementsAre("two"));
  ASSERT_TRUE(ask.wait_until(Health::silent));
  const auto asked = one.questions().size();
  for (int i = 0; i < 50; ++i) EXPECT_THAT(ask(numbered(i)).texts, ElementsAre("two"));
  EXPECT_EQ(one.questions().size(), asked);
  lives = true;
  ASSERT_TRUE(ask.wait_until(Health::good));
  EXPECT_THAT(ask("b.test").texts, ElementsAre("one"));
  // The other was there all the time.
  EXPECT_EQ(ask.upstream->recoveries(), 0u);
}

TEST(Latencies, AreCountedByPowersOfTwo) {
  Latencies latencies;
  EXPECT_EQ(latencies.quantile(0.99), 1ms);
  for (int i = 0; i < 90; ++i) latencies.add(1ms);
  for (int i = 0; i < 9; ++i) latencies.add(1001us);
  latencies.add(1h);
  EXPECT_EQ(latencies.counts.front(), 90u);
  EXPECT_EQ(latencies.counts[1], 9u);
  EXPECT_EQ(latencies.counts.back(), 1u);
  EXPECT_EQ(latencies.quantile(0.5), 1ms);
  EXPECT_EQ(latencies.quantile(0.99), 2ms);
  EXPECT_GT(latencies.quantile(1), 16s);
}

}  // namespace
}  // namespace sesame::dns
