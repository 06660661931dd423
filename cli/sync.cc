// sesame sync: what the SESv2 API says of an account, into the snapshot file.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "command.h"
#include "sync/credentials.h"
#include "sync/sweep.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

using json = nlohmann::ordered_json;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

void end_gently_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = true; };
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
}

// Where the configuration has mail or identities of this account.
std::set<std::string> regions_of(const ses::Settings& ses, const std::string& account) {
  std::set<std::string> regions;
  if (account == ses.account && !ses.region.empty()) regions.insert(ses.region);
  for (const auto& route : ses.routes)
    if (route.account == account) regions.insert(route.region);
  for (const auto& identity : ses.identities)
    if (identity.account == account) regions.insert(identity.region);
  return regions;
}

bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-'; });
}

Result<sync::Job> job_of(const SyncArguments& arguments, const ses::Settings& ses) {
  const auto account = arguments.account.value_or(ses.account);
  sync::Job job{.account = account,
                .takes_nameless = !account.empty() && account == ses.account,
                .regions = {},
                .snapshot = arguments.snapshot.empty() ? ses.snapshot : arguments.snapshot,
                .max_age = arguments.max_age};
  const std::set<std::string> asked(arguments.regions.begin(), arguments.regions.end());
  for (const auto& region : asked.empty() ? regions_of(ses, job.account) : asked) {
    if (!is_region(region)) return failure(fmt::format("--region: \"{}\" is no region of AWS", printable(region)));
    job.regions.push_back(region);
  }
  if (job.regions.empty())
    return failure(
        fmt::format("no region: the settings name none for account \"{}\"; expected --region", printable(job.account)));
  if (job.snapshot.empty()) return failure("no file: the settings have no ses.snapshot; expected --snapshot");
  return job;
}

// As the SDKs have it: what is said for one service goes before what is said for all.
std::string endpoint_of(const SyncArguments& arguments) {
  if (!arguments.endpoint.empty()) return arguments.endpoint;
  for (const char* name : {"AWS_ENDPOINT_URL_SESV2", "AWS_ENDPOINT_URL"}) {
    const char* value = std::getenv(name);
    if (value && *value) return value;
  }
  return "";
}

// One line that is written over and over, for who watches a terminal.
class Display {
 public:
  explicit Display(double interval) : interval_(interval), on_(isatty(STDERR_FILENO) == 1) {}
  ~Display() { clear(); }

  void show(const sync::Progress& progress) {
    if (!on_) return;
    const auto seconds = static_cast<double>(progress.total - progress.done) * interval_;
    fmt::print(stderr, "\r\x1b[K{}: {} of {} identities, about {:.0f} {} to go", progress.region, progress.done,
               progress.total, seconds < 90 ? seconds : seconds / 60, seconds < 90 ? "s" : "min");
    std::fflush(stderr);
    shown_ = true;
  }

  void clear() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
    shown_ = false;
  }

 private:
  double interval_;
  bool on_;
  bool shown_ = false;
};

std::string or_none(const std::string& value) {
  return value.empty() ? "none" : value;
}

std::string change_text(const sync::Change& change) {
  const auto& subject = change.identity.empty() ? "the account" : change.identity;
  if (change.member.empty()) return fmt::format("  {}: {}\n", subject, change.after);
  return fmt::format("  {}: {} {} -> {}\n", subject, change.member, or_none(change.before), or_none(change.after));
}

std::string text_of(const sync::Swept& swept, const sync::Job& job, std::size_t requests, double seconds) {
  std::string text;
  for (const auto& region : swept.regions) {
    text +=
        fmt::format("{}: {} {}", region.region, region.identities, region.identities == 1 ? "identity" : "identities");
    if (region.kept) text += fmt::format(", {} of them fetched before", region.kept);
    text += '\n';
    for (const auto& change : swept.changes)
      if (change.region == region.region) text += change_text(change);
  }
  return text + fmt::format("{}: replaced, after {} requests in {:.1f} s\n", job.snapshot, requests, seconds);
}

json value_of(const sync::Swept& swept, const sync::Job& job, std::size_t requests, double seconds) {
  auto regions = json::array(), changes = json::array();
  for (const auto& each : swept.regions)
    regions.push_back({{"region", each.region}, {"identities", each.identities}, {"kept", each.kept}});
  const auto text_or_null = [](const std::string& text) { return text.empty() ? json(nullptr) : json(text); };
  for (const auto& each : swept.changes)
    changes.push_back({{"region", each.region},
                       {"identity", text_or_null(each.identity)},
                       {"member", text_or_null(each.member)},
                       {"before", text_or_null(each.before)},
                       {"after", text_or_null(each.after)}});
  return {{"snapshot", job.snapshot}, {"account", job.account}, {"regions", regions}, {"changes", changes},
          {"remarks", swept.remarks}, {"requests", requests},   {"seconds", seconds}};
}

int run(const Common& common, const SyncArguments& arguments, const sync::Job& job) {
  end_gently_on_signals();
  const auto client = http::make_client(interrupted);
  if (!client) return complain(client.error().message, kUndecided);
  const auto& clock = system_clock();
  sync::CredentialChain credentials(**client, clock, arguments.profile);
  const auto milliseconds = [](double seconds) { return std::chrono::milliseconds(static_cast<int>(seconds * 1000)); };
  const sync::Pace pace{.interval = milliseconds(arguments.interval), .timeout = milliseconds(arguments.timeout)};
  sync::SesV2 api(**client, credentials, endpoint_of(arguments), pace, interrupted);
  Display display(arguments.interval);
  const auto begun = clock.steady_now();
  const auto swept =
      sync::sweep(job, api, clock, [&display](const sync::Progress& progress) { display.show(progress); });
  display.clear();
  if (!swept) return complain(fmt::format("{}\n{} is as it was", swept.error().message, job.snapshot), kUndecided);
  const double seconds = std::chrono::duration<double>(clock.steady_now() - begun).count();
  for (const auto& remark : swept->remarks) complain(remark, kFine);
  if (common.format == Format::text) return answer(text_of(*swept, job, api.requests(), seconds), kFine);
  return answer(value_of(*swept, job, api.requests(), seconds).dump(2, ' ', false, json::error_handler_t::replace),
                kFine);
}

}  // namespace

int run_sync(const Common& common, const SyncArguments& arguments) {
  const auto config = load_settings(arguments.config);
  if (!config) return complain(config.error().message, kUsage);
  const auto job = job_of(arguments, config->ses);
  if (!job) return complain(job.error().message, kUsage);
  if (const auto fit = check_replaceable(job->snapshot); !fit) return complain(fit.error().message, kUsage);
  const auto lock = FileLock::take(job->snapshot + ".lock");
  if (!lock) return complain(lock.error().message, kUsage);
  if (!*lock) return complain(fmt::format("{}: another sync is at work", job->snapshot), kUndecided);
  return run(common, arguments, *job);
}

}  // namespace sesame::cli
