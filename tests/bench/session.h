// One SMTP session after another, as a chain of filters sees it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/channel.h"
#include "bench/corpus.h"
#include "bench/protocol.h"
#include "bench/script.h"

namespace sesame::bench {

// What a filter asked for at the end of a message.
struct Edit {
  std::size_t stage = 0;  // which filter of the chain
  char command = 0;       // SMFIR_*: 'h' add, 'i' insert, 'm' change, 'q' quarantine, ...
  std::uint32_t index = 0;
  std::string name = {};
  std::string value = {};  // with its leading space; of a quarantine the reason
};

struct Transaction {
  const Mail* mail = nullptr;
  char answer = 0;  // SMFIR_* that ended it: 'c' or 'a' when it may go on
  std::vector<Edit> edits = {};
  double whole_us = 0;  // from MAIL to the last answer
  double end_us = 0;    // of that, from the last octet of the content until the answer
  std::uint64_t octets = 0;
};

// Says what is to be sent, and hears what became of it.
class Director {
 public:
  virtual ~Director() = default;
  // The first message of a connection, and one more of the same client; null when there is none to be sent any more.
  virtual const Mail* first() = 0;
  virtual const Mail* another(const Mail& first, std::size_t number) = 0;
  virtual void done(const Transaction& transaction) = 0;
  // A filter closed its connection before its time.
  virtual void lost() = 0;
  virtual void negotiated(std::size_t stage, const Negotiated& negotiated) = 0;
  virtual void watch(std::size_t session, std::size_t stage, int fd) = 0;
};

struct SessionOptions {
  std::vector<std::string> sockets;
  std::size_t per_connection = 1;
  enum class Kind { busy, idle } kind = Kind::busy;  // idle: says HELO and no more
};

class Session {
 public:
  Session(Director& director, const SessionOptions& options, std::size_t number)
      : director_(director), options_(options), number_(number) {}

  // Connects to all filters. Throws std::runtime_error when one cannot be reached.
  void open();
  // The channel of this filter can be read or written.
  void ready(std::size_t stage);
  bool ended() const { return phase_ == Phase::ended; }
  // Has said HELO, and means to say no more.
  bool resting() const { return phase_ == Phase::resting; }

 private:
  enum class Phase { negotiating, opening, envelope, content, resting, ended };
  struct Stage {
    explicit Stage(const std::string& socket) : channel(socket) {}
    // The next step of the script, if it is this command (0: any).
    const Step* next(char command);
    void read(const Script& script);

    Channel channel;
    Negotiated negotiated;
    enum class Ear { open, deaf_to_message, deaf } ear = Ear::open;  // deaf: it has accepted
    Script opening;
    std::unique_ptr<Script> edited;  // content as earlier filters left it
    const Script* script = nullptr;
    std::size_t cursor = 0;
  };

  void advance();
  bool next_round();
  void begin(Phase phase, std::string events);
  void begin_message(const Mail* mail);
  void begin_content(Stage& stage);
  void write_opening(Stage& stage);
  void take(std::size_t stage, const Packet& packet);
  void take_answer(Stage& stage, char answer);
  void take_edit(std::size_t stage, const Packet& packet);
  void apply(const Edit& edit);
  void end_message(char answer);
  void close();

  Director& director_;
  const SessionOptions& options_;
  std::size_t number_;
  std::vector<std::unique_ptr<Stage>> stages_;
  Phase phase_ = Phase::ended;
  std::string events_;  // commands of this phase, each told to all filters before the next
  std::size_t event_ = 0;
  std::size_t stage_ = 0;    // to be told next
  std::size_t waiting_ = 0;  // which of them is to answer
  std::size_t left_to_negotiate_ = 0;
  const Mail* first_ = nullptr;
  std::uint64_t connection_ = 0;  // counts them
  std::size_t told_ = 0;          // messages on this connection
  bool edited_ = false;
  mail::Fields fields_;  // once edited
  Transaction now_;
  Clock::time_point begun_;
};

}  // namespace sesame::bench
