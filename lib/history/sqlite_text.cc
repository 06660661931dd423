#include "history/sqlite_text.h"

#include <zlib.h>

#include "history/history.h"
#include "sqlite/sqlite.h"

namespace sesame::history {
namespace {

constexpr std::size_t kFirstGuess = 8192;             // octets: most stories
constexpr std::size_t kMostInflated = 4 * kMaxStory;  // octets

}  // namespace

std::string deflated(std::string_view text) {
  if (text.empty()) return {};
  auto size = compressBound(text.size());
  std::string octets(size, '\0');
  const int code = compress2(reinterpret_cast<Bytef*>(octets.data()), &size,
                             reinterpret_cast<const Bytef*>(text.data()), text.size(), Z_DEFAULT_COMPRESSION);
  octets.resize(code == Z_OK ? size : 0);
  return octets;
}

std::string inflated(std::string_view octets) {
  if (octets.empty()) return {};
  for (std::size_t room = kFirstGuess; room <= kMostInflated; room *= 2) {
    std::string text(room, '\0');
    uLongf size = room;
    const int code = uncompress(reinterpret_cast<Bytef*>(text.data()), &size,
                                reinterpret_cast<const Bytef*>(octets.data()), octets.size());
    if (code == Z_BUF_ERROR) continue;
    text.resize(code == Z_OK ? size : 0);
    return text;
  }
  return {};
}

std::string text_of(sqlite3_stmt* statement, int column) {
  const bool is_blob = sqlite3_column_type(statement, column) == SQLITE_BLOB;
  const auto* octets = is_blob ? static_cast<const char*>(sqlite3_column_blob(statement, column))
                               : reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  if (!octets) return {};
  return is_blob ? inflated({octets, size}) : std::string(octets, size);
}

}  // namespace sesame::history
