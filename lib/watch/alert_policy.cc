#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <tuple>

#include "watch/due.h"
#include "watch/notifier.h"
#include "watch/wording.h"

namespace sesame::watch {
namespace {

using IdentityKey = std::tuple<std::string, std::string, std::string>;  // account, identity, region

constexpr std::int64_t kMinute = 60, kHour = 3600;
// More identities than this within a minute are told together with those that follow.
constexpr std::size_t kSingles = 5;
constexpr std::int64_t kWindow = kMinute;
// Before each digest of a storm; the last holds for all that follow.
constexpr std::int64_t kPauses[] = {3 * kMinute, 5 * kMinute, 10 * kMinute, 15 * kMinute};
// Changes of one identity in an hour.
constexpr std::size_t kChangesAnHour = 4;
// What all looks have in common is told after so many of them, and not before this time.
constexpr int kLooksInARow = 2;
constexpr std::int64_t kSpell = kMinute;

template <class Named>
IdentityKey key_of(const Named& named) {
  return {named.account, named.identity, named.region};
}

// A condition of all looks, as "nothing answers": turns when several looks in a row say so for a while, in both
// directions, so that one that comes and goes makes no storm.
class Spell {
 public:
  void restore(bool holds, std::int64_t time) {
    holds_ = holds;
    began_ = time;
  }

  void take(bool seen, std::int64_t time) {
    if (seen == holds_) {
      looks_ = 0;
      return;
    }
    // The clock may be put back between two looks.
    first_ = looks_++ == 0 ? time : std::min(first_, time);
    last_ = time;
  }

  // Since when what now holds no longer, or from now on, has lasted; nothing when nothing turned.
  std::optional<std::int64_t> turn() {
    if (looks_ < kLooksInARow || last_ - first_ < kSpell) return std::nullopt;
    looks_ = 0;
    holds_ = !holds_;
    if (holds_) began_ = first_;
    return began_;
  }

  bool holds() const { return holds_; }

 private:
  bool holds_ = false;
  int looks_ = 0;  // in a row that say otherwise
  std::int64_t first_ = 0, last_ = 0, began_ = 0;
};

struct Pair {
  RecordState told, now;
};

// An identity of which something is at fault, or was when it was told of last.
struct Entry {
  std::map<std::pair<Part, std::string>, Pair> records;
  std::int64_t told_at = 0;          // all points on SES's clocks until then are told
  std::deque<std::int64_t> changes;  // told within the last hour
  std::vector<Moment> moments;       // not told yet, in the order of time

  bool changed() const {
    return std::ranges::any_of(records,
                               [](const auto& each) { return each.second.told.state != each.second.now.state; });
  }

  std::vector<RecordState> standing() const {
    std::vector<RecordState> all;
    for (const auto& [key, pair] : records)
      if (pair.now.state != State::healthy) all.push_back(pair.now);
    return all;
  }

  bool idle() const {
    return std::ranges::all_of(records, [](const auto& each) {
      return each.second.told.state == State::healthy && each.second.now.state == State::healthy;
    });
  }
};

std::vector<Moment> moments_of(const std::vector<Deadline>& deadlines,
                               const std::vector<std::chrono::seconds>& reminders) {
  std::vector<Moment> moments;
  for (const auto& deadline : deadlines) {
    for (const auto before : reminders)
      moments.push_back({Moment::Which::near, deadline, deadline.earliest - before.count()});
    moments.push_back({Moment::Which::comes, deadline, deadline.earliest});
    if (deadline.latest) moments.push_back({Moment::Which::surely, deadline, *deadline.latest});
  }
  std::ranges::stable_sort(moments, {}, &Moment::at);
  return moments;
}

// The one that comes next; where all have come, the last.
std::optional<Deadline> next_of(std::span<const Deadline> deadlines, std::int64_t now) {
  std::optional<Deadline> next;
  std::int64_t best = 0;
  for (const auto& deadline : deadlines) {
    for (const auto at : {deadline.earliest, deadline.latest.value_or(deadline.earliest)}) {
      const bool sooner = at > now && (best <= now || at < best);
      const bool later = at <= now && best <= now && at > best;
      if (next && !sooner && !later) continue;
      next = deadline;
      best = at;
    }
  }
  return next;
}

}  // namespace

struct AlertPolicy::Book {
  std::vector<std::chrono::seconds> reminders;
  std::map<IdentityKey, Entry> entries;
  std::vector<Silence> silences;
  Spell silence, unreachable;
  std::deque<std::int64_t> singles;  // told one by one within the window
  bool storm = false;
  std::size_t digests = 0;  // of this storm
  std::int64_t next_digest = 0;

  bool silenced(const IdentityKey& key, std::int64_t now) const {
    return std::ranges::any_of(silences, [&](const Silence& each) {
      return each.kind == Silence::Kind::silenced && key_of(each) == key && each.made <= now && now < each.until;
    });
  }

  // Of a fault that there was before the acknowledgement: what begins after it is another.
  bool acknowledged(const IdentityKey& key, const Entry& entry) const {
    return std::ranges::any_of(silences, [&](const Silence& each) {
      if (each.kind != Silence::Kind::acknowledged || key_of(each) != key) return false;
      return std::ranges::any_of(entry.records, [&each](const auto& record) {
        const auto& now = record.second.now;
        return now.state != State::healthy && now.first_bad.value_or(now.since) <= each.made;
      });
    });
  }

  void set_moments(Entry& entry) {
    const auto standing = entry.standing();
    entry.moments = moments_of(deadlines_of(standing, 0), reminders);
    // What a clock says of the moment a fault begins is told with the change.
    auto told = std::numeric_limits<std::int64_t>::max();
    for (const auto& record : standing) told = std::min(told, record.first_bad.value_or(record.since));
    told = std::max(told, entry.told_at);
    std::erase_if(entry.moments, [told](const Moment& moment) { return moment.at <= told; });
  }

  static bool is_certain(const Entry& entry, const Moment& moment, std::int64_t now) {
    return std::ranges::any_of(deadlines_of(entry.standing(), now), [&moment](const Deadline& deadline) {
      return deadline.kind == moment.deadline.kind && deadline.latest;
    });
  }

  // The last of the points on SES's clocks that came and were not told: what came before it is past. Of what nobody has
  // seen missing lately it is not said that SES has surely acted.
  static std::optional<Moment> moment_of(const Entry& entry, std::int64_t now) {
    std::optional<Moment> last;
    for (const auto& moment : entry.moments) {
      if (moment.at > now) break;
      if (moment.which != Moment::Which::surely || is_certain(entry, moment, now)) last = moment;
    }
    return last;
  }

  // Something to tell of one identity.
  struct Due {
    IdentityKey key;
    Entry* entry = nullptr;
    bool changed = false;
    std::optional<Moment> moment{};
  };

  std::vector<Due> all_due(std::int64_t now) {
    std::vector<Due> all;
    for (auto& [key, entry] : entries) {
      const bool changed = entry.changed() && entry.changes.size() < kChangesAnHour;
      auto moment = moment_of(entry, now);
      if ((!changed && !moment) || silenced(key, now)) continue;
      if (moment && acknowledged(key, entry)) {
        // Not to be told once the acknowledgement is over, either.
        std::erase_if(entry.moments, [now](const Moment& each) { return each.at <= now; });
        moment.reset();
      }
      if (changed || moment) all.push_back({key, &entry, changed, std::move(moment)});
    }
    return all;
  }

  static void add_changes(const Due& due, std::vector<Change>& changes) {
    if (!due.changed) return;
    for (const auto& [key, pair] : due.entry->records)
      if (pair.told.state != pair.now.state) changes.push_back({pair.told, pair.now});
  }

  void mark_told(const Due& due, std::int64_t now) {
    auto& entry = *due.entry;
    if (due.changed) {
      entry.changes.push_back(now);
      for (auto& [key, pair] : entry.records) pair.told = pair.now;
      std::erase_if(entry.records, [](const auto& each) { return each.second.now.state == State::healthy; });
    }
    entry.told_at = now;
    set_moments(entry);
  }

  Notice single(const Due& due, std::int64_t now) {
    Notice notice;
    notice.kind = due.changed ? Notice::Kind::change : Notice::Kind::reminder;
    notice.time = now;
    std::tie(notice.account, notice.identity, notice.region) = due.key;
    add_changes(due, notice.changes);
    const auto standing = due.entry->standing();
    const auto deadlines = deadlines_of(standing, now);
    notice.deadline = due.changed ? next_of(deadlines, now) : due.moment->deadline;
    if (due.changed)
      word_change(notice, {standing, deadlines});
    else
      word_reminder(notice, {standing, deadlines}, *due.moment);
    mark_told(due, now);
    return notice;
  }

  Notice digest(const std::vector<Due>& all, std::int64_t now) {
    Notice notice;
    notice.kind = Notice::Kind::digest;
    notice.time = now;
    notice.identities = all.size();
    std::vector<Reminded> reminded;
    for (const auto& due : all) {
      add_changes(due, notice.changes);
      if (!due.changed) reminded.push_back({std::get<1>(due.key), *due.moment});
    }
    word_digest(notice, reminded, next_digest - now);
    for (const auto& due : all) mark_told(due, now);
    return notice;
  }

  void start_pause(std::int64_t now) {
    next_digest = now + kPauses[std::min(digests, std::size(kPauses) - 1)];
    ++digests;
  }

  void add_identities(std::vector<Notice>& notices, std::int64_t now) {
    if (storm && is_yet_to_come(next_digest, now, *std::rbegin(kPauses))) return;
    auto all = all_due(now);
    if (storm && all.size() > kSingles) {
      start_pause(now);
      notices.push_back(digest(all, now));
      return;
    }
    storm = false;
    forget_past(singles, now, kWindow);
    for (const auto& due : all) {
      if (singles.size() >= kSingles) {
        storm = true;
        digests = 0;
        start_pause(now);
        return;
      }
      notices.push_back(single(due, now));
      singles.push_back(now);
    }
  }

  static void add_turn(std::vector<Notice>& notices, Spell& spell, Notice::Kind begins, Notice::Kind ends,
                       std::int64_t now) {
    const auto began = spell.turn();
    if (!began) return;
    Notice notice;
    notice.kind = spell.holds() ? begins : ends;
    notice.time = now;
    notice.identities = 0;
    word_connection(notice, *began);
    notices.push_back(std::move(notice));
  }

  // All that is not of the last `window`.
  static void forget_past(std::deque<std::int64_t>& times, std::int64_t now, std::int64_t window) {
    std::erase_if(times, [=](std::int64_t time) { return !is_yet_to_come(time + window, now, window); });
  }

  void forget_idle(std::int64_t now) {
    for (auto each = entries.begin(); each != entries.end();) {
      auto& entry = each->second;
      forget_past(entry.changes, now, kHour);
      if (entry.told_at > now) {
        // Told by a clock that was ahead: what comes from now on is not told yet.
        entry.told_at = now;
        set_moments(entry);
      }
      each = entry.idle() && entry.changes.empty() ? entries.erase(each) : std::next(each);
    }
  }
};

AlertPolicy::AlertPolicy(std::vector<std::chrono::seconds> reminders) : book_(std::make_unique<Book>()) {
  book_->reminders = std::move(reminders);
}
AlertPolicy::~AlertPolicy() = default;

void AlertPolicy::restore(std::span<const RecordState> states, std::span<const Notice> notices) {
  auto& book = *book_;
  book.entries.clear();
  std::map<IdentityKey, Entry> entries;
  for (const auto& state : states) {
    RecordState told;
    told.key = state.key;
    entries[key_of(state.key)].records[{state.key.part, state.key.name}] = {std::move(told), state};
  }
  for (const auto& notice : notices) {
    if (notice.kind == Notice::Kind::silence || notice.kind == Notice::Kind::restored)
      book.silence.restore(notice.kind == Notice::Kind::silence, notice.time);
    if (notice.kind == Notice::Kind::unreachable || notice.kind == Notice::Kind::reachable)
      book.unreachable.restore(notice.kind == Notice::Kind::unreachable, notice.time);
    for (const auto& change : notice.changes) {
      const auto entry = entries.find(key_of(change.after.key));
      if (entry == entries.end()) continue;
      const auto record = entry->second.records.find({change.after.key.part, change.after.key.name});
      if (record != entry->second.records.end()) record->second.told = change.after;
    }
    const auto own = entries.find(key_of(notice));
    if (own != entries.end()) own->second.told_at = notice.time;
    if (notice.kind != Notice::Kind::digest) continue;
    // Whatever was to be told then was told.
    for (auto& [key, entry] : entries)
      if (!book.silenced(key, notice.time)) entry.told_at = notice.time;
  }
  for (auto& [key, entry] : entries) {
    std::erase_if(entry.records, [](const auto& each) {
      return each.second.told.state == State::healthy && each.second.now.state == State::healthy;
    });
    if (entry.records.empty()) continue;
    book.set_moments(entry);
    book.entries.emplace(key, std::move(entry));
  }
}

void AlertPolicy::set_silences(std::vector<Silence> silences) {
  book_->silences = std::move(silences);
}

void AlertPolicy::take(const Look& look, std::span<const RecordState> states) {
  auto& book = *book_;
  book.silence.take(look.nothing_answers, look.time);
  if (look.nothing_answers) return;
  book.unreachable.take(look.servers_unreachable, look.time);
  const auto key = key_of(look.subject);
  const auto known = book.entries.find(key);
  const bool healthy = std::ranges::all_of(states, [](const auto& each) { return each.state == State::healthy; });
  if (healthy && known == book.entries.end()) return;
  auto& entry = known == book.entries.end() ? book.entries[key] : known->second;
  std::map<std::pair<Part, std::string>, Pair> records;
  for (const auto& state : states) {
    const auto record = entry.records.find({state.key.part, state.key.name});
    if (record == entry.records.end() && state.state == State::healthy) continue;
    RecordState told;
    told.key = state.key;
    if (record != entry.records.end()) told = std::move(record->second.told);
    records[{state.key.part, state.key.name}] = {std::move(told), state};
  }
  entry.records = std::move(records);
  book.set_moments(entry);
}

void AlertPolicy::keep_only(std::span<const Subject> subjects) {
  std::map<IdentityKey, bool> kept;
  for (const auto& subject : subjects) kept[key_of(subject)] = true;
  std::erase_if(book_->entries, [&kept](const auto& each) { return !kept.contains(each.first); });
}

std::vector<Notice> AlertPolicy::due(std::int64_t now) {
  using Kind = Notice::Kind;
  std::vector<Notice> notices;
  Book::add_turn(notices, book_->silence, Kind::silence, Kind::restored, now);
  Book::add_turn(notices, book_->unreachable, Kind::unreachable, Kind::reachable, now);
  book_->forget_idle(now);
  book_->add_identities(notices, now);
  return notices;
}

}  // namespace sesame::watch
