// A thread for each channel: nobody waits for another's message.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <functional>
#include <future>
#include <latch>
#include <thread>

#include "daemon.h"
#include "mail.h"
#include "milter/channel.h"

using testing::HasSubstr;

// What sessions.cc needs of libmilter and of channel.cc.
namespace {

struct Channel {
  std::function<int()> engine;
  std::promise<bool> over = {};  // whether what is kept for it was given up first
  std::future<bool> is_over = over.get_future();
  bool ended = false;

  SMFICTX* context() { return reinterpret_cast<SMFICTX*>(this); }
  static Channel& of(SMFICTX* context) { return *reinterpret_cast<Channel*>(context); }
};

// How many more threads the system does not give.
std::atomic<int> refusals = 0;

}  // namespace

extern "C" {

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*begin)(void*), void* argument) {
  static const auto create = reinterpret_cast<decltype(&pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
  if (refusals > 0) return --refusals, EAGAIN;
  return create(thread, attributes, begin, argument);
}

int mi_start_session(SMFICTX* context);

int mi_engine(SMFICTX* context) {
  return Channel::of(context).engine();
}

void mi_clr_ctx(SMFICTX* context) {
  auto over = std::move(Channel::of(context).over);  // the test may end as soon as it knows
  over.set_value(Channel::of(context).ended);
}

}  // extern "C"

namespace sesame::milter {

void end_channel(SMFICTX* context) {
  Channel::of(context).ended = true;
}

}  // namespace sesame::milter

namespace sesame::test {
namespace {

using Final = MilterResult::Final;

constexpr int kPatience = 2000;
constexpr std::chrono::milliseconds kStep{10};

bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < kPatience; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(kStep);
  }
  return false;
}

MilterMessage inbound(const std::string& domain) {
  MilterMessage message;
  message.mail = {"<a@" + domain + ">"};
  message.fields = {{"From", " <a@" + domain + ">"}};
  message.mail_macros = {{"{mail_addr}", "a@" + domain}};
  return message;
}

bool is_judged(const MilterResult& result, const std::string& part) {
  return result.final == Final::proceed && !result.edits.empty() &&
         result.edits.back().value.find(part) != std::string::npos;
}

// DNS is waited for nearly as long as a client of these tests waits for an answer.
void wait_long_for_dns(const Daemon& daemon) {
  std::ifstream in(daemon.path("sesame.toml"));
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const std::string short_waits = "timeout = 0.2\ntries = 1\nbudget = 1.0\n";
  text.replace(text.find(short_waits), short_waits.size(), "timeout = 20\ntries = 1\nbudget = 25\n");
  std::ofstream(daemon.path("sesame.toml")) << text;
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: done"));
}

int threads_of(const Daemon& daemon) {
  const auto status = daemon.status();
  const auto at = status.find("Threads:");
  return at == std::string::npos ? 0 : std::stoi(status.substr(at + 8));
}

// Messages sent all at once, each from a domain of its own.
class AtOnce {
 public:
  AtOnce(Daemon& daemon, int count, const std::string& fault) : daemon_(daemon), start_(count) {
    for (int i = 0; i < count; ++i) {
      daemon.dns().with_zone([&](Zone& zone) { zone.add(domain(i) + " TXT " + fault + "\n"); });
      clients_.push_back(daemon.connect());
    }
    for (int i = 0; i < count; ++i) threads_.emplace_back([this, i] { send(i); });
  }
  ~AtOnce() {
    for (auto& thread : threads_) thread.join();
  }

  bool all_have_asked() const {
    const auto queries = daemon_.dns().queries();
    for (std::size_t i = 0; i < clients_.size(); ++i)
      if (std::find(queries.begin(), queries.end(), "TXT " + domain(static_cast<int>(i)) + " udp") == queries.end())
        return false;
    return true;
  }
  int judged() const { return judged_; }
  int cut_off() const { return cut_off_; }

 private:
  static std::string domain(int i) { return "s" + std::to_string(i) + ".example"; }

  void send(int i) {
    start_.arrive_and_wait();
    try {
      clients_[static_cast<std::size_t>(i)]->send(inbound(domain(i)));
      ++judged_;
    } catch (const std::runtime_error&) {
      ++cut_off_;
    }
  }

  Daemon& daemon_;
  std::latch start_;
  std::vector<std::unique_ptr<MilterClient>> clients_;
  std::atomic<int> judged_ = 0;
  std::atomic<int> cut_off_ = 0;
  std::vector<std::thread> threads_;
};

TEST(Sessions, SilenceEndsTheConnectionAndThenTheChannel) {
  Channel channel{.engine = [] { return 1; }};
  ASSERT_EQ(mi_start_session(channel.context()), MI_SUCCESS);
  EXPECT_TRUE(channel.is_over.get());
}

TEST(Sessions, WhatLibmilterHasEndedIsOnlyFreed) {
  for (const int result : {MI_SUCCESS, MI_FAILURE}) {
    Channel channel{.engine = [=] { return result; }};
    ASSERT_EQ(mi_start_session(channel.context()), MI_SUCCESS);
    EXPECT_TRUE(channel.is_over.get());
  }
}

TEST(Sessions, WaitForAThreadAsLongAsTheSystemHasNone) {
  std::atomic<int> begun = 0;
  Channel channel{.engine = [&] {
    ++begun;
    return MI_SUCCESS;
  }};
  refusals = 5;
  ASSERT_EQ(mi_start_session(channel.context()), MI_SUCCESS);
  EXPECT_TRUE(channel.is_over.get());
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(refusals, 0);
}

// A pool would take the session elsewhere after the millisecond that libmilter asks for.
TEST(Sessions, KeepTheirThreadWhileTheyWait) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  std::promise<int> waits;
  const auto engine = [&] {
    waits.set_value(0);
    pollfd one{ends[0], POLLIN, 0};
    return ::poll(&one, 1, 1) == 1 ? MI_SUCCESS : 1;
  };
  Channel channel{.engine = engine};
  ASSERT_EQ(mi_start_session(channel.context()), MI_SUCCESS);
  waits.get_future().wait();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // however long, it must still be there
  ASSERT_EQ(::send(ends[1], "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_TRUE(channel.is_over.get());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Threads, NobodyWaitsForTheDnsOfAnother) {
  auto daemon = std::make_unique<Daemon>();
  wait_long_for_dns(*daemon);
  AtOnce hanging(*daemon, 64, "!TIMEOUT");
  EXPECT_TRUE(comes_true([&] { return hanging.all_have_asked() || hanging.judged() > 0; }));
  EXPECT_TRUE(is_judged(daemon->connect()->send(inbound("clean.example")), "dmarc=pass"));
  EXPECT_TRUE(hanging.all_have_asked());
  EXPECT_EQ(hanging.judged(), 0) << "the last has begun while the first waits";
  EXPECT_EQ(hanging.cut_off(), 0);
  daemon->signal(SIGKILL);
}

TEST(Threads, TwoHundredIdleConnectionsAreKept) {
  Daemon daemon;
  std::vector<std::unique_ptr<MilterClient>> idle;
  for (int i = 0; i < 200; ++i) idle.push_back(daemon.connect());
  const auto busy = daemon.connect();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(is_judged(busy->send(inbound("clean.example")), "dmarc=pass"));
  for (const auto& client : idle) EXPECT_TRUE(is_judged(client->send(inbound("clean.example")), "dmarc=pass"));
}

TEST(Threads, EndSoonAfterTheirConnections) {
  Daemon daemon;
  EXPECT_TRUE(is_judged(daemon.connect()->send(inbound("clean.example")), "dmarc=pass"));
  int before = 0;
  ASSERT_TRUE(comes_true([&] { return std::exchange(before, threads_of(daemon)) == threads_of(daemon); }));
  std::vector<std::unique_ptr<MilterClient>> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(daemon.connect("192.0.2.1", {.protocol = 0x100000}));
    if (i % 3 != 0) clients.back()->envelope(inbound("clean.example"));
  }
  for (std::size_t i = 0; i < clients.size(); ++i) i % 2 == 0 ? clients[i]->vanish() : clients[i]->quit();
  clients.clear();
  EXPECT_TRUE(comes_true([&] { return threads_of(daemon) <= before; })) << before << ", now " << threads_of(daemon);
  EXPECT_TRUE(is_judged(daemon.connect()->send(inbound("clean.example")), "dmarc=pass"));
}

TEST(Threads, AStopWaitsForAllThatWaitForDns) {
  Daemon daemon;
  wait_long_for_dns(daemon);
  {
    AtOnce slow(daemon, 16, "!SLOW 1500");
    EXPECT_TRUE(comes_true([&] { return slow.all_have_asked(); }));
    daemon.signal(SIGTERM);
  }
  EXPECT_EQ(daemon.wait_for_exit(), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("stop: judged=16 failures=0"));
}

}  // namespace
}  // namespace sesame::test
