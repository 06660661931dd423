#include "bench/script.h"

#include <algorithm>

namespace sesame::bench {

BodyPackets::BodyPackets(std::string_view body) {
  text.reserve(body.size() + 5 * (body.size() / kBodyChunk + 1));
  for (; !body.empty(); body.remove_prefix(std::min(body.size(), kBodyChunk))) {
    put_packet(text, 'B', body.substr(0, kBodyChunk));
    ends.push_back(text.size());
  }
}

void ScriptWriter::step(char command, std::string_view data, const Macros& macros) {
  if (!negotiated_.wants(command)) return;
  if (!macros.empty()) put_packet(script_.text, 'D', command + texts(macros));
  put_packet(script_.text, command, data);
  places_.push_back({command, {}, script_.text.size()});
}

void ScriptWriter::header(const mail::Field& field) {
  auto value = field.value;
  // Without the flag a filter is told the value without the one space that most have.
  if (!negotiated_.has(kLeadingSpace) && value.starts_with(' ')) value.remove_prefix(1);
  step('L', texts({std::string(field.name), std::string(value)}));
}

void ScriptWriter::body(const BodyPackets& body) {
  if (!negotiated_.wants('B')) return;
  std::size_t begin = 0;
  for (const auto end : body.ends) {
    places_.push_back({'B', std::string_view(body.text).substr(begin, end - begin), 0});
    begin = end;
  }
}

// Only now does the text stay where it is.
void ScriptWriter::finish() {
  std::size_t begin = 0;
  const std::string_view text = script_.text;
  for (const auto& place : places_) {
    const bool own = place.foreign.empty();
    const auto reply = negotiated_.answers(place.command) ? Step::Reply::awaited : Step::Reply::none;
    script_.steps.push_back({place.command, reply, own ? text.substr(begin, place.end - begin) : place.foreign});
    if (own) begin = place.end;
  }
}

}  // namespace sesame::bench
