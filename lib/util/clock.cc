#include "util/clock.h"

#include <ctime>

#include "util/text.h"

namespace sesame {
namespace {

class SystemClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady_now() const override { return std::chrono::steady_clock::now(); }
  std::int64_t unix_now() const override {
    using namespace std::chrono;
    return duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
};

// Reads from the front of a text, and remembers whether all was as it should be.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  int number(std::size_t digits, int least, int most) {
    const auto value = parse_number(rest_.substr(0, digits));
    if (rest_.size() < digits || !value || *value < static_cast<std::uint64_t>(least) ||
        *value > static_cast<std::uint64_t>(most)) {
      good_ = false;
      return least;
    }
    rest_.remove_prefix(digits);
    return static_cast<int>(*value);
  }
  char one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) {
      good_ = false;
      return '\0';
    }
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }
  void skip_fraction() {
    if (!rest_.starts_with('.')) return;
    rest_.remove_prefix(1);
    number(1, 0, 9);
    while (!rest_.empty() && is_digit(rest_.front())) rest_.remove_prefix(1);
  }
  bool is_done() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::string timestamp(std::int64_t unix_seconds) {
  const auto when = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&when, &parts);
  char text[32];
  // A year that does not fit gives nothing.
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// RFC 3339 Section 5.6.
std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  Reader reader(text);
  const year y(reader.number(4, 0, 9999));
  reader.one_of("-");
  const month m(static_cast<unsigned>(reader.number(2, 1, 12)));
  reader.one_of("-");
  const day d(static_cast<unsigned>(reader.number(2, 1, 31)));
  reader.one_of("Tt ");
  auto seconds = hours(reader.number(2, 0, 23)) + std::chrono::seconds(0);
  reader.one_of(":");
  seconds += minutes(reader.number(2, 0, 59));
  reader.one_of(":");
  seconds += std::chrono::seconds(reader.number(2, 0, 60));
  reader.skip_fraction();
  const char sign = reader.one_of("Zz+-");
  if (sign == '+' || sign == '-') {
    auto offset = hours(reader.number(2, 0, 23)) + minutes(0);
    reader.one_of(":");
    offset += minutes(reader.number(2, 0, 59));
    seconds -= sign == '+' ? offset : -offset;
  }
  const year_month_day date(y, m, d);
  if (!reader.is_done() || !date.ok()) return std::nullopt;
  return (sys_days(date).time_since_epoch() + seconds) / std::chrono::seconds(1);
}

}  // namespace sesame
