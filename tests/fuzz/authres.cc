// What can be read is written in a form that reads back the same, and what is written never leaves its lines.
#include "authres/authres.h"

#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_text(const std::string& text) {
  std::size_t line = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') {
      require(text.compare(i, 3, "\r\n\t") == 0);
      i += 2;
      line = 0;
    } else {
      require(text[i] >= 0x20 && text[i] <= 0x7e);
    }
    require(++line < 998);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string ids[] = {"mx.example.com",
                             "b\xc3\xbc"
                             "cher.example"};
  const sesame::mail::Field field{"Authentication-Results", text};
  const bool claimed = sesame::authres::claims(field, ids);
  const auto header = sesame::authres::parse(text);
  if (!header) return 0;
  if (header->authserv_id == ids[0]) require(claimed);

  const auto written = sesame::authres::write(*header);
  check_text(written);
  const auto again = sesame::authres::parse(written);
  require(again.has_value());
  require(again->statements.size() == header->statements.size());
  // Cleaning is done once: what was written is written the same again.
  require(sesame::authres::write(*again) == written);
  return 0;
}
