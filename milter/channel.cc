#include "milter/channel.h"

#include <cstdint>
#include <memory>

#include "milter/steps.h"

namespace sesame::milter {
namespace {

struct Connection {
  Connection(Service& service, unsigned long agreed) : session(service, peer_of(agreed)), steps(agreed) {}
  Session session;
  unsigned long steps;
};

// libmilter has room for one pointer. It is that to the connection or, while there is none, the steps themselves,
// marked by the lowest bit.
constexpr std::uintptr_t kNoConnection = 1;

Connection* connection_of(SMFICTX* context) {
  void* kept = smfi_getpriv(context);
  return (reinterpret_cast<std::uintptr_t>(kept) & kNoConnection) == 0 ? static_cast<Connection*>(kept) : nullptr;
}

}  // namespace

void begin_channel(SMFICTX* context, unsigned long steps) {
  delete connection_of(context);
  smfi_setpriv(context, reinterpret_cast<void*>(std::uintptr_t{steps} << 1 | kNoConnection));
}

unsigned long steps_of(SMFICTX* context) {
  const auto* connection = connection_of(context);
  return connection ? connection->steps : reinterpret_cast<std::uintptr_t>(smfi_getpriv(context)) >> 1;
}

Session* session_of(SMFICTX* context, Service& service) {
  if (auto* session = session_of(context)) return session;
  auto begun = std::make_unique<Connection>(service, steps_of(context));
  return smfi_setpriv(context, begun.get()) == MI_SUCCESS ? &begun.release()->session : nullptr;
}

Session* session_of(SMFICTX* context) {
  auto* connection = connection_of(context);
  return connection ? &connection->session : nullptr;
}

void end_connection(SMFICTX* context) {
  begin_channel(context, steps_of(context));
}

void end_channel(SMFICTX* context) {
  delete connection_of(context);
  smfi_setpriv(context, nullptr);
}

}  // namespace sesame::milter
