#include "table.h"

#include <algorithm>

#include "util/text.h"

namespace sesame::cli {
namespace {

constexpr std::string_view kGap = "  ";
constexpr std::string_view kNote = "    ";
constexpr std::size_t kNarrowest = 16;
constexpr std::size_t kMaxCell = 1000;

std::string padded(std::string_view text, std::size_t width, Column::Side side) {
  const std::string blanks(width - std::min(width, text.size()), ' ');
  return side == Column::Side::right ? blanks + std::string(text) : std::string(text) + blanks;
}

}  // namespace

void Table::row(std::vector<std::string> cells) {
  for (auto& cell : cells) cell = printable(cell, kMaxCell);
  lines_.push_back({std::move(cells), ""});
}

void Table::note(const std::string& text) {
  if (!lines_.empty()) lines_.back().note = printable(text, kMaxCell);
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  std::size_t all = kGap.size() * (columns_.size() - 1);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto width = columns_[i].title.size();
    for (const auto& each : lines_) width = std::max(width, std::min(each.cells[i].size(), columns_[i].most));
    widths.push_back(width);
    all += width;
  }
  // What is too wide is taken from the widest, which holds text.
  const auto widest = std::ranges::max_element(widths);
  if (all > kWidth) *widest -= std::min(all - kWidth, *widest - std::min(*widest, kNarrowest));
  return widths;
}

std::string Table::line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto& column = columns_[i];
    text += (i > 0 ? std::string(kGap) : "") + padded(clipped(cells[i], widths[i], column.cut), widths[i], column.side);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

std::string Table::text() const {
  std::vector<std::string> titles;
  for (const auto& column : columns_) titles.push_back(column.title);
  const auto widths = this->widths();
  auto text = line(titles, widths);
  for (const auto& each : lines_) {
    text += line(each.cells, widths);
    if (!each.note.empty()) text += paragraph(each.note, kNote, kNote);
  }
  return text;
}

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string counted(std::uint64_t number, std::string_view word) {
  return grouped(number) + " " + std::string(word) + (number == 1 ? "" : "s");
}

std::string clipped(std::string_view text, std::size_t most, Column::Cut cut) {
  constexpr std::string_view kMark = "...";
  if (text.size() <= most) return std::string(text);
  const auto room = most - std::min(most, kMark.size());
  return cut == Column::Cut::end ? std::string(text.substr(0, room)) + std::string(kMark)
                                 : std::string(kMark) + std::string(text.substr(text.size() - room));
}

std::string paragraph(std::string_view text, std::string_view first, std::string_view next) {
  std::string result, line(first);
  auto margin = line.size();
  const auto end_line = [&] {
    result += line + "\n";
    line = next;
    margin = line.size();
  };
  for (auto word : split(text, ' ')) {
    if (word.empty()) continue;
    if (line.size() > margin && line.size() + 1 + word.size() > kWidth) end_line();
    if (line.size() > margin) line += ' ';
    // What is longer than a line is cut where the line ends.
    while (line.size() + word.size() > kWidth) {
      const auto room = kWidth - line.size();
      line += word.substr(0, room);
      word.remove_prefix(room);
      end_line();
    }
    line += word;
  }
  if (line.size() > margin) end_line();
  return result;
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    auto cell = printable(cells[i], kMaxCell);
    if (!cell.empty() && std::string_view("=+-@").find(cell.front()) != std::string_view::npos) cell.insert(0, "'");
    const bool quoted = cell.find_first_of(",\"") != std::string::npos;
    if (i > 0) line += ',';
    if (quoted) line += '"';
    for (const char c : cell) {
      line += c;
      if (c == '"') line += '"';
    }
    if (quoted) line += '"';
  }
  return line + "\r\n";
}

}  // namespace sesame::cli
