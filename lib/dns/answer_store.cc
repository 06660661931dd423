#include "dns/answer_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <utility>
#include <vector>

#include "dns/answer_text.h"
#include "util/file.h"
#include "util/text.h"

namespace sesame::dns {
namespace {

// The first line of a file is this and its version.
constexpr std::string_view kTitle = "sesame DNS answers, version ";
constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kEnd = "end";  // the last line: the file is whole
constexpr std::size_t kMaxFile = 128u << 20;
// A time further ahead of the clock than this was told by another clock, or says that this one is wrong.
constexpr std::int64_t kSkew = 300;
// More makes no difference, and would not fit into the clock's arithmetic.
constexpr std::int64_t kOldest = 10LL * 365 * 86400;

std::string_view next_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

Result<void> check_title(const std::string& path, std::string_view line) {
  const auto version = line.starts_with(kTitle) ? parse_number(line.substr(kTitle.size())) : std::nullopt;
  if (!version) return failure(path + ": is not a file of DNS answers");
  if (*version > kVersion) return failure(path + ": was written by a later version, and is left to it");
  return {};
}

// What stands there, if anything, is a file of ours, whatever is in it below the title.
Result<void> check_ours(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file && errno == ENOENT) return {};
  if (!file) return failure(path + ": cannot be read: " + errno_text(errno));
  std::string head(kTitle.size() + 24, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  if (head.empty() && file.eof()) return {};
  std::string_view text = head;
  return check_title(path, next_line(text));
}

WrittenAnswer written(const KeptAnswer& kept, const Clock& clock) {
  // Rounded so that nothing lives longer than in the cache.
  const auto age = std::chrono::ceil<std::chrono::seconds>(clock.steady_now() - kept.answer->received).count();
  return {*kept.answer, clock.unix_now() - age + kept.answer->ttl, kept.in_use};
}

KeptAnswer kept(WrittenAnswer written, const Clock& clock) {
  const std::int64_t age = clock.unix_now() - (written.expires - written.answer.ttl);
  written.answer.received = clock.steady_now() - std::chrono::seconds(std::clamp<std::int64_t>(age, 0, kOldest));
  return {std::make_shared<const Answer>(std::move(written.answer)), written.in_use};
}

bool is_from_the_future(const WrittenAnswer& written, const Clock& clock) {
  return written.expires - written.answer.ttl > clock.unix_now() + kSkew;
}

Result<std::vector<KeptAnswer>> parse(const std::string& path, std::string_view text, const Clock& clock) {
  if (const auto title = check_title(path, next_line(text)); !title) return tl::unexpected(title.error());
  std::vector<KeptAnswer> answers;
  for (int number = 2;; ++number) {
    if (text.empty()) return failure(path + ": is damaged: its end is missing");
    const auto line = next_line(text);
    if (line == kEnd && text.empty()) return answers;
    auto written = from_line(line);
    if (!written) return failure(fmt::format("{}: is damaged: line {} is not an answer", path, number));
    if (!is_from_the_future(*written, clock)) answers.push_back(kept(*std::move(written), clock));
  }
}

}  // namespace

Result<std::size_t> save_answers(const CachingResolver& resolver, const std::string& path, const Clock& clock) {
  if (const auto replaceable = check_replaceable(path); !replaceable) return tl::unexpected(replaceable.error());
  if (const auto ours = check_ours(path); !ours) return tl::unexpected(ours.error());
  auto text = fmt::format("{}{}\n", kTitle, kVersion);
  std::size_t saved = 0;
  const auto entries = resolver.entries();
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const auto line = to_line(written(*entry, clock));
    if (!line) continue;
    if (text.size() + line->size() + kEnd.size() + 2 > kMaxFile) break;
    text.append(*line).push_back('\n');
    ++saved;
  }
  text.append(kEnd).push_back('\n');
  if (const auto replaced = replace_file(path, text); !replaced) return tl::unexpected(replaced.error());
  return saved;
}

Result<std::size_t> load_answers(CachingResolver& resolver, const std::string& path, const Clock& clock) {
  const auto text = read_file(path, kMaxFile);
  if (!text) return tl::unexpected(text.error());
  if (!*text || (*text)->empty()) return 0;
  auto answers = parse(path, **text, clock);
  if (!answers) return tl::unexpected(answers.error());
  std::ranges::reverse(*answers);
  return resolver.restore(*answers);
}

}  // namespace sesame::dns
