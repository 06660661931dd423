// What an answer is worth to SES. Inside this folder only.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "dns/resolver.h"
#include "watch/look.h"

namespace sesame::watch {

struct Appraisal {
  Quality quality = Quality::failing;
  std::string answer;  // as Observation::answer
};

// What a record is held against: what it should be, and what the resolver has found out about its surroundings.
class Yardstick {
 public:
  // For all of a record. SPF that does not name amazonses.com is evaluated with the resolver.
  // The record outlives it.
  Yardstick(const Record& record, dns::Resolver& resolver, Deadline deadline);

  // Of an answer to one of the record's questions: the resolver's, or a name server's that has authority.
  Appraisal appraise(const dns::Answer& answer) const;

 private:
  Quality quality_of(const dns::Answer& answer, std::string& answered) const;
  Quality alias(const dns::Answer& answer, std::string& answered) const;
  Quality key(const dns::Answer& answer, std::string& answered) const;
  Quality feedback(const dns::Answer& answer) const;
  Quality spf(const dns::Answer& answer, std::string& answered) const;
  bool leads_well(const std::vector<std::string>& names) const;
  bool is_target(const std::string& name) const;
  void find_way(dns::Resolver& resolver, Deadline deadline);

  const Record& record_;
  // Names on the way to what should be found, where the record stands elsewhere than at its name.
  std::set<std::string> way_;
  enum class Way { known, unknown } way_state_ = Way::known;
  std::set<std::string> passing_spf_;  // texts that let SES pass, though they do not name it
};

// What an answer says, for people: "CNAME x", "MX 10 y", "NXDOMAIN"; printable, at most 512 octets.
std::string text_of(const dns::Answer& answer);
inline constexpr std::size_t kMaxAnswerText = 512;

}  // namespace sesame::watch
