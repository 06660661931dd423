// Typed DNS answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "util/ip.h"

namespace sesame::dns {

enum class Type : std::uint16_t { a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28 };

// How a question ended. `ok` has at least one record of the type asked for; `nodata` is NOERROR without one
// (RFC 2308 Section 2.2). `malformed` is an answer that cannot be parsed; `cname_limit` a chain that loops or is too
// long. `timeout` is no answer before the deadline, or none from any server.
enum class Status { ok, nodata, nxdomain, servfail, refused, formerr, notimp, timeout, malformed, cname_limit };

const char* to_string(Type type);      // "TXT"
const char* to_string(Status status);  // "NXDOMAIN", "no answer", ...

// True when asking again later may give another answer: neither data nor a proof of absence.
constexpr bool is_temporary(Status status) {
  return status != Status::ok && status != Status::nodata && status != Status::nxdomain;
}
constexpr bool is_absent(Status status) { return status == Status::nodata || status == Status::nxdomain; }

struct Mx {
  std::uint16_t preference = 0;
  std::string host;  // canonical; "" is the null MX (RFC 7505)
};

// RFC 1035 Section 3.3.13.
struct Soa {
  std::string zone;     // its owner
  std::string primary;  // MNAME
  std::uint32_t serial = 0;
  std::uint32_t refresh = 0;  // seconds
};

// The answer to one question. Only the vector that belongs to the type is filled, in the order received.
struct Answer {
  Status status = Status::timeout;
  std::string name;  // as asked, canonical
  Type type = Type::txt;
  std::vector<std::string> cnames;      // targets of the CNAME chain followed, in order; canonical
  std::vector<std::string> texts;       // txt: the strings of each record joined without spaces (RFC 7208 Section 3.3)
  std::vector<IpAddress> addresses;     // a, aaaa
  std::vector<Mx> exchanges;            // mx
  std::vector<std::string> names;       // ns, cname, ptr: canonical
  std::uint32_t ttl = 0;                // seconds this may be kept: least of the records and CNAMEs, or RFC 2308's
  std::chrono::steady_clock::time_point received{};  // when it came from a server
  bool authenticated = false;  // the server says that it validated the answer with DNSSEC (AD, RFC 4035 Section 3.2.3)
  // Its time to live is over, and no newer one could be had (RFC 8767). An absence that is stale proves nothing.
  bool stale = false;
};

// RFC 8767 Section 4 lets an answer serve past its time to live. That something was absent then is no proof that it is
// now: where an absence decides against somebody, a stale one is as good as no answer.
inline bool proves_absence(const Answer& answer) {
  return is_absent(answer.status) && !answer.stale;
}
// Neither data nor a proof that there is none.
inline bool is_undecided(const Answer& answer) {
  return answer.status != Status::ok && !proves_absence(answer);
}
std::string status_text(const Answer& answer);  // "NXDOMAIN", "only a stale NXDOMAIN"
// Its records in the order received, octets as they came: "v=spf1 -all", "192.0.2.1", "10 mx.example.com".
std::vector<std::string> data_of(const Answer& answer);

// One that has nothing but its status.
Answer bare_answer(const std::string& name, Type type, Status status);

// Never null.
using AnswerPtr = std::shared_ptr<const Answer>;

}  // namespace sesame::dns
