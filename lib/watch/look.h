// One look at all records of one identity: what the resolver says, and each address of each delegated name server.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dns/probe.h"
#include "dns/resolver.h"
#include "ses/history.h"
#include "watch/records.h"

namespace sesame::watch {

// good: what SES needs. absent: it says that there is no such record. wrong: there is another. failing: it did not say:
// SERVFAIL, REFUSED, no answer, no authority for the zone, nothing over TCP. old: the zone's serial is behind, told of
// the SOA alone: what else such a server says is judged by itself.
enum class Quality { good, absent, wrong, failing, old };
const char* to_string(Quality quality);

// One answer to one question.
struct Observation {
  std::int64_t time = 0;  // unix seconds
  Part part = Part::dkim;
  std::string name;
  dns::Type type = dns::Type::txt;
  std::string server;   // "ns2.example.com"; "" = the resolver that this host uses
  std::string address;  // "192.0.2.53"; "" = as above
  dns::Transport transport = dns::Transport::udp;
  Quality quality = Quality::good;
  // In the words of a reader: "CNAME x.dkim.amazonses.com", "SERVFAIL", "no answer in 3 s", "not authoritative",
  // "serial 7, others have 9". At most 512 octets, printable.
  std::string answer;
  std::chrono::microseconds latency{};
  std::uint32_t ttl = 0;                  // seconds
  std::optional<std::uint32_t> serial{};  // of the zone, where the answer tells it
  // That serial is behind and has not moved yet: only later can be told whether it is old or on its way.
  bool behind = false;
  bool from_resolver() const { return address.empty(); }
};

// Of one record: all that was observed of it now. What is not the server's doing is no observation: where this host has
// no way to an address (no IPv6, say), and where a datagram had no room for what TCP then tells.
struct RecordLook {
  Record record;  // the subject's, or with the target in the zone that it turned out to have
  std::vector<Observation> observations;
};

struct Look {
  Subject subject;
  std::int64_t time = 0;            // unix seconds, when it began
  std::vector<RecordLook> records;  // one for each of the subject's, in their order
  std::vector<std::string> zones;   // that hold the records; the first holds the domain
  std::optional<ses::DelegationMismatch> delegation;
  std::string bogus_zone;            // fails DNSSEC validation, though it answers where nobody validates; "" = none
  bool no_key = false;               // all DKIM records are as they should be, and no selector holds a key
  std::vector<std::string> proxied;  // DKIM records that are no plain CNAME, as the resolver sees them
  // Somebody was silent, and the resolver does not answer now: nothing is known about the records, and the fault is
  // most likely near us.
  bool nothing_answers = false;
  // The resolver answers, but no name server does, be it the parent's or Amazon's: direct DNS is blocked on the way.
  // Not held against them.
  bool servers_unreachable = false;
};

struct Means {
  dns::Resolver& resolver;
  dns::Resolver& unchecked;  // asks with DNSSEC checking disabled
  dns::Prober& prober;
  const Clock& clock;
  std::uint16_t port = dns::kDnsPort;  // of the authoritative servers
};

// Remembers from look to look what changes rarely, so that the servers of a parent zone are asked for a delegation once
// in an hour at most while all is well, however many identities there are below it; and since when a server's serial is
// behind: it is `old` only after the zone's own refresh time. Thread-safe.
class Looker {
 public:
  explicit Looker(const Means& means);
  ~Looker();
  // Waits for all answers.
  Look look(const Subject& subject);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sesame::watch
