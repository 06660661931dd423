#include "watch/look.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <utility>

#include "dns/name.h"
#include "ses/needs.h"
#include "watch/quality.h"
#include "watch/serials.h"
#include "watch/server_look.h"
#include "watch/servers.h"

namespace sesame::watch {
namespace {

// Silence takes longer to be noticed than this, so that whoever answered within it answered during the silence.
constexpr std::int64_t kJustNow = 2;  // seconds
constexpr std::size_t kMaxKept = 100'000;

bool is_definite(const dns::Answer& answer) {
  return !dns::is_temporary(answer.status) && !answer.stale;
}

// Only the resolver is asked: the user's servers have no part in it, or a policy may stand elsewhere in the tree.
bool is_by_resolver(Part part) {
  return part == Part::amazon || part == Part::dmarc;
}

bool is_at_fault(const RecordLook& record) {
  return std::ranges::any_of(record.observations, [](const auto& seen) { return seen.quality != Quality::good; });
}

}  // namespace

const char* to_string(Quality quality) {
  switch (quality) {
    case Quality::good:
      return "good";
    case Quality::absent:
      return "absent";
    case Quality::wrong:
      return "wrong";
    case Quality::failing:
      return "failing";
    case Quality::old:
      break;
  }
  return "old";
}

struct Looker::State {
  explicit State(const Means& given) : means(given), directory(given) {}

  bool resolver_works();
  void settle_targets(Look& look, Deadline deadline);
  Look look(const Subject& subject);

  const Means means;
  Directory directory;
  Serials serials;
  Families families{};

 private:
  std::mutex mutex_;
  std::int64_t worked_at_ = 0;  // guarded by mutex_
  // Of domain and token the zone of the target that it turned out to have. Guarded by mutex_.
  std::map<std::pair<std::string, std::string>, std::string> key_zones_;
};

// Does it, just now? Asks for a name that nobody can have in a cache.
bool Looker::State::resolver_works() {
  const auto now = means.clock.unix_now();
  {
    const std::lock_guard lock(mutex_);
    if (worked_at_ != 0 && now >= worked_at_ && now - worked_at_ <= kJustNow) return true;
  }
  std::random_device random;
  const auto name = fmt::format("{:08x}{:08x}.amazonses.com", random(), random());
  if (!is_definite(*means.resolver.lookup(name, dns::Type::txt, means.clock.steady_now() + kPatience))) return false;
  const std::lock_guard lock(mutex_);
  worked_at_ = now;
  return true;
}

// What can be told of all keys of Easy DKIM only together: the zone that their CNAMEs should lead to, and whether there
// is a key at all.
void Looker::State::settle_targets(Look& look, Deadline deadline) {
  std::vector<Record*> aliases;
  for (auto& [record, observations] : look.records)
    if (record.part == Part::dkim && !record.expected.empty()) aliases.push_back(&record);
  if (aliases.empty()) return;
  std::vector<std::string> tokens;
  for (const auto* record : aliases) tokens.push_back(record->name.substr(0, record->name.find('.')));
  const ses::KeyZone expected{std::string(dns::parent(aliases.front()->expected)), aliases.front()->zone_by_region};
  auto sight = ses::look_at_keys(means.resolver, deadline, look.subject.domain, tokens, expected);
  look.no_key = sight.none_holds_key;
  look.proxied = std::move(sight.proxied);
  if (expected.guessed_for.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (key_zones_.size() >= kMaxKept) key_zones_.clear();
    auto& known = key_zones_[{look.subject.domain, tokens.front()}];
    if (!sight.zone.empty()) known = sight.zone;
    if (sight.undecided && sight.zone.empty()) sight.zone = known;
  }
  // As long as DNS does not tell, every zone that may be right is.
  if (sight.zone.empty() && sight.undecided) return;
  const auto& zone = sight.zone.empty() ? expected.zone : sight.zone;
  for (std::size_t i = 0; i < aliases.size(); ++i) {
    aliases[i]->expected = tokens[i] + "." + zone;
    aliases[i]->zone_by_region.clear();
  }
}

namespace {

// What the resolver says in one look.
class ResolverLook {
 public:
  ResolverLook(const Means& means, Directory& directory)
      : means_(means), directory_(directory), began_(means.clock.steady_now()), deadline_(began_ + kPatience) {}

  Deadline deadline() const { return deadline_; }
  // Something came just now, and from no cache.
  bool has_fresh() const { return has_fresh_; }
  const std::string& bogus_zone() const { return bogus_zone_; }
  // It did not even say that it cannot tell.
  bool any_silent() const { return !silent_.empty(); }
  bool all_silent() const { return any_silent() && !heard_; }

  // Once more what it was silent about: a datagram may get lost, and an outage may be over.
  void ask_again() {
    const auto deadline = means_.clock.steady_now() + kPatience;
    std::erase_if(silent_, [&](const Silence& silence) {
      auto& seen = silence.record->observations[silence.place];
      const auto answer = means_.resolver.lookup(seen.name, seen.type, deadline);
      if (answer->status == dns::Status::timeout) return false;
      take(*answer);
      check_validation(*answer);
      auto appraisal = silence.yardstick->appraise(*answer);
      seen.quality = appraisal.quality;
      seen.answer = std::move(appraisal.answer);
      seen.ttl = answer->ttl;
      return true;
    });
  }

  // `zone` holds the record; "" when that is not known.
  void observe(RecordLook& record, const std::string& zone, const Yardstick& yardstick) {
    const bool of_zone = record.record.part == Part::zone && !zone.empty();
    for (const auto type : record.record.types)
      observe(record, of_zone ? zone : record.record.name, type, zone, yardstick);
  }

 private:
  void observe(RecordLook& record, const std::string& name, dns::Type type, const std::string& zone,
               const Yardstick& yardstick) {
    const auto before = std::chrono::steady_clock::now();
    const auto answer = means_.resolver.lookup(name, type, deadline_);
    const auto latency = std::chrono::steady_clock::now() - before;
    const auto part = record.record.part;
    take(*answer);
    check_validation(*answer);
    // A name that is no zone's, as far as known, has no name servers of its own to miss.
    if (part == Part::zone && zone.empty() && answer->status == dns::Status::nodata) return;
    Observation seen;
    seen.time = means_.clock.unix_now();
    seen.part = part;
    seen.name = name;
    seen.type = type;
    auto appraisal = yardstick.appraise(*answer);
    seen.quality = appraisal.quality;
    seen.answer = std::move(appraisal.answer);
    seen.latency = std::chrono::duration_cast<std::chrono::microseconds>(latency);
    seen.ttl = answer->ttl;
    if (answer->status == dns::Status::timeout) {
      silent_.push_back({&record, record.observations.size(), &yardstick});
    } else {
      heard_ = true;
    }
    record.observations.push_back(std::move(seen));
  }

  void take(const dns::Answer& answer) {
    has_fresh_ = has_fresh_ || (is_definite(answer) && answer.received >= began_);
  }

  // RFC 4035 Section 5.5: what fails validation is SERVFAIL, unless checking is disabled.
  void check_validation(const dns::Answer& answer) {
    if (answer.status != dns::Status::servfail || !bogus_zone_.empty()) return;
    const auto& [name, type] = std::pair(answer.name, answer.type);
    if (dns::is_temporary(means_.unchecked.lookup(name, type, deadline_)->status)) return;
    // Where an alias is well, it is the zone it leads to.
    const auto alias = type == dns::Type::cname ? nullptr : means_.resolver.lookup(name, dns::Type::cname, deadline_);
    const bool leads_on = alias && alias->status == dns::Status::ok && !alias->names.empty();
    const auto& faulty = leads_on ? alias->names.front() : name;
    bogus_zone_ = directory_.zone_of(faulty, deadline_);
    if (bogus_zone_.empty()) bogus_zone_ = faulty;
  }

  const Means& means_;
  Directory& directory_;
  const Deadline began_, deadline_;
  struct Silence {
    RecordLook* record = nullptr;
    std::size_t place = 0;  // among its observations
    const Yardstick* yardstick = nullptr;
  };
  std::vector<Silence> silent_;
  bool heard_ = false;
  bool has_fresh_ = false;
  std::string bogus_zone_;
};

}  // namespace

Look Looker::State::look(const Subject& subject) {
  Look look;
  look.subject = subject;
  look.time = means.clock.unix_now();
  ResolverLook resolver(means, directory);
  for (const auto& record : subject.records) {
    look.records.push_back({record, {}});
    for (const auto type : record.types) means.resolver.prefetch(record.name, type);
  }

  const auto add_zone = [&](const std::string& zone) {
    if (!zone.empty() && std::ranges::find(look.zones, zone) == look.zones.end()) look.zones.push_back(zone);
    return zone;
  };
  add_zone(directory.zone_of(subject.domain, resolver.deadline()));
  settle_targets(look, resolver.deadline());
  std::vector<std::string> zones;
  std::vector<Yardstick> yardsticks;
  yardsticks.reserve(look.records.size());
  RecordLook* of_zone = nullptr;
  std::size_t yardstick_of_zone = 0;
  for (auto& record : look.records) {
    const auto& [part, name, types, expected, by_region] = record.record;
    zones.push_back(is_by_resolver(part) ? "" : add_zone(directory.zone_of(name, resolver.deadline())));
    yardsticks.emplace_back(record.record, means.resolver, resolver.deadline());
    resolver.observe(record, zones.back(), yardsticks.back());
    if (part != Part::zone) continue;
    of_zone = &record;
    yardstick_of_zone = yardsticks.size() - 1;
  }

  ServerLook servers(means, directory, serials, families);
  for (const auto& zone : look.zones)
    servers.ask_zone(zone, of_zone, of_zone ? &yardsticks[yardstick_of_zone] : nullptr);
  for (std::size_t i = 0; i < look.records.size(); ++i)
    if (look.records[i].record.part != Part::zone) servers.want(zones[i], look.records[i], yardsticks[i]);
  servers.ask();
  // A look at either edge of an outage near us, or with a resolver that is down, says nothing of any record.
  const bool began_in_silence = resolver.all_silent() && servers.any_silent();
  resolver.ask_again();
  const bool silent = resolver.any_silent() || servers.any_silent();
  look.nothing_answers = began_in_silence || (silent && !resolver_works());
  const bool reaches_any = !look.nothing_answers && servers.reaches_any();
  servers.tell();
  if (look.nothing_answers) return look;

  look.delegation = servers.delegation(look.records);
  look.bogus_zone = resolver.bogus_zone();
  // What is mended at the parent is seen at once.
  if (of_zone && (look.delegation || is_at_fault(*of_zone)))
    for (const auto& zone : look.zones) directory.doubt(zone);
  if (reaches_any) return look;
  // What a cache still knows is no sign that anything reaches us.
  look.nothing_answers = !resolver.has_fresh() && !resolver_works();
  look.servers_unreachable = !look.nothing_answers && servers.any_asked();
  return look;
}

Looker::Looker(const Means& means) : state_(std::make_unique<State>(means)) {}
Looker::~Looker() = default;

Look Looker::look(const Subject& subject) {
  return state_->look(subject);
}

}  // namespace sesame::watch
