// DNS data for tests, with faults. One form serves the resolver in memory and the server on a socket.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dns/record.h"

namespace sesame::test {

struct Fault {
  enum class Kind {
    none,
    timeout,
    servfail,
    refused,
    formerr,
    notimp,
    nxdomain,
    nodata,
    truncate,
    slow,
    bogus
  } kind = Kind::none;
  int milliseconds = 0;  // slow
  int first = -1;        // only for the first so many questions; -1 = always
};

struct ZoneSoa {
  std::uint32_t serial = 1;
  std::uint32_t refresh = 3600;  // seconds
};

// How the server as a whole behaves.
struct Conduct {
  // A resolver knows everything the zone text holds, or its absence. An authority knows the zones that have an SOA
  // record there: it refuses all others, and refers to the name servers of a name below that has NS records but no SOA.
  enum class Role { resolver, authority } role = Role::resolver;
  // Whoever is lame was named by the parent and serves no zone: it refuses, or answers as a resolver does, without AA.
  enum class Lame { no, refuses, forwards } lame = Lame::no;
  // Nobody listens, connections are closed at once, or they are read and never answered.
  enum class Tcp { answers, refuses, closes, silent } tcp = Tcp::answers;
  enum class Udp { answers, silent, truncates } udp = Udp::answers;
};

struct RecordSet {
  std::vector<std::vector<std::string>> texts;  // txt: each record a list of strings of at most 255 octets
  std::vector<IpAddress> addresses;
  std::vector<dns::Mx> exchanges;
  std::vector<std::string> names;  // ns, ptr, cname; soa: the primary
  std::optional<ZoneSoa> soa;
  Fault fault;
};

// Names are canonical. A name absent from the zone is NXDOMAIN unless names exist below it (then NODATA).
class Zone {
 public:
  Zone() = default;
  // One record a line, '#' begins a comment line:
  //   example.com        TXT   v=spf1 -all             (the rest of the line; several strings: "one" "two")
  //   example.com        MX    10 mail.example.com
  //   mail.example.com   A     192.0.2.1
  //   www.example.com    CNAME mail.example.com
  //   bad.example.com    TXT   !SERVFAIL               (also !TIMEOUT !REFUSED !FORMERR !NOTIMP !NXDOMAIN !NODATA
  //   slow.example.com   TXT   !SLOW 200                !TRUNCATE; "!SERVFAIL 2" = for the first two questions)
  //   dead.example.com   *     !TIMEOUT                (every type)
  //   bogus.example.com  *     !BOGUS                  (SERVFAIL, as of one that validates, unless checking is
  //   disabled)
  //   *.example.com      TXT   anything                (names that have no records and no names below them)
  //   example.com        SOA   7 3600                  (serial and refresh)
  //   ! role authority                                  (Conduct: role, lame, tcp or udp, and one of its words)
  // Throws std::runtime_error naming the line.
  explicit Zone(std::string_view text);
  // The form of the conformance suites: {"zone": {NAME: {TYPE: [...]}}, "faults": [...]}, or the zone alone. Beside
  // them "conduct": {"role": "authority", "tcp": "refuses"}; an SOA is [serial, refresh].
  static Zone from_json(std::string_view json);

  void add(std::string_view lines);    // more lines; a fault line replaces an earlier fault
  void remove(std::string_view name);  // with all its records
  const RecordSet* find(const std::string& name, dns::Type type) const;
  bool exists(const std::string& name) const;              // it or something below it has records
  const Fault* name_fault(const std::string& name) const;  // for every type
  // The deepest name at or above this one that has an SOA record, and that record. Nothing when there is none.
  std::optional<std::pair<std::string, ZoneSoa>> apex_of(const std::string& name) const;
  // Where a zone that holds this name but not as its apex gives it away: the highest name below `apex` and at or above
  // `name` that has NS records. Nothing when it holds the name itself.
  std::optional<std::string> cut_below(const std::string& apex, const std::string& name) const;
  const Conduct& conduct() const { return conduct_; }

 private:
  RecordSet& at(const std::string& name, dns::Type type);
  bool holds(const std::string& name) const;
  std::string owner(const std::string& name) const;  // itself, or the wildcard that stands for it

  std::map<std::string, std::map<dns::Type, RecordSet>> names_;
  std::unordered_map<std::string, std::size_t> below_;  // how many of names_ lie below each name
  std::map<std::string, Fault> name_faults_;
  Conduct conduct_;
};

std::optional<dns::Type> parse_type(std::string_view word);

}  // namespace sesame::test
