// What an MTA sends to one filter, as packets ready to go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/protocol.h"
#include "mail/field.h"

namespace sesame::bench {

struct Step {
  char command = 0;  // SMFIC_*
  enum class Reply { none, awaited } reply = Reply::awaited;
  std::string_view packets;  // the macros before it, and its own
};

// The steps point into `text`, or into a BodyPackets that must live as long.
struct Script {
  Script() = default;
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  Script(Script&&) = delete;

  std::string text;
  std::vector<Step> steps;
};

// A body's packets, the same for every filter.
struct BodyPackets {
  explicit BodyPackets(std::string_view body);
  std::string text;
  std::vector<std::size_t> ends;
};

using Macros = std::vector<std::string>;  // name, value, name, value, ...

class ScriptWriter {
 public:
  ScriptWriter(Script& script, const Negotiated& negotiated) : script_(script), negotiated_(negotiated) {}
  // Nothing is written of a step that the filter leaves out.
  void step(char command, std::string_view data, const Macros& macros = {});
  void header(const mail::Field& field);
  void body(const BodyPackets& body);
  // Once, at the end.
  void finish();

 private:
  struct Place {
    char command;
    std::string_view foreign;  // of a body
    std::size_t end;           // in the text otherwise
  };
  Script& script_;
  const Negotiated& negotiated_;
  std::vector<Place> places_;
};

}  // namespace sesame::bench
