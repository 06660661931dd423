// A record prints to a record that says the same.
#include <cstdint>
#include <cstdlib>

#include "dmarc/dmarc.h"

namespace {

using namespace sesame::dmarc;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string print(const Record& record) {
  std::string text = "v=DMARC1";
  const auto policy = [&](const char* name, const std::optional<Policy>& value, bool invalid) {
    if (value || invalid) text += std::string("; ") + name + "=" + (value ? to_string(*value) : "?");
  };
  policy("p", record.p, record.p_invalid);
  policy("sp", record.sp, record.sp_invalid);
  policy("np", record.np, record.np_invalid);
  text += std::string("; adkim=") + to_string(record.adkim) + "; aspf=" + to_string(record.aspf);
  text += record.psd == Record::Psd::y ? "; psd=y" : record.psd == Record::Psd::n ? "; psd=n" : "";
  if (record.testing) text += "; t=y";
  for (std::size_t i = 0; i < record.rua.size(); ++i) text += (i == 0 ? "; rua=" : ",") + record.rua[i];
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto record = parse_record({reinterpret_cast<const char*>(data), size});
  if (!record) return 0;
  for (const auto& warning : record->warnings)
    for (const char c : warning) require(c >= 0x20 && c <= 0x7e);
  const auto text = print(*record);
  const auto again = parse_record(text);
  require(again && print(*again) == text);
  return 0;
}
