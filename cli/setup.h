// What `sesame setup` does with each MTA.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "util/result.h"

namespace sesame::cli {

// One line of the MTA's configuration that setup made.
struct MadeLine {
  std::string name;
  std::optional<std::string> before;  // nothing: it was not set
  std::string after;
};

// What setup made, kept beside the MTA's configuration, where only root writes, so that it can be taken back.
struct SetupState {
  std::string milter;  // Sesame, as the MTA was told
  std::vector<MadeLine> lines;

  const MadeLine* find(const std::string& name) const;
};

std::string state_path(const std::string& directory);
// Nothing when setup made nothing there.
Result<std::optional<SetupState>> read_state(const std::string& directory);
Result<void> write_state(const std::string& directory, const SetupState& state);
Result<void> remove_state(const std::string& directory);

// Where the daemon listens: milter.socket in its parts.
struct MilterSocket {
  bool is_unix = false;
  std::string path;        // of a UNIX socket
  std::string port, host;  // otherwise; an address instead of a wildcard

  static MilterSocket parse(const std::string& setting);
};

// How long the MTA has to wait for an answer: more than dns.budget.
std::chrono::seconds patience_for(const config::Config& config);

// May this process change `file`? An error says who may.
Result<void> check_may_change(const std::string& file);

int setup_postfix(const config::Config& config, const SetupArguments& arguments);
int setup_sendmail(const config::Config& config, const SetupArguments& arguments);

}  // namespace sesame::cli
