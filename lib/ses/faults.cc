#include "ses/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "util/text.h"

namespace sesame::ses {
namespace {

bool is_code(std::string_view answer) {
  return !answer.empty() && answer.front() >= 'A' && answer.front() <= 'Z';
}

void add_once(std::string value, std::vector<std::string>& to) {
  if (!value.empty() && std::ranges::find(to, value) == to.end()) to.push_back(std::move(value));
}

template <class What>
std::vector<std::string> each_once(std::span<const ServerFault> faults, What what) {
  std::vector<std::string> all;
  for (const auto& fault : faults) add_once(what(fault), all);
  return all;
}

}  // namespace

std::string said(const ServerFault& fault) {
  const std::string_view answer = fault.answer;
  constexpr std::string_view kNotAuthoritative = "not authoritative, ";
  constexpr std::array kWords = {
      std::pair(std::string_view("connection refused"), std::string_view("refused the connection for")),
      std::pair(std::string_view("connection closed without an answer"),
                std::string_view("closed the connection without an answer to")),
      std::pair(std::string_view("not authoritative"), std::string_view("is not authoritative for")),
      std::pair(std::string_view("malformed answer"), std::string_view("gave a malformed answer to")),
  };
  for (const auto& [from, to] : kWords)
    if (answer == from) return std::string(to);
  if (answer.starts_with(kNotAuthoritative))
    return fmt::format("is not authoritative ({}) for", answer.substr(kNotAuthoritative.size()));
  if (answer.starts_with("no answer") || answer.starts_with("an answer")) return fmt::format("gave {} to", answer);
  if (answer.starts_with("no ")) return fmt::format("took {} for", answer);
  if (answer.starts_with("serial ")) return fmt::format("has {} for", answer);
  return is_code(answer) ? fmt::format("answered {} for", answer) : fmt::format("failed ({}) for", answer);
}

std::string sentence(const ServerFault& fault) {
  return fmt::format("{} {} {} {}", fault.server, said(fault), dns::to_string(fault.type), fault.name);
}

bool is_failure(const ServerFault& fault) {
  const auto& answer = fault.answer;
  const bool tells = answer == dns::to_string(dns::Status::nodata) || answer == dns::to_string(dns::Status::nxdomain) ||
                     (is_code(answer) && answer.find(' ') != std::string::npos);
  return !tells && !answer.starts_with("serial ");
}

std::vector<std::string> servers_of(std::span<const ServerFault> faults) {
  return each_once(faults, [](const ServerFault& fault) { return fault.server; });
}

std::string some_of(const std::vector<std::string>& all) {
  constexpr std::size_t kNamed = 3;
  if (all.size() <= kNamed) return join(all, ", ");
  return fmt::format("{} and {} more", join({all.begin(), all.begin() + kNamed}, ", "), all.size() - kNamed);
}

std::string transports_of(std::span<const ServerFault> faults) {
  auto all = each_once(faults, [](const ServerFault& fault) { return fault.transport; });
  std::ranges::sort(all, std::greater{});
  return join(all, " and ");
}

Extent extent_of(std::span<const ServerFault> faults) {
  Extent extent{servers_of(faults).size(), 0};
  for (const auto& fault : faults) extent.asked = std::max(extent.asked, fault.asked);
  return extent;
}

std::string to_text(const Extent& extent) {
  const auto [failing, asked] = extent;
  if (extent.is_all() && asked == 2) return "both name servers";
  if (extent.is_all() && asked > 2) return fmt::format("all {} name servers", failing);
  if (extent.is_all()) return "the only name server";
  if (asked > 0) return fmt::format("{} of {} name servers", failing, asked);
  return fmt::format("{} name server{}", failing, failing == 1 ? "" : "s");
}

std::vector<FaultGroup> grouped(std::span<const ServerFault> faults) {
  std::vector<FaultGroup> groups;
  for (const auto& fault : faults) {
    const auto alike = [&](const FaultGroup& group) {
      return group.server == fault.server && group.answer == fault.answer;
    };
    auto at = std::ranges::find_if(groups, alike);
    if (at == groups.end()) at = groups.insert(at, {fault.server, fault.answer, {}});
    at->faults.push_back(fault);
  }
  return groups;
}

std::string to_text(const FaultGroup& group) {
  constexpr std::size_t kMaxAnswer = 100;
  const auto names = each_once(group.faults, [](const ServerFault& fault) { return fault.name; });
  const auto types =
      each_once(group.faults, [](const ServerFault& fault) { return std::string(dns::to_string(fault.type)); });
  const auto transports = transports_of(group.faults);
  std::size_t count = 0;
  for (const auto& fault : group.faults) count += fault.count;
  const bool is_word = is_code(group.answer) || group.answer.starts_with("no answer");
  return fmt::format("{} {} {} {}{}, {} time{}", printable(group.answer, kMaxAnswer), is_word ? "to" : "for",
                     join(types, " and "),
                     names.size() == 1 ? names.front() : fmt::format("of {} DKIM names", names.size()),
                     transports.empty() ? "" : " over " + transports, count, count == 1 ? "" : "s");
}

}  // namespace sesame::ses
