#include "support/milter_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sesame::test {
namespace {

constexpr std::size_t kChunk = 65535;
constexpr std::uint32_t kMaxPacket = 1u << 24;
constexpr int kTimeoutSeconds = 30;

// Bits of the negotiation: steps the filter leaves out, and steps it does not answer.
constexpr std::uint32_t kNoConnect = 0x1, kNoHelo = 0x2, kNoMail = 0x4, kNoRcpt = 0x8, kNoBody = 0x10, kNoHeader = 0x20,
                        kNoEndOfHeader = 0x40, kNoData = 0x200;
constexpr std::uint32_t kQuietHeader = 0x80, kQuietConnect = 0x1000, kQuietHelo = 0x2000, kQuietMail = 0x4000,
                        kQuietRcpt = 0x8000, kQuietData = 0x10000, kQuietEndOfHeader = 0x40000, kQuietBody = 0x80000;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("milter client: " + what);
}

std::string number(std::uint32_t value) {
  const std::uint32_t wire = htonl(value);
  return {reinterpret_cast<const char*>(&wire), sizeof wire};
}

// Reads the parts of one packet.
class Reader {
 public:
  explicit Reader(std::string_view data) : left_(data) {}
  bool empty() const { return left_.empty(); }
  std::uint32_t number() {
    if (left_.size() < 4) fail("a packet is too short");
    std::uint32_t wire = 0;
    std::memcpy(&wire, left_.data(), sizeof wire);
    left_.remove_prefix(4);
    return ntohl(wire);
  }
  std::string text() {
    const auto end = left_.find('\0');
    if (end == std::string_view::npos) fail("a text without its end");
    std::string value(left_.substr(0, end));
    left_.remove_prefix(end + 1);
    return value;
  }

 private:
  std::string_view left_;
};

int open_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) fail("path too long: " + path);
  path.copy(address.sun_path, path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const std::string why = std::strerror(errno);
  if (fd >= 0) ::close(fd);
  fail("connect to " + path + ": " + why);
}

int open_inet(const std::string& port_at_host) {
  const auto at = port_at_host.find('@');
  if (at == std::string::npos) fail("expected PORT@ADDRESS: " + port_at_host);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port_at_host.substr(0, at))));
  if (::inet_pton(AF_INET, port_at_host.substr(at + 1).c_str(), &address.sin_addr) != 1)
    fail("not an IPv4 address: " + port_at_host);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const std::string why = std::strerror(errno);
  if (fd >= 0) ::close(fd);
  fail("connect to " + port_at_host + ": " + why);
}

std::string joined(const std::vector<std::string>& texts) {
  std::string data;
  for (const auto& text : texts) data += text + '\0';
  return data;
}

MilterEdit edit_of(char command, std::string_view data) {
  Reader in(data);
  MilterEdit edit;
  if (command == 'q') {
    edit.kind = MilterEdit::Kind::quarantine;
    edit.value = in.text();
    return edit;
  }
  if (command == 'i' || command == 'm') {
    edit.kind = command == 'i' ? MilterEdit::Kind::insert : MilterEdit::Kind::change;
    edit.index = in.number();
  } else if (command == 'h') {
    edit.kind = MilterEdit::Kind::add;
  } else {
    edit.name = std::string(1, command);
    return edit;
  }
  edit.name = in.text();
  edit.value = in.text();
  return edit;
}

}  // namespace

MilterClient::MilterClient(const std::string& socket, const MilterOffer& offer) {
  if (socket.starts_with("unix:"))
    socket_ = open_unix(socket.substr(5));
  else if (socket.starts_with("inet:"))
    socket_ = open_inet(socket.substr(5));
  else
    fail("expected unix:PATH or inet:PORT@ADDRESS: " + socket);
  timeval timeout{};
  timeout.tv_sec = kTimeoutSeconds;
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  try {
    negotiate(offer);
  } catch (...) {
    vanish();
    throw;
  }
}

MilterClient::~MilterClient() {
  vanish();
}

void MilterClient::vanish() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void MilterClient::negotiate(const MilterOffer& offer) {
  write('O', number(offer.version) + number(offer.actions) + number(offer.protocol));
  const auto packet = read();
  if (packet.command != 'O') fail(std::string("negotiation answered with ") + packet.command);
  Reader in(packet.data);
  if (in.number() > offer.version) fail("a version that was not offered");
  actions_ = in.number();
  protocol_ = in.number();
  while (!in.empty()) {
    const auto stage = in.number();
    symbol_lists_.emplace_back(stage, in.text());
  }
  if ((actions_ & ~offer.actions) != 0) fail("an action that was not offered");
  if ((protocol_ & ~offer.protocol) != 0) fail("a protocol step that was not offered");
}

void MilterClient::write(char command, std::string_view data) {
  std::string packet = number(static_cast<std::uint32_t>(data.size() + 1));
  packet += command;
  packet += data;
  for (std::string_view left = packet; !left.empty();) {
    const auto sent = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent <= 0) fail("the filter is gone: " + std::string(std::strerror(errno)));
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string MilterClient::read_exactly(std::size_t size) {
  std::string data(size, '\0');
  for (std::size_t have = 0; have < size;) {
    const auto got = ::recv(socket_, data.data() + have, size - have, 0);
    if (got == 0) fail("the filter closed the connection");
    if (got < 0) fail(std::string("no answer: ") + std::strerror(errno));
    have += static_cast<std::size_t>(got);
  }
  return data;
}

MilterClient::Packet MilterClient::read() {
  const auto size = Reader(read_exactly(4)).number();
  if (size == 0 || size > kMaxPacket) fail("a packet of impossible size");
  const auto data = read_exactly(size);
  return {data.front(), data.substr(1)};
}

MilterResult MilterClient::answer() {
  using Final = MilterResult::Final;
  MilterResult result;
  for (;;) {
    const auto packet = read();
    switch (packet.command) {
      case 'c':
        result.final = Final::proceed;
        return result;
      case 'a':
        result.final = Final::accept;
        return result;
      case 'r':
        result.final = Final::reject;
        return result;
      case 't':
        result.final = Final::tempfail;
        return result;
      case 'd':
        result.final = Final::discard;
        return result;
      case 's':
        result.final = Final::skip;
        return result;
      case 'y':
        result.final = Final::reply;
        result.reply = Reader(packet.data).text();
        return result;
      case 'p':
        ++result.progress;
        break;
      default:
        result.edits.push_back(edit_of(packet.command, packet.data));
    }
  }
}

MilterResult MilterClient::step(char command, std::string_view data, std::uint32_t left_out,
                                std::uint32_t not_answered) {
  if ((protocol_ & left_out) != 0) return {};
  write(command, data);
  if ((protocol_ & not_answered) != 0) return {};
  return answer();
}

void MilterClient::macros(char step_name, const MilterMacros& macros) {
  std::string data(1, step_name);
  for (const auto& [name, value] : macros) data += name + '\0' + value + '\0';
  write('D', data);
}

MilterResult MilterClient::connect(const std::string& host, const std::string& address) {
  std::string data = host + '\0';
  if (address.empty())
    data += 'U';
  else
    data += (address.find(':') == std::string::npos ? '4' : '6') + std::string("\x30\x39", 2) + address + '\0';
  return step('C', data, kNoConnect, kQuietConnect);
}

MilterResult MilterClient::helo(const std::string& name) {
  return step('H', name + '\0', kNoHelo, kQuietHelo);
}

MilterResult MilterClient::mail(const std::vector<std::string>& arguments) {
  return step('M', joined(arguments), kNoMail, kQuietMail);
}

MilterResult MilterClient::rcpt(const std::vector<std::string>& arguments) {
  return step('R', joined(arguments), kNoRcpt, kQuietRcpt);
}

MilterResult MilterClient::data() {
  return step('T', "", kNoData, kQuietData);
}

MilterResult MilterClient::header(const std::string& name, const std::string& value) {
  return step('L', joined({name, value}), kNoHeader, kQuietHeader);
}

MilterResult MilterClient::end_of_header() {
  return step('N', "", kNoEndOfHeader, kQuietEndOfHeader);
}

MilterResult MilterClient::body(std::string_view chunk) {
  return step('B', chunk, kNoBody, kQuietBody);
}

MilterResult MilterClient::end_of_message() {
  return step('E', "", 0, 0);
}

void MilterClient::abort() {
  write('A', "");
}

void MilterClient::quit() {
  write('Q', "");
}

MilterResult MilterClient::envelope(const MilterMessage& message) {
  if (!message.mail_macros.empty()) macros('M', message.mail_macros);
  auto result = mail(message.mail);
  for (std::size_t i = 0; i < message.recipients.size(); ++i) {
    if (result.done()) return result;
    if (i < message.next_hops.size())
      macros('R', {{"{rcpt_addr}", message.recipients[i]}, {"{rcpt_host}", message.next_hops[i]}});
    result = rcpt({message.recipients[i]});
  }
  return result;
}

MilterResult MilterClient::content(const MilterMessage& message) {
  auto result = data();
  for (const auto& [name, value] : message.fields) {
    if (result.done()) return result;
    result = header(name, value);
  }
  if (result.done()) return result;
  if (!message.queue_id.empty()) macros('N', {{"i", message.queue_id}});
  result = end_of_header();
  for (std::string_view left = message.body; !left.empty() && result.final == MilterResult::Final::proceed;
       left.remove_prefix(std::min(left.size(), kChunk)))
    result = body(left.substr(0, kChunk));
  if (result.done()) return result;
  if (!message.queue_id.empty()) macros('E', {{"i", message.queue_id}});
  return end_of_message();
}

void MilterClient::quit_for_next() {
  write('K', "");
}

MilterResult MilterClient::send(const MilterMessage& message) {
  const auto result = envelope(message);
  return result.done() ? result : content(message);
}

}  // namespace sesame::test
