// A thread for each channel to an MTA, whatever libmilter was built with.
//
// libmilter's pool of workers (Debian builds it so) gives sessions that have something to read at the same moment to
// the one worker that is idle: the second then waits until some worker has ended its callback, and that may be waiting
// for DNS. It also asks poll(2) for the descriptors of all sessions whenever one has something to read. So the
// functions by which libmilter reaches its pool are defined here, where the dynamic linker finds them first; a
// libmilter without a pool starts a thread for each channel itself and calls neither.
#include <libmilter/mfapi.h>
#include <pthread.h>

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

// The callbacks let no exception out.
void* serve_channel(void* argument) noexcept {
  auto* context = static_cast<SMFICTX*>(argument);
  // libmilter asks for a millisecond whether there is more, to give the session back to its pool.
  wait_for_input(kIdle);
  mi_engine(context);
  end_channel(context);
  mi_clr_ctx(context);
  return nullptr;
}

bool start_thread(SMFICTX* context) {
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) return false;
  pthread_t thread{};
  const bool started = ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
                       ::pthread_attr_setstacksize(&attributes, kStack) == 0 &&
                       ::pthread_create(&thread, &attributes, serve_channel, context) == 0;
  ::pthread_attr_destroy(&attributes);
  return started;
}

}  // namespace
}  // namespace sesame::milter

extern "C" {

// On the thread that accepts connections. Where the system gives no more threads, further ones wait in the backlog
// until it does: libmilter would close this one, and give up altogether when that happens often.
int mi_start_session(SMFICTX* context) {
  while (!sesame::milter::start_thread(context)) std::this_thread::sleep_for(sesame::milter::kTryAgain);
  return MI_SUCCESS;
}

// No pool: its threads would only wait.
int mi_pool_controller_init() {
  return MI_SUCCESS;
}

}  // extern "C"
