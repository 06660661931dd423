#include "history/sqlite_prune.h"

#include <algorithm>
#include <limits>

#include "history/sqlite_file.h"

namespace sesame::history {

using sqlite::Connection;
using sqlite::Query;

namespace {

constexpr std::int64_t kMicro = 1'000'000;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kStep = 1000;  // rows of a table that are forgotten at once
// A small file has room for few: for want of room, one goes for so many octets of it.
constexpr std::int64_t kOctetsPerStep = 16'384;
// Sums stay when their messages go for want of room, as far as they are few: one for so many octets of the file.
constexpr std::int64_t kOctetsPerSum = 1024;

// How many went.
Result<std::int64_t> forget(Connection& connection, std::string_view sql, std::int64_t bound, std::int64_t most) {
  Query query(connection, sql);
  if (auto done = query.with(bound).with(most).run(); !done) return tl::unexpected(done.error());
  return connection.changes();
}

// The oldest ones.
Result<std::int64_t> forget_messages(Connection& connection, std::int64_t before, std::int64_t most) {
  constexpr std::string_view kStories =
      "DELETE FROM sesame_story WHERE rowid IN "
      "(SELECT rowid FROM sesame_message WHERE time < ?1 ORDER BY time, rowid LIMIT ?2)";
  constexpr std::string_view kMessages =
      "DELETE FROM sesame_message WHERE rowid IN "
      "(SELECT rowid FROM sesame_message WHERE time < ?1 ORDER BY time, rowid LIMIT ?2)";
  if (auto gone = forget(connection, kStories, before, most); !gone) return gone;
  return forget(connection, kMessages, before, most);
}

Result<std::int64_t> forget_sums(Connection& connection, std::int64_t before) {
  return forget(connection,
                "DELETE FROM sesame_hour WHERE rowid IN "
                "(SELECT rowid FROM sesame_hour WHERE hour < ?1 ORDER BY hour LIMIT ?2)",
                before / kMicro - kHour + 1, kStep);
}

// They are written in the order of their hours, so that the first ones are the oldest.
Result<std::int64_t> forget_sums_beyond(Connection& connection, std::int64_t most) {
  const auto there = number_of(connection, "SELECT coalesce(max(rowid) - min(rowid) + 1, 0) FROM sesame_hour");
  if (!there || *there <= most) return there.map([](std::int64_t) { return std::int64_t{0}; });
  return forget(connection,
                "DELETE FROM sesame_hour WHERE rowid IN "
                "(SELECT rowid FROM sesame_hour WHERE rowid > ?1 ORDER BY rowid LIMIT ?2)",
                0, kStep);
}

// Is there more of what is too old?
Result<bool> forget_old(Connection& connection, std::int64_t before) {
  const auto messages = forget_messages(connection, before, kStep);
  if (!messages) return tl::unexpected(messages.error());
  const auto sums = forget_sums(connection, before);
  if (!sums) return tl::unexpected(sums.error());
  return *messages == kStep || *sums == kStep;
}

// Is there more than there is room for?
Result<bool> make_room(Connection& connection, std::size_t max_size) {
  auto size = size_of(connection);
  if (!size) return tl::unexpected(size.error());
  if (max_size == 0 || size->used <= max_size) return false;
  const auto sums = forget_sums_beyond(connection, static_cast<std::int64_t>(max_size) / kOctetsPerSum);
  if (!sums) return tl::unexpected(sums.error());
  const auto step = std::clamp<std::int64_t>(static_cast<std::int64_t>(max_size) / kOctetsPerStep, 1, kStep);
  const auto messages = forget_messages(connection, std::numeric_limits<std::int64_t>::max(), step);
  if (!messages) return tl::unexpected(messages.error());
  size = size_of(connection);
  if (!size) return tl::unexpected(size.error());
  return size->used > max_size && *sums + *messages > 0;
}

// A part of the file may stay free for what comes next. Is there more to give back?
Result<bool> give_back_what_is_free(Connection& connection, std::size_t max_size) {
  const auto too_free = [max_size](const FileSize& size) {
    const bool too_large = max_size != 0 && size.whole > max_size;
    return (too_large && size.used < size.whole) || size.whole - size.used > size.whole / 4;
  };
  const auto before = size_of(connection);
  if (!before) return tl::unexpected(before.error());
  if (!too_free(*before)) return false;
  if (auto done = give_back(connection); !done) return tl::unexpected(done.error());
  const auto after = size_of(connection);
  if (!after) return tl::unexpected(after.error());
  return after->whole < before->whole && too_free(*after);
}

}  // namespace

Result<bool> prune_history(Connection& connection, std::int64_t before, std::size_t max_size) {
  bool more = false;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    const auto old = forget_old(connection, before);
    if (!old) return tl::unexpected(old.error());
    const auto room = make_room(connection, max_size);
    if (!room) return tl::unexpected(room.error());
    more = *old || *room;
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  const auto free = give_back_what_is_free(connection, max_size);
  if (!free) return free;
  return more || *free;
}

}  // namespace sesame::history
