// A filter that does nothing but add one header field: what libmilter and the protocol cost by themselves. It asks for
// no reply to any step, unless --replies.
#include <libmilter/mfapi.h>

#include <CLI/CLI.hpp>
#include <string>

namespace {

constexpr int kBacklog = 512;
constexpr std::size_t kMaxPacket = 64u << 20;
constexpr unsigned long kNoReplies = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA |
                                     SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY;

// libmilter calls plain functions: what they answer to each step, set once before it starts.
sfsistat step_answer = SMFIS_NOREPLY;

template <class... Arguments>
sfsistat step(SMFICTX*, Arguments...) {
  return step_answer;
}

sfsistat end_of_message(SMFICTX* context) {
  std::string name = "Authentication-Results";
  std::string value = "floor.example; spf=pass smtp.mailfrom=example.com; dkim=none; dmarc=none";
  smfi_insheader(context, 0, name.data(), value.data());
  return SMFIS_CONTINUE;
}

sfsistat negotiate(SMFICTX*, unsigned long, unsigned long offered, unsigned long, unsigned long, unsigned long* actions,
                   unsigned long* protocol, unsigned long*, unsigned long*) {
  *actions = SMFIF_ADDHDRS;
  *protocol = SMFIP_NOUNKNOWN | (step_answer == SMFIS_NOREPLY ? kNoReplies : 0);
  *protocol &= offered;
  return SMFIS_CONTINUE;
}

int serve(std::string socket) {
  std::string name = "sesame-bench-floor";
  smfiDesc filter{};
  filter.xxfi_name = name.data();
  filter.xxfi_version = SMFI_VERSION;
  filter.xxfi_flags = SMFIF_ADDHDRS;
  filter.xxfi_connect = step<char*, _SOCK_ADDR*>;
  filter.xxfi_helo = step<char*>;
  filter.xxfi_envfrom = step<char**>;
  filter.xxfi_envrcpt = step<char**>;
  filter.xxfi_data = step<>;
  filter.xxfi_header = step<char*, char*>;
  filter.xxfi_eoh = step<>;
  filter.xxfi_body = step<unsigned char*, std::size_t>;
  filter.xxfi_eom = end_of_message;
  filter.xxfi_negotiate = negotiate;
  smfi_setbacklog(kBacklog);
  smfi_setmaxdatasize(kMaxPacket);
  const bool ready = smfi_setconn(socket.data()) == MI_SUCCESS && smfi_register(filter) == MI_SUCCESS;
  return ready && smfi_main() == MI_SUCCESS ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string socket;
  bool replies = false;
  CLI::App app{"A filter that does nothing"};
  app.add_option("socket", socket, "unix:PATH or inet:PORT@HOST")->required();
  app.add_flag("--replies", replies, "Answer each step, as a filter that negotiates nothing does");
  CLI11_PARSE(app, argc, argv);
  if (replies) step_answer = SMFIS_CONTINUE;
  return serve(socket);
}
