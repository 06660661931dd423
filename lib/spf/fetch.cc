#include "spf/fetch.h"

#include <fmt/format.h>

#include "dns/name.h"
#include "spf/lookup.h"
#include "spf/map_dns.h"
#include "util/content_cache.h"
#include "util/text.h"

namespace sesame::spf {
namespace {

// Roughly.
std::size_t heap_bytes(const MacroString& pieces) {
  return pieces.capacity() * (sizeof(Piece) + 32);
}

std::size_t heap_bytes(const sesame::Result<Record>& reading) {
  if (!reading) return reading.error().message.capacity();
  auto bytes = reading->directives.capacity() * sizeof(Directive);
  for (const auto& directive : reading->directives)
    bytes += directive.written.capacity() + heap_bytes(directive.mechanism.domain);
  for (const auto* spec : {&reading->redirect, &reading->exp}) bytes += *spec ? heap_bytes(**spec) : 0;
  for (const auto& modifier : reading->unknown)
    bytes += sizeof modifier + modifier.name.capacity() + heap_bytes(modifier.value);
  return bytes;
}

// A few thousand records, each of which is read once.
Reading read(const std::string& text) {
  constexpr std::size_t kMaxBytes = 8 << 20;
  static ContentCache<sesame::Result<Record>> readings(kMaxBytes, heap_bytes);
  return readings.get(text, parse_record);
}

}  // namespace

Reading fetch_record(Context& context, const std::string& domain, Verdict& failed) {
  const auto fail = [&failed](Result result, std::string reason) {
    failed = {result, std::move(reason)};
    return nullptr;
  };
  const auto answer = ask(context, domain, dns::Type::txt);
  if (map_dns(*answer) == Result::temperror) return fail(Result::temperror, failure_reason(context, *answer));
  if (answer->status == dns::Status::nxdomain) return fail(Result::none, printable(domain) + " does not exist");
  const std::string* text = nullptr;
  int count = 0;
  for (const auto& each : answer->texts)
    if (is_spf_record(each) && ++count == 1) text = &each;
  if (count == 0) return fail(Result::none, printable(domain) + " has no SPF record");
  if (count > 1) return fail(Result::permerror, fmt::format("{} has {} SPF records", printable(domain), count));
  // RFC 7208 Section 4.6: a syntax error anywhere counts, before anything is evaluated.
  auto reading = read(*text);
  if (*reading) return reading;
  return fail(Result::permerror, fmt::format("SPF record of {}: {}", printable(domain), reading->error().message));
}

}  // namespace sesame::spf
