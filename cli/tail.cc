// sesame tail: the newest messages, and those to come.
#include <fmt/core.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "command.h"
#include "history_args.h"
#include "table.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

using history::Filter;
using history::Row;

constexpr std::size_t kMaxLine = 1000;
constexpr std::size_t kAtATime = 1000;  // rows of one daemon that are fetched at once

std::vector<std::string> csv_cells(const Row& row) {
  return {moment_text(row.time), row.host,   row.queue_id, row.direction, row.from_domain, row.mail_from,
          row.message_id,        row.client, row.verdict,  row.action,    row.code,        row.why};
}

std::string csv_heading() {
  return csv_line({"time", "host", "queue_id", "direction", "from_domain", "mail_from", "message_id", "client",
                   "verdict", "action", "code", "why"});
}

// Lines come one by one, so that columns have the widths that most of them need.
std::string text_line(const Row& row) {
  auto text = fmt::format("{} {:3} {:9} {:8} {:14} ", moment_text(row.time), row.direction == "outbound" ? "out" : "in",
                          row.verdict, row.action, dash(row.queue_id));
  const auto code = row.code.empty() ? "" : " " + row.code;
  constexpr std::size_t kShortest = 12;
  const auto room = std::max(kWidth - std::min(kWidth, text.size() + code.size()), kShortest);
  return printable(text + clipped(dash(row.from_domain), room, Column::Cut::beginning) + code, kMaxLine) + "\n";
}

std::string line(const Row& row, Format format) {
  switch (format) {
    case Format::json:
      return dump(row_json(row), -1) + "\n";
    case Format::csv:
      return csv_line(csv_cells(row));
    case Format::text:
      break;
  }
  return text_line(row);
}

std::string lines(const std::vector<Row>& rows, Format format) {
  std::string text;
  for (const auto& row : rows) text += line(row, format);
  return text;
}

// False when nobody reads any more, or nothing can be written.
bool write(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

Filter filter_of(const Asked& asked, const TailArguments& arguments) {
  Filter filter;
  filter.scope = asked.scope;
  filter.verdict = arguments.verdict;
  filter.action = arguments.action;
  filter.code = arguments.code;
  filter.search = arguments.search;
  filter.most = arguments.lines;
  return filter;
}

// Oldest first.
Result<std::vector<Row>> newest(history::Reader& reader, const Filter& filter) {
  auto rows = history::find(reader, filter);
  if (rows) std::ranges::reverse(*rows);
  return rows;
}

// Blocked, so that one place takes them.
sigset_t take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// A store that is away is told once, and asked until it is back.
int follow(history::Reader& reader, history::Marks marks, Filter filter, Format format, const sigset_t& signals) {
  filter.most = kAtATime;
  bool away = false;
  while (true) {
    const timespec second{1, 0};
    if (sigtimedwait(&signals, nullptr, &second) > 0) return kFine;
    const auto rows = history::arrived(reader, marks, filter);
    if (!rows && !away) complain("tail: " + rows.error().message + "; it is tried again", kFine);
    if (rows && away) complain("tail: the history is there again", kFine);
    away = !rows;
    if (!rows || write(lines(*rows, format))) continue;
    return errno == EPIPE ? kFine : complain("cannot write the answer: " + errno_text(errno), kUsage);
  }
}

}  // namespace

int run_tail(const Common& common, const TailArguments& arguments) {
  const bool follows = arguments.follow == TailArguments::Follow::yes;
  sigset_t signals;
  if (follows) signals = take_signals();
  auto asked = ask_history(arguments.history);
  if (!asked) return complain("tail", asked.error());
  const auto filter = filter_of(*asked, arguments);
  // First, so that nothing falls between these and the rows.
  auto marks = history::marks(*asked->reader);
  if (!marks) return complain("tail", marks.error());
  const auto rows = newest(*asked->reader, filter);
  if (!rows) return complain("tail", rows.error());
  for (const auto& row : *rows) (*marks)[row.origin] = std::max((*marks)[row.origin], row.sequence);
  const auto text = (common.format == Format::csv ? csv_heading() : "") + lines(*rows, common.format);
  if (follows) return write(text) ? follow(*asked->reader, *std::move(marks), filter, common.format, signals) : kFine;
  if (text.empty() && common.format == Format::text)
    return complain(fmt::format("tail: there are no such messages in {}", asked->store), kFine);
  return text.empty() ? kFine : answer(text, kFine);
}

}  // namespace sesame::cli
