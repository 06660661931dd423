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
// A time before this, when nobody watched yet, is of a clock that was not set: 2020.
constexpr std::int64_t kFirstTime = 1'577'836'800;

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
    same->asked = fault.asked;
    ++same->count;
  } else if (faults.size() < kMaxFaults) {
    faults.push_back(fault);
  }
}

// One record through one look.
class Step {
 public:
  // While the clock is not set no time has passed, as far as is known.
  Step(RecordState& record, Judgement judgement, std::int64_t time)
      : record_(record),
        judgement_(std::move(judgement)),
        time_(time < kFirstTime ? std::max(time, record.checked) : time) {}

  void take() {
    if (judgement_.verdict == Verdict::untold) return;
    if (judgement_.verdict == Verdict::unproven && is_of_servers()) return;
    // That nobody says anything does not bring it back, nor show that it is still gone.
    if (judgement_.verdict == Verdict::faulty && record_.state == State::missing && !judgement_.somewhere) return;
    end_unseen_absence();
    set_times_right();
    record_.checked = time_;
    if (judgement_.verdict == Verdict::good || judgement_.verdict == Verdict::unproven) {
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

  // What nobody saw is not known, nor how long it was where the clock was put back: the record may have been there.
  void end_unseen_absence() {
    if (!record_.missing_since || record_.missing_until) return;
    const auto seen = std::max(record_.last_bad.value_or(0), *record_.missing_since);
    if (time_ < seen || time_ - seen > kBlind) record_.missing_until = seen;
  }

  // What was seen with a clock that was not set, or ahead, was seen now at the latest.
  void set_times_right() {
    const auto set_right = [this](std::int64_t& time) {
      if (time > time_ || (time != 0 && time < kFirstTime)) time = time_;
    };
    // How long an absence was is known nevertheless.
    const auto move_back = [this](std::int64_t& since, std::int64_t& until) {
      const auto ahead = std::max<std::int64_t>(until - time_, 0);
      since -= ahead;
      until -= ahead;
    };
    set_right(record_.since);
    if (record_.first_bad) set_right(*record_.first_bad);
    if (record_.last_bad) set_right(*record_.last_bad);
    for (auto& fault : record_.faults) {
      set_right(fault.first);
      set_right(fault.last);
    }
    if (record_.missing_until) move_back(*record_.missing_since, *record_.missing_until);
    if (record_.earlier) move_back(record_.earlier->since, record_.earlier->until);
  }

  // Is there a fault, or was there just now, that is not the resolver's alone?
  bool is_of_servers() const {
    return record_.state != State::healthy &&
           (record_.faults.empty() || std::ranges::any_of(record_.faults, is_of_server));
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
    // What was confirmed while the record recovered is over: this is another fault.
    if (record_.state == State::healthy || !record_.first_bad) begin();
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
    if (!is_past_revocation(record_)) {
      keep_absence();
      record_.missing_since = time_;
    }
    record_.missing_until.reset();
  }
  void end_absence() {
    if (record_.missing_since && !record_.missing_until) record_.missing_until = time_;
  }

  // A short absence does not undo what a long one before it may have led to.
  void keep_absence() {
    if (!may_be_past_revocation(record_)) return;
    const PastAbsence last{*record_.missing_since, *record_.missing_until};
    auto& earlier = record_.earlier;
    if (!earlier || earlier->until - earlier->since < last.until - last.since) earlier = last;
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

}  // namespace

struct Ledger::Book {
  mutable std::mutex mutex;
  std::map<Place, Page> pages;
  std::int64_t now = 0;  // when anything was last looked at, with whatever success, or restored
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

std::vector<Deadline> deadlines_of(std::span<const RecordState> records, std::int64_t now) {
  std::vector<Deadline> deadlines;
  const auto add_span = [&](Deadline::Kind kind, const ses::Outage& outage, const ses::Span& span) {
    deadlines.push_back({kind, span.earliest, outage.missing_since ? std::optional(span.latest) : std::nullopt});
  };
  if (const auto dkim = outage_of(records, Part::dkim, now); dkim && !dkim->restored) {
    add_span(Deadline::Kind::signing_stops, *dkim, ses::signing_stops(*dkim));
    add_span(Deadline::Kind::revocation, *dkim, ses::revocation(*dkim));
  }
  if (const auto mx = outage_of(records, Part::mail_from_mx, now); mx && !mx->restored)
    add_span(Deadline::Kind::mail_from_fallback, *mx, ses::mail_from_fallback(*mx));
  return deadlines;
}

Ledger::Ledger() : book_(std::make_unique<Book>()) {}
Ledger::~Ledger() = default;

void Ledger::restore(std::vector<RecordState> states, std::span<const Sight> sights, std::int64_t now) {
  const std::lock_guard lock(book_->mutex);
  book_->pages.clear();
  book_->now = now;
  for (auto& state : states) {
    auto& records = book_->pages[place_of(state.key)].records;
    const std::pair what(state.key.part, state.key.name);
    records.insert_or_assign(what, std::move(state));
  }
  for (const auto& sight : sights) {
    const auto found = book_->pages.find({sight.account, sight.identity, sight.region});
    if (found == book_->pages.end()) continue;
    found->second.delegation = sight.delegation;
    found->second.bogus_zone = sight.bogus_zone;
  }
}

std::vector<Sight> Ledger::sights() const {
  const std::lock_guard lock(book_->mutex);
  std::vector<Sight> all;
  for (const auto& [place, page] : book_->pages) {
    if (!page.delegation && page.bogus_zone.empty()) continue;
    auto& sight = all.emplace_back();
    std::tie(sight.account, sight.identity, sight.region) = place;
    sight.delegation = page.delegation;
    sight.bogus_zone = page.bogus_zone;
  }
  return all;
}

bool Ledger::confirm(const std::string& account, const std::string& identity, const std::string& region,
                     std::int64_t time) {
  const std::lock_guard lock(book_->mutex);
  const auto found = book_->pages.find({account, identity, region});
  if (found == book_->pages.end()) return false;
  auto records = found->second.states();
  if (!settle(records, time)) return false;
  for (auto& record : records) {
    const std::pair what(record.key.part, record.key.name);
    found->second.records[what] = std::move(record);
  }
  return true;
}

std::vector<Change> Ledger::take(const Look& look) {
  std::vector<Change> changes;
  const std::lock_guard lock(book_->mutex);
  auto& page = book_->pages[place_of(look.subject)];
  book_->now = look.time;
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

std::map<State, std::size_t> Ledger::counts() const {
  std::map<State, std::size_t> result;
  for (const auto state : kStates) result[state] = 0;
  const std::lock_guard lock(book_->mutex);
  for (const auto& [place, page] : book_->pages)
    for (const auto& [what, record] : page.records) ++result[record.state];
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
  history.dkim_outage = outage_of(records, Part::dkim, book_->now);
  history.mail_from_outage = outage_of(records, Part::mail_from_mx, book_->now);
  return history;
}

}  // namespace sesame::watch
