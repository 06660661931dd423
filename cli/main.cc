// The command `sesame`: arguments to subcommands.
#include <csignal>
#include <exception>

#include "arguments.h"
#include "command.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  sesame preflight --config /etc/sesame/sesame.toml message.eml\n"
    "  sesame verify --ip 192.0.2.1 --helo mail.example.com --mail-from user@example.com message.eml\n"
    "  sesame spf --ip 192.0.2.1 --helo mail.example.com --mail-from user@example.com --json\n"
    "  sesame dmarc example.com --dns 127.0.0.1:5353\n"
    "  sesame doctor example.com\n"
    "  sesame sync\n"
    "  sesame watch --status\n"
    "  sesame report --since 7d\n"
    "  sesame explain 4dXk3Q1hZ7zB\n"
    "  sesame config test\n\n"
    "Exit status: 0 fine, 1 evaluated and bad, 2 bad usage or configuration, 75 undecided. See sesame(1).";

constexpr const char* kDnsNote = "\n\n--dns HOST:PORT, here or before the command, asks that DNS server.";

void add_session(CLI::App& sub, Session& session) {
  sub.add_option("--ip", session.ip, "Address of the client")->type_name("IP");
  sub.add_option("--helo", session.helo, "Name the client gave")->type_name("NAME");
  sub.add_option("--mail-from", session.mail_from, "Envelope sender; '<>' or '' is the empty one")->type_name("ADDR");
}

void add_message(CLI::App& sub, std::string& file) {
  sub.add_option("FILE", file, "Message; - is the standard input")->capture_default_str()->type_name("");
}

void add_spf(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "spf", "May a client use a domain?", a.run, [&a] { return run_spf(a.common, a.spf); });
  add_session(sub, a.spf.session);
  sub.get_option("--ip")->required();
  add_json(sub, a.common);
  sub.footer(std::string("Example:\n  sesame spf --ip 192.0.2.1 --helo mail.example.com --mail-from user@example.com") +
             kDnsNote);
}

void add_verify(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "verify", "SPF, DKIM, ARC and DMARC of a message received", a.run,
                         [&a] { return run_verify(a.common, a.verify); });
  add_session(sub, a.verify.session);
  sub.add_option("--now", a.verify.now, "The time to judge at, seconds since 1970")->type_name("UNIXTIME");
  sub.add_option("--dmarc-mode", a.verify.dmarc_mode, "Report DMARC by this standard only")
      ->check(CLI::IsMember(std::vector<std::string>{"rfc9989", "rfc7489"}));
  sub.add_option("--psl", a.verify.psl, "Public suffix list for RFC 7489")->type_name("FILE");
  sub.add_flag_callback(
      "--lax-keys", [&a] { a.verify.keys = dkim::Options::Keys::lax; },
      "Admit rsa-sha1 and RSA keys under 1024 bits, to examine old archives");
  add_json(sub, a.common);
  add_message(sub, a.verify.file);
  sub.footer(std::string("Example:\n  sesame verify --json --ip 192.0.2.1 --mail-from user@example.com message.eml\n\n"
                         "Without --ip, SPF is not evaluated.") +
             kDnsNote);
}

void add_dmarc(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "dmarc", "What a domain publishes, by RFC 9989 and RFC 7489", a.run,
                         [&a] { return run_dmarc(a.common, a.dmarc); });
  sub.add_option("DOMAIN", a.dmarc.domain, "Author domain")->required()->type_name("");
  add_json(sub, a.common);
  sub.footer(std::string("Example:\n  sesame dmarc mail.example.com") + kDnsNote);
}

void add_preflight(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "preflight", "What will become of a message after Amazon SES", a.run,
                         [&a] { return run_preflight(a.common, a.preflight); });
  a.preflight.config = config::default_path();
  sub.add_option("--config", a.preflight.config, "Settings")->capture_default_str()->type_name("FILE");
  sub.add_option("--mail-from", a.preflight.mail_from,
                 "Envelope sender; '<>' or '' is the empty one. Default: the From address")
      ->type_name("ADDR");
  // One address an option, so that the message may follow.
  sub.add_option("--rcpt", a.preflight.recipients, "Recipient; may be repeated")
      ->allow_extra_args(false)
      ->type_name("ADDR");
  sub.add_option("--relay", a.preflight.relays,
                 "Next hop as the MTA has it, for the routes of the settings; may be repeated")
      ->allow_extra_args(false)
      ->type_name("HOST");
  add_json(sub, a.common);
  add_message(sub, a.preflight.file);
  sub.footer(
      std::string("Example:\n  sesame preflight --config /etc/sesame/sesame.toml --rcpt user@example.org message.eml") +
      kDnsNote);
}

void add_sync(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "sync", "Fetch what the SESv2 API says of an account into the snapshot file", a.run,
                         [&a] { return run_sync(a.common, a.sync); });
  auto& s = a.sync;
  sub.add_option("--config", s.config, "Settings; default: the installed ones")->type_name("FILE");
  sub.add_option("--region", s.regions, "Region; may be repeated. Default: those of the account in the settings")
      ->allow_extra_args(false)
      ->type_name("REGION");
  sub.add_option("--account", s.account, "Account as the settings name it. Default: ses.account")->type_name("NAME");
  sub.add_option("--profile", s.profile, "Profile of the shared credentials file")->type_name("NAME");
  sub.add_option("--endpoint", s.endpoint, "Instead of https://email.REGION.amazonaws.com")->type_name("URL");
  sub.add_option("--interval", s.interval, "Between two requests; SES allows one in a second to all who ask")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str()
      ->type_name("SECONDS");
  sub.add_option("--timeout", s.timeout, "For one request")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str()
      ->type_name("SECONDS");
  sub.add_option("--max-age", s.max_age, "What an interrupted sync fetched longer ago is fetched again")
      ->check(CLI::Range(0, 604800))
      ->capture_default_str()
      ->type_name("SECONDS");
  sub.add_option("--snapshot", s.snapshot, "File to replace. Default: ses.snapshot")->type_name("FILE");
  add_json(sub, a.common);
  sub.footer(
      "Examples:\n  sesame sync\n  sesame sync --region eu-west-1 --profile mail --snapshot "
      "/var/lib/sesame/ses.json\n\n"
      "Needs ses:ListEmailIdentities, ses:GetEmailIdentity and ses:GetAccount; see sesame(1).");
}

void add_doctor(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "doctor", "The full check of sending domains at Amazon SES", a.run,
                         [&a] { return run_doctor(a.common, a.doctor); });
  auto& d = a.doctor;
  sub.add_option("DOMAIN", d.subjects, "Sending domain or address; may be repeated")->type_name("");
  sub.add_flag_callback(
      "--all", [&d] { d.all = DoctorArguments::All::yes; }, "Every identity of configuration and snapshot");
  sub.add_option("--config", d.config, "Settings; default: the installed ones, if there are any")->type_name("FILE");
  sub.add_option("--region", d.region, "Region of SES. Default: where the settings relay mail of the domain to")
      ->type_name("REGION");
  sub.add_option("--account", d.account, "Account as the settings name it")->type_name("NAME");
  sub.add_option("--token", d.tokens,
                 "DKIM token as the SES console shows it: three times for Easy DKIM; once, the selector of BYODKIM. "
                 "Replaces what the settings know of the domain")
      ->allow_extra_args(false)
      ->type_name("TOKEN");
  sub.add_option("--mail-from", d.mail_from, "With --token: the custom MAIL FROM domain. Default: none is set up")
      ->type_name("DOMAIN");
  add_json(sub, a.common);
  sub.footer(
      std::string("Examples:\n"
                  "  sesame doctor example.com --config /etc/sesame/sesame.toml\n"
                  "  sesame doctor example.com --region us-east-1 --token T1 --token T2 --token T3\n"
                  "  sesame doctor example.com --region us-east-1 --token SELECTOR --mail-from "
                  "bounce.example.com\n"
                  "  sesame doctor --all --json\n\n"
                  "Exit status: 1 with a finding that is an error, else 75 where something is undecided, else 0.") +
      kDnsNote);
}

void add_watch(CLI::App& app, Arguments& a) {
  auto& sub = subcommand(app, "watch", "Look at the records SES depends on, at every name server, again and again",
                         a.run, [&a] { return run_watch(a.common, a.watch); });
  auto& w = a.watch;
  sub.add_option("DOMAIN", w.subjects, "With --once or --status: of these domains and addresses only")->type_name("");
  sub.add_option("--config", w.config, "Settings; default: the installed ones, if there are any")->type_name("FILE");
  sub.add_flag_callback(
      "--once", [&w] { w.once = WatchArguments::Once::yes; }, "One look now, and what it showed");
  sub.add_flag_callback(
      "--status", [&w] { w.status = WatchArguments::Status::yes; }, "How the records stand, from the memory");
  sub.add_option("--timeline", w.timeline, "What was observed, in the order of time")->type_name("DOMAIN");
  sub.add_option("--evidence", w.evidence, "The same as a report for whoever runs the DNS, or for AWS")
      ->type_name("DOMAIN");
  sub.add_option("--since", w.since, "With --timeline or --evidence: 7d, 2026-01-31 or 2026-01-31T12:00:00Z")
      ->type_name("DATE");
  sub.add_option("--output", w.output, "With --evidence: file to write. Default: the standard output")
      ->type_name("FILE");
  sub.add_option("--acknowledge", w.acknowledge, "No reminders of its fault until it is healthy again")
      ->type_name("DOMAIN");
  sub.add_option("--silence", w.silence, "No alerts of it at all for a while")->type_name("DOMAIN");
  sub.add_option("--for", w.duration, "With --silence: 30m, 12h, 2d")->type_name("DURATION");
  sub.add_option("--unsilence", w.unsilence, "Alerts again")->type_name("DOMAIN");
  sub.add_option("--confirm", w.confirm,
                 "The SES console shows it as verified now: what its records lived through is over")
      ->type_name("DOMAIN");
  sub.add_option("--region", w.region, "With --confirm: where it is known in several")->type_name("REGION");
  sub.add_option("--account", w.account, "With --confirm: where it is known in several")->type_name("NAME");
  add_json(sub, a.common);
  sub.footer(std::string("Examples:\n"
                         "  sesame watch --once example.com\n"
                         "  sesame watch --status\n"
                         "  sesame watch --timeline example.com --since 2026-01-01\n"
                         "  sesame watch --evidence example.com --output evidence.txt\n"
                         "  sesame watch --silence example.com --for 12h\n"
                         "  sesame watch --confirm example.com\n\n"
                         "Exit status of --once and --status: 1 with a fault, else 75 where nothing answered or nobody "
                         "looked lately, else 0; of --confirm: 1 where records are at fault or nobody has looked.") +
             kDnsNote);
}

void add_config(CLI::App& app, Arguments& a) {
  a.config.config = config::default_path();
  auto& sub = *app.add_subcommand("config", "Test or print the settings");
  sub.fallthrough();
  sub.require_subcommand(1);
  sub.add_option("--config", a.config.config, "Settings")->capture_default_str()->type_name("FILE");
  subcommand(sub, "test", "Tell every fault with file, line and column", a.run,
             [&a] { return run_config_test(a.common, a.config); });
  auto& print = subcommand(sub, "print", "Print the settings in force", a.run,
                           [&a] { return run_config_print(a.common, a.config); });
  print.add_flag_callback(
      "--defaults", [&a] { a.config.what = ConfigArguments::What::sample; },
      "Print the annotated sample: every setting, commented out at its default");
  sub.footer(std::string("Examples:\n  sesame config test --config new.toml\n  sesame config print --defaults") +
             kDnsNote);
}

// What is wrong with a line that names no command of ours.
std::string without_command(int argc, char** argv, const CLI::ParseError& error) {
  constexpr const char* kExpected =
      "; expected spf, verify, dmarc, preflight, doctor, sync, watch, report, explain, top, tail, policy, "
      "import, setup or config";
  if (argc == 1) return std::string("a command is missing") + kExpected;
  if (argv[1][0] != '-') return "unknown command " + printable(argv[1]) + kExpected;
  return error.what();
}

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Judges mail and predicts its fate after Amazon SES", "sesame");
  app.set_version_flag("--version", "sesame " SESAME_VERSION);
  app.require_subcommand(1);
  app.footer(kExamples);
  app.add_option("--dns", arguments.common.dns, "DNS server to ask instead of the usual ones")->type_name("HOST:PORT");
  add_spf(app, arguments);
  add_verify(app, arguments);
  add_dmarc(app, arguments);
  add_preflight(app, arguments);
  add_sync(app, arguments);
  add_doctor(app, arguments);
  add_watch(app, arguments);
  add_operations(app, arguments);
  add_config(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);  // --help, --version
  } catch (const CLI::ParseError& error) {
    const auto what = app.get_subcommands().empty() ? without_command(argc, argv, error) : error.what();
    return complain(what + "\nsee sesame --help", kUsage);
  }
  return arguments.run();
}

}  // namespace

CLI::App& subcommand(CLI::App& app, const char* name, const char* help, std::function<int()>& run,
                     std::function<int()> command) {
  auto& sub = *app.add_subcommand(name, help);
  sub.fallthrough();  // so that --dns may stand behind the subcommand
  sub.callback([&run, command = std::move(command)] { run = command; });
  return sub;
}

void add_json(CLI::App& sub, Common& common) {
  sub.add_flag_callback(
      "--json", [&common] { common.format = Format::json; }, "Answer with one JSON object");
}

}  // namespace sesame::cli

int main(int argc, char** argv) {
  // A reader that goes away is seen where the answer is written.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return sesame::cli::run(argc, argv);
  } catch (const std::exception& error) {
    return sesame::cli::complain(error.what(), sesame::cli::kUndecided);
  }
}
