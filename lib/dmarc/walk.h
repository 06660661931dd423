// Where the records are: look-ups of _dmarc names, and the DNS tree walk of RFC 9989 Section 4.10.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dmarc/dmarc.h"
#include "dns/resolver.h"

namespace sesame::dmarc {

// RFC 9989 Section 4.10: no walk asks more.
inline constexpr std::size_t kMaxQueries = 8;

// What stands at _dmarc.NAME.
struct Published {
  dns::Status status = dns::Status::timeout;
  std::shared_ptr<const Record> record;  // exactly one, or null
  std::size_t records = 0;               // DMARC records found
  bool misspelt = false;                 // no DMARC record, but a text that was meant to be one
  bool name_exists = false;              // the answer proves that NAME is in the DNS; false proves nothing
};

struct Walk {
  struct Stop {
    std::string name;
    std::shared_ptr<const Record> record;  // never null
  };
  std::string start;
  std::vector<Stop> found;  // longest name first
  std::string org_domain;   // "" when undecided
  std::string reason;       // then: the name that did not answer, with its status
  std::vector<std::string> problems;
};

// The names a walk asks about, in order, without "_dmarc.": at most kMaxQueries.
std::vector<std::string> walk_names(std::string_view start);
// The name that follows one of them, which is part of `start` as they all are; "" behind the last.
std::string_view next_name(std::string_view start, std::string_view name);
// Does what stands there end a walk? RFC 9989 Section 4.10 steps 3 and 7: only psd=y and psd=n do.
bool ends_walk(const Published& published);
// "_dmarc.NAME", and what an answer for it says.
std::string record_name(std::string_view name);
Published read(const dns::Answer& answer);

// "_dmarc.example.com: SERVFAIL"
std::string no_answer(std::string_view name, dns::Status status);
// What is wrong with the records at a name where none can be used: "_dmarc.example.com: 2 DMARC records"; "" = nothing.
std::string fault_of(std::string_view name, const Published& published);

// Asks each name once. There are few: a walk for the author and for each identifier that may align. What is returned
// stays where it is.
class Records {
 public:
  Records(dns::Resolver& resolver, Deadline deadline) : resolver_(resolver), deadline_(deadline) {}

  const Published& at(std::string_view name);
  const Walk& walk(std::string_view start);
  // Is NAME itself in the DNS? Unknown when it did not answer. RFC 9989 Section 3.2.13.
  Tri exists(const std::string& name);

 private:
  struct Known {
    std::string name;
    Published published;
  };
  Walk take_walk(std::string_view start);

  dns::Resolver& resolver_;
  const Deadline deadline_;
  std::list<Known> published_;
  std::list<Walk> walks_;
};

}  // namespace sesame::dmarc
