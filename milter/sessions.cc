// A thread for each channel to an MTA, whatever libmilter was built with.
//
// libmilter's pool of workers (Debian builds it so) gives sessions that have something to read at the same moment to
// the one worker that is idle: the second then waits until some worker has ended its callback, and that may be waiting
// for DNS. It also asks poll(2) for the descriptors of all sessions whenever one has something to read. So the
// functions by which libmilter reaches its pool are defined here, where the dynamic linker finds them first; a
// libmilter without a pool starts a thread for each channel itself and calls neither.
#include <libmilter/mfapi.h>
#include <pthread.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "milter/channel.h"
#include "milter/input.h"

extern "C" {

// Of libmilter, and weak since one that shows none of its inner functions cannot have others call ours.
[[gnu::weak]] int mi_engine(SMFICTX* context);    // until the channel is over, or nothing comes
[[gnu::weak]] void mi_clr_ctx(SMFICTX* context);  // closes and frees it

}  // extern "C"

namespace sesame::milter {
namespace {

// What a message needs fits many times; the default of 8 MiB for each channel would be a lot where memory may not be
// promised twice.
constexpr std::size_t kStack = 1u << 20;
constexpr std::chrono::milliseconds kTryAgain{10};

// An MTA's client that is done is followed by the next one before long, and a thread costs much of what a small message
// does: some of those whose channel is over wait a while for another.
constexpr std::size_t kMostWaiting = 16;
constexpr std::chrono::seconds kWait{2};

class WaitingThreads {
 public:
  // Whether one of them takes the channel.
  bool take(SMFICTX* context) {
    const std::lock_guard lock(mutex_);
    if (waiting_ <= handed_) return false;
    channels_[handed_++] = context;
    one_more_.notify_one();
    return true;
  }

  // On a thread whose channel is over: the next one; null when the thread is to end.
  SMFICTX* next() {
    std::unique_lock lock(mutex_);
    if (waiting_ >= kMostWaiting) return nullptr;
    ++waiting_;
    one_more_.wait_for(lock, kWait, [&] { return handed_ > 0; });
    --waiting_;
    return handed_ > 0 ? channels_[--handed_] : nullptr;
  }

 private:
  std::mutex mutex_;
  std::condition_variable one_more_;
  std::size_t waiting_ = 0;
  std::array<SMFICTX*, kMostWaiting> channels_{};
  std::size_t handed_ = 0;  // of channels_; not more than threads wait
};

// Never destroyed: threads wait on it while the process ends.
WaitingThreads& waiting_threads() {
  static auto& threads = *new WaitingThreads;
  return threads;
}

// The callbacks let no exception out.
void* serve_channels(void* argument) noexcept {
  for (auto* context = static_cast<SMFICTX*>(argument); context != nullptr; context = waiting_threads().next()) {
    // libmilter asks for a millisecond whether there is more, to give the session back to its pool.
    wait_for_input(kIdle);
    mi_engine(context);
    end_channel(context);
    mi_clr_ctx(context);
  }
  return nullptr;
}

bool start_thread(SMFICTX* context) {
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) return false;
  pthread_t thread{};
  const bool started = ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
                       ::pthread_attr_setstacksize(&attributes, kStack) == 0 &&
                       ::pthread_create(&thread, &attributes, serve_channels, context) == 0;
  ::pthread_attr_destroy(&attributes);
  return started;
}

}  // namespace
}  // namespace sesame::milter

extern "C" {

// On the thread that accepts connections. Where the system gives no more threads, further ones wait in the backlog
// until it does: libmilter would close this one, and give up altogether when that happens often.
int mi_start_session(SMFICTX* context) {
  if (sesame::milter::waiting_threads().take(context)) return MI_SUCCESS;
  while (!sesame::milter::start_thread(context)) std::this_thread::sleep_for(sesame::milter::kTryAgain);
  return MI_SUCCESS;
}

// No pool: its threads would only wait.
int mi_pool_controller_init() {
  return MI_SUCCESS;
}

}  // extern "C"
