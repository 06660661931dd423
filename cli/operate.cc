// The subcommands by which Sesame is run day by day: their arguments.
#include "arguments.h"

namespace sesame::cli {
namespace {

void add_store(CLI::App& sub, HistoryArguments& h) {
  sub.add_option("--config", h.config, "Settings; default: the installed ones")->type_name("FILE");
  sub.add_option("--store", h.store, "History to ask instead of the configured one: a file or a postgresql:// URL")
      ->type_name("STORE");
}

void add_history(CLI::App& sub, HistoryArguments& h) {
  add_store(sub, h);
  sub.add_option("--domain", h.domain, "From domain, with everything below it")->type_name("DOMAIN");
  sub.add_option("--host", h.host, "Of mail that this host judged")->type_name("NAME");
  sub.add_option("--direction", h.direction, "Of this mail only")
      ->check(CLI::IsMember(std::vector<std::string>{"outbound", "inbound"}));
}

void add_times(CLI::App& sub, HistoryArguments& h, const char* fallback) {
  h.since = fallback;
  sub.add_option("--since", h.since, "30m, 12h, 7d, 2026-01-31 or 2026-01-31T12:00:00Z")
      ->capture_default_str()
      ->type_name("TIME");
  sub.add_option("--until", h.until, "Likewise; default: now")->type_name("TIME");
}

void add_formats(CLI::App& sub, Common& common) {
  add_json(sub, common);
  sub.add_flag_callback(
      "--csv", [&common] { common.format = Format::csv; }, "Answer with comma-separated values (RFC 4180)");
}

void add_report(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "report", "Alignment of the mail of each From domain", a.run,
                         [&a] { return run_report(a.common, a.report); });
  add_times(sub, a.report.history, "7d");
  add_history(sub, a.report.history);
  sub.add_option("--most", a.report.most, "Domains at most")->check(CLI::Range(1, 100000))->capture_default_str();
  add_formats(sub, a.common);
  sub.footer(
      "Examples:\n  sesame report\n  sesame report --since 24h --direction outbound --domain example.com --csv\n\n"
      "\"hit\": messages that hold or reject would have acted upon.");
}

void add_explain(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "explain", "The whole story of one message, or what a finding means", a.run,
                         [&a] { return run_explain(a.common, a.explain); });
  add_store(sub, a.explain.history);
  add_json(sub, a.common);
  sub.add_option("QUEUE-ID", a.explain.queue_id, "As the MTA logs it; or the code of a finding")
      ->required()
      ->type_name("");
  sub.footer("Examples:\n  sesame explain 4dXk3Q1hZ7zB\n  sesame explain dkim-cname-missing");
}

void add_top(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "top", "What there is most of", a.run, [&a] { return run_top(a.common, a.top); });
  sub.add_option("BY", a.top.by, "What to count")
      ->check(CLI::IsMember(
          std::vector<std::string>{"from_domain", "code", "client", "mail_from", "host", "action", "verdict"}))
      ->capture_default_str()
      ->type_name("");
  add_times(sub, a.top.history, "24h");
  add_history(sub, a.top.history);
  sub.add_option("--most", a.top.most, "Lines at most")->check(CLI::Range(1, 100000))->capture_default_str();
  add_formats(sub, a.common);
  sub.footer("Examples:\n  sesame top\n  sesame top code --since 7d --direction outbound");
}

void add_tail(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "tail", "The newest messages", a.run, [&a] { return run_tail(a.common, a.tail); });
  sub.add_flag_callback(
      "-f,--follow", [&a] { a.tail.follow = TailArguments::Follow::yes; }, "And those to come, until a signal ends it");
  sub.add_option("-n,--lines", a.tail.lines, "So many")->check(CLI::Range(0, 100000))->capture_default_str();
  sub.add_option("--verdict", a.tail.verdict, "With this verdict only")->type_name("VERDICT");
  sub.add_option("--action", a.tail.action, "With which this was done")->type_name("ACTION");
  sub.add_option("--code", a.tail.code, "Decided by this finding")->type_name("CODE");
  sub.add_option("--search", a.tail.search, "With this in queue id, Message-ID, sender, From domain or reason")
      ->type_name("TEXT");
  add_history(sub, a.tail.history);
  add_formats(sub, a.common);
  sub.footer("Examples:\n  sesame tail -f\n  sesame tail -f --verdict fail --json\n\n--json: one object a line.");
}

void add_policy(CLI::App& app, Arguments& a) {
  auto& sub = *app.add_subcommand("policy", "What a policy would do");
  sub.require_subcommand(1);
  sub.footer("Example:\n  sesame policy simulate --since 7d --fail hold");
  auto& simulate = subcommand(sub, "simulate", "What it would have done with the messages of the past", a.run,
                              [&a] { return run_simulate(a.common, a.simulate); });
  auto& s = a.simulate;
  add_times(simulate, s.history, "7d");
  add_history(simulate, s.history);
  const std::vector<std::string> levels{"observe", "tag", "hold", "reject"};
  const std::vector<std::string> handlings{"observe", "quarantine", "reject"};
  simulate.add_option("--fail", s.fail, "outbound.fail, for all domains")->check(CLI::IsMember(levels));
  simulate.add_option("--refused", s.refused, "outbound.refused, for all domains")->check(CLI::IsMember(levels));
  simulate.add_option("--on-policy-reject", s.on_policy_reject, "inbound.on_policy_reject")
      ->check(CLI::IsMember(handlings));
  simulate.add_option("--on-policy-quarantine", s.on_policy_quarantine, "inbound.on_policy_quarantine")
      ->check(CLI::IsMember(handlings));
  simulate.add_option("--on-bad-author", s.on_bad_author, "inbound.on_bad_author")->check(CLI::IsMember(handlings));
  add_formats(simulate, a.common);
  simulate.footer(
      "Examples:\n  sesame policy simulate --since 7d --fail hold\n"
      "  sesame policy simulate --config new.toml --store /var/lib/sesame/history.sqlite\n\n"
      "Without any of the words, the policy of the settings is tried.");
}

void add_import(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "import", "The settings of opendkim, opendmarc and policyd-spf as a sesame.toml", a.run,
                         [&a] { return run_import(a.common, a.import); });
  sub.add_option("FILE", a.import.files, "opendkim.conf, opendmarc.conf, policyd-spf.conf")->required()->type_name("");
  sub.add_option("--output", a.import.output, "File to write. Default: the standard output")->type_name("FILE");
  sub.footer(
      "Example:\n  sesame import /etc/opendkim.conf /etc/opendmarc.conf /etc/postfix-policyd-spf-python/"
      "policyd-spf.conf\n\nWhat has no equivalent is named in comments.");
}

void add_setup(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "setup", "What the MTA needs to know of Sesame, shown or done", a.run,
                         [&a] { return run_setup(a.common, a.setup); });
  sub.add_option("MTA", a.setup.mta, "postfix or sendmail")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>{"postfix", "sendmail"}))
      ->type_name("");
  sub.add_option("--config", a.setup.config, "Settings of Sesame; default: the installed ones")->type_name("FILE");
  sub.add_option("--directory", a.setup.directory, "Of the MTA's configuration. Default: its own")->type_name("DIR");
  auto* apply = sub.add_flag_callback(
      "--apply", [&a] { a.setup.action = SetupArguments::Action::apply; }, "Make the change, and tell the MTA");
  sub.add_flag_callback(
         "--revert", [&a] { a.setup.action = SetupArguments::Action::revert; }, "Take it back")
      ->excludes(apply);
  sub.footer("Examples:\n  sesame setup postfix\n  sesame setup postfix --apply\n  sesame setup postfix --revert");
}

}  // namespace

void add_operations(CLI::App& app, Arguments& arguments) {
  add_report(app, arguments);
  add_explain(app, arguments);
  add_top(app, arguments);
  add_tail(app, arguments);
  add_policy(app, arguments);
  add_import(app, arguments);
  add_setup(app, arguments);
}

}  // namespace sesame::cli
