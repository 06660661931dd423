// Answers laid out: tables for a terminal of 100 columns, and comma-separated values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sesame::cli {

inline constexpr std::size_t kWidth = 100;

struct Column {
  std::string title;
  enum class Side { left, right } side = Side::left;
  std::size_t most = 40;  // characters; more is cut
  // Of a domain the end tells whose it is.
  enum class Cut { end, beginning } cut = Cut::end;
};

// Rows of cells, each column as wide as its widest cell, as far as the terminal goes; below a row there may be a note.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void row(std::vector<std::string> cells);
  void note(const std::string& text);  // under the last row
  std::string text() const;

 private:
  struct Line {
    std::vector<std::string> cells;
    std::string note;
  };
  std::vector<std::size_t> widths() const;
  std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<Line> lines_;
};

// "1,204"
std::string grouped(std::uint64_t number);
// "1,204 messages", "1 message"
std::string counted(std::uint64_t number, std::string_view word);
// At most so long.
std::string clipped(std::string_view text, std::size_t most, Column::Cut cut);
// A paragraph of lines that begin with `first`, then `next`.
std::string paragraph(std::string_view text, std::string_view first, std::string_view next);

// One line of RFC 4180. What a spreadsheet would take for a formula has an apostrophe before it.
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace sesame::cli
