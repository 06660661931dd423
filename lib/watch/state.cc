#include "watch/state.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

#include "ses/clocks.h"
#include "watch/judge.h"
#include "watch/outages.h"

namespace sesame::watch {
namespace {

using Verdict = Judgement::Verdict;

// So many in a row make a record healthy again.
constexpr int kGoodLooks = 3;
// Of one record, in one fault; servers come and go.
constexpr std::size_t kMaxFaults = 200;
// A fault that is over is told of until SES must have let go of it.
constexpr std::int64_t kPast = ses::kNoticed + ses::kRevoked;
// A record that nobody could ask for during this time may have been mended.
constexpr std::int64_t kBlind = 6 * ses::kHour;

constexpr std::array kStates = {State::healthy, State::degraded, State::missing, State::recovering};

using Place = std::tuple<std::string, std::string, std::string>;

Place place_of(const RecordKey& key) {
  return {key.account, key.identity, key.region};
}
Place place_of(const Subject& subject) {
  return {subject.account, subject.identity, subject.region};
}
RecordKey key_of(const Subject& subject, const Record& record) {
  return {subject.account, subject.identity, subject.region, record.part, record.name};
}

void add(const ses::ServerFault& fault, std::vector<ses::ServerFault>& faults) {
  const auto what = [](const ses::ServerFault& each) {
    return std::tie(each.server, each.name, each.type, each.transport);
  };
  const auto same = std::ranges::find_if(faults, [&](const auto& each) { return what(each) == what(fault); });
  if (same != faults.end()) {
    same->answer = fault.answer;
    same->last = fault.last;
    ++same->count;
  } else if (faults.size() < kMaxFaults) {
    faults.push_back(fault);
  }
}

// One record through one look.
class Step {
 public:
  Step(RecordState& record, Judgement judgement, std::int64_t time)
      : record_(record), judgement_(std::move(judgement)), time_(time) {}

  void take() {
    if (judgement_.verdict == Verdict::untold) return;
    // That nobody says anything does not bring it back, nor show that it is still gone.
    if (judgement_.verdict == Verdict::faulty && record_.state == State::missing && !judgement_.somewhere) return;
    record_.checked = time_;
    if (judgement_.verdict == Verdict::good) {
      be_good();
    } else if (!never_was()) {
      be_bad();
    }
  }

 private:
  // A policy may stand further up the tree: one that was never here is not missed.
  bool never_was() const {
    return record_.key.part == Part::dmarc && record_.state == State::healthy && record_.good_looks == 0 &&
           judgement_.code != ses::to_string(ses::Code::dmarc_invalid);
  }

  void go(State state) {
    if (record_.state == state) return;
    record_.state = state;
    record_.since = time_;
  }

  void be_good() {
    record_.good_looks = std::min(record_.good_looks + 1, kGoodLooks);
    if (record_.since == 0) record_.since = time_;
    if (record_.state == State::healthy) return;
    end_absence();
    if (record_.state == State::recovering && record_.good_looks >= kGoodLooks) {
      go(State::healthy);
      record_.code.clear();
      record_.reason.clear();
    } else if (record_.state != State::recovering) {
      go(State::recovering);
      if (record_.key.part == Part::dkim) record_.code = ses::to_string(ses::Code::dkim_past_fault);
      record_.reason = "answers well everywhere again; before, " + record_.reason;
    }
  }

  void be_bad() {
    record_.good_looks = 0;
    if (record_.state == State::healthy) begin();
    record_.last_bad = time_;
    for (const auto& fault : judgement_.faults) add(fault, record_.faults);
    // That nobody says anything does not bring it back.
    const bool missing =
        judgement_.verdict == Verdict::missing || (record_.state == State::missing && !judgement_.somewhere);
    if (missing) {
      begin_absence();
    } else {
      end_absence();
    }
    go(missing ? State::missing : State::degraded);
    record_.code = std::move(judgement_.code);
    record_.reason = std::move(judgement_.reason);
  }

  void begin() {
    record_.first_bad = time_;
    record_.faults.clear();
  }

  void begin_absence() {
    if (record_.missing_since && !record_.missing_until) return;
    if (!is_past_revocation(record_)) record_.missing_since = time_;
    record_.missing_until.reset();
  }
  void end_absence() {
    if (record_.missing_since && !record_.missing_until) record_.missing_until = time_;
  }

  RecordState& record_;
  Judgement judgement_;
  const std::int64_t time_;
};

// What is known of one identity.
struct Page {
  std::map<std::pair<Part, std::string>, RecordState> records;
  std::optional<ses::DelegationMismatch> delegation;
  std::string bogus_zone;
  std::int64_t asked = 0;  // when it was last looked at, with whatever success

  std::vector<RecordState> states() const {
    std::vector<RecordState> result;
    for (const auto& [what, record] : records) result.push_back(record);
    return result;
  }
};

void tell_faults(const RecordState& record, ses::History& history) {
  if (record.key.part != Part::dkim) return;
  const bool at_fault = record.state == State::degraded || record.state == State::missing;
  const bool lately = record.last_bad && record.checked - *record.last_bad < kPast;
  for (const auto& fault : record.faults) {
    if (!is_of_server(fault)) continue;
    // A server that answers well again while others do not is told of when all do.
    if (at_fault && fault.last == record.last_bad) history.present.push_back(fault);
    if (!at_fault && lately) history.past.push_back(fault);
  }
}

// An absence that was last seen long ago is no longer certain, unless SES had let go by then.
void weaken(std::span<const RecordState> records, Part part, std::int64_t asked, std::optional<ses::Outage>& outage) {
  if (!outage || !outage->missing_since || outage->restored) return;
  std::int64_t seen = 0;
  for (const auto& record : records)
    if (record.key.part == part && record.state == State::missing) seen = std::max(seen, record.last_bad.value_or(0));
  if (asked - seen > kBlind && seen - *outage->missing_since < kPast) outage->missing_since.reset();
}

}  // namespace

struct Ledger::Book {
  mutable std::mutex mutex;
  std::map<Place, Page> pages;
};

const char* to_string(State state) {
  switch (state) {
    case State::healthy:
      return "healthy";
    case State::degraded:
      return "degraded";
    case State::missing:
      return "missing";
    case State::recovering:
      break;
  }
  return "recovering";
}

std::optional<State> parse_state(std::string_view word) {
  const auto* found = std::ranges::find_if(kStates, [&](State state) { return word == to_string(state); });
  return found == kStates.end() ? std::nullopt : std::optional(*found);
}

const char* to_string(Deadline::Kind kind) {
  switch (kind) {
    case Deadline::Kind::signing_stops:
      return "signing_stops";
    case Deadline::Kind::revocation:
      return "revocation";
    case Deadline::Kind::mail_from_fallback:
      break;
  }
  return "mail_from_fallback";
}

std::vector<Deadline> deadlines_of(std::span<const RecordState> records) {
  std::vector<Deadline> deadlines;
  const auto add_span = [&](Deadline::Kind kind, const ses::Span& span) {
    deadlines.push_back({kind, span.earliest, span.latest});
  };
  if (const auto dkim = outage_of(records, Part::dkim); dkim && !dkim->restored) {
    add_span(Deadline::Kind::signing_stops, ses::signing_stops(*dkim));
    add_span(Deadline::Kind::revocation, ses::revocation(*dkim));
  }
  if (const auto mx = outage_of(records, Part::mail_from_mx); mx && !mx->restored)
    add_span(Deadline::Kind::mail_from_fallback, ses::mail_from_fallback(*mx));
  return deadlines;
}

Ledger::Ledger() : book_(std::make_unique<Book>()) {}
Ledger::~Ledger() = default;

void Ledger::restore(std::vector<RecordState> states) {
  const std::lock_guard lock(book_->mutex);
  book_->pages.clear();
  for (auto& state : states) {
    auto& records = book_->pages[place_of(state.key)].records;
    const std::pair what(state.key.part, state.key.name);
    records.insert_or_assign(what, std::move(state));
  }
}

std::vector<Change> Ledger::take(const Look& look) {
  std::vector<Change> changes;
  const std::lock_guard lock(book_->mutex);
  auto& page = book_->pages[place_of(look.subject)];
  page.asked = look.time;
  if (look.nothing_answers) return changes;
  page.delegation = look.delegation;
  page.bogus_zone = look.bogus_zone;
  std::set<std::pair<Part, std::string>> looked_at;
  for (const auto& each : look.records) {
    const std::pair what(each.record.part, each.record.name);
    looked_at.insert(what);
    auto& record = page.records[what];
    record.key = key_of(look.subject, each.record);
    const auto before = record;
    Step(record, judge(look, each), look.time).take();
    if (record.state != before.state) changes.push_back({before, record});
  }
  std::erase_if(page.records, [&](const auto& each) { return !looked_at.contains(each.first); });
  return changes;
}

void Ledger::keep_only(std::span<const Subject> subjects) {
  std::map<Place, std::set<std::pair<Part, std::string>>> kept;
  for (const auto& subject : subjects)
    for (const auto& record : subject.records) kept[place_of(subject)].emplace(record.part, record.name);
  const std::lock_guard lock(book_->mutex);
  std::erase_if(book_->pages, [&](const auto& page) { return !kept.contains(page.first); });
  for (auto& [place, page] : book_->pages) {
    const auto& records = kept.at(place);
    std::erase_if(page.records, [&](const auto& each) { return !records.contains(each.first); });
  }
}

std::vector<RecordState> Ledger::states() const {
  std::vector<RecordState> result;
  const std::lock_guard lock(book_->mutex);
  for (const auto& [place, page] : book_->pages)
    for (const auto& [what, record] : page.records) result.push_back(record);
  return result;
}

std::vector<RecordState> Ledger::states_of(const std::string& account, const std::string& identity,
                                           const std::string& region) const {
  const std::lock_guard lock(book_->mutex);
  const auto found = book_->pages.find({account, identity, region});
  return found == book_->pages.end() ? std::vector<RecordState>() : found->second.states();
}

ses::History Ledger::history_of(const ses::Identity& identity) const {
  ses::History history;
  const std::lock_guard lock(book_->mutex);
  const auto found = book_->pages.find({identity.account, identity.name, identity.region});
  if (found == book_->pages.end()) return history;
  const auto& page = found->second;
  const auto records = page.states();
  for (const auto& record : records) tell_faults(record, history);
  history.delegation = page.delegation;
  history.bogus_zone = page.bogus_zone;
  history.dkim_outage = outage_of(records, Part::dkim);
  history.mail_from_outage = outage_of(records, Part::mail_from_mx);
  weaken(records, Part::dkim, page.asked, history.dkim_outage);
  weaken(records, Part::mail_from_mx, page.asked, history.mail_from_outage);
  return history;
}

}  // namespace sesame::watch
