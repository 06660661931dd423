// All that the memory knows of one domain, as the timeline and the evidence draw on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "util/result.h"
#include "watch/memory.h"

namespace sesame::watch {

struct Chronicle {
  std::string domain;      // or identity
  std::int64_t since = 0;  // unix seconds: nothing that ended before; 0 = all
  std::int64_t now = 0;
  std::vector<Sight> sights;  // one for each identity
  std::vector<Run> runs;
  std::vector<Memory::Event> events;
  std::vector<Notice> notices;
  std::vector<Silence> silences;
  std::vector<Blindness> blindnesses;
  std::vector<RecordState> states;
  bool is_empty() const { return sights.empty() && notices.empty() && silences.empty(); }
};

Result<Chronicle> read_chronicle(const Memory& memory, const std::string& domain, std::int64_t since, std::int64_t now);

// What is told of one identity; `who` of rows with an account, an identity and a region.
template <class Row>
bool is_of(const Row& row, const Sight& who) {
  return row.account == who.account && row.identity == who.identity && row.region == who.region;
}

// "ns2.example.com (192.0.2.53)", "the resolver of this host".
std::string server_text(const Observation& observation);
// "TXT t1._domainkey.example.com".
std::string question_text(const Observation& observation);
// Changes of several records of one identity at the same time, for the same reason but for their names, together.
std::vector<std::vector<const Memory::Event*>> events_together(const Chronicle& chronicle);
std::vector<std::string> names_of(const std::vector<const Memory::Event*>& events);
// "example.com in us-east-1 (account main)".
std::string place_text(const std::string& identity, const std::string& account, const std::string& region);

}  // namespace sesame::watch
