// Any text as a key record.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dkim/key.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto key = sesame::dkim::parse_key({reinterpret_cast<const char*>(data), size});
  const bool ok = key.state == sesame::dkim::Key::State::ok;
  if (ok != key.reason.empty() || ok != (key.bits > 0)) std::abort();
  if (ok != (key.public_key != nullptr)) std::abort();
  for (const char c : key.reason + key.type)
    if (c < ' ' || c > '~') std::abort();
  return 0;
}
