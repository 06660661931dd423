// Authenticated Received Chain, verification: RFC 8617.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dns/resolver.h"
#include "mail/field.h"

namespace sesame::arc {

enum class Result { none, pass, fail };  // RFC 8617 Section 4.4; a DNS failure fails the chain (Section 5.2)
const char* to_string(Result result);

// One set of a passing chain. A sealer vouches for what it reported only as far as everyone above it is believed too:
// whoever sealed later may have changed the message.
struct Seal {
  int instance = 0;
  std::string sealer;   // d= of the ARC-Seal, canonical
  std::string results;  // ARC-Authentication-Results behind "i=N;", for authres::parse; not safe to print
};

struct Outcome {
  Result result = Result::none;
  int instances = 0;       // sets found
  int oldest_pass = 0;     // RFC 8617 Section 5.2 step 5; 0 when not determined
  std::string sealer;      // d= of the newest seal; "" if none
  std::string reason;      // why it fails; safe to print
  std::vector<Seal> sets;  // newest first; only of a chain that passes and whose newest set signs From
};

struct Options {
  std::int64_t now = 0;           // unix seconds, for t= and x=
  std::int64_t clock_skew = 300;  // seconds tolerated
};

// The same steps as dkim::Verifier.
class Verifier {
 public:
  Verifier(dns::Resolver& resolver, const Options& options);
  ~Verifier();
  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;

  void field(const mail::Field& field);
  void end_of_header(std::span<const mail::Field> fields);
  void body(std::string_view chunk);
  bool wants_body() const;
  Outcome finish(Deadline deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sesame::arc
