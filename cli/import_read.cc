// The formats: opendkim.conf(5), opendmarc.conf(5), policyd-spf.conf(5).
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "import.h"
#include "util/file.h"
#include "util/text.h"

namespace sesame::cli::importer {
namespace {

constexpr std::size_t kMaxFile = 1 << 20;
// opendkim.conf(5): Include.
constexpr int kMaxNesting = 5;

constexpr std::array kOwners = {Owner::opendkim, Owner::opendmarc, Owner::policyd_spf};

Result<std::string> text_of(const std::string& path) {
  const auto text = read_file(path, kMaxFile);
  if (!text) return tl::make_unexpected(text.error());
  if (!*text) return failure(path + ": there is no such file");
  return **text;
}

std::string_view before(std::string_view text, std::string_view stops) {
  return text.substr(0, text.find_first_of(stops));
}

bool same_key(Owner owner, std::string_view a, std::string_view b) {
  return owner == Owner::policyd_spf ? a == b : iequals(a, b);
}

class Reader {
 public:
  explicit Reader(Source& source) : source_(source) {}

  void read(const std::string& path, const std::string& text, int nesting) {
    std::size_t number = 0;
    for (const auto line : split(text, '\n')) {
      Statement statement{source_.owner, path, ++number, {}, {}};
      if (source_.owner == Owner::policyd_spf)
        read_assignment(line, statement);
      else
        read_words(line, statement, nesting);
    }
  }

 private:
  // opendkim and opendmarc: cut at "#" or CR, then the key, white space, the rest.
  void read_words(std::string_view line, Statement& statement, int nesting) {
    const auto content = trim(before(line, "#\r"));
    if (content.empty()) return;
    statement.key = before(content, " \t");
    statement.value = trim(content.substr(statement.key.size()));
    if (statement.value.empty())
      fault(statement, fmt::format("has no value; {} would not start with it", to_string(source_.owner)));
    else if (source_.owner == Owner::opendkim && iequals(statement.key, "Include"))
      include(statement, nesting);
    else
      keep(std::move(statement));
  }

  // policyd-spf: cut at "#", then exactly one "=".
  void read_assignment(std::string_view line, Statement& statement) {
    const auto content = trim(before(line, "#"));
    if (content.empty()) return;
    const auto parts = split(content, '=');
    statement.key = trim(parts.front());
    if (parts.size() != 2) return fault(statement, "is not NAME = VALUE; policyd-spf passes over it");
    statement.value = trim(parts.back());
    keep(std::move(statement));
  }

  void include(const Statement& statement, int nesting) {
    if (nesting == kMaxNesting) return fault(statement, "is nested too deep; opendkim would not start with it");
    const auto text = text_of(statement.value);
    if (!text) return fault(statement, text.error().message + "; opendkim would not start with it");
    read(statement.value, *text, nesting + 1);
  }

  // The last one counts.
  void keep(Statement statement) {
    auto& all = source_.statements;
    const auto earlier = std::ranges::find_if(
        all, [&](const Statement& each) { return same_key(source_.owner, each.key, statement.key); });
    if (earlier != all.end()) {
      source_.remarks.push_back({Remark::Kind::conflict, fmt::format("{} {} holds for {}, not what {} says",
                                                                     statement.place(), printable(statement.key, 60),
                                                                     to_string(source_.owner), earlier->place())});
      all.erase(earlier);
    }
    all.push_back(std::move(statement));
  }

  void fault(const Statement& statement, const std::string& what) {
    source_.remarks.push_back({Remark::Kind::fault, fmt::format("{} {}: {}", statement.place(),
                                                                printable(statement.key, 60), printable(what))});
  }

  Source& source_;
};

std::optional<Owner> owner_by_name(const std::string& path) {
  const auto name = lower(std::filesystem::path(path).filename().string());
  if (name.find("opendkim") != std::string::npos) return Owner::opendkim;
  if (name.find("opendmarc") != std::string::npos) return Owner::opendmarc;
  for (const auto* each : {"policyd-spf", "policyd_spf", "pyspf"})
    if (name.find(each) != std::string::npos) return Owner::policyd_spf;
  return std::nullopt;
}

// Whose keys they are; nobody's when two know as many of them.
std::optional<Owner> owner_by_keys(const std::string& path, const std::string& text) {
  std::size_t most = 0;
  std::optional<Owner> best;
  for (const auto owner : kOwners) {
    Source source{owner, path, {}, {}};
    // What is included is not looked at.
    Reader(source).read(path, text, kMaxNesting);
    const auto known = static_cast<std::size_t>(std::ranges::count_if(
        source.statements, [&](const Statement& each) { return find_rule(owner, each.key) != nullptr; }));
    if (known == most) best.reset();
    if (known > most) best = owner;
    most = std::max(most, known);
  }
  return best;
}

}  // namespace

const char* to_string(Owner owner) {
  switch (owner) {
    case Owner::opendkim:
      return "opendkim";
    case Owner::opendmarc:
      return "opendmarc";
    case Owner::policyd_spf:
      return "policyd-spf";
  }
  return "";
}

std::string Statement::place() const {
  return fmt::format("{}:{}", printable(file), line);
}

const Statement* Source::find(std::string_view key) const {
  const auto found =
      std::ranges::find_if(statements, [&](const Statement& each) { return same_key(owner, each.key, key); });
  return found == statements.end() ? nullptr : &*found;
}

Result<Source> read_source(const std::string& path) {
  const auto text = text_of(path);
  if (!text) return tl::make_unexpected(text.error());
  auto owner = owner_by_name(path);
  if (!owner) owner = owner_by_keys(path, *text);
  if (!owner)
    return failure(path + ": is it of opendkim, opendmarc or policyd-spf? Neither its name nor its keys tell");
  Source source{*owner, path, {}, {}};
  Reader(source).read(path, *text, 0);
  return source;
}

}  // namespace sesame::cli::importer
