// What was observed of an identity over time, by whoever watches its records or its mail. The predictions draw on it
// where a moment's look-up cannot tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dns/record.h"
#include "ses/identity.h"

namespace sesame::ses {

// A bad answer of one name server for one of the identity's DKIM records.
struct ServerFault {
  std::string server;  // "ns2.example.com (192.0.2.53)"
  std::string name;
  dns::Type type = dns::Type::txt;
  std::string answer;                // "SERVFAIL", "no answer", "NXDOMAIN", "an old serial"
  std::string transport;             // "UDP" or "TCP"
  std::int64_t first = 0, last = 0;  // unix seconds
  std::size_t count = 0;
  std::size_t asked = 0;  // so many servers were asked the same at that look, the well ones too; 0 = not known
};

// The parent and the zone itself name different servers.
struct DelegationMismatch {
  std::vector<std::string> parent, child;
  std::string name;                  // a record that not all of them have
  std::vector<std::string> only_on;  // the servers that have it
};

// Receivers that could not get the key, by their Authentication-Results or reports.
struct KeyTemperrors {
  double share = 0;       // of all receivers, 0 to 1
  std::string server;     // the name server that is slow or fails
  std::string transport;  // "TCP"
};

// The newest mail of the identity's domain that came back through SES, as verified on arrival. Whoever passes a message
// on can take a signature out of it, so what is missing is missing for certain only where `mail_from_domain` is known.
struct Arrival {
  std::int64_t time = 0;         // of SES's own signature (t=), unix seconds
  std::string signed_domain;     // d= of the identity's signature by SES, which passed; "" = none did
  std::string selector;          // its s=
  std::string broken_domain;     // d= of one that did not verify; "" = none
  std::string broken_reason;     // why
  std::string mail_from_domain;  // of the envelope sender that SES wrote: SPF passed; "" = it came by way of others
  bool dkim_aligned = false;     // with From, by a signature that passed
  bool spf_aligned = false;      // by SPF that passed
  std::string region = {};       // of SES that sent it, as its own fields say; "" = not known
};

// How many such messages there were, as far as remembered. For people: nothing is decided by them.
struct ArrivalCounts {
  std::size_t seen = 0, dkim_aligned = 0, spf_aligned = 0, broken = 0;
};

// Records that SES needs were gone or wrong at the domain's name servers. Unix seconds.
struct Outage {
  std::vector<std::string> names;  // of those records
  std::int64_t first_bad = 0;      // the first answer that SES may have come upon
  // Since then no server that answered had what SES needs, without a break that was seen; absent: some always had.
  std::optional<std::int64_t> missing_since;
  // Since then some server has had it again, where SES may have found it; absent: it still lasts.
  std::optional<std::int64_t> restored;
};

struct History {
  std::vector<ServerFault> present;  // at the last look
  std::vector<ServerFault> past;     // since then all servers answered well
  std::optional<DelegationMismatch> delegation;
  std::string bogus_zone;  // fails DNSSEC validation; "" = none
  std::optional<KeyTemperrors> key_temperrors;
  std::optional<Arrival> arrival;
  ArrivalCounts arrivals = {};
  std::optional<Outage> dkim_outage = {};       // of the DKIM records, the last there was
  std::optional<Outage> mail_from_outage = {};  // of the MX of the MAIL FROM domain
};

// Thread-safe.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual History history_of(const Identity& identity) const = 0;
};

}  // namespace sesame::ses
