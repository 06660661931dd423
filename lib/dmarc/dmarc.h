// DMARC: RFC 9989 (tree walk), and beside it what a receiver of RFC 7489 (public suffix list) concludes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dns/resolver.h"
#include "util/result.h"
#include "util/tri.h"

namespace sesame::dmarc {

enum class Result { none, pass, fail, temperror, permerror };
enum class Policy { none, quarantine, reject };
enum class Mode { relaxed, strict };  // adkim, aspf
enum class Vintage { rfc9989, rfc7489 };
const char* to_string(Result result);
const char* to_string(Policy policy);
const char* to_string(Mode mode);  // "r", "s"
const char* to_string(Vintage vintage);

// One record: RFC 9989 Section 4.7.
struct Record {
  enum class Psd { y, n, u };
  std::optional<Policy> p, sp, np;  // absent or not valid: nothing
  bool p_invalid = false, sp_invalid = false, np_invalid = false;
  Mode adkim = Mode::relaxed, aspf = Mode::relaxed;
  Psd psd = Psd::u;
  bool testing = false;               // t=y
  bool sampled_out = false;           // pct=0: receivers of RFC 7489 apply the policy to no message
  std::vector<std::string> rua;       // URIs that are syntactically valid
  std::vector<std::string> warnings;  // "pct is historic", "p is not second", ...; safe to print
};

// Nothing when the text is not a DMARC record at all (first tag is not exactly v=DMARC1).
std::optional<Record> parse_record(std::string_view text);

// The public suffix list. Immutable, thread-safe.
class PublicSuffixList {
 public:
  // The list that libpsl was built with or the system's newer file; or a file in publicsuffix.org's format.
  static std::shared_ptr<const PublicSuffixList> system();
  static sesame::Result<std::shared_ptr<const PublicSuffixList>> from_file(const std::string& path);
  ~PublicSuffixList();

  // The registrable domain; the name itself when it is a public suffix or has one label.
  std::string organizational_domain(std::string_view name) const;
  // Of when the list is, unix seconds: the time of its file, or of the one libpsl was built with. Rules change weekly.
  std::int64_t as_of() const;

 private:
  struct Impl;
  explicit PublicSuffixList(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What is published for an author domain.
struct Discovery {
  enum class State { found, absent, temperror, permerror };
  State state = State::absent;
  std::string domain;                 // the author domain asked about
  std::string record_domain;          // where the record that applies was found
  std::string org_domain;             // of the author domain; "" when undecided
  Record record;                      // when found
  Policy policy = Policy::none;       // p, sp or np as it applies to the author domain, before t=
  Policy disposition = Policy::none;  // after t=
  std::string reason;                 // name and status for temperror; what is wrong with records; "" otherwise
  std::vector<std::string> problems;  // records that could not be used, with name and why; safe to print
};

struct OrganizationalDomain {
  std::string domain;  // "" when undecided
  std::string reason;  // then: the name that did not answer, with its status
};

// Evaluates for one vintage. Keeps what it has looked up, so one evaluator serves one message. Not thread-safe.
class Evaluator {
 public:
  // `suffixes` is used by rfc7489 only.
  Evaluator(dns::Resolver& resolver, Vintage vintage, std::shared_ptr<const PublicSuffixList> suffixes,
            Deadline deadline);
  ~Evaluator();

  // Stays as long as the evaluator.
  const Discovery& discover(const std::string& author_domain);
  // A tree walk of its own for each name (RFC 9989 Section 4.10.2), or the public suffix list.
  OrganizationalDomain organizational_domain(const std::string& domain);
  // Is `identifier` aligned with the author domain? Unknown when a walk that is needed did not get its answers.
  Tri aligned(const Discovery& author, const std::string& identifier, Mode mode);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Starts the look-ups of the tree walk of an author domain: the next name is asked about as soon as the answer for the
// one before is there, so that in the end just those are asked that Vintage::rfc9989 asks.
void prefetch(dns::Resolver& resolver, std::string_view author_domain);

// What SPF and DKIM found.
struct Identifier {
  enum class Method { spf, dkim };
  enum class State { pass, not_pass, temperror, permerror };
  Method method = Method::dkim;
  std::string domain;  // RFC5321.MailFrom domain (or HELO for the null reverse-path), or d=
  State state = State::not_pass;
};

struct Outcome {
  Result result = Result::none;
  Discovery discovery;
  Tri dkim_aligned = Tri::no;  // some passing signature aligns
  Tri spf_aligned = Tri::no;
  std::string aligned_domain;  // the identifier that made it pass; "" otherwise
  std::string reason;          // why not pass; safe to print
};

// RFC 9989 Sections 5.3.5 and 5.3.6.
Outcome evaluate(Evaluator& evaluator, const std::string& author_domain, const std::vector<Identifier>& identifiers);

}  // namespace sesame::dmarc
