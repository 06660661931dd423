// The real daemon in a directory of its own, with a DNS server and the MTA's end of its socket.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/dns_server.h"
#include "support/milter_client.h"

namespace sesame::test {

// Throws std::runtime_error when the daemon does not come up.
class Daemon {
 public:
  // `settings` is TOML that follows the tables every test needs; the lines of `milter` end the table of that name.
  explicit Daemon(const std::string& settings = "", const std::string& milter = "");
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  std::string socket() const { return "unix:" + path("socket"); }
  std::string path(const std::string& name) const { return directory_ / name; }
  // A connection after CONNECT and HELO.
  std::unique_ptr<MilterClient> connect(const std::string& address = "192.0.2.1", const MilterOffer& offer = {}) const;

  // Lines of `dns` and of `log` end the tables of these names.
  void write_config(const std::string& settings, const std::string& milter = "", const std::string& dns = "",
                    const std::string& log = "") const;
  void start();
  void signal(int number) const;
  // To each thread but the first.
  void signal_other_threads(int number) const;
  // The exit status; waits half a minute at most, then kills it and says -1.
  int wait_for_exit();
  bool runs() const;
  // The system's word on the process: proc(5), status.
  std::string status() const;
  std::string log() const;
  // Waits for a line that holds the text; false when there is none within ten seconds.
  bool logs(const std::string& text) const;
  DnsServer& dns() { return dns_; }

 private:
  void clean_up();

  DnsServer dns_;
  std::filesystem::path directory_;
  pid_t pid_ = -1;
};

// Runs the program with these arguments and returns its exit status and what it printed on both outputs.
struct Ran {
  int status = -1;
  std::string output;
};
Ran run_daemon(const std::vector<std::string>& arguments);

}  // namespace sesame::test
