// What a request over HTTP says before its body, read strictly, and who may ask.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sesame::milter {

// Points into the text it was parsed from.
struct RequestHead {
  std::string_view line;                                              // "GET /metrics HTTP/1.1"
  std::vector<std::pair<std::string_view, std::string_view>> fields;  // as they stand there

  // Of the fields of that name; nothing where there is none, or more than one.
  std::optional<std::string_view> only(std::string_view name) const;
  bool has(std::string_view name) const;
};

// `text` ends with the empty line. Nothing for what is not RFC 9112, or only by its leave: line ends without CR, folds.
std::optional<RequestHead> parse_head(std::string_view text);

// What must be known of a client, or of its request, before it is told anything.
struct Access {
  // anybody: the socket is the door. local: only what is asked of an address or of localhost, since any page can make
  // a browser here ask 127.0.0.1 under a name of its own. token: who knows it. nobody: the token could not be read.
  enum class Rule { anybody, local, token, nobody } rule = Rule::nobody;
  std::string token;
  bool operator==(const Access&) const = default;
};

enum class Admission { granted, wrong_host, unknown_client };
Admission admit(const RequestHead& head, const Access& access);

}  // namespace sesame::milter
