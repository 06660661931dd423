// The configuration as the program uses it. What each setting means is said once, in settings.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "history/history.h"
#include "policy/decide.h"
#include "ses/accounts.h"
#include "util/ip.h"
#include "util/result.h"
#include "watch/watcher.h"

namespace sesame::config {

struct Milter {
  std::string socket;            // libmilter's form: "inet:PORT@HOST", "inet6:PORT@HOST", "unix:PATH"
  std::string user;              // to become after the socket is open; "" = stay
  std::chrono::seconds drain{};  // how long SIGTERM waits for messages under way
};

struct Dns {
  std::vector<std::string> servers;     // empty = resolv.conf
  std::chrono::milliseconds timeout{};  // then the next try begins
  int tries = 0;
  std::chrono::milliseconds budget{};  // a message waits no longer than this for all its answers together
  std::size_t cache_bytes = 0;
  std::string cache_file;                                        // what is kept over a restart; "" = nothing
  std::uint32_t min_ttl = 0, max_ttl = 0, max_negative_ttl = 0;  // seconds
  std::chrono::seconds failure_ttl{};                            // that a failure is not asked for again
  std::chrono::seconds max_stale{};                              // past its time to live; 0 = never
  bool case_randomization = false;
  bool operator==(const Dns&) const = default;
};

struct Directions {
  std::vector<Network> outbound_networks;
  std::vector<std::string> outbound_daemon_names;
  std::vector<Network> ignore_networks;
  std::vector<std::string> ignore_from_domains;  // From domain, and everything below it
};

struct Log {
  enum class Format { text, json } format = Format::text;
  std::string destination;  // "stderr", "syslog" or an absolute path
  std::string level;        // "debug", "info", "warning", "error"
};

struct Limits {
  std::size_t header_bytes = 0;  // of all fields together; over it nothing definite is said of the message
  std::size_t signatures = 0;    // DKIM signatures tried per message
  std::int64_t clock_skew = 0;   // seconds, for t= and x= of signatures
  int spf_void_lookups = 0;      // RFC 7208 Section 4.6.4
};

// The page, the metrics and the questions that the daemon answers over HTTP.
struct Status {
  std::string listen;      // "HOST:PORT", "unix:/PATH"; "" = nowhere
  std::string token_file;  // what a client must know, in its first line; "" = nothing
  bool operator==(const Status&) const = default;
};

struct Config {
  Milter milter;
  Dns dns;
  Directions directions;
  Log log;
  Limits limits;
  std::string public_suffix_list;  // path; "" = the system's
  ses::Settings ses;
  watch::Options watch;
  history::Options history;
  Status status;
  policy::Rules rules;
  bool refuse_test_keys = false;  // of received mail, RFC 6376 Section 3.6.1
};

// Reads TOML. An error is one line per fault: "FILE:LINE:COLUMN: KEY: what is wrong; expected ...".
Result<Config> load(const std::string& path);
// The same from text; `name` stands for the file in errors.
Result<Config> parse(std::string_view text, const std::string& name);
// Is this a value for milter.socket?
bool is_milter_socket(std::string_view value);
// Can only this host reach what listens there? Of a value of status.listen.
bool is_private(std::string_view listen);
// All defaults.
Config defaults();
// Where the installed configuration stands.
std::string default_path();

}  // namespace sesame::config
