// An SPF record that parses prints as a record of the same value; no input does worse than fail to parse.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "spf/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sesame;
  const std::string text(data, data + size);
  const auto record = spf::parse_record(text);
  if (!record) return 0;
  const auto again = spf::parse_record(spf::to_text(*record));
  if (!again || !(*again == *record)) std::abort();

  // What the macros expand to stays within its bounds, whatever the values are.
  const auto value = [&text](char) { return std::optional(text); };
  for (const auto& directive : record->directives) {
    const auto name = spf::expand_domain(directive.mechanism.domain, value);
    if (!name || name->size() > 254) std::abort();
  }
  return 0;
}
