// The way of one message through Sesame, for the daemon and the command line alike:
//
//   envelope -> fields -> end_of_header -> body chunks -> finish -> Report
//
// Each step starts the look-ups that it makes possible; only finish() waits, and never longer than the DNS budget.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "dns/caching_resolver.h"
#include "dns/resolver.h"
#include "dns/wire.h"
#include "mail/envelope.h"
#include "policy/decide.h"
#include "policy/report.h"
#include "ses/accounts.h"
#include "ses/arrivals.h"
#include "ses/history.h"

namespace sesame::inspect {

// The file of the configuration's ses.snapshot, as it was when it was last looked at.
struct SnapshotFile {
  std::string stamp;                              // differs for every version of the file; "" = there is none
  std::shared_ptr<const ses::Snapshot> contents;  // null: none could be read since the start
  std::string error;  // why this version cannot be used; `contents` are then those of an earlier one
};

// What a message is judged with. Immutable, so that a reload replaces it whole and messages under way keep theirs.
struct Runtime {
  config::Config config;
  std::shared_ptr<dns::Resolver> resolver;
  std::shared_ptr<dns::CachingResolver> cache;  // `resolver`, where make_runtime() made it; else null
  std::shared_ptr<const dmarc::PublicSuffixList> suffixes;
  SnapshotFile snapshot;
  // Never null; by itself, of nobody.
  std::shared_ptr<const ses::Accounts> accounts =
      std::make_shared<const ses::Accounts>(ses::Settings{}, ses::Snapshot{}, 0);
  std::shared_ptr<const ses::Observer> watch;     // of the records (a watch::Ledger); null: nobody watches them
  std::shared_ptr<const ses::Observer> observer;  // all there are as one, as predictions ask them; null: nobody
  std::shared_ptr<ses::Arrivals> arrivals;        // told of mail received through SES; null: nothing is learned
  std::string arrivals_error;                     // why its file could not be read when this was made; "" = it could
  const Clock* clock = &system_clock();
};

// The resolver that settings ask for.
Result<std::shared_ptr<dns::CachingResolver>> make_resolver(const config::Dns& settings, const Clock& clock,
                                                            dns::Checking checking = dns::Checking::enabled);
// The resolver, the suffix list and the snapshot a configuration asks for. A snapshot that cannot be used is no
// failure: what the configuration says is known all the same.
Result<std::shared_ptr<const Runtime>> make_runtime(config::Config config);
// The same for a reload: keeps the old resolver when the DNS settings did not change, and gives a new one what the old
// one knew; keeps what the old snapshot said where the new one cannot be used.
Result<std::shared_ptr<const Runtime>> make_runtime(config::Config config, const Runtime& old);
// The same with another version of the snapshot's file, and with ages as they are now; null when nothing changed.
std::shared_ptr<const Runtime> refresh(const Runtime& old);

// The same with what somebody who watches the records tells (null: nobody does), for predictions to draw on.
std::shared_ptr<const Runtime> with_watch(const Runtime& old, std::shared_ptr<const ses::Observer> watch);

// outbound: authenticated, or from a configured network or daemon name, or submitted locally; ignored: as configured;
// inbound: the rest.
policy::Direction direction_of(const config::Config& config, const mail::Envelope& envelope);

struct Options {
  std::optional<std::int64_t> now;  // unix seconds; the clock's when absent
  dkim::Options::Keys keys = dkim::Options::Keys::strict;
  std::optional<dmarc::Vintage> only;  // of the two standards of DMARC, evaluates this one; both when absent
};

class Inspection {
 public:
  // Begins when MAIL FROM is known. The queue id and the recipients may be added to envelope() until finish().
  Inspection(std::shared_ptr<const Runtime> runtime, policy::Direction direction, mail::Envelope envelope,
             const Options& options = {});
  ~Inspection();
  Inspection(const Inspection&) = delete;
  Inspection& operator=(const Inspection&) = delete;

  mail::Envelope& envelope();
  policy::Direction direction() const;
  // Keeps a copy.
  void field(const mail::Field& field);
  void end_of_header();
  void body(std::string_view chunk);
  // Waits for DNS, at most for the budget. Call once.
  policy::Report finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sesame::inspect
