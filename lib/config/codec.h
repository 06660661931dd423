// Between a setting's value and the member of Config it fills. Internal to this folder.
#pragma once

#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <vector>

#include "config/table.h"

namespace sesame::config {

// Every word an enumeration has, and how it is spelt.
template <class Enum>
struct Words;

template <>
struct Words<Log::Format> {
  static constexpr std::array all = {Log::Format::text, Log::Format::json};
  static const char* spell(Log::Format format) { return format == Log::Format::json ? "json" : "text"; }
};
template <>
struct Words<policy::Level> {
  static constexpr std::array all = {policy::Level::observe, policy::Level::tag, policy::Level::hold,
                                     policy::Level::reject};
  static const char* spell(policy::Level level) { return policy::to_string(level); }
};
template <>
struct Words<policy::Handling> {
  static constexpr std::array all = {policy::Handling::observe, policy::Handling::quarantine, policy::Handling::reject};
  static const char* spell(policy::Handling handling) { return policy::to_string(handling); }
};
template <>
struct Words<ses::Status> {
  static constexpr std::array all = {ses::Status::not_started, ses::Status::pending, ses::Status::success,
                                     ses::Status::failed, ses::Status::temporary_failure};
  static const char* spell(ses::Status status) { return ses::to_string(status); }
};
template <>
struct Words<ses::OnMxFailure> {
  static constexpr std::array all = {ses::OnMxFailure::use_default_value, ses::OnMxFailure::reject_message};
  static const char* spell(ses::OnMxFailure behavior) { return ses::to_string(behavior); }
};

template <class Enum>
std::vector<std::string> words() {
  std::vector<std::string> result;
  for (const auto value : Words<Enum>::all) result.emplace_back(Words<Enum>::spell(value));
  return result;
}

// decode: the value has passed its type's checks.
inline void decode(const Value& value, bool& member) {
  member = std::get<bool>(value);
}
inline void decode(const Value& value, std::string& member) {
  member = std::get<std::string>(value);
}
inline void decode(const Value& value, std::vector<std::string>& member) {
  member = std::get<std::vector<std::string>>(value);
}
template <std::integral Member>
void decode(const Value& value, Member& member) {
  member = static_cast<Member>(std::get<std::int64_t>(value));
}
inline void decode(const Value& value, std::chrono::seconds& member) {
  member = std::chrono::seconds(std::get<std::int64_t>(value));
}
inline void decode(const Value& value, std::chrono::milliseconds& member) {
  member = std::chrono::milliseconds(std::llround(std::get<double>(value) * 1000));
}
inline void decode(const Value& value, std::vector<Network>& member) {
  member.clear();
  for (const auto& text : std::get<std::vector<std::string>>(value))
    if (const auto network = Network::parse(text)) member.push_back(*network);
}
template <class Enum>
requires std::is_enum_v<Enum>
void decode(const Value& value, Enum& member) {
  for (const auto candidate : Words<Enum>::all)
    if (std::get<std::string>(value) == Words<Enum>::spell(candidate)) member = candidate;
}
template <class Enum>
void decode(const Value& value, std::optional<Enum>& member) {
  decode(value, member.emplace());
}

inline std::optional<Value> encode(bool member) {
  return member;
}
inline std::optional<Value> encode(const std::string& member) {
  return member;
}
inline std::optional<Value> encode(const std::vector<std::string>& member) {
  return member;
}
template <std::integral Member>
std::optional<Value> encode(Member member) {
  return static_cast<std::int64_t>(member);
}
inline std::optional<Value> encode(std::chrono::seconds member) {
  return static_cast<std::int64_t>(member.count());
}
inline std::optional<Value> encode(std::chrono::milliseconds member) {
  return static_cast<double>(member.count()) / 1000;
}
inline std::optional<Value> encode(const std::vector<Network>& member) {
  std::vector<std::string> texts;
  for (const auto& network : member) texts.push_back(network.to_string());
  return texts;
}
template <class Enum>
requires std::is_enum_v<Enum> std::optional<Value> encode(Enum member) {
  return std::string(Words<Enum>::spell(member));
}
template <class Enum>
std::optional<Value> encode(const std::optional<Enum>& member) {
  return member ? encode(*member) : std::nullopt;
}

}  // namespace sesame::config
