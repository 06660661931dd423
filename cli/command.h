// What the subcommands share: their arguments, how they end, and how they read and write.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "inspect/inspect.h"
#include "mail/message.h"
#include "util/result.h"

namespace sesame::cli {

// Exit status.
inline constexpr int kFine = 0;
inline constexpr int kBad = 1;         // evaluated, and bad
inline constexpr int kUsage = 2;       // bad usage or configuration, or a message that cannot be read
inline constexpr int kUndecided = 75;  // EX_TEMPFAIL of sysexits.h

enum class Format { text, json, csv };  // csv: where a table is answered

struct Common {
  std::string dns;  // server to ask instead of those configured; "" = as configured
  Format format = Format::text;
};

// The SMTP session as the arguments give it.
struct Session {
  std::optional<std::string> ip;
  std::string helo;
  std::optional<std::string> mail_from;  // "" and "<>" are the null sender
};

struct SpfArguments {
  Session session;
};

struct VerifyArguments {
  Session session;
  std::optional<std::int64_t> now;
  std::string dmarc_mode;  // "" = both
  std::string psl;
  dkim::Options::Keys keys = dkim::Options::Keys::strict;
  std::string file = "-";
};

struct DmarcArguments {
  std::string domain;
};

struct PreflightArguments {
  std::string config;
  std::optional<std::string> mail_from;
  std::vector<std::string> recipients;
  std::vector<std::string> relays;
  std::string file = "-";
};

struct SyncArguments {
  std::optional<std::string> config;  // absent: the installed one, if it is there
  std::vector<std::string> regions;
  std::optional<std::string> account;
  std::string profile;
  std::string endpoint;
  double interval = 1.0;         // seconds
  double timeout = 30.0;         // seconds
  std::int64_t max_age = 86400;  // seconds
  std::string snapshot;
};

struct DoctorArguments {
  std::vector<std::string> subjects;  // domains and addresses
  enum class All { no, yes } all = All::no;
  std::optional<std::string> config;  // absent: the installed one, where there is one
  std::optional<std::string> account;
  std::optional<std::string> region;
  std::vector<std::string> tokens;  // three of Easy DKIM, or the selector of BYODKIM
  std::optional<std::string> mail_from;
};

// At most one of what it does; none of them: to watch until a signal ends it.
struct WatchArguments {
  std::vector<std::string> subjects = {};  // domains and addresses
  std::optional<std::string> config = {};  // absent: the installed one, where there is one
  enum class Once { no, yes } once = Once::no;
  enum class Status { no, yes } status = Status::no;
  std::optional<std::string> timeline = {}, evidence = {}, acknowledge = {}, silence = {}, unsilence = {};
  std::optional<std::string> confirm = {}, account = {}, region = {};  // the last two go with the first
  std::optional<std::string> since = {}, output = {}, duration = {};
};

// What `sesame report`, `top`, `tail` and `policy simulate` look at.
struct HistoryArguments {
  std::optional<std::string> config = {};  // absent: the installed one, where there is one
  std::optional<std::string> store = {};   // instead of history.store
  std::string since = {}, until = {};      // "7d", "2026-01-31", "2026-01-31T12:00:00Z"; "" = as the command says
  std::string domain = {}, host = {};
  std::string direction = {};  // "outbound", "inbound"; "" = both
};

struct ReportArguments {
  HistoryArguments history;
  std::size_t most = 50;  // domains
};

struct ExplainArguments {
  HistoryArguments history;
  std::string queue_id;  // or a finding code
};

struct TopArguments {
  HistoryArguments history;
  std::string by = "from_domain";
  std::size_t most = 20;
};

struct TailArguments {
  HistoryArguments history;
  enum class Follow { no, yes } follow = Follow::no;
  std::size_t lines = 10;
  std::string verdict, action, code, search;
};

struct SimulateArguments {
  HistoryArguments history;
  // Words of the settings, instead of those in force; "" = as in force.
  std::string fail, refused, on_policy_reject, on_policy_quarantine, on_bad_author;
};

struct ImportArguments {
  std::vector<std::string> files;
  std::string output;  // "" = the standard output
};

struct SetupArguments {
  std::string mta;                        // "postfix", "sendmail"
  std::optional<std::string> config = {};  // of Sesame
  std::string directory = {};              // of the MTA's configuration; "" = its own
  enum class Action { show, apply, revert } action = Action::show;
};

struct ConfigArguments {
  std::string config;
  enum class What { current, sample } what = What::current;
};

// Each returns the exit status.
int run_spf(const Common& common, const SpfArguments& arguments);
int run_verify(const Common& common, const VerifyArguments& arguments);
int run_dmarc(const Common& common, const DmarcArguments& arguments);
int run_preflight(const Common& common, const PreflightArguments& arguments);
int run_sync(const Common& common, const SyncArguments& arguments);
int run_doctor(const Common& common, const DoctorArguments& arguments);
int run_watch(const Common& common, const WatchArguments& arguments);
int run_report(const Common& common, const ReportArguments& arguments);
int run_explain(const Common& common, const ExplainArguments& arguments);
int run_top(const Common& common, const TopArguments& arguments);
int run_tail(const Common& common, const TailArguments& arguments);
int run_simulate(const Common& common, const SimulateArguments& arguments);
int run_import(const Common& common, const ImportArguments& arguments);
int run_setup(const Common& common, const SetupArguments& arguments);
int run_config_test(const Common& common, const ConfigArguments& arguments);
int run_config_print(const Common& common, const ConfigArguments& arguments);

// The settings of the file; where none is named, of the installed one, or all defaults if that is not there.
Result<config::Config> load_settings(const std::optional<std::string>& path);

using RuntimePtr = std::shared_ptr<const inspect::Runtime>;

// Judges with this configuration and the DNS server of the arguments. A snapshot that cannot be used is told on the
// standard error.
Result<RuntimePtr> make_runtime(const Common& common, config::Config config);
// The same with what the watch keeps in watch.memory, where it is set. A memory that cannot be used is told on the
// standard error.
RuntimePtr with_memory(RuntimePtr runtime);
// When this command has waited long enough for DNS.
Deadline deadline_of(const inspect::Runtime& runtime);
// The file, or the standard input for "-".
Result<mail::Message> read_message(const std::string& file);
void feed(inspect::Inspection& inspection, const mail::Message& message);
std::string without_brackets(const std::string& path);

// The answer, on the standard output; returns `status`, or kUsage when it cannot be written. A reader that went away
// is no error.
int answer(const std::string& text, int status);
// "sesame: ..." on the standard error, each line; returns `status`.
int complain(const std::string& message, int status);

}  // namespace sesame::cli
