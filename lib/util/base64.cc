#include "util/base64.h"

#include <array>

#include "util/text.h"

namespace sesame {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return values;
}
constexpr auto kValues = make_values();

int value_of(char c) {
  return kValues[static_cast<unsigned char>(c)];
}

// True when four digits stand together, as most do; `group` is then their value.
bool whole_group(std::string_view text, std::uint32_t& group) {
  if (text.size() < 4) return false;
  const int a = value_of(text[0]), b = value_of(text[1]), c = value_of(text[2]), d = value_of(text[3]);
  if ((a | b | c | d) < 0) return false;
  group = static_cast<std::uint32_t>(a << 18 | b << 12 | c << 6 | d);
  return true;
}

}  // namespace

std::string base64_encode(std::span<const std::uint8_t> data) {
  std::string text;
  text.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    const auto left = data.size() - i;
    std::uint32_t group = static_cast<std::uint32_t>(data[i]) << 16;
    if (left > 1) group |= static_cast<std::uint32_t>(data[i + 1]) << 8;
    if (left > 2) group |= data[i + 2];
    text += kAlphabet[group >> 18 & 63];
    text += kAlphabet[group >> 12 & 63];
    text += left > 1 ? kAlphabet[group >> 6 & 63] : '=';
    text += left > 2 ? kAlphabet[group & 63] : '=';
  }
  return text;
}

std::optional<std::vector<std::uint8_t>> base64_decode(std::string_view text) {
  std::vector<std::uint8_t> data(text.size() / 4 * 3 + 3);
  auto* out = data.data();
  std::uint32_t group = 0;
  std::size_t digits = 0;  // since the last whole group
  std::size_t padding = 0;
  const auto put_group = [&] {
    *out++ = static_cast<std::uint8_t>(group >> 16);
    *out++ = static_cast<std::uint8_t>(group >> 8);
    *out++ = static_cast<std::uint8_t>(group);
    digits = 0;
  };
  while (!text.empty()) {
    if (digits == 0 && padding == 0) {
      for (; whole_group(text, group); text.remove_prefix(4)) put_group();
      if (text.empty()) break;
    }
    const char c = text.front();
    text.remove_prefix(1);
    if (is_space(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const auto value = value_of(c);
    if (value < 0 || padding > 0) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (++digits == 4) put_group();
  }
  if (digits == 1 || padding > 2 || (padding > 0 && (digits + padding) != 4)) return std::nullopt;
  if (digits >= 2) *out++ = static_cast<std::uint8_t>(digits == 2 ? group >> 4 : group >> 10);
  if (digits == 3) *out++ = static_cast<std::uint8_t>(group >> 2);
  data.resize(static_cast<std::size_t>(out - data.data()));
  return data;
}

}  // namespace sesame
