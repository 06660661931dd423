#include "watch/record_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "util/text.h"
#include "watch/wording.h"

namespace sesame::watch {

bool is_unknown(const RecordState& record) {
  return record.since == 0 && record.checked == 0;
}

bool are_unknown(std::span<const RecordState> records) {
  return std::ranges::all_of(records, is_unknown);
}

const char* word_of(const RecordState& record) {
  return is_unknown(record) ? "unknown" : to_string(record.state);
}

std::string likeness_of(const RecordState& record) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", to_string(record.key.part), word_of(record), minute(record.since),
                     record.code, unnamed(record.reason, record.key.name));
}

std::string unnamed(std::string_view text, std::string_view name) {
  if (name.empty()) return std::string(text);
  std::string result;
  while (true) {
    const auto at = text.find(name);
    if (at == std::string_view::npos) return result += text;
    const auto end = at + name.size();
    // A name of its own, and not a part of another.
    const bool whole = at > 0 && text[at - 1] == ' ' &&
                       (end == text.size() || std::string_view(" ,;").find(text[end]) != std::string_view::npos);
    result += text.substr(0, whole ? at - 1 : end);
    text.remove_prefix(end);
  }
}

std::string names_text(const std::vector<std::string>& names, std::string_view before) {
  if (names.size() == 1) return std::string(before) + printable(names.front());
  std::vector<std::string> first;
  for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) first.push_back(printable(names[i]));
  return fmt::format(" ({} records: {}{})", names.size(), join(first, ", "),
                     names.size() > kNamed ? fmt::format(" and {} more", names.size() - kNamed) : "");
}

std::string reason_text(const std::string& reason, const std::vector<std::string>& names) {
  return printable(names.size() == 1 ? reason : unnamed(reason, names.front()), 1024);
}

}  // namespace sesame::watch
