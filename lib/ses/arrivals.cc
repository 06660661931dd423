#include "ses/arrivals.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "util/clock.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t kMaxFile = 16u << 20;
constexpr int kVersion = 1;
// A time further ahead of the clock than this is not taken for the newest.
constexpr std::int64_t kSkew = 300;

std::string text_at(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  return printable(found->get<std::string>(), 512);
}

bool flag_at(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::size_t count_at(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::size_t>() : 0;
}

json to_json(const Arrival& arrival) {
  return {{"time", timestamp(arrival.time)},
          {"signed_domain", arrival.signed_domain},
          {"selector", arrival.selector},
          {"broken_domain", arrival.broken_domain},
          {"broken_reason", arrival.broken_reason},
          {"mail_from_domain", arrival.mail_from_domain},
          {"dkim_aligned", arrival.dkim_aligned},
          {"spf_aligned", arrival.spf_aligned},
          {"region", arrival.region}};
}

json to_json(const ArrivalCounts& counts) {
  return {{"seen", counts.seen},
          {"dkim_aligned", counts.dkim_aligned},
          {"spf_aligned", counts.spf_aligned},
          {"broken", counts.broken}};
}

std::optional<Arrival> arrival_of(const json& object) {
  const auto time = parse_timestamp(text_at(object, "time"));
  if (!time) return std::nullopt;
  Arrival arrival;
  arrival.time = *time;
  arrival.signed_domain = text_at(object, "signed_domain");
  arrival.selector = text_at(object, "selector");
  arrival.broken_domain = text_at(object, "broken_domain");
  arrival.broken_reason = text_at(object, "broken_reason");
  arrival.mail_from_domain = text_at(object, "mail_from_domain");
  arrival.dkim_aligned = flag_at(object, "dkim_aligned");
  arrival.spf_aligned = flag_at(object, "spf_aligned");
  arrival.region = text_at(object, "region");
  return arrival;
}

ArrivalCounts counts_of(const json& object) {
  return {count_at(object, "seen"), count_at(object, "dkim_aligned"), count_at(object, "spf_aligned"),
          count_at(object, "broken")};
}

void count(ArrivalCounts& counts, const Arrival& arrival) {
  ++counts.seen;
  counts.dkim_aligned += arrival.dkim_aligned;
  counts.spf_aligned += arrival.spf_aligned;
  counts.broken += !arrival.broken_domain.empty();
}

// What the sighting shows for certain; nothing when that is nothing.
std::optional<Arrival> proven(const Sighting& sighting) {
  auto arrival = sighting.arrival;
  if (sighting.proof == Sighting::Proof::delivery) return arrival;
  if (sighting.proof == Sighting::Proof::none || arrival.signed_domain.empty()) return std::nullopt;
  return arrival;
}

// Mail that came by way of others says nothing of the envelope. It is passed over while mail that SES delivered lately
// tells the same and more, so that copies sent on or sent again do not hide that.
bool adds_nothing(const Arrival& arrival, const Arrival& known) {
  return arrival.mail_from_domain.empty() && !known.mail_from_domain.empty() &&
         arrival.signed_domain == known.signed_domain && arrival.selector == known.selector &&
         arrival.time - known.time <= Arrivals::kFresh;
}

std::string cannot(const char* what, const std::string& path, int number) {
  return path + ": cannot be " + what + ": " + errno_text(number);
}

}  // namespace

Arrivals::Arrivals(std::string path, std::size_t most)
    : path_(std::move(path)), most_(std::max<std::size_t>(most, 1)) {}

Arrivals::Taken Arrivals::observe(const Identity& identity, const Sighting& sighting, std::int64_t now) {
  const auto arrival = proven(sighting);
  if (!arrival || now - arrival->time > kFresh || arrival->time - now > kSkew) return Taken::not_learned_from;
  return book_.with([&](Book& book) {
    auto& entries = book.entries;
    const auto key = key_of(identity);
    if (entries.size() >= most_ && !entries.contains(key))
      entries.erase(std::ranges::min_element(entries, {}, [](const auto& each) { return each.second.seen; }));
    auto& entry = entries[key];
    ++book.changes;
    entry.seen = now;
    count(entry.counts, *arrival);
    // The clock may have been set back.
    const bool is_future = entry.newest.time - now > kSkew;
    if (arrival->time < entry.newest.time && !is_future) return Taken::older;
    if (!is_future && adds_nothing(*arrival, entry.newest)) return Taken::older;
    entry.newest = *arrival;
    return Taken::newest;
  });
}

History Arrivals::history_of(const Identity& identity) const {
  return book_.with([&](const Book& book) {
    History history;
    const auto found = book.entries.find(key_of(identity));
    if (found == book.entries.end()) return history;
    history.arrival = found->second.newest;
    history.arrivals = found->second.counts;
    return history;
  });
}

std::string Arrivals::to_text(const std::map<Key, Entry>& entries) {
  auto list = json::array();
  for (const auto& [key, entry] : entries)
    list.push_back({{"account", std::get<0>(key)},
                    {"identity", std::get<1>(key)},
                    {"region", std::get<2>(key)},
                    {"seen", timestamp(entry.seen)},
                    {"newest", to_json(entry.newest)},
                    {"counts", to_json(entry.counts)}});
  const json file{{"version", kVersion}, {"arrivals", std::move(list)}};
  return file.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<std::map<Arrivals::Key, Arrivals::Entry>> Arrivals::parse(const std::string& text, std::size_t most) {
  const auto file = json::parse(text, nullptr, false);
  if (file.is_discarded() || !file.is_object()) return failure("is not JSON");
  if (count_at(file, "version") != kVersion) return failure("is of another version");
  const auto list = file.find("arrivals");
  if (list == file.end() || !list->is_array()) return failure("has no list of arrivals");
  std::map<Key, Entry> entries;
  for (const auto& each : *list) {
    const auto newest = each.is_object() && each.contains("newest") ? arrival_of(each["newest"]) : std::nullopt;
    const auto name = each.is_object() ? text_at(each, "identity") : "";
    if (!newest || name.empty()) return failure("has an entry that cannot be read");
    if (entries.size() >= most) break;
    Entry entry{*newest, {}, parse_timestamp(text_at(each, "seen")).value_or(0)};
    if (each.contains("counts")) entry.counts = counts_of(each["counts"]);
    entries.insert_or_assign({text_at(each, "account"), name, text_at(each, "region")}, std::move(entry));
  }
  return entries;
}

Result<void> Arrivals::load() {
  if (path_.empty()) return {};
  // Opening a FIFO may last for ever.
  struct stat found {};
  if (::stat(path_.c_str(), &found) == 0 && !S_ISREG(found.st_mode))
    return failure(path_ + ": cannot be read: it is no regular file");
  std::ifstream in(path_, std::ios::binary);
  if (!in) return errno == ENOENT ? Result<void>() : failure(cannot("read", path_, errno));
  std::string text(kMaxFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return failure(cannot("read", path_, errno));
  if (text.size() > kMaxFile) return failure(path_ + ": is larger than 16 MiB");
  auto entries = parse(text, most_);
  if (!entries) return failure(path_ + ": " + entries.error().message);
  book_.with([&](Book& book) {
    book.entries = std::move(*entries);
    book.saved = ++book.changes;
  });
  return {};
}

Result<void> Arrivals::save() {
  if (path_.empty()) return {};
  const std::lock_guard lock(file_);
  std::map<Key, Entry> entries;
  const auto changes = book_.with([&](const Book& book) {
    if (book.changes != book.saved) entries = book.entries;
    return book.changes == book.saved ? 0 : book.changes;
  });
  if (changes == 0) return {};
  const auto next = path_ + ".new";
  std::ofstream out(next, std::ios::binary | std::ios::trunc);
  out << to_text(entries) << std::flush;
  out.close();
  if (!out) return failure(cannot("written", next, errno));
  if (std::rename(next.c_str(), path_.c_str()) != 0) return failure(cannot("replaced", path_, errno));
  book_.with([&](Book& book) { book.saved = changes; });
  return {};
}

}  // namespace sesame::ses
