// What `sesame import` is made of: files read as their owners read them, and the sesame.toml that comes of them.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "util/ip.h"
#include "util/result.h"

namespace sesame::cli::importer {

enum class Owner { opendkim, opendmarc, policyd_spf };
const char* to_string(Owner owner);

// One line of a file that says something.
struct Statement {
  Owner owner = Owner::opendkim;
  std::string file;
  std::size_t line = 0;
  std::string key, value;

  std::string place() const;  // "/etc/opendkim.conf:12"
};

// What is to be said of a statement beyond the setting it becomes.
struct Remark {
  enum class Kind { conflict, differs, missing, fault } kind = Kind::differs;
  std::string text;  // one line
};

// A file, with what it includes. Of a key that is given again only the last is left, as with its owner.
struct Source {
  Owner owner = Owner::opendkim;
  std::string path;
  std::vector<Statement> statements;
  std::vector<Remark> remarks;

  const Statement* find(std::string_view key) const;
};
Result<Source> read_source(const std::string& path);

// A list of hosts: what of it is addresses, and the rest as it stands there.
struct Hosts {
  std::vector<Network> networks;
  std::vector<std::string> others;    // names, patterns, what cannot be matched
  std::optional<std::string> unread;  // why the list is not there
};
// opendkim: a data set, in which "!" takes out. opendmarc: a file of the same entries. policyd-spf: a list.
Hosts read_hosts(const Statement& statement);
// The entries of a data set of opendkim, as they stand there.
Result<std::vector<std::string>> read_data_set(const std::string& value);
// The items between commas, without space around them.
std::vector<std::string> comma_list(std::string_view value);
// What of `networks` is in none of `others`.
std::vector<Network> without(const std::vector<Network>& networks, const std::vector<Network>& others);

// The sesame.toml under way.
class Draft {
 public:
  // What is said first holds; who says otherwise is named as a conflict. An unfit value becomes a remark.
  void set(const std::string& key, const std::string& value, const Statement& from);
  // The same, cut to what the setting takes.
  void set_figure(const std::string& key, double value, const Statement& from);
  // To a list. What does not fit becomes a remark.
  void add(const std::string& key, const std::vector<std::string>& values, const Statement& from);
  void remark(Remark::Kind kind, const Statement& from, std::string_view text);
  void remark(Remark remark) { remarks_.push_back(std::move(remark)); }
  // The value of a setting that is set.
  const std::vector<std::string>* find(const std::string& key) const;

  // The file, ending in comments with what there is to say.
  std::string toml(const std::vector<Source>& sources) const;

 private:
  struct Setting {
    std::vector<std::string> values;
    std::string line;  // "timeout = 2.0"
    std::vector<std::string> from;
  };
  std::map<std::string, Setting> settings_;
  std::vector<Remark> remarks_;
};

// What becomes of a key: a function that carries it over, or why it is not carried over.
struct Rule {
  std::string_view key;
  void (*carry)(Draft& draft, const Statement& statement) = nullptr;
  std::string_view why = {};
};
std::span<const Rule> opendkim_rules();
std::span<const Rule> opendmarc_rules();
std::span<const Rule> policyd_spf_rules();
// Null when the owner knows no such key.
const Rule* find_rule(Owner owner, std::string_view key);

// Values as the owners read them; what they would not take becomes a remark, and nothing is returned.
std::optional<bool> truth(Draft& draft, const Statement& statement);
std::optional<long> integer(Draft& draft, const Statement& statement);

// Used by the rules of several owners.
void carry_authserv_id(Draft& draft, const Statement& statement);
void carry_dns_timeout(Draft& draft, const Statement& statement);
void carry_syslog(Draft& draft, const Statement& statement);
void carry_socket(Draft& draft, const Statement& statement);
void carry_user(Draft& draft, const Statement& statement);
void carry_domains(Draft& draft, const Statement& statement, const std::string& key,
                   const std::vector<std::string>& domains);

// policyd-spf names itself in Authentication-Results only where it is told to write them.
void carry_policyd_id(Draft& draft, const std::vector<Source>& sources);
// The lists of hosts of all files together: who is outbound, who is left alone.
void carry_hosts(Draft& draft, const std::vector<Source>& sources);

}  // namespace sesame::cli::importer
