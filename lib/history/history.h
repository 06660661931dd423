// What became of the messages, kept to be asked about: one row for each, in SQLite or PostgreSQL.
// contrib/doc/history.md says what is kept, for how long, and what becomes of it when a disk or a server is away.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "util/result.h"

namespace sesame::history {

// Where rows go. Never in the way of a message: what cannot be kept is counted and told.
struct Options {
  // The path of an SQLite file, "postgresql://..." for a database that hosts share, or "": nothing is kept.
  std::string store;
  std::chrono::seconds keep{};  // rows older than this are forgotten
  std::size_t max_size = 0;     // octets of the SQLite file, or of the spool; the oldest rows go first
  std::string spool;            // an SQLite file: what waits for PostgreSQL
  bool operator==(const Options&) const = default;
};

inline bool is_postgresql(const std::string& store) {
  return store.starts_with("postgresql://") || store.starts_with("postgres://");
}

// Where `store` is, for people: of a URL without user, password and parameters.
std::string shown(const std::string& store);

// What the identifiers of a message come to, in the eyes of RFC 9989: of outbound mail as predicted, of inbound mail
// as found. `unknown`: neither is known to be aligned, and one of them is not known.
enum class Alignment { both, dkim, spf, none, unknown };
const char* to_string(Alignment alignment);

// One message. Texts are printable and short (see kMaxText), lists of words are separated by commas.
struct Row {
  // Together unlike those of any other row: `origin` is made anew at each start of a daemon, `sequence` counts from 1.
  std::string origin;
  std::int64_t sequence = 0;

  std::int64_t time = 0;    // microseconds since 1970: when it was judged
  std::string host;         // that judged it
  std::string queue_id;     // "" where the MTA gave none
  std::string direction;    // "outbound", "inbound"
  std::string from_domain;  // "" where From is not usable
  std::string mail_from;    // "" is the null reverse-path
  std::string message_id;
  std::string client;   // address; "" for local submission
  std::string verdict;  // outbound: ses::Verdict, inbound: dmarc::Result
  Alignment alignment = Alignment::unknown;
  std::string
      disposition;  // inbound, DMARC failed: what the domain owner asks for, "none", "quarantine", "reject"; else ""
  std::string forwarder;                  // inbound: the ARC sealer for whose word the policy was not applied
  std::string action;                     // policy::Decision::Action
  std::string code;                       // of the finding that decides; "" where there is none
  std::string codes;                      // of all findings
  std::string account, region, identity;  // of Amazon SES, outbound
  std::string why;                        // one sentence
  std::int64_t waited_us = 0;             // at the end of the message: for DNS
  std::int64_t took_us = 0;  // from MAIL to the answer to the end of the message, the client's time included
  // The event of the log as JSON, and with it "records": what DNS said while the message was judged.
  std::string story;
};

inline constexpr std::size_t kMaxText = 512;      // octets of a text of a row but `story`
inline constexpr std::size_t kMaxStory = 65'536;  // octets; a longer one is kept without its records

// Something a row can be made of, later and on another thread: rendering is no work for a message to wait for.
class Source {
 public:
  virtual ~Source() = default;
  virtual Row row() const = 0;
  // About how much memory it takes.
  virtual std::size_t octets() const = 0;
};

// How it stands with what is kept.
struct Standing {
  std::uint64_t kept = 0;     // rows written since the start
  std::uint64_t lost = 0;     // rows that could not be kept: too many at once, disk full, ...
  std::size_t waiting = 0;    // rows in memory that are not written yet
  std::uint64_t spooled = 0;  // rows on this host's disk that wait for PostgreSQL
  std::int64_t lag_us = 0;    // age of the oldest row that has not reached the store; 0 = none waits
  std::string trouble;        // why the store cannot be written to; "" = it can
};

}  // namespace sesame::history
