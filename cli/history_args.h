// Which history a command asks, and about what.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "command.h"
#include "history/questions.h"

namespace sesame::cli {

using Json = nlohmann::ordered_json;

struct Trouble {
  std::string message;
  int status = kUsage;
};

struct Asked {
  config::Config config;
  std::string store;  // as it may be shown: without a password
  history::Scope scope;
  std::unique_ptr<history::Reader> reader;
};
tl::expected<Asked, Trouble> ask_history(const HistoryArguments& arguments);

// What the sums by the hour can tell begins and ends with an hour.
history::Scope whole_hours(history::Scope scope);

// "COMMAND: ..." on the standard error; returns how the command ends.
int complain(const char* command, const Trouble& trouble);
// The history was there, and then it did not answer.
int complain(const char* command, const Error& error);

// "from 2026-01-31T12:00:00Z until now"
std::string period_text(std::int64_t since, std::int64_t until);
// For those that are not there: "-".
std::string dash(const std::string& text);
std::string moment_text(std::int64_t microseconds);  // "2026-01-31 12:00:00"

Json scope_json(const Asked& asked);
// A row without its story, in the order in which it is read.
Json row_json(const history::Row& row);
std::string dump(const Json& value, int indent);

}  // namespace sesame::cli
