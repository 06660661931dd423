// One SPF check over a zone in memory.
#pragma once

#include <gmock/gmock.h>

#include <ostream>
#include <string>
#include <string_view>

#include "spf/spf.h"
#include "support/fake_resolver.h"

namespace sesame::spf {

inline void PrintTo(Result result, std::ostream* out) {
  *out << to_string(result);
}

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

inline Query query_from(std::string_view client) {
  return {ip(client), "mail.example.net", "user@example.com"};
}

inline Outcome check(std::string_view zone, const Query& query, const Options& options = {}) {
  test::FakeResolver resolver(zone);
  return check_mail_from(resolver, query, options);
}

inline Outcome check(std::string_view zone, std::string_view client) {
  return check(zone, query_from(client));
}

// The zone of a domain whose only content is its record.
inline std::string record_zone(std::string_view record) {
  return "example.com TXT " + std::string(record) + "\n";
}

}  // namespace sesame::spf
