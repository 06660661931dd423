// TOML to Config. The only file that includes toml++, header only and without exceptions.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <fmt/core.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <tuple>

#include "config/config.h"
#include "config/suggest.h"
#include "config/table.h"
#include "dns/name.h"
#include "util/text.h"

namespace sesame::config {
namespace {

std::string describe(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return fmt::format("the text \"{}\"", printable(node.as_string()->get(), 80));
    case toml::node_type::integer:
      return fmt::format("the integer {}", node.as_integer()->get());
    case toml::node_type::floating_point:
      return fmt::format("the number {}", node.as_floating_point()->get());
    case toml::node_type::boolean:
      return node.as_boolean()->get() ? "true" : "false";
    case toml::node_type::date:
      return "a date";
    case toml::node_type::time:
      return "a time";
    case toml::node_type::date_time:
      return "a date and time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

// The node a dotted path leads to; null when it is not there.
const toml::node* find(const toml::table& table, std::string_view path) {
  const toml::table* at = &table;
  const auto parts = split(path, '.');
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto* next = at->get(parts[i]);
    if (!next || !next->is_table()) return nullptr;
    at = next->as_table();
  }
  return at->get(parts.back());
}

class Loader {
 public:
  explicit Loader(std::string name) : name_(std::move(name)) {}

  Result<Config> load(std::string_view text) {
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
      fault(parsed.error().source(), "", std::string(parsed.error().description()) + "; expected valid TOML");
      return failed();
    }
    const toml::table& root = parsed.table();
    check_keys(root, "");
    set_defaults(general_settings(), config_);
    read_settings(root, "", general_settings(), config_);
    check_times(root);
    check_region(root);
    check_files(root);
    check_alerts(root);
    check_status(root);
    read_identities(root);
    read_routes(root);
    read_overrides(root);
    if (!faults_.empty()) return failed();
    complete(config_);
    return std::move(config_);
  }

 private:
  struct Fault {
    toml::source_position at;
    std::string text;
  };

  void fault(const toml::source_region& where, const std::string& key, const std::string& what) {
    const auto prefix = fmt::format("{}:{}:{}: ", name_, where.begin.line, where.begin.column);
    faults_.push_back({where.begin, prefix + (key.empty() ? "" : key + ": ") + what});
  }

  Result<Config> failed() {
    std::ranges::stable_sort(faults_, {}, [](const Fault& fault) { return std::pair(fault.at.line, fault.at.column); });
    std::vector<std::string> lines;
    for (auto& fault : faults_) lines.push_back(std::move(fault.text));
    return failure(join(lines, "\n"));
  }

  // Every key of the file must lead to a setting.
  void check_keys(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      // A quoted key with a dot in it is not the path it looks like.
      const bool dotted = key.str().find('.') != std::string_view::npos;
      const auto full = (prefix.empty() ? "" : prefix + ".") + std::string(key.str());
      if (!dotted && is_setting(full)) continue;
      if (!dotted && is_list(full)) {
        check_list(node, full);
      } else if (!dotted && is_section(full)) {
        if (node.is_table())
          check_keys(*node.as_table(), full);
        else
          fault(node.source(), full, "is " + describe(node) + "; expected a table of settings");
      } else {
        fault(key.source(), printable(full), "unknown key; expected " + suggest(full, prefix));
      }
    }
  }

  void check_list(const toml::node& node, const std::string& key) {
    if (!node.is_array()) {
      fault(node.source(), key, "is " + describe(node) + "; expected a list of tables, [[" + key + "]]");
      return;
    }
    for (const auto& item : *node.as_array()) {
      if (item.is_table())
        check_keys(*item.as_table(), key);
      else
        fault(item.source(), key, "is " + describe(item) + "; expected a table, [[" + key + "]]");
    }
  }

  // Reads what a table says of these settings. `section` is the path that led to the table.
  template <class Target>
  void read_settings(const toml::table& table, const std::string& section, const std::vector<Setting<Target>>& settings,
                     Target& target) {
    for (const auto& setting : settings) {
      const auto key = setting.key();
      const auto* node = find(table, section.empty() ? key : setting.name);
      if (!node) {
        if (setting.required()) fault(table.source(), key, "is missing; expected " + setting.type.expected);
      } else if (const auto value = read(*node, setting)) {
        setting.set(target, *value);
      }
    }
  }

  std::optional<Value> read(const toml::node& node, const Entry& entry) {
    using enum Type::Shape;
    switch (entry.type.shape) {
      case boolean:
        if (const auto* value = node.as_boolean()) return value->get();
        break;
      case integer:
        if (const auto* value = node.as_integer())
          if (in_range(static_cast<double>(value->get()), node, entry)) return value->get();
        if (node.is_integer()) return std::nullopt;
        break;
      case number:
        if (node.is_number()) {
          const auto value = node.value<double>().value_or(0);
          return in_range(value, node, entry) ? std::optional<Value>(value) : std::nullopt;
        }
        break;
      case text:
        if (node.is_string()) {
          const auto value = read_text(node, entry);
          return value ? std::optional<Value>(*value) : std::nullopt;
        }
        break;
      case list:
        if (node.is_array()) return read_list(*node.as_array(), entry);
        break;
    }
    wrong(node, entry);
    return std::nullopt;
  }

  bool in_range(double value, const toml::node& node, const Entry& entry) {
    // Written so that NaN is out of range.
    const bool inside = value >= entry.type.least && value <= entry.type.most;
    if (!inside) fault(node.source(), entry.key(), describe(node) + " is out of range; expected " + expected(entry));
    return inside;
  }

  std::optional<std::string> read_text(const toml::node& node, const Entry& entry) {
    auto value = entry.type.canonical(node.as_string()->get());
    if (!value) wrong(node, entry);
    return value;
  }

  std::optional<Value> read_list(const toml::array& array, const Entry& entry) {
    std::vector<std::string> values;
    for (const auto& item : array) {
      if (!item.is_string()) {
        wrong(item, entry);
      } else if (auto value = read_text(item, entry)) {
        values.push_back(std::move(*value));
      }
    }
    return values;
  }

  void wrong(const toml::node& node, const Entry& entry) {
    fault(node.source(), entry.key(), "is " + describe(node) + "; expected " + expected(entry));
  }

  static std::string expected(const Entry& entry) {
    return entry.type.expected + (entry.unit.empty() ? "" : " (" + entry.unit + ")");
  }

  // The tables of a list; check_list() has complained about anything else there.
  static std::vector<const toml::table*> tables(const toml::table& root, std::string_view path) {
    std::vector<const toml::table*> found;
    const auto* node = find(root, path);
    if (node && node->is_array())
      for (const auto& item : *node->as_array())
        if (item.is_table()) found.push_back(item.as_table());
    return found;
  }

  // One question that waits for a dead server must leave time for the next try.
  void check_times(const toml::table& root) {
    const auto& dns = config_.dns;
    if (dns.timeout < dns.budget) return;
    const auto seconds = [](std::chrono::milliseconds time) { return std::chrono::duration<double>(time).count(); };
    const auto* timeout = find(root, "dns.timeout");
    const auto* budget = find(root, "dns.budget");
    if (timeout)
      fault(timeout->source(), "dns.timeout",
            fmt::format("is {} seconds; expected less than dns.budget, which is {} seconds{}", seconds(dns.timeout),
                        seconds(dns.budget), budget ? "" : " where nothing is said"));
    else if (budget)
      fault(budget->source(), "dns.budget",
            fmt::format("is {} seconds; expected more than dns.timeout, which is {} seconds where nothing is said",
                        seconds(dns.budget), seconds(dns.timeout)));
  }

  // Where mail goes for which no route says otherwise must be known as soon as anything is said of SES.
  void check_region(const toml::table& root) {
    if (find(root, "ses.region")) return;
    const toml::node* first = nullptr;
    for (const auto* list : {"ses.route", "ses.identity"})
      if (const auto found = tables(root, list); !found.empty()) first = found.front();
    if (const auto* snapshot = find(root, "ses.snapshot"); snapshot && !config_.ses.snapshot.empty()) first = snapshot;
    if (first) fault(first->source(), "ses.region", "is missing; expected an AWS region such as \"us-east-1\"");
  }

  // Whoever starts the daemon decides its PATH, so that a name alone may be any program.
  void check_alerts(const toml::table& root) {
    const auto& alerts = config_.watch.alerts;
    if (!alerts.hook.empty() && !alerts.hook.front().starts_with('/'))
      fault(find(root, "watch.hook")->source(), "watch.hook",
            fmt::format("begins with \"{}\"; expected the absolute path of a program, and its arguments",
                        printable(alerts.hook.front())));
    if (const auto* sendmail = find(root, "watch.sendmail"); !alerts.mail_to.empty() && alerts.sendmail.empty())
      fault(sendmail->source(), "watch.sendmail",
            "is empty; expected the absolute path of a program, where watch.mail_to is set");
  }

  // What it tells is not for everybody who can reach this host.
  void check_status(const toml::table& root) {
    const auto& status = config_.status;
    if (is_private(status.listen) || !status.token_file.empty()) return;
    fault(find(root, "status.listen")->source(), "status.listen",
          fmt::format("is \"{}\", which others can reach; expected status.token_file as well, or a loopback address",
                      status.listen));
  }

  // Two that write to one file destroy each other's.
  void check_files(const toml::table& root) {
    const auto same = [](const std::string& a, const std::string& b) {
      return !a.empty() && std::filesystem::path(a).lexically_normal() == std::filesystem::path(b).lexically_normal();
    };
    const auto clash = [&](const char* key, const std::string& path, const char* other) {
      // Of a default, which stands nowhere, the other one tells.
      if (!find(root, key)) std::swap(key, other);
      fault(find(root, key)->source(), key,
            fmt::format("is \"{}\", as is {}; expected a file of its own", printable(path), other));
    };
    const std::array<std::pair<const char*, const std::string*>, 7> files = {{
        {"ses.snapshot", &config_.ses.snapshot},
        {"ses.arrivals", &config_.ses.arrivals},
        {"log.destination", &config_.log.destination},
        {"dns.cache_file", &config_.dns.cache_file},
        {"watch.memory", &config_.watch.memory},
        {"history.store", &config_.history.store},
        {"history.spool", &config_.history.spool},
    }};
    for (std::size_t i = 0; i < files.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (same(*files[i].second, *files[j].second)) clash(files[i].first, *files[i].second, files[j].first);
  }

  void read_identities(const toml::table& root) {
    for (const auto* table : tables(root, "ses.identity")) {
      ses::Identity identity;
      set_defaults(identity_settings(), identity);
      identity.account = config_.ses.account;
      identity.region = config_.ses.region;
      read_settings(*table, "ses.identity", identity_settings(), identity);
      check_identity(*table, identity);
      config_.ses.identities.push_back(std::move(identity));
    }
  }

  void check_identity(const toml::table& table, const ses::Identity& identity) {
    check_tokens(table, identity);
    // https://docs.aws.amazon.com/ses/latest/dg/mail-from.html
    const auto& mail_from = identity.mail_from.domain;
    if (!mail_from.empty() && !identity.name.empty() &&
        (mail_from == identity.domain() || !dns::is_at_or_below(mail_from, identity.domain())))
      fault(find(table, "mail_from.domain")->source(), "ses.identity.mail_from.domain",
            fmt::format("is \"{}\", which is not below {}; expected a subdomain of {}", mail_from, identity.domain(),
                        identity.domain()));
    if (!identity.name.empty() && !names_.insert({identity.account, identity.name, identity.region}).second)
      fault(
          find(table, "name")->source(), "ses.identity.name",
          fmt::format("\"{}\" stands here twice for region \"{}\"{}; expected one identity for each {}name and region",
                      printable(identity.name), identity.region,
                      identity.account.empty() ? "" : " of account \"" + identity.account + "\"",
                      identity.account.empty() ? "" : "account, "));
  }

  void check_tokens(const toml::table& table, const ses::Identity& identity) {
    const auto* node = find(table, "dkim.tokens");
    if (!node || !node->is_array()) return;
    const auto count = node->as_array()->size();
    const std::size_t wanted = identity.dkim.is_external() ? 1 : 3;
    if (count != 0 && count != wanted)
      fault(node->source(), "ses.identity.dkim.tokens",
            fmt::format("has {} {}; expected {} where dkim.origin is \"{}\"", count, count == 1 ? "item" : "items",
                        wanted == 1 ? "the one selector" : "the three tokens", identity.dkim.origin));
    const std::set<std::string> distinct(identity.dkim.tokens.begin(), identity.dkim.tokens.end());
    if (distinct.size() < identity.dkim.tokens.size())
      fault(node->source(), "ses.identity.dkim.tokens", "has the same token twice; expected three different ones");
  }

  void read_routes(const toml::table& root) {
    for (const auto* table : tables(root, "ses.route")) {
      ses::Route route;
      set_defaults(route_settings(), route);
      route.account = config_.ses.account;
      route.region = config_.ses.region;
      read_settings(*table, "ses.route", route_settings(), route);
      // One that has a fault says what it is meant to match.
      const auto is_said = [&](const char* key) {
        const auto* node = find(*table, key);
        return node && node->value_or<std::string_view>("?") != "";
      };
      if (!is_said("from") && !is_said("sender") && !is_said("relay"))
        fault(table->source(), "ses.route", "matches nothing; expected at least one of from, sender and relay");
      config_.ses.routes.push_back(std::move(route));
    }
  }

  void read_overrides(const toml::table& root) {
    std::set<std::string> domains;
    for (const auto* table : tables(root, "outbound.override")) {
      policy::OutboundOverride override;
      override.rule = config_.rules.outbound;
      read_settings(*table, "outbound.override", override_settings(), override);
      if (!override.domain.empty() && !domains.insert(override.domain).second)
        fault(find(*table, "domain")->source(), "outbound.override.domain",
              fmt::format("\"{}\" stands here twice; expected one override for each domain", override.domain));
      config_.rules.overrides.push_back(std::move(override));
    }
  }

  std::string name_;
  Config config_;
  std::set<std::tuple<std::string, std::string, std::string>> names_;  // account, name, region
  std::vector<Fault> faults_;
};

}  // namespace

void complete(Config& config) {
  auto& id = config.rules.authserv_id;
  if (id.empty()) {
    char name[256] = {};
    if (gethostname(name, sizeof(name) - 1) == 0) id = name;
    if (!dns::is_hostname(id)) id = "localhost";
  }
  if (std::ranges::find(config.rules.own_ids, id) == config.rules.own_ids.end()) config.rules.own_ids.push_back(id);
}

std::string default_path() {
  return SESAME_CONFIG_PATH;
}

Config defaults() {
  Config config;
  set_defaults(general_settings(), config);
  complete(config);
  return config;
}

Result<Config> parse(std::string_view text, const std::string& name) {
  return Loader(name).load(text);
}

Result<Config> load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  // A directory opens but cannot be read; an empty file makes the insertion fail, which is no error.
  if (!file || (file.peek() == std::ifstream::traits_type::eof() && !file.eof()))
    return failure(fmt::format("{}: cannot be read: {}", path, errno_text(errno)));
  text << file.rdbuf();
  return parse(text.str(), path);
}

}  // namespace sesame::config
