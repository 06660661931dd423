#include "milter/callbacks.h"

#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "milter/channel.h"
#include "milter/connects.h"
#include "milter/input.h"
#include "milter/steps.h"

// libmilter's signal thread waits for SIGHUP, SIGTERM and SIGINT and stops the filter on each of them, leaving messages
// under way behind. Signals are ours here: this definition, which the dynamic linker prefers to the C library's for
// libmilter too, never returns. signals.cc waits with sigtimedwait(2).
extern "C" int sigwait(const sigset_t*, int*) {
  for (;;) ::pause();
}

namespace sesame::milter {
namespace {

constexpr int kBacklog = 512;
// libmilter drops the connection when the MTA sends more in one piece; by itself at 64 KiB, and a field may be longer.
constexpr std::size_t kMaxPacket = 64u << 20;

// libmilter calls plain functions and keeps no pointer for them outside a connection.
Service* service = nullptr;

char* text(const std::string& value) {
  return const_cast<char*>(value.c_str());
}

sfsistat status(Next next) {
  switch (next) {
    case Next::proceed:
      return SMFIS_CONTINUE;
    case Next::accept:
      return SMFIS_ACCEPT;
    case Next::reject:
      return SMFIS_REJECT;
    case Next::tempfail:
      break;
  }
  return SMFIS_TEMPFAIL;
}

class LibmilterEdits final : public MtaEdits {
 public:
  LibmilterEdits(SMFICTX* context, const Peer& peer) : context_(context), peer_(peer) {}

  bool remove(const std::string& name, std::size_t occurrence) override {
    return smfi_chgheader(context_, text(name), static_cast<int>(occurrence), nullptr) == MI_SUCCESS;
  }
  bool insert_at_top(const std::string& name, const std::string& value) override {
    // An MTA that keeps the leading space of values it gives expects it in values it gets.
    const auto kept = peer_.leading_space == Peer::LeadingSpace::kept ? " " + value : value;
    return smfi_insheader(context_, 0, text(name), text(kept)) == MI_SUCCESS;
  }
  bool quarantine(const std::string& reason) override { return smfi_quarantine(context_, text(reason)) == MI_SUCCESS; }
  bool reply(const std::string& code, const std::string& enhanced_code, const std::string& message) override {
    return smfi_setreply(context_, text(code), enhanced_code.empty() ? nullptr : text(enhanced_code), text(message)) ==
           MI_SUCCESS;
  }

 private:
  SMFICTX* context_;
  const Peer& peer_;
};

// Good until the callback returns.
std::string_view macro(SMFICTX* context, const char* name) {
  const char* value = smfi_getsymval(context, const_cast<char*>(name));
  return value ? value : "";
}

Client client_of(SMFICTX* context, std::string name, std::optional<IpAddress> address) {
  return {address, std::move(name), std::string(macro(context, "{client_resolve}")),
          std::string(macro(context, "{daemon_name}"))};
}

// A client that libmilter passed over: see milter/connects.h.
void catch_up(SMFICTX* context) {
  const auto data = connect_seen();
  if (!data) return;
  end_connection(context);
  auto connect = parse_connect(*data);
  if (auto* session = session_of(context, *service))
    session->connect(client_of(context, std::move(connect.name), connect.address));
}

// Every callback runs in here: nothing may escape into libmilter's C code. `unanswered` is the SMFIP_NR_* of the step:
// an MTA that does not wait for its answer gets none, however the step ends; a message that is not judged then passes
// at its end.
template <class Step>
sfsistat run(SMFICTX* context, const char* name, unsigned long unanswered, Step&& step) noexcept {
  auto next = Next::accept;
  try {
    catch_up(context);
    if (auto* session = session_of(context, *service))
      next = guarded(
          *session, name, [&] { return macro(context, "i"); }, [&] { return step(*session); });
  } catch (...) {
    next = Next::accept;
  }
  return (steps_of(context) & unanswered) != 0 ? SMFIS_NOREPLY : status(next);
}

std::optional<IpAddress> address_of(const sockaddr* address) {
  if (!address) return std::nullopt;
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &in.sin_addr, octets.size());
    return IpAddress::v4(octets);
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &in.sin6_addr, octets.size());
    return IpAddress::v6(octets).unmapped();
  }
  return std::nullopt;
}

std::vector<std::string_view> arguments_of(char** argv) {
  std::vector<std::string_view> arguments;
  for (; argv && *argv; ++argv) arguments.emplace_back(*argv);
  return arguments;
}

// {mail_addr} has a value at every MAIL. Without one that has, the MTA of an unauthenticated message would send no
// macros for it, libmilter would keep those of the message before, and with them its {auth_authen}. {rcpt_addr} does
// the same at every RCPT for {rcpt_host}, the next hop of that recipient.
// https://www.postfix.org/postconf.5.html#milter_rcpt_macros
void ask_for_macros(SMFICTX* context) {
  struct Wanted {
    int stage;
    const char* names;
  };
  for (const auto& wanted :
       {Wanted{SMFIM_CONNECT, "{daemon_name} {client_resolve}"}, Wanted{SMFIM_ENVFROM, "i {mail_addr} {auth_authen}"},
        Wanted{SMFIM_ENVRCPT, "i {rcpt_addr} {rcpt_host}"}, Wanted{SMFIM_EOH, "i"}, Wanted{SMFIM_EOM, "i"}})
    smfi_setsymlist(context, wanted.stage, const_cast<char*>(wanted.names));
}

// `actions` and `steps` are what the MTA offers: SMFIF_* and SMFIP_*.
sfsistat on_negotiate(SMFICTX* context, unsigned long actions, unsigned long steps, unsigned long, unsigned long,
                      unsigned long* wanted_actions, unsigned long* wanted_steps, unsigned long* reserved1,
                      unsigned long* reserved2) {
  // The MTA then does as it does when nobody listens.
  if (service->draining) return SMFIS_REJECT;
  try {
    // An MTA that lacks one of these refuses the edit later; the message passes as it is.
    *wanted_actions = actions & (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST);
    *wanted_steps = steps_to_ask_for(steps, service->runtime.current()->config);
    *reserved1 = *reserved2 = 0;
    if ((actions & SMFIF_SETSYMLIST) != 0) ask_for_macros(context);
    begin_channel(context, *wanted_steps);
    return session_of(context, *service) ? SMFIS_CONTINUE : SMFIS_REJECT;
  } catch (...) {
    return SMFIS_REJECT;
  }
}

sfsistat on_connect(SMFICTX* context, char* name, sockaddr* address) {
  connect_seen();  // and told of
  return run(context, "connect", SMFIP_NR_CONN, [&](Session& session) {
    session.connect(client_of(context, name ? name : "", address_of(address)));
    return Next::proceed;
  });
}

sfsistat on_helo(SMFICTX* context, char* name) {
  return run(context, "helo", SMFIP_NR_HELO, [&](Session& session) {
    session.helo(name ? name : "");
    return Next::proceed;
  });
}

sfsistat on_mail(SMFICTX* context, char** argv) {
  return run(context, "mail", SMFIP_NR_MAIL,
             [&](Session& session) { return session.mail(arguments_of(argv), macro(context, "{auth_authen}")); });
}

sfsistat on_recipient(SMFICTX* context, char** argv) {
  return run(context, "recipient", SMFIP_NR_RCPT, [&](Session& session) {
    return session.recipient(argv && *argv ? *argv : "", macro(context, "{rcpt_host}"));
  });
}

sfsistat on_header(SMFICTX* context, char* name, char* value) {
  return run(context, "header", SMFIP_NR_HDR,
             [&](Session& session) { return session.field(name ? name : "", value ? value : ""); });
}

sfsistat on_end_of_header(SMFICTX* context) {
  return run(context, "end of header", SMFIP_NR_EOH, [](Session& session) { return session.end_of_header(); });
}

sfsistat on_body(SMFICTX* context, unsigned char* chunk, std::size_t size) {
  return run(context, "body", SMFIP_NR_BODY, [&](Session& session) {
    return session.body({reinterpret_cast<const char*>(chunk), size});
  });
}

sfsistat on_end_of_message(SMFICTX* context) {
  return run(context, "end of message", 0, [&](Session& session) {
    LibmilterEdits edits(context, session.peer());
    // Postfix gives the queue id late: at the first recipient when it did not know it at MAIL.
    return session.end_of_message(macro(context, "i"), edits);
  });
}

sfsistat on_abort(SMFICTX* context) {
  if (auto* session = session_of(context)) session->abort();
  return SMFIS_CONTINUE;
}

sfsistat on_close(SMFICTX* context) {
  end_connection(context);
  return SMFIS_CONTINUE;
}

// Takes away the file a daemon that died left behind.
Result<void> clear_stale_socket(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode)) return failure(path + " is there and is not a socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failure(path + ": too long for a UNIX socket");
  path.copy(address.sun_path, path.size());
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return failure(path + ": " + errno_text(errno));
  const bool answered = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  ::close(probe);
  if (answered) return failure(path + ": somebody listens on it already");
  if (error != ECONNREFUSED) return failure(path + ": " + errno_text(error));
  if (::unlink(path.c_str()) != 0) return failure("cannot remove the stale " + path + ": " + errno_text(errno));
  return {};
}

}  // namespace

std::string unix_path(const std::string& socket) {
  for (const std::string_view prefix : {"unix:", "local:"})
    if (socket.starts_with(prefix)) return socket.substr(prefix.size());
  return socket.starts_with('/') ? socket : "";
}

Result<void> open_socket(const std::string& socket, Service& shared) {
  service = &shared;
  smfiDesc filter{};
  static std::string name = "sesame-milter";
  filter.xxfi_name = name.data();
  filter.xxfi_version = SMFI_VERSION;
  filter.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST;
  filter.xxfi_connect = on_connect;
  filter.xxfi_helo = on_helo;
  filter.xxfi_envfrom = on_mail;
  filter.xxfi_envrcpt = on_recipient;
  filter.xxfi_header = on_header;
  filter.xxfi_eoh = on_end_of_header;
  filter.xxfi_body = on_body;
  filter.xxfi_eom = on_end_of_message;
  filter.xxfi_abort = on_abort;
  filter.xxfi_close = on_close;
  filter.xxfi_negotiate = on_negotiate;
  if (smfi_register(filter) != MI_SUCCESS) return failure("libmilter refuses the filter");
  if (smfi_setconn(text(socket)) != MI_SUCCESS) return failure("libmilter does not take the socket " + socket);
  smfi_setbacklog(kBacklog);
  smfi_settimeout(static_cast<int>(kIdle.count()));
  smfi_setmaxdatasize(kMaxPacket);
  const auto path = unix_path(socket);
  if (!path.empty())
    if (auto cleared = clear_stale_socket(path); !cleared) return cleared;
  const auto mask = ::umask(0117);
  errno = 0;
  const bool opened = smfi_opensocket(false) == MI_SUCCESS;
  const int error = errno;
  ::umask(mask);
  if (!opened) return failure("cannot open the socket " + socket + (error ? ": " + errno_text(error) : ""));
  return {};
}

void serve() {
  smfi_main();
}

}  // namespace sesame::milter
