// Any file as a message, and its ARC fields sorted into sets.
#include "mail/message.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "arc/chain.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string write(const sesame::mail::Message& message) {
  std::string text;
  for (const auto& field : message.fields) text.append(field.name).append(":").append(field.value).append("\r\n");
  return text + "\r\n" + message.body;
}

// Every line ends in CRLF, and no LF stands alone.
void check_lines(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) require(text[i] != '\n' || (i > 0 && text[i - 1] == '\r'));
  require(text.empty() || text.ends_with("\r\n"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto message = sesame::mail::read_message({reinterpret_cast<const char*>(data), size});
  const auto text = write(message);
  check_lines(text);
  const auto again = sesame::mail::read_message(text);
  require(again.fields.size() == message.fields.size() && write(again) == text);

  const auto sets = sesame::arc::collect_sets(message.fields);
  if (!sets) {
    for (const char c : sets.error().message) require(c >= ' ' && c <= '~');
    return 0;
  }
  require(sets->size() <= sesame::arc::kMaxSets);
  for (const auto& set : *sets)
    for (const auto position : {set.results_field, set.message_field, set.seal_field})
      require(position < message.fields.size() && sesame::arc::is_arc_field(message.fields[position]));
  return 0;
}
