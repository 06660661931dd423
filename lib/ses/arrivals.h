// What is learned of our own identities from mail that came back through SES, and where it is kept.
//
// Learning must not help anybody. Old mail can be sent again by whoever has it, without some of its signatures; so
//  - only identities of the configured accounts have an entry: strangers fill nothing;
//  - what counts is the time that SES signed, no older than a day when it arrives, and older never replaces newer;
//  - what is missing is believed only of mail that SES itself delivered (see sighting.h);
//  - what contradicts a prediction is a finding, and makes no verdict better or worse;
//  - a selector seen stands in for tokens that are not configured only as something inferred, and while the DNS has it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "ses/history.h"
#include "ses/sighting.h"
#include "util/guarded.h"
#include "util/result.h"

namespace sesame::ses {

// Thread-safe.
class Arrivals final : public Observer {
 public:
  // What SES signed longer ago than this many seconds is not learned from.
  static constexpr std::int64_t kFresh = 86400;
  static constexpr std::size_t kMaxEntries = 10000;

  // `path` of the file it is kept in; "" = only here. Of more entries than `most` the least recently seen goes.
  explicit Arrivals(std::string path, std::size_t most = kMaxEntries);

  const std::string& path() const { return path_; }
  // What the file has instead of what is here. No file is no error; after an error nothing has changed.
  Result<void> load();
  // Replaces the file when something changed since it was read or written.
  Result<void> save();

  // Mail of `identity`, as seen at `now` (unix seconds). older: what is known of it is newer, or tells more.
  enum class Taken { newest, older, not_learned_from };
  Taken observe(const Identity& identity, const Sighting& sighting, std::int64_t now);

  // The arrival and the counts only.
  History history_of(const Identity& identity) const override;

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  // account, name, region
  struct Entry {
    Arrival newest;
    ArrivalCounts counts;
    std::int64_t seen = 0;  // unix seconds
  };
  struct Book {
    std::map<Key, Entry> entries;
    std::uint64_t changes = 0, saved = 0;  // `saved`: how many changes the file has
  };

  static Key key_of(const Identity& identity) { return {identity.account, identity.name, identity.region}; }
  static std::string to_text(const std::map<Key, Entry>& entries);
  static Result<std::map<Key, Entry>> parse(const std::string& text, std::size_t most);

  const std::string path_;
  const std::size_t most_;
  mutable Guarded<Book> book_;
  std::mutex file_;  // one writer at a time
};

}  // namespace sesame::ses
