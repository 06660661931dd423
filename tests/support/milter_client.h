// The MTA's side of the milter protocol, version 6, as Postfix speaks it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sesame::test {

// One edit the filter asked for at the end of a message.
struct MilterEdit {
  enum class Kind { add, insert, change, quarantine, other } kind = Kind::other;
  std::uint32_t index = 0;  // insert: place from the top, from 0; change: occurrence of the name, from 1
  std::string name;
  std::string value;  // as on the wire; quarantine: the reason; a change to "" removes
  bool operator==(const MilterEdit&) const = default;
};

// What the filter answered.
struct MilterResult {
  enum class Final { proceed, accept, reject, tempfail, discard, reply, skip } final = Final::proceed;
  std::string reply;              // Final::reply: "550 5.7.1 text", '%' still doubled
  std::vector<MilterEdit> edits;  // in the order asked for
  int progress = 0;
  bool done() const { return final != Final::proceed && final != Final::skip; }
};

struct MilterOffer {
  std::uint32_t version = 6;
  std::uint32_t actions = 0x1ff;      // SMFIF_*
  std::uint32_t protocol = 0x1fffff;  // SMFIP_*
};

using MilterMacros = std::vector<std::pair<std::string, std::string>>;

// A message with all that is said about it, for MilterClient::send().
struct MilterMessage {
  std::vector<std::string> mail = {"<sender@example.com>"};  // arguments of the command
  std::vector<std::string> recipients = {"<rcpt@example.net>"};
  std::vector<std::string> next_hops;                       // {rcpt_host} of the recipients, as far as told
  std::vector<std::pair<std::string, std::string>> fields;  // values with their leading space, folds as LF
  std::string body = "Hello\r\n";
  MilterMacros mail_macros;
  std::string queue_id = "4QUEUE1";  // {i}, told from the end of the header on
};

// Throws std::runtime_error when the filter goes away, answers nothing for half a minute, or breaks the protocol.
class MilterClient {
 public:
  // "unix:PATH" or "inet:PORT@ADDRESS". Negotiates at once.
  explicit MilterClient(const std::string& socket, const MilterOffer& offer = {});
  ~MilterClient();
  MilterClient(const MilterClient&) = delete;
  MilterClient& operator=(const MilterClient&) = delete;

  // What the filter wants: of actions(), and of protocol() which steps it leaves out or does not answer.
  std::uint32_t actions() const { return actions_; }
  std::uint32_t protocol() const { return protocol_; }
  // Macro names by stage (0 connect, 1 helo, 2 mail, 3 rcpt, 4 data, 5 end of message, 6 end of header).
  const std::vector<std::pair<std::uint32_t, std::string>>& symbol_lists() const { return symbol_lists_; }

  // The steps. Each sends nothing when the filter does not want it, and does not wait when it does not answer it.
  void macros(char step, const MilterMacros& macros);
  // `address` is an IPv4 or IPv6 address, or "" for a client that has none.
  MilterResult connect(const std::string& host, const std::string& address);
  MilterResult helo(const std::string& name);
  MilterResult mail(const std::vector<std::string>& arguments);
  MilterResult rcpt(const std::vector<std::string>& arguments);
  MilterResult data();
  MilterResult header(const std::string& name, const std::string& value);
  MilterResult end_of_header();
  MilterResult body(std::string_view chunk);
  MilterResult end_of_message();
  void abort();
  void quit();
  // The connection is over and the next one begins on the same channel, as Sendmail may do.
  void quit_for_next();

  // A whole message, up to the first final answer; the body in chunks of 65535 octets, skipped when the filter says so.
  // The parts end where one of them is over: envelope() stops before DATA, content() begins there.
  MilterResult send(const MilterMessage& message);
  MilterResult envelope(const MilterMessage& message);
  MilterResult content(const MilterMessage& message);

  // Closes the socket without a word.
  void vanish();

 private:
  struct Packet {
    char command = 0;
    std::string data;
  };

  void negotiate(const MilterOffer& offer);
  void write(char command, std::string_view data);
  Packet read();
  std::string read_exactly(std::size_t size);
  MilterResult answer();
  MilterResult step(char command, std::string_view data, std::uint32_t left_out, std::uint32_t not_answered);

  int socket_ = -1;
  std::uint32_t actions_ = 0;
  std::uint32_t protocol_ = 0;
  std::vector<std::pair<std::uint32_t, std::string>> symbol_lists_;
};

}  // namespace sesame::test
