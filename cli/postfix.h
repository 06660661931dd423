// A Postfix as its own programs tell of it and change it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "util/result.h"

namespace sesame::cli {

class Postfix {
 public:
  // The system's, or the one with this configuration directory.
  static Result<Postfix> find(const std::string& directory);

  struct Parameter {
    std::string value;  // as written, $names and all; the default where it is not set
    bool set = false;   // in main.cf
  };
  Result<std::map<std::string, Parameter>> read(const std::vector<std::string>& names) const;
  // `value` of `name`, with $names replaced. The others count as `assumed` says, where it names them.
  Result<std::string> expand(const std::string& name, const std::map<std::string, std::string>& assumed) const;

  // Nothing: take the line out of main.cf.
  struct Line {
    std::string name;
    std::optional<std::string> value;
  };
  Result<void> write(const std::vector<Line>& lines) const;

  // Of the programs that speak to milters.
  struct Service {
    std::string name;  // as in master.cf: "smtp/inet"
    bool chroot = false;
  };
  Result<std::vector<Service>> services() const;
  // Services of master.cf that set the milters for themselves: "submission/inet/smtpd_milters = ...".
  Result<std::vector<std::string>> overrides() const;

  Result<void> check() const;
  bool is_running() const;
  Result<void> reload() const;

  const std::string& directory() const { return directory_; }
  const std::string& queue_directory() const { return queue_directory_; }

 private:
  Result<std::string> postconf(std::vector<std::string> arguments) const;
  std::vector<std::string> control(const std::string& action) const;

  std::string postconf_, postfix_, directory_, queue_directory_;
};

// The milters of a list as Postfix has it: separated by commas and spaces, one with settings of its own in braces.
std::vector<std::string> split_milters(const std::string& list);
// Where it is, without braces and settings.
std::string address_of_milter(const std::string& milter);
bool same_milter(const std::string& one, const std::string& other);
// Seconds; nothing for what is none.
std::optional<long> parse_postfix_time(const std::string& text);

}  // namespace sesame::cli
