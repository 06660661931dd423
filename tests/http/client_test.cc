// What becomes of a request when its host's name is looked up by a resolver that is silent.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

#include "http/http.h"

namespace sesame::http {
namespace {

constexpr const char* kSilent = "silent.example.test";

// Look-ups of kSilent end when the test says so.
class Resolver {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return released_; });
    --waiting_;
    changed_.notify_all();
  }
  bool is_asked(std::chrono::seconds at_most) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, at_most, [this] { return waiting_ > 0; });
  }
  void release() {
    std::unique_lock lock(mutex_);
    released_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return waiting_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool released_ = false;
};

Resolver& resolver() {
  static auto* only = new Resolver;  // libcurl's thread may outlive the test
  return *only;
}

}  // namespace
}  // namespace sesame::http

// The dynamic linker prefers this to the C library's, for libcurl too.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  if (name && std::string_view(name) == sesame::http::kSilent) {
    sesame::http::resolver().wait();
    return EAI_AGAIN;
  }
  using Original = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto original = reinterpret_cast<Original>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return original(name, service, hints, found);
}

namespace sesame::http {
namespace {

TEST(Client, ARequestEndsWhenItIsToldToThoughTheResolverIsSilent) {
  std::atomic<bool> stop = false, ended = false;
  auto client = make_client(stop);
  ASSERT_TRUE(client);
  std::thread asking([&] {
    const auto answer = (*client)->send({.method = Request::Method::post,
                                         .base = std::string("http://") + kSilent,
                                         .path = "/",
                                         .body = "{}",
                                         .proxy = Request::Proxy::none,
                                         .timeout = std::chrono::minutes(5),
                                         .max_answer = 1000});
    EXPECT_EQ(answer.status, 0);
    client->reset();
    ended = true;
  });
  const bool asked = resolver().is_asked(std::chrono::seconds(60));
  stop = true;
  for (int i = 0; i < 200 && !ended; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const bool in_time = ended;
  resolver().release();
  asking.join();
  if (!asked) GTEST_SKIP() << "this libcurl looks names up by other means than getaddrinfo()";
  EXPECT_TRUE(in_time);
}

}  // namespace
}  // namespace sesame::http
