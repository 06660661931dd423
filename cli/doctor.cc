// sesame doctor: the full check of sending domains.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "command.h"
#include "dns/meter.h"
#include "dns/name.h"
#include "inspect/render_doctor.h"
#include "mail/address.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

// Nobody's mail waits: a person does, who would rather know.
constexpr int kBudgets = 2;
constexpr std::size_t kAtOnce = 8;

// One examination to be made.
struct Target {
  std::string subject;
  const ses::Account* account;  // never null
};

// What is known of the accounts, from the configuration or the arguments.
struct Knowledge {
  std::vector<ses::Account> made;     // for the arguments
  std::span<const ses::Account> all;  // `made`, or those of the configuration
  ses::Source source = ses::Source::configuration;
};

// A domain, or an address at one, as the examination wants it.
Result<std::string> canonical_subject(const std::string& text) {
  const auto at = text.rfind('@');
  const auto domain = mail::to_ascii_domain(at == std::string::npos ? text : text.substr(at + 1));
  const bool whole = domain && domain->find('.') != std::string::npos && at != 0;
  if (!whole) return failure("\"" + printable(text) + "\" is neither a domain nor an address");
  return at == std::string::npos ? *domain : text.substr(0, at + 1) + *domain;
}

// "" when the arguments go together.
std::string fault_of(const DoctorArguments& arguments) {
  const bool given = !arguments.tokens.empty();
  if (arguments.all == DoctorArguments::All::yes && !arguments.subjects.empty()) return "--all goes without DOMAIN";
  if (arguments.all == DoctorArguments::All::no && arguments.subjects.empty()) return "a DOMAIN or --all is needed";
  if (given && arguments.subjects.size() != 1) return "--token goes with exactly one DOMAIN";
  if (given && arguments.tokens.size() != 1 && arguments.tokens.size() != 3)
    return "--token is needed three times for Easy DKIM, or once with the selector of BYODKIM";
  if (!given && arguments.mail_from) return "--mail-from goes with --token";
  return "";
}

// The one identity that the arguments describe.
Result<ses::Account> described_account(const DoctorArguments& arguments, const std::string& subject,
                                       const ses::Settings& settings) {
  ses::Account account;
  account.name = arguments.account.value_or(settings.account);
  account.region = lower(arguments.region.value_or(settings.region));
  if (account.region.empty()) return failure("--token needs --region, the region that SES gave the tokens in");
  ses::Identity identity;
  identity.name = subject;
  identity.region = account.region;
  identity.account = account.name;
  if (arguments.tokens.size() == 1) identity.dkim.origin = "EXTERNAL";
  for (const auto& token : arguments.tokens) {
    // A label of DNS, as SES writes it.
    const bool label = !token.empty() && token.size() <= dns::kMaxLabel && dns::is_hostname(token) &&
                       token.find('.') == std::string::npos;
    if (!label) return failure("--token: \"" + printable(token) + "\" is no token: one label of letters and digits");
    identity.dkim.tokens.push_back(lower(token));
  }
  if (arguments.mail_from) {
    const auto domain = mail::to_ascii_domain(*arguments.mail_from);
    if (!domain) return failure("--mail-from: \"" + printable(*arguments.mail_from) + "\" is not a domain");
    identity.mail_from.domain = *domain;
  }
  account.identities.edit().push_back(std::move(identity));
  return account;
}

bool is_chosen(const ses::Account& account, const DoctorArguments& arguments) {
  return (!arguments.account || account.name == *arguments.account) &&
         (!arguments.region || iequals(account.region, *arguments.region));
}

// The account whose SES the subject's mail goes through; null when none is such as the arguments ask for.
const ses::Account* account_for(const std::string& subject, const inspect::Runtime& runtime,
                                const DoctorArguments& arguments) {
  const auto at = subject.rfind('@');
  const mail::Mailbox from = at == std::string::npos ? mail::Mailbox{"postmaster", subject}
                                                     : mail::Mailbox{subject.substr(0, at), subject.substr(at + 1)};
  if (arguments.account || arguments.region) {
    const ses::Account* chosen = nullptr;
    for (const auto& each : runtime.accounts->all())
      if (is_chosen(each, arguments) && (!chosen || (!chosen->covering(from) && each.covering(from)))) chosen = &each;
    return chosen;
  }
  ses::Hop hop;
  hop.from = hop.sender = &from;
  return runtime.accounts->relay_of(hop).account;
}

std::vector<Target> every_identity(const inspect::Runtime& runtime, const DoctorArguments& arguments) {
  std::vector<Target> targets;
  for (const auto& account : runtime.accounts->all())
    for (const auto& identity : account.identities)
      if (identity.region == account.region && is_chosen(account, arguments))
        targets.push_back({identity.name, &account});
  return targets;
}

Result<std::vector<Target>> targets_of(const DoctorArguments& arguments, const inspect::Runtime& runtime,
                                       Knowledge& knowledge) {
  knowledge.all = runtime.accounts->all();
  if (arguments.all == DoctorArguments::All::yes) {
    auto targets = every_identity(runtime, arguments);
    if (targets.empty()) return failure("--all: neither configuration nor snapshot names such an identity");
    return targets;
  }
  std::vector<Target> targets;
  for (const auto& text : arguments.subjects) {
    const auto subject = canonical_subject(text);
    if (!subject) return tl::unexpected(subject.error());
    if (!arguments.tokens.empty()) {
      auto account = described_account(arguments, *subject, runtime.config.ses);
      if (!account) return tl::unexpected(account.error());
      knowledge.made.push_back(std::move(*account));
      knowledge.all = knowledge.made;
      knowledge.source = ses::Source::arguments;
      return std::vector<Target>{{*subject, &knowledge.made.front()}};
    }
    const auto* account = account_for(*subject, runtime, arguments);
    if (!account && runtime.accounts->knows_identities())
      return failure("neither configuration nor snapshot knows such an account and region");
    if (!account && knowledge.made.empty())
      knowledge.made.push_back({arguments.account.value_or(""), lower(arguments.region.value_or("")), {}, {}});
    targets.push_back({*subject, account ? account : &knowledge.made.front()});
  }
  return targets;
}

// Makes the examinations, several at a time, and shows how far it is when that takes long.
class Examinations {
 public:
  Examinations(const inspect::Runtime& runtime, const Knowledge& knowledge, dns::Resolver& unchecked,
               std::span<const Target> targets)
      : runtime_(runtime), knowledge_(knowledge), unchecked_(unchecked), targets_(targets), results_(targets.size()) {}

  std::vector<ses::Examination> run() && {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < std::min(kAtOnce, targets_.size()); ++i) workers.emplace_back([this] { work(); });
    show_progress();
    workers.clear();
    return std::move(results_);
  }

 private:
  void work() {
    for (std::size_t index = next_++; index < targets_.size(); index = next_++) {
      results_[index] = examine(targets_[index]);
      const std::lock_guard lock(mutex_);
      ++done_;
      changed_.notify_one();
    }
  }

  ses::Examination examine(const Target& target) {
    dns::Meter resolver(*runtime_.resolver, *runtime_.clock);
    const auto& config = runtime_.config;
    const ses::Surroundings world{.resolver = resolver,
                                  .account = *target.account,
                                  .deadline = runtime_.clock->steady_now() + kBudgets * config.dns.budget,
                                  .suffixes = runtime_.suffixes,
                                  .now = runtime_.clock->unix_now(),
                                  .accounts = knowledge_.all,
                                  .tracking = config.ses.tracking_configuration_sets,
                                  .observer = runtime_.observer.get(),
                                  .meter = &resolver};
    ses::prefetch_examination(resolver, *target.account, target.subject);
    auto examination = ses::examine({world, &unchecked_, knowledge_.source}, target.subject);
    examination.dns = resolver.cost();
    return examination;
  }

  void show_progress() {
    const bool terminal = isatty(STDERR_FILENO) == 1;
    auto patience = std::chrono::milliseconds(1000);
    bool shown = false;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, patience, [this] { return done_ == targets_.size(); })) {
      if (!terminal) continue;
      fmt::print(stderr, "\r{} of {} examined", done_, targets_.size());
      std::fflush(stderr);
      shown = true;
      patience = std::chrono::milliseconds(200);
    }
    if (shown) fmt::print(stderr, "\r\x1b[K");
  }

  const inspect::Runtime& runtime_;
  const Knowledge& knowledge_;
  dns::Resolver& unchecked_;
  std::span<const Target> targets_;
  std::vector<ses::Examination> results_;  // each written by one worker
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t done_ = 0;  // guarded by mutex_
};

int status_of(std::span<const ses::Examination> examinations) {
  using State = ses::Examination::State;
  const auto any = [&](State state) {
    return std::ranges::find(examinations, state, &ses::Examination::state) != examinations.end();
  };
  return any(State::bad) ? kBad : any(State::undecided) ? kUndecided : kFine;
}

}  // namespace

int run_doctor(const Common& common, const DoctorArguments& arguments) {
  if (const auto fault = fault_of(arguments); !fault.empty())
    return complain("doctor: " + fault + "\nsee sesame doctor --help", kUsage);
  auto config = load_settings(arguments.config);
  if (!config) return complain(config.error().message, kUsage);
  const auto made = make_runtime(common, std::move(*config));
  if (!made) return complain(made.error().message, kUsage);
  const auto runtime = with_memory(*made);
  const auto unchecked = inspect::make_resolver(runtime->config.dns, *runtime->clock, dns::Checking::disabled);
  if (!unchecked) return complain(unchecked.error().message, kUsage);
  Knowledge knowledge;
  const auto targets = targets_of(arguments, *runtime, knowledge);
  if (!targets) return complain("doctor: " + targets.error().message, kUsage);

  const auto examinations = Examinations(*runtime, knowledge, **unchecked, *targets).run();
  const bool several = arguments.all == DoctorArguments::All::yes || arguments.subjects.size() > 1;
  const auto text = common.format == Format::json
                        ? inspect::doctor_json(examinations, several ? inspect::Shape::list : inspect::Shape::one)
                        : inspect::doctor_text(examinations);
  return answer(text, status_of(examinations));
}

}  // namespace sesame::cli
